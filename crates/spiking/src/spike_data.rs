//! Labelled spike recordings, and the frames that networks see.

use burn::tensor::{Device, Int, Tensor, TensorData};
use chiasm_core::data::bin_index;
use chiasm_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// One recording in frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Frames it lasts.
    pub steps: usize,
    /// (frame, channel) of each spike; the same pair again counts again.
    pub spikes: Vec<(u32, u16)>,
    /// The class.
    pub label: usize,
    /// Who or what was recorded, for splits that keep groups together.
    pub group: usize,
}

/// How spike times become frames.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FrameSettings {
    /// Seconds a frame lasts.
    pub frame_seconds: f64,
    /// Neighbouring channels that are summed into one.
    pub channels_per_frame_channel: usize,
    /// Whether frames are counted from the first spike rather than from time 0.
    pub from_first_spike: bool,
}

impl Default for FrameSettings {
    /// The preprocessing of Hammouamri and colleagues (2024) for the Spiking Heidelberg Digits.
    fn default() -> Self {
        FrameSettings {
            frame_seconds: 0.01,
            channels_per_frame_channel: 5,
            from_first_spike: true,
        }
    }
}

impl FrameSettings {
    /// Refuses settings without meaning.
    pub fn check(&self) -> Result<()> {
        if !(self.frame_seconds.is_finite() && self.frame_seconds > 0.0) {
            let name = "frame_seconds";
            return Err(Error::setting(name, self.frame_seconds, "above 0"));
        }
        if self.channels_per_frame_channel == 0 {
            let name = "channels_per_frame_channel";
            return Err(Error::setting(name, 0, "1 or more"));
        }
        Ok(())
    }

    /// Channels after summing.
    pub fn channels(&self, channels: usize) -> usize {
        channels.div_ceil(self.channels_per_frame_channel.max(1))
    }
}

/// A recording of (seconds, channel) spikes in frames; it lasts until its last spike.
pub fn frames(
    spikes: impl Iterator<Item = (f64, u16)>,
    label: usize,
    group: usize,
    settings: &FrameSettings,
) -> Result<Sample> {
    settings.check()?;
    let mut spikes: Vec<(f64, u16)> = spikes.collect();
    if let Some(first) = spikes.iter().position(|(time, _)| !time.is_finite()) {
        let count = spikes.iter().filter(|(time, _)| !time.is_finite()).count();
        return Err(Error::NotFinite {
            what: "spike times".into(),
            count,
            first: format!("spike {first}"),
        });
    }
    spikes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let start = if settings.from_first_spike {
        spikes.first().map_or(0.0, |(time, _)| *time)
    } else {
        0.0
    };
    let width = settings.channels_per_frame_channel;
    let spikes: Vec<(u32, u16)> = spikes
        .into_iter()
        .filter_map(|(time, channel)| {
            let frame = u32::try_from(bin_index(time, start, settings.frame_seconds)).ok()?;
            Some((frame, channel / u16::try_from(width).unwrap_or(u16::MAX)))
        })
        .collect();
    let steps = spikes.last().map_or(1, |(frame, _)| *frame as usize + 1);
    if steps > 1 << 16 {
        let allowed = "longer frames: a recording has more than 65536 of these";
        return Err(Error::setting(
            "frame_seconds",
            settings.frame_seconds,
            allowed,
        ));
    }
    Ok(Sample {
        steps,
        spikes,
        label,
        group,
    })
}

/// Labelled recordings.
#[derive(Clone, Debug, PartialEq)]
pub struct SpikeData {
    samples: Vec<Sample>,
    channels: usize,
    classes: usize,
}

impl SpikeData {
    /// Recordings whose spikes lie below `channels` and within their steps, and whose labels lie
    /// below `classes`.
    pub fn new(samples: Vec<Sample>, channels: usize, classes: usize) -> Result<Self> {
        for (index, sample) in samples.iter().enumerate() {
            if sample.label >= classes {
                let allowed = format!("below {classes}");
                let name = format!("label of recording {index}");
                return Err(Error::setting(name, sample.label, allowed));
            }
            let outside = sample.spikes.iter().find(|(step, channel)| {
                *step as usize >= sample.steps || *channel as usize >= channels
            });
            if let Some((step, channel)) = outside {
                return Err(Error::setting(
                    format!("spike of recording {index}"),
                    format!("frame {step}, channel {channel}"),
                    format!("frames below {}, channels below {channels}", sample.steps),
                ));
            }
        }
        Ok(SpikeData {
            samples,
            channels,
            classes,
        })
    }

    /// The recordings.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// How many recordings there are.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Input channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The recordings of the groups that satisfy `keep`, and the others.
    pub fn split_by_group(self, keep: impl Fn(usize) -> bool) -> (SpikeData, SpikeData) {
        let SpikeData {
            samples,
            channels,
            classes,
        } = self;
        let (kept, others) = samples.into_iter().partition(|sample| keep(sample.group));
        let data = |samples| SpikeData {
            samples,
            channels,
            classes,
        };
        (data(kept), data(others))
    }

    /// The counts of these recordings as (steps, recordings, channels), padded with silence to the
    /// longest of them, with their labels.
    pub fn batch(&self, indices: &[usize], device: &Device) -> (Tensor<3>, Tensor<1, Int>) {
        let chosen: Vec<&Sample> = indices.iter().map(|&index| &self.samples[index]).collect();
        let steps = chosen.iter().map(|sample| sample.steps).max().unwrap_or(0);
        let (batch, channels) = (chosen.len(), self.channels);
        let mut counts = vec![0.0f32; steps * batch * channels];
        for (place, sample) in chosen.iter().enumerate() {
            for &(step, channel) in &sample.spikes {
                counts[(step as usize * batch + place) * channels + channel as usize] += 1.0;
            }
        }
        let labels: Vec<i64> = chosen.iter().map(|sample| sample.label as i64).collect();
        let plain = device.clone().without_autodiff();
        (
            Tensor::from_data(TensorData::new(counts, [steps, batch, channels]), &plain),
            Tensor::from_data(TensorData::new(labels, [batch]), &plain),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_count_from_the_first_spike_and_sum_neighbours() {
        // 0.13 - 0.03 is 0.1 only up to rounding: it belongs to frame 10.
        let spikes = [(0.13, 7u16), (0.03, 0), (0.0301, 4), (0.0399, 5)];
        let sample = frames(spikes.into_iter(), 3, 1, &FrameSettings::default()).unwrap();
        assert_eq!(sample.steps, 11);
        assert_eq!(sample.spikes, [(0, 0), (0, 0), (0, 1), (10, 1)]);
        assert_eq!((sample.label, sample.group), (3, 1));
        let broken = [(f64::NAN, 0u16)];
        assert!(frames(broken.into_iter(), 0, 0, &FrameSettings::default()).is_err());
    }

    #[test]
    fn batches_hold_counts_padded_to_the_longest() {
        let sample = |steps, spikes: &[(u32, u16)], label| Sample {
            steps,
            spikes: spikes.to_vec(),
            label,
            group: label,
        };
        let samples = vec![
            sample(2, &[(0, 1), (0, 1), (1, 0)], 0),
            sample(3, &[(2, 1)], 1),
        ];
        let data = SpikeData::new(samples.clone(), 2, 2).unwrap();
        let (counts, labels) = data.batch(&[1, 0], &Device::flex());
        assert_eq!(counts.dims(), [3, 2, 2]);
        let values: Vec<f32> = counts.into_data().iter().collect();
        assert_eq!(values, [0., 0., 0., 2., 0., 0., 1., 0., 0., 1., 0., 0.]);
        assert_eq!(labels.into_data().iter::<i64>().collect::<Vec<_>>(), [1, 0]);
        let (kept, others) = data.split_by_group(|group| group == 1);
        assert_eq!((kept.len(), others.len()), (1, 1));
        assert!(SpikeData::new(samples.clone(), 1, 2).is_err());
        assert!(SpikeData::new(samples, 2, 1).is_err());
    }
}
