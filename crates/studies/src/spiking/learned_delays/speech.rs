//! Spoken digits as spikes, with whole speakers kept out of training.

use std::path::Path;
use std::process::Command;

use chiasm_core::data::Clock;
use chiasm_core::evidence::DataUsed;
use chiasm_core::{Error, Seed};
use chiasm_io::catalogue::spoken_digits_en;
use chiasm_io::shd;
use chiasm_sim::cochlea::Cochlea;
use chiasm_sim::speech_corpus::{Recorded, Utterance, speak};
use chiasm_spiking::{Sample, SpikeData, frames};
use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::LearnedDelaysSettings;
use crate::{Context, Result, SeedRun};

/// Where speech comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Speech {
    /// The bundled recordings of one speaker, varied into many.
    Bundled,
    /// English and German digits by the synthesiser `espeak-ng`, which must be installed.
    EspeakNg,
}

/// Recordings for training, for early stopping and for the test, by different speakers.
pub(super) struct Split {
    pub(super) training: SpikeData,
    pub(super) validation: SpikeData,
    pub(super) test: SpikeData,
}

/// The person's recordings: one file, or one to learn from and one for the test.
pub(super) struct OwnFiles {
    training: SpikeData,
    test: Option<SpikeData>,
}

impl OwnFiles {
    /// The files given, if any.
    pub(super) fn read(
        context: &Context,
        settings: &LearnedDelaysSettings,
    ) -> Result<Option<OwnFiles>> {
        let files: Vec<&Path> = context.data().collect();
        let read = |path: &&Path| read(path, settings);
        if files.len() > 2 {
            let allowed = "one training file, or it and a test file";
            return Err(Error::setting("--data", files.len(), allowed).into());
        }
        let Some((training, channels, classes)) = files.first().map(read).transpose()? else {
            return Ok(None);
        };
        let Some((test, test_channels, test_classes)) = files.get(1).map(read).transpose()? else {
            let training = SpikeData::new(training, channels, classes)?;
            let kept_out = settings.test_speakers + settings.validation_speakers;
            enough_speakers(&training, kept_out)?;
            let test = None;
            return Ok(Some(OwnFiles { training, test }));
        };
        let (channels, classes) = (channels.max(test_channels), classes.max(test_classes));
        let training = SpikeData::new(training, channels, classes)?;
        enough_speakers(&training, settings.validation_speakers)?;
        let test = Some(SpikeData::new(test, channels, classes)?);
        Ok(Some(OwnFiles { training, test }))
    }
}

/// The person's files, or speech heard by the simulated cochlea.
pub(super) fn recordings(
    own: Option<&OwnFiles>,
    settings: &LearnedDelaysSettings,
    run: &SeedRun<'_>,
) -> Result<Split> {
    let Some(own) = own else {
        return heard(settings, run);
    };
    let data = own.training.clone();
    let seed = run.seed.named("split");
    let Some(test) = own.test.clone() else {
        return by_speaker(data, settings, seed);
    };
    let (validation, training) = held_out(data, settings.validation_speakers, seed)?;
    Ok(Split {
        training,
        validation,
        test,
    })
}

/// What the results list as data.
pub(super) fn data_used(
    context: &Context,
    settings: &LearnedDelaysSettings,
) -> Result<Vec<DataUsed>> {
    if context.data().len() > 0 {
        return Ok(context.data_used().collect());
    }
    Ok(vec![match settings.speech {
        Speech::Bundled => chiasm_io::catalogue::find("spoken-digits-en")?.used(),
        Speech::EspeakNg => DataUsed::simulated("digits spoken by espeak-ng"),
    }])
}

/// A file in the layout of the Spiking Heidelberg Digits, in frames.
fn read(path: &Path, settings: &LearnedDelaysSettings) -> Result<(Vec<Sample>, usize, usize)> {
    let file = shd::open(path)?;
    let mut samples = Vec::with_capacity(file.labels.len());
    let mut highest = 0;
    let mut unusable = None;
    file.for_each(|recording, times, units| {
        highest = units
            .iter()
            .fold(highest, |highest, &unit| highest.max(unit));
        let spikes = times
            .iter()
            .zip(units)
            .map(|(&time, &unit)| (f64::from(time), unit));
        let speaker = file
            .speakers
            .as_ref()
            .map_or(recording, |speakers| speakers[recording]);
        match frames(spikes, file.labels[recording], speaker, &settings.frames) {
            Ok(sample) => samples.push(sample),
            Err(error) => unusable = Some(error),
        }
        Ok(())
    })?;
    if let Some(error) = unusable {
        return Err(error.into());
    }
    let channels = settings.frames.channels(usize::from(highest) + 1);
    let classes = file.labels.iter().max().map_or(0, |label| label + 1);
    Ok((samples, channels, classes))
}

/// Speech through the cochlea, in frames, split by speaker.
fn heard(settings: &LearnedDelaysSettings, run: &SeedRun<'_>) -> Result<Split> {
    let (utterances, sample_rate) = match settings.speech {
        Speech::Bundled => bundled(settings, run.seed.named("corpus"))?,
        Speech::EspeakNg => synthesised(settings, run)?,
    };
    let longest = utterances
        .iter()
        .map(|one| one.samples.len())
        .max()
        .unwrap_or(0);
    let cochlea = Cochlea::new(settings.cochlea.clone(), sample_rate, longest)?;
    let seed = run.seed.named("cochlea");
    let samples: Vec<Sample> = utterances
        .par_iter()
        .enumerate()
        .map(|(index, one)| {
            run.progress.check()?;
            let spikes = cochlea.hear(&one.samples, seed.indexed(index as u64))?;
            let spikes = spikes
                .iter()
                .map(|spike| (f64::from(spike.seconds), spike.channel));
            frames(spikes, one.label, one.speaker, &settings.frames)
        })
        .collect::<chiasm_core::Result<_>>()?;
    let channels = settings.frames.channels(settings.cochlea.channels);
    let classes = utterances
        .iter()
        .map(|one| one.label + 1)
        .max()
        .unwrap_or(0);
    let data = SpikeData::new(samples, channels, classes)?;
    by_speaker(data, settings, run.seed.named("split"))
}

fn bundled(settings: &LearnedDelaysSettings, seed: Seed) -> Result<(Vec<Utterance>, f64)> {
    let mut words = Vec::new();
    let mut sample_rate = None;
    for (label, recording) in spoken_digits_en()? {
        let rate = match recording.clock {
            Clock::Regular { rate, .. } => rate,
            Clock::Irregular(_) => 0.0,
        };
        if *sample_rate.get_or_insert(rate) != rate {
            let (operation, reason) = ("spoken digits", "clips of different sampling rates".into());
            return Err(Error::Unusable { operation, reason }.into());
        }
        words.push(Recorded {
            samples: recording.samples.column(0).to_vec(),
            label,
        });
    }
    let sample_rate = sample_rate.unwrap_or(0.0);
    Ok((
        speak(&words, sample_rate, &settings.corpus, seed)?,
        sample_rate,
    ))
}

/// Voices of the synthesiser, one a speaker.
const VOICES: [&str; 12] = [
    "m1", "m2", "m3", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f4", "f5",
];

/// 0-9 in English, then in German, each speaker at a pitch and a speed that stray from word to word.
fn synthesised(
    settings: &LearnedDelaysSettings,
    run: &SeedRun<'_>,
) -> Result<(Vec<Utterance>, f64)> {
    let mut rng = run.seed.named("synthesiser").rng();
    let file = run.scratch.join("word.wav");
    let (mut utterances, mut sample_rate) = (Vec::new(), 0.0);
    let speakers = settings.corpus.speakers.min(VOICES.len());
    for (speaker, voice) in VOICES[..speakers].iter().enumerate() {
        let (pitch, speed) = (rng.random_range(35..65), rng.random_range(140..190));
        for label in 0..20 {
            for _ in 0..settings.corpus.repeats {
                run.progress.check()?;
                let language = if label < 10 { "en" } else { "de" };
                let word = (label % 10).to_string();
                let pitch = pitch + rng.random_range(-8..=8);
                let speed = speed + rng.random_range(-15..=15);
                let status = Command::new("espeak-ng")
                    .args(["-v", &format!("{language}+{voice}")])
                    .args(["-p", &pitch.to_string(), "-s", &speed.to_string()])
                    .arg("-w")
                    .arg(&file)
                    .arg(&word)
                    .status();
                if !status.is_ok_and(|status| status.success()) {
                    let allowed = "bundled, or install espeak-ng";
                    return Err(Error::setting("speech", "espeak-ng", allowed).into());
                }
                let recording = chiasm_io::wav::read(&file)?;
                if let Clock::Regular { rate, .. } = recording.clock {
                    sample_rate = rate;
                }
                utterances.push(Utterance {
                    samples: recording.samples.column(0).to_vec(),
                    label,
                    speaker,
                });
            }
        }
    }
    Ok((utterances, sample_rate))
}

fn by_speaker(data: SpikeData, settings: &LearnedDelaysSettings, seed: Seed) -> Result<Split> {
    let (test, others) = held_out(data, settings.test_speakers, seed.named("test"))?;
    let seed = seed.named("validation");
    let (validation, training) = held_out(others, settings.validation_speakers, seed)?;
    Ok(Split {
        training,
        validation,
        test,
    })
}

/// The recordings of `count` speakers, drawn by `seed`, and those of the others.
fn held_out(
    data: SpikeData,
    count: usize,
    seed: Seed,
) -> chiasm_core::Result<(SpikeData, SpikeData)> {
    let mut speakers = enough_speakers(&data, count)?;
    let mut rng = seed.rng();
    let chosen: Vec<usize> = (0..count)
        .map(|_| speakers.swap_remove(rng.random_range(0..speakers.len())))
        .collect();
    Ok(data.split_by_group(|speaker| chosen.contains(&speaker)))
}

/// All speakers. Fails where keeping `kept_out` of them would leave none to learn from.
fn enough_speakers(data: &SpikeData, kept_out: usize) -> chiasm_core::Result<Vec<usize>> {
    let mut speakers: Vec<usize> = data.samples().iter().map(|sample| sample.group).collect();
    speakers.sort_unstable();
    speakers.dedup();
    if speakers.len() <= kept_out {
        return Err(Error::TooFew {
            operation: "split by speaker",
            what: "speakers",
            found: speakers.len(),
            needed: kept_out + 1,
        });
    }
    Ok(speakers)
}
