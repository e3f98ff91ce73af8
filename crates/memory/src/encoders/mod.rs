//! Encoders: numbers, categories and dates as sparse codes in which likeness is overlap.
//!
//! Every value becomes the same number of active cells, like values share many of them, and unlike
//! values share none: what dendrites downstream need to generalise (the encoders of hierarchical
//! temporal memory; Purdy 2016, arXiv:1602.05925).

mod category;
mod date;
mod scalar;

pub use category::CategoryEncoder;
pub use date::{DateEncoder, DateTime};
pub use scalar::{ScalarEncoder, ScalarRange};

use chiasm_core::{Error, Result};

use crate::sdr::Sdr;

/// Several codes side by side, as one code of all their cells.
pub fn concatenate<'a>(codes: impl IntoIterator<Item = &'a Sdr>) -> Result<Sdr> {
    let (mut cells, mut active) = (0usize, Vec::new());
    for code in codes {
        let first = cells as u32;
        cells += code.cells();
        crate::sdr::check_cells(cells)?;
        active.extend(code.active().iter().map(|&cell| first + cell));
    }
    if cells == 0 {
        return Err(Error::TooFew {
            operation: "concatenate",
            what: "codes",
            found: 0,
            needed: 1,
        });
    }
    Ok(Sdr::from_sorted(cells, active))
}
