//! Where sensors are.

use crate::error::{Error, Result};

/// What positions are measured from. Axes in every frame: x to the right, y to the front, z up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CoordinateFrame {
    /// The machine: where an MEG helmet's coils are, whatever the head does.
    Device,
    /// The head: the origin lies between the ears, the nasion is in front.
    Head,
    /// A sphere that stands for any head; positions follow from the names of the electrodes.
    Template,
    /// Not said.
    Unknown,
}

impl CoordinateFrame {
    /// The frame in a word.
    pub fn name(self) -> &'static str {
        match self {
            CoordinateFrame::Device => "device",
            CoordinateFrame::Head => "head",
            CoordinateFrame::Template => "template",
            CoordinateFrame::Unknown => "unknown",
        }
    }
}

/// One position per channel, in metres; `None` where a channel has none. A missing position is not
/// the origin: methods that need positions mask such channels.
#[derive(Clone, Debug, PartialEq)]
pub struct SensorPositions {
    frame: CoordinateFrame,
    metres: Vec<Option<[f64; 3]>>,
}

impl SensorPositions {
    /// Checks that every position that is given is finite.
    pub fn new(frame: CoordinateFrame, metres: Vec<Option<[f64; 3]>>) -> Result<Self> {
        let broken = metres
            .iter()
            .position(|place| place.is_some_and(|xyz| xyz.iter().any(|value| !value.is_finite())));
        match broken {
            None => Ok(SensorPositions { frame, metres }),
            Some(channel) => Err(Error::NotFinite {
                what: "sensor positions".to_string(),
                count: 1,
                first: format!("channel {channel}"),
            }),
        }
    }

    /// What the positions are measured from.
    pub fn frame(&self) -> CoordinateFrame {
        self.frame
    }

    /// The positions, one a channel.
    pub fn metres(&self) -> &[Option<[f64; 3]>] {
        &self.metres
    }

    /// How many channels have one.
    pub fn known(&self) -> usize {
        self.metres.iter().flatten().count()
    }

    /// Fails where there is not one entry for each of `channels` channels.
    pub(super) fn check(&self, operation: &'static str, what: &str, channels: usize) -> Result<()> {
        if self.metres.len() == channels {
            return Ok(());
        }
        Err(Error::Shape {
            operation,
            what: what.to_string(),
            axis: "sensor positions",
            found: self.metres.len(),
            expected: format!("{channels} (one a channel)"),
        })
    }
}
