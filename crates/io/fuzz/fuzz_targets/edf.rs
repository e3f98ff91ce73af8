//! EDF and BDF, and the recordings made of them.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = chiasm_io::edf::parse(bytes, "fuzz").and_then(|edf| edf.recordings());
});
