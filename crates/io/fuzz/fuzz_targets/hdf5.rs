//! HDF5: the tree, and every dataset as numbers or words.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = chiasm_io::hdf5::parse(bytes.to_vec(), "fuzz") else { return };
    let paths: Vec<String> = file.objects().map(|(path, _)| path.to_string()).collect();
    for path in paths {
        let _ = file.read::<f64>(&path);
        let _ = file.read_words(&path);
    }
});
