//! `.npz` archives.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = chiasm_io::numpy::parse_npz(bytes, "fuzz");
});
