//! `.npy` arrays, and their numbers.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = chiasm_io::numpy::parse(bytes, "fuzz").and_then(|array| array.into_f64("fuzz"));
});
