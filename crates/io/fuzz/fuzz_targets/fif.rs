//! FIF files, and the recordings and epochs made of them.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(fif) = chiasm_io::fif::parse(bytes, "fuzz") {
        let _ = (fif.recordings(), fif.epochs(), fif.triggers(None));
    }
});
