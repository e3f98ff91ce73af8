//! Brain images, plain and compressed, and the volumes made of them.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = chiasm_io::nifti::parse(bytes, "fuzz").and_then(|image| image.into_volume());
});
