//! Spiking digits.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = chiasm_io::shd::parse(bytes.to_vec(), "fuzz");
});
