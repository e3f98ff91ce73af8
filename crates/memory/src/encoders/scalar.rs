use chiasm_core::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::sdr::{Sdr, check_cells};

/// The numbers an encoder distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScalarRange {
    /// The smallest.
    pub low: f64,
    /// The largest; in a circle, the one that is the same as the smallest.
    pub high: f64,
    /// Whether the range is a circle, as hours of the day are.
    pub circular: bool,
}

/// Numbers as a run of active cells whose place says how large the number is.
///
/// Two numbers share `active - d` cells for a distance of `d` steps, a step being
/// `(high - low) / (cells - active)`, or `/ cells` in a circle; none from `active` steps on. Numbers
/// beyond the ends get the code of the end; in a circle they wrap round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScalarEncoder {
    range: ScalarRange,
    cells: usize,
    active: usize,
}

impl ScalarEncoder {
    /// An encoder onto `cells` cells of which `active` are active.
    pub fn new(range: ScalarRange, cells: usize, active: usize) -> Result<Self> {
        check_cells(cells)?;
        if !(1..cells).contains(&active) {
            return Err(Error::setting(
                "active",
                active,
                format!("1 to {}", cells - 1),
            ));
        }
        let ScalarRange { low, high, .. } = range;
        if !(low.is_finite() && high.is_finite() && (high - low).is_finite() && low < high) {
            let value = format!("{low} to {high}");
            return Err(Error::setting(
                "range",
                value,
                "two finite numbers, the smaller first",
            ));
        }
        Ok(ScalarEncoder {
            range,
            cells,
            active,
        })
    }

    /// The number of cells of a code.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// The code of `value`; fails where it is not a number.
    pub fn encode(&self, value: f64) -> Result<Sdr> {
        if !value.is_finite() {
            return Err(Error::NotFinite {
                what: "the number to encode".to_string(),
                count: 1,
                first: "itself".to_string(),
            });
        }
        let ScalarRange {
            low,
            high,
            circular,
        } = self.range;
        let share = (value - low) / (high - low);
        let cells = if circular {
            // Rounding can end at the far end of the circle, which is its beginning.
            let first = (share.rem_euclid(1.0) * self.cells as f64).round() as usize;
            let mut cells: Vec<u32> = (0..self.active)
                .map(|step| ((first + step) % self.cells) as u32)
                .collect();
            cells.sort_unstable();
            cells
        } else {
            let steps = (self.cells - self.active) as f64;
            let first = (share.clamp(0.0, 1.0) * steps).round() as u32;
            (first..first + self.active as u32).collect()
        };
        Ok(Sdr::from_sorted(self.cells, cells))
    }
}
