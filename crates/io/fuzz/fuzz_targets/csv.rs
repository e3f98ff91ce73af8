//! Delimited text, as a table and as a matrix.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = chiasm_io::csv::parse(bytes, "fuzz");
    let _ = chiasm_io::csv::parse_matrix(bytes, "fuzz", &Default::default());
});
