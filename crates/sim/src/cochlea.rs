//! Sound to spikes by a model of the inner ear: basilar membrane, inner hair cells, auditory nerve fibres and
//! bushy cells, the chain that made the Spiking Heidelberg Digits (Cramer, Stradmann, Schemmel and Zenke 2022).

mod basilar_membrane;
mod hair_cell;
mod hankel;

use chiasm_core::{Error, Result, Seed};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use basilar_membrane::{BasilarMembrane, LENGTH};
use hair_cell::{BushyCell, HairCell, NerveFibres};

/// Seconds of silence after a sound in which the membrane rings out.
const RINGING: f64 = 0.05;

/// What of the ear is modelled, and how finely.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CochleaSettings {
    /// Places along the membrane, one output channel each, from base (high) to apex (low).
    pub channels: usize,
    /// The place nearest the base, in centimetres. 0 is 22.5 kHz; sound sampled at 8 kHz moves nothing
    /// before 1.1.
    pub from_centimetres: f64,
    /// The place nearest the apex, in centimetres, at most 3.5.
    pub to_centimetres: f64,
    /// Root mean square the sound is brought to.
    pub loudness: f64,
    /// Hair cell drive per unit of membrane motion.
    pub gain: f64,
    /// Length of the rise and fall at the ends of the sound, in seconds.
    pub ramp_seconds: f64,
    /// Nerve fibres on each hair cell.
    pub fibres: usize,
}

impl Default for CochleaSettings {
    fn default() -> Self {
        CochleaSettings {
            channels: 700,
            from_centimetres: 0.0,
            to_centimetres: LENGTH,
            loudness: 0.3,
            gain: 240.0,
            ramp_seconds: 0.01,
            fibres: 40,
        }
    }
}

impl CochleaSettings {
    /// Refuses settings without meaning.
    pub fn check(&self) -> Result<()> {
        if !(1..=65_535).contains(&self.channels) {
            return Err(Error::setting("channels", self.channels, "1 to 65535"));
        }
        let places = self.from_centimetres..=self.to_centimetres;
        if !(0.0 <= *places.start() && places.start() < places.end() && *places.end() <= LENGTH) {
            return Err(Error::setting(
                "from_centimetres, to_centimetres",
                format!("{}, {}", places.start(), places.end()),
                "places in order between 0 and 3.5",
            ));
        }
        for (name, value) in [("loudness", self.loudness), ("gain", self.gain)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(Error::setting(name, value, "above 0"));
            }
        }
        if !(0.0..=1.0).contains(&self.ramp_seconds) {
            return Err(Error::setting("ramp_seconds", self.ramp_seconds, "0 to 1"));
        }
        if !(1..=10_000).contains(&self.fibres) {
            return Err(Error::setting("fibres", self.fibres, "1 to 10000"));
        }
        Ok(())
    }
}

/// A spike of a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelSpike {
    /// Seconds from the beginning of the sound.
    pub seconds: f32,
    /// The channel, 0 nearest the base.
    pub channel: u16,
}

/// An ear for sounds of one sampling rate and of up to some length.
pub struct Cochlea {
    settings: CochleaSettings,
    sample_rate: f64,
    longest: usize,
    membrane: BasilarMembrane,
}

impl Cochlea {
    /// An ear for sounds of `sample_rate` samples per second and at most `longest` samples. Making it takes
    /// longer than hearing a sound.
    pub fn new(settings: CochleaSettings, sample_rate: f64, longest: usize) -> Result<Self> {
        settings.check()?;
        if !(4_000.0..=200_000.0).contains(&sample_rate) {
            return Err(Error::setting(
                "sample rate",
                sample_rate,
                "4000 to 200000 samples per second",
            ));
        }
        if longest as f64 > 60.0 * sample_rate {
            let seconds = longest as f64 / sample_rate;
            return Err(Error::setting(
                "longest sound",
                seconds,
                "at most 60 seconds",
            ));
        }
        let width = settings.to_centimetres - settings.from_centimetres;
        let last = (settings.channels - 1).max(1) as f64;
        let places: Vec<f64> = (0..settings.channels)
            .map(|index| settings.from_centimetres + width * index as f64 / last)
            .collect();
        let ringing = (RINGING * sample_rate) as usize;
        let padded = fast_length(longest + ringing);
        let membrane = BasilarMembrane::new(&places, sample_rate, padded);
        Ok(Cochlea {
            settings,
            sample_rate,
            longest,
            membrane,
        })
    }

    /// The spikes a sound evokes, in order of time. Repeats of a sound differ by `seed` only.
    pub fn hear(&self, sound: &[f32], seed: Seed) -> Result<Vec<ChannelSpike>> {
        let prepared = self.prepare(sound)?;
        let spectrum = self.membrane.spectrum(&prepared)?;
        let samples = prepared.len() + (RINGING * self.sample_rate) as usize;
        let channels: Vec<Vec<ChannelSpike>> = (0..self.settings.channels)
            .into_par_iter()
            .map(|channel| {
                let motion = self.membrane.motion(channel, &spectrum)?;
                Ok(self.spikes(channel, &motion[..samples], seed.indexed(channel as u64)))
            })
            .collect::<Result<_>>()?;
        let mut spikes: Vec<ChannelSpike> = channels.into_iter().flatten().collect();
        spikes.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        Ok(spikes)
    }

    /// The sound at the set loudness, with ramps at both ends.
    fn prepare(&self, sound: &[f32]) -> Result<Vec<f32>> {
        let needed = 16;
        if sound.len() > self.longest {
            return Err(Error::Shape {
                operation: "cochlea",
                what: "sound".into(),
                axis: "samples",
                found: sound.len(),
                expected: format!("at most {}", self.longest),
            });
        }
        if sound.len() < needed {
            return Err(Error::TooFew {
                operation: "cochlea",
                what: "samples",
                found: sound.len(),
                needed,
            });
        }
        let count = sound.iter().filter(|sample| !sample.is_finite()).count();
        if count > 0 {
            let first = sound
                .iter()
                .position(|sample| !sample.is_finite())
                .unwrap_or(0);
            return Err(Error::NotFinite {
                what: "sound".into(),
                count,
                first: format!("sample {first}"),
            });
        }
        let power = sound
            .iter()
            .map(|&sample| f64::from(sample).powi(2))
            .sum::<f64>()
            / sound.len() as f64;
        if power == 0.0 {
            return Err(Error::Unusable {
                operation: "cochlea",
                reason: "the sound is silence".into(),
            });
        }
        let scale = self.settings.loudness / power.sqrt();
        let ramp = ((self.settings.ramp_seconds * self.sample_rate) as usize).min(sound.len() / 2);
        let last = sound.len() - 1;
        Ok(sound
            .iter()
            .enumerate()
            .map(|(index, &sample)| {
                let edge = index.min(last - index);
                let hann = if edge < ramp {
                    (std::f64::consts::FRAC_PI_2 * edge as f64 / ramp as f64)
                        .sin()
                        .powi(2)
                } else {
                    1.0
                };
                (f64::from(sample) * scale * hann) as f32
            })
            .collect())
    }

    /// One channel's bushy cell spikes.
    fn spikes(&self, channel: usize, motion: &[f32], seed: Seed) -> Vec<ChannelSpike> {
        let mut rng = seed.rng();
        let step = 1.0 / self.sample_rate;
        let mut hair_cell = HairCell::at_rest(step);
        let mut fibres = NerveFibres::new(self.settings.fibres, step);
        let mut bushy = BushyCell::new(self.settings.fibres, step);
        let gain = self.settings.gain as f32;
        let mut spikes = Vec::new();
        for (index, &motion) in motion.iter().enumerate() {
            let probability = hair_cell.step(gain * motion);
            let released = fibres.step(probability, &mut rng);
            if bushy.step(released) {
                spikes.push(ChannelSpike {
                    seconds: (index as f64 * step) as f32,
                    channel: channel as u16,
                });
            }
        }
        spikes
    }
}

/// The smallest power of two, or one and a half times one, that holds `samples`: lengths with fast
/// transforms.
fn fast_length(samples: usize) -> usize {
    let power = samples.next_power_of_two().max(4);
    if samples <= power / 4 * 3 {
        power / 4 * 3
    } else {
        power
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f64, seconds: f64, rate: f64) -> Vec<f32> {
        let samples = (seconds * rate) as usize;
        (0..samples)
            .map(|t| (std::f64::consts::TAU * hertz * t as f64 / rate).sin() as f32)
            .collect()
    }

    fn ear() -> Cochlea {
        let settings = CochleaSettings {
            channels: 70,
            from_centimetres: 0.9,
            ..CochleaSettings::default()
        };
        Cochlea::new(settings, 16_000.0, 4000).unwrap()
    }

    #[test]
    fn tones_are_heard_at_their_places_in_order() {
        let ear = ear();
        let mut centres = Vec::new();
        for hertz in [250.0, 500.0, 1000.0, 2000.0] {
            let spikes = ear.hear(&tone(hertz, 0.2, 16_000.0), Seed::new(1)).unwrap();
            assert!(
                spikes.len() > 100,
                "{hertz} Hz gives {} spikes",
                spikes.len()
            );
            assert!(spikes.is_sorted_by(|a, b| a.seconds <= b.seconds));
            let sum: f64 = spikes.iter().map(|spike| f64::from(spike.channel)).sum();
            centres.push(sum / spikes.len() as f64);
        }
        assert!(
            centres.is_sorted_by(|low, high| low > &(high + 5.0)),
            "{centres:?}"
        );
    }

    #[test]
    fn a_seed_repeats_and_another_differs() {
        let ear = ear();
        let sound = tone(700.0, 0.1, 16_000.0);
        let spikes = ear.hear(&sound, Seed::new(1)).unwrap();
        assert_eq!(spikes, ear.hear(&sound, Seed::new(1)).unwrap());
        assert_ne!(spikes, ear.hear(&sound, Seed::new(2)).unwrap());
        // Loudness is normalised away.
        let quiet: Vec<f32> = sound.iter().map(|sample| sample * 0.25).collect();
        assert_eq!(spikes, ear.hear(&quiet, Seed::new(1)).unwrap());
    }

    #[test]
    fn sound_that_cannot_be_heard_is_refused() {
        let ear = ear();
        assert!(matches!(
            ear.hear(&[0.1; 3], Seed::new(1)),
            Err(Error::TooFew { .. })
        ));
        assert!(matches!(
            ear.hear(&[0.0; 300], Seed::new(1)),
            Err(Error::Unusable { .. })
        ));
        let mut broken = tone(500.0, 0.1, 16_000.0);
        broken[7] = f32::NAN;
        assert!(matches!(
            ear.hear(&broken, Seed::new(1)),
            Err(Error::NotFinite { .. })
        ));
        assert!(matches!(
            ear.hear(&[0.1; 4001], Seed::new(1)),
            Err(Error::Shape { .. })
        ));
        assert!(Cochlea::new(CochleaSettings::default(), 100.0, 10).is_err());
        let backwards = CochleaSettings {
            from_centimetres: 3.0,
            to_centimetres: 1.0,
            ..Default::default()
        };
        assert!(Cochlea::new(backwards, 16_000.0, 10).is_err());
    }
}
