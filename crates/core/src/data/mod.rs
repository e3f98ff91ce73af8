//! Typed data: arrays that carry their axes, units, rate and labels. Shapes are checked once, when
//! a value is made; after that every method may rely on them.

mod epochs;
mod events;
mod intervals;
mod positions;
mod rdm;
mod recording;
mod responses;
mod spike_trains;
mod table;
mod volume;

pub use epochs::Epochs;
pub use events::{Event, Events};
pub use intervals::Intervals;
pub use positions::{CoordinateFrame, SensorPositions};
pub use rdm::{Rdm, condensed_index, condensed_len, conditions_of_condensed};
pub use recording::{Clock, Recording};
pub use responses::Responses;
pub use spike_trains::{SpikeTrains, bin_index};
pub use table::{Column, Table};
pub use volume::Volume;

use crate::error::{Error, Result};

/// Fails where any of `values` is NaN or infinite; `locate` words the place of a flat index.
pub fn require_finite<'a>(
    what: &str,
    values: impl IntoIterator<Item = &'a f64>,
    locate: impl Fn(usize) -> String,
) -> Result<()> {
    let mut first = None;
    let mut count = 0;
    for (index, value) in values.into_iter().enumerate() {
        if !value.is_finite() {
            count += 1;
            first.get_or_insert(index);
        }
    }
    match first {
        None => Ok(()),
        Some(index) => Err(Error::NotFinite {
            what: what.to_string(),
            count,
            first: locate(index),
        }),
    }
}
