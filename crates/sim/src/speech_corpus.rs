//! Many speakers from recordings of one: each invented speaker has a voice of their own (size of the vocal tract
//! and pitch by resampling, pace by time stretching, brightness by a tilt of the spectrum), and each utterance
//! varies around it in noise. It stands in for a corpus of real speakers; results on it say nothing about
//! accents or coarticulation.

use chiasm_core::{Error, Result, Seed};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A recorded word.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Samples in -1 to 1.
    pub samples: Vec<f32>,
    /// Which word it is.
    pub label: usize,
}

/// A word said by someone.
#[derive(Clone, Debug, PartialEq)]
pub struct Utterance {
    /// Samples.
    pub samples: Vec<f32>,
    /// Which word it is.
    pub label: usize,
    /// Who says it.
    pub speaker: usize,
}

/// How speakers and utterances vary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpeechCorpusSettings {
    /// Invented speakers.
    pub speakers: usize,
    /// Utterances of each word by each speaker.
    pub repeats: usize,
    /// Largest factor on pitch and formants, up or down.
    pub voice_range: f64,
    /// Largest factor on the pace, up or down.
    pub pace_range: f64,
    /// Largest coefficient of the first-order filter that tilts the spectrum.
    pub tilt_range: f64,
    /// How much of a speaker's range a single utterance strays, 0 to 1.
    pub stray: f64,
    /// Noise under the speech, in decibels of signal over noise.
    pub signal_to_noise_decibels: f64,
}

impl Default for SpeechCorpusSettings {
    fn default() -> Self {
        SpeechCorpusSettings {
            speakers: 10,
            repeats: 8,
            voice_range: 1.25,
            pace_range: 1.2,
            tilt_range: 0.3,
            stray: 0.25,
            signal_to_noise_decibels: 20.0,
        }
    }
}

impl SpeechCorpusSettings {
    /// Refuses settings without meaning.
    pub fn check(&self) -> Result<()> {
        for (name, value) in [("speakers", self.speakers), ("repeats", self.repeats)] {
            if !(1..=100_000).contains(&value) {
                return Err(Error::setting(name, value, "1 to 100000"));
            }
        }
        for (name, value) in [
            ("voice_range", self.voice_range),
            ("pace_range", self.pace_range),
        ] {
            if !(1.0..=3.0).contains(&value) {
                return Err(Error::setting(name, value, "1 to 3"));
            }
        }
        for (name, value) in [("tilt_range", self.tilt_range), ("stray", self.stray)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::setting(name, value, "0 to 1"));
            }
        }
        if !(-60.0..=200.0).contains(&self.signal_to_noise_decibels) {
            let value = self.signal_to_noise_decibels;
            return Err(Error::setting(
                "signal_to_noise_decibels",
                value,
                "-60 to 200",
            ));
        }
        Ok(())
    }
}

/// A voice, as exponents and coefficients in -1 to 1 of the set ranges.
#[derive(Clone, Copy)]
struct Voice {
    size: f64,
    pace: f64,
    tilt: f64,
}

/// Every word by every speaker, `repeats` times, ordered by speaker, word, repeat.
///
/// Voices are spread over the range of sizes evenly and shuffled, so that any few speakers that are held out
/// lie among the others.
pub fn speak(
    words: &[Recorded],
    sample_rate: f64,
    settings: &SpeechCorpusSettings,
    seed: Seed,
) -> Result<Vec<Utterance>> {
    settings.check()?;
    if !(1_000.0..=400_000.0).contains(&sample_rate) {
        return Err(Error::setting(
            "sample rate",
            sample_rate,
            "1000 to 400000 samples per second",
        ));
    }
    if words.is_empty() {
        return Err(Error::TooFew {
            operation: "speech corpus",
            what: "words",
            found: 0,
            needed: 1,
        });
    }
    let voices = voices(settings.speakers, seed.named("voices"));
    let per_speaker = words.len() * settings.repeats;
    (0..settings.speakers * per_speaker)
        .into_par_iter()
        .map(|index| {
            let (speaker, word) = (index / per_speaker, index % per_speaker / settings.repeats);
            let mut rng = seed.named("utterances").indexed(index as u64).rng();
            let samples = utter(
                &words[word].samples,
                sample_rate,
                voices[speaker],
                settings,
                &mut rng,
            )?;
            Ok(Utterance {
                samples,
                label: words[word].label,
                speaker,
            })
        })
        .collect()
}

fn voices(speakers: usize, seed: Seed) -> Vec<Voice> {
    let mut rng = seed.rng();
    let mut sizes: Vec<f64> = (0..speakers)
        .map(|index| 2.0 * (index as f64 + 0.5) / speakers as f64 - 1.0)
        .collect();
    for left in (1..speakers).rev() {
        sizes.swap(left, rng.random_range(0..=left));
    }
    sizes
        .into_iter()
        .map(|size| Voice {
            size,
            pace: rng.random_range(-1.0..=1.0),
            tilt: rng.random_range(-1.0..=1.0),
        })
        .collect()
}

fn utter(
    word: &[f32],
    sample_rate: f64,
    voice: Voice,
    settings: &SpeechCorpusSettings,
    rng: &mut ChaCha8Rng,
) -> Result<Vec<f32>> {
    let mut around =
        |centre: f64| (centre + settings.stray * rng.random_range(-1.0..=1.0)).clamp(-1.0, 1.0);
    let (size, pace, tilt) = (around(voice.size), around(voice.pace), around(voice.tilt));
    let raised = resample(word, settings.voice_range.powf(size));
    // Resampling made the word shorter by the same factor: stretch back, then to the pace.
    let target = word.len() as f64 / settings.pace_range.powf(pace);
    let frame = (0.03 * sample_rate) as usize;
    let mut samples = stretch(&raised, target as usize, frame.max(8))?;
    let coefficient = (settings.tilt_range * tilt) as f32;
    let mut before = 0.0;
    for sample in &mut samples {
        let own = *sample;
        *sample += coefficient * before;
        before = own;
    }
    let power =
        samples.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / samples.len().max(1) as f64;
    let noise = (power * 10f64.powf(-settings.signal_to_noise_decibels / 10.0)).sqrt();
    for sample in &mut samples {
        let draw: f64 = StandardNormal.sample(rng);
        *sample += (noise * draw) as f32;
    }
    Ok(samples)
}

/// The sound read `factor` times as fast, by cubic interpolation: all frequencies rise by `factor`.
pub fn resample(samples: &[f32], factor: f64) -> Vec<f32> {
    let length = (samples.len() as f64 / factor) as usize;
    let at = |index: isize| {
        usize::try_from(index)
            .ok()
            .and_then(|index| samples.get(index))
            .copied()
            .unwrap_or(0.0)
    };
    (0..length)
        .map(|index| {
            let position = index as f64 * factor;
            let whole = position as isize;
            let t = (position - whole as f64) as f32;
            let [a, b, c, d] = [at(whole - 1), at(whole), at(whole + 1), at(whole + 2)];
            // Catmull-Rom.
            b + 0.5
                * t
                * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
        })
        .collect()
}

/// The sound stretched or squeezed to `length` samples at unchanged pitch: frames of `frame` samples are laid
/// over each other where they fit the waveform best (WSOLA, Verhelst and Roelands 1993).
pub fn stretch(samples: &[f32], length: usize, frame: usize) -> Result<Vec<f32>> {
    if samples.len() < 2 * frame || length < 2 * frame {
        return Err(Error::TooFew {
            operation: "time stretch",
            what: "samples",
            found: samples.len().min(length),
            needed: 2 * frame,
        });
    }
    let hop = frame / 2;
    let reach = frame / 4;
    let window: Vec<f32> = (0..frame)
        .map(|index| {
            (std::f64::consts::PI * (index as f64 + 0.5) / frame as f64)
                .sin()
                .powi(2) as f32
        })
        .collect();
    let last_start = samples.len() - frame;
    let mut stretched = vec![0.0f32; length + frame];
    let mut weight = vec![0.0f32; length + frame];
    let mut natural = 0usize;
    for start in (0..length).step_by(hop) {
        let wanted = (start as f64 * samples.len() as f64 / length as f64) as usize;
        let wanted = wanted.min(last_start);
        // The frame that continues the last one best is the one most like its natural continuation.
        let best = if start == 0 {
            wanted
        } else {
            let from = wanted.saturating_sub(reach);
            let until = (wanted + reach).min(last_start);
            let target = &samples[natural.min(last_start)..][..frame];
            let likeness = |candidate: &usize| -> f32 {
                samples[*candidate..][..frame]
                    .iter()
                    .zip(target)
                    .map(|(a, b)| a * b)
                    .sum()
            };
            (from..=until)
                .map(|candidate| (likeness(&candidate), candidate))
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .map_or(wanted, |(_, candidate)| candidate)
        };
        for (offset, window) in window.iter().enumerate() {
            stretched[start + offset] += window * samples[best + offset];
            weight[start + offset] += window;
        }
        natural = best + hop;
    }
    stretched.truncate(length);
    for (sample, weight) in stretched.iter_mut().zip(&weight) {
        *sample /= weight.max(1e-3);
    }
    Ok(stretched)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: f64 = 8000.0;

    fn tone(hertz: f64, samples: usize) -> Vec<f32> {
        (0..samples)
            .map(|t| (std::f64::consts::TAU * hertz * t as f64 / RATE).sin() as f32)
            .collect()
    }

    /// By counting how often the signal rises through zero.
    fn frequency(samples: &[f32]) -> f64 {
        let rises = samples
            .windows(2)
            .filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0)
            .count();
        rises as f64 * RATE / samples.len() as f64
    }

    #[test]
    fn resampling_moves_the_pitch_and_stretching_does_not() {
        let sound = tone(400.0, 8000);
        let raised = resample(&sound, 1.25);
        assert_eq!(raised.len(), 6400);
        assert!((frequency(&raised) - 500.0).abs() < 3.0);
        for length in [6000, 10_000] {
            let stretched = stretch(&sound, length, 240).unwrap();
            assert_eq!(stretched.len(), length);
            assert!(
                (frequency(&stretched) - 400.0).abs() < 8.0,
                "{}",
                frequency(&stretched)
            );
            let power = stretched.iter().map(|s| s * s).sum::<f32>() / length as f32;
            assert!((0.4..0.6).contains(&power), "{power}");
        }
        assert!(stretch(&sound, 100, 240).is_err());
    }

    #[test]
    fn speakers_have_their_own_voices_and_words_their_labels() {
        let words = [
            Recorded {
                samples: tone(400.0, 4000),
                label: 3,
            },
            Recorded {
                samples: tone(900.0, 4000),
                label: 5,
            },
        ];
        let settings = SpeechCorpusSettings {
            speakers: 4,
            repeats: 3,
            stray: 0.0,
            signal_to_noise_decibels: 40.0,
            ..Default::default()
        };
        let corpus = speak(&words, RATE, &settings, Seed::new(1)).unwrap();
        assert_eq!(corpus.len(), 24);
        assert_eq!(
            corpus,
            speak(&words, RATE, &settings, Seed::new(1)).unwrap()
        );
        let pitch = |speaker: usize, label: usize| {
            let own: Vec<f64> = corpus
                .iter()
                .filter(|utterance| utterance.speaker == speaker && utterance.label == label)
                .map(|utterance| frequency(&utterance.samples))
                .collect();
            assert_eq!(own.len(), 3);
            own[0]
        };
        let mut factors: Vec<f64> = (0..4).map(|speaker| pitch(speaker, 3) / 400.0).collect();
        for (speaker, factor) in factors.iter().enumerate() {
            assert!((pitch(speaker, 5) / 900.0 / factor - 1.0).abs() < 0.05);
        }
        factors.sort_by(f64::total_cmp);
        for (factor, size) in factors.iter().zip([-0.75, -0.25, 0.25, 0.75]) {
            assert!((factor / 1.25f64.powf(size) - 1.0).abs() < 0.04, "{factor}");
        }
    }

    #[test]
    fn noise_has_the_set_power() {
        let words = [Recorded {
            samples: tone(500.0, 8000),
            label: 0,
        }];
        let quiet = SpeechCorpusSettings {
            speakers: 1,
            repeats: 1,
            voice_range: 1.0,
            pace_range: 1.0,
            tilt_range: 0.0,
            signal_to_noise_decibels: 200.0,
            ..Default::default()
        };
        let noisy = SpeechCorpusSettings {
            signal_to_noise_decibels: 10.0,
            ..quiet.clone()
        };
        let [clean, noisy] = [quiet, noisy].map(|settings| {
            speak(&words, RATE, &settings, Seed::new(2))
                .unwrap()
                .remove(0)
                .samples
        });
        let power = |values: &[f32]| values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>();
        let noise: Vec<f32> = noisy.iter().zip(&clean).map(|(a, b)| a - b).collect();
        let decibels = 10.0 * (power(&clean) / power(&noise)).log10();
        assert!((decibels - 10.0).abs() < 0.5, "{decibels}");
    }

    #[test]
    fn settings_without_meaning_are_refused() {
        let words = [Recorded {
            samples: tone(400.0, 4000),
            label: 0,
        }];
        let refused = [
            SpeechCorpusSettings {
                speakers: 0,
                ..Default::default()
            },
            SpeechCorpusSettings {
                voice_range: 0.5,
                ..Default::default()
            },
            SpeechCorpusSettings {
                stray: f64::NAN,
                ..Default::default()
            },
        ];
        for settings in refused {
            assert!(speak(&words, RATE, &settings, Seed::new(0)).is_err());
        }
        assert!(speak(&[], RATE, &SpeechCorpusSettings::default(), Seed::new(0)).is_err());
    }
}
