//! Learned delays in spiking networks (Hammouamri, Khalfaoui-Hassani and Masquelier 2024).
//!
//! Each synapse has a weight and a delay, both learned through a temporal kernel whose width shrinks over
//! training. The paper shows that this beats random delays and none on spoken digits and words, most of all
//! where synapses are few. Its corpora are not in any package, so the claims are tested on a task whose lags
//! are planted, where the delays that solve it are known, and on spoken digits: bundled recordings varied
//! into many speakers, heard by a simulated cochlea. With `--data` the digits are the person's own file in
//! the layout of the Spiking Heidelberg Digits, in the paper's own preprocessing.
//!
//! Two things differ on purpose. The membranes remember almost nothing (a time constant of 1.005 steps, as
//! published for the digits), so memory across time is the delays' alone. And the last epochs train the
//! weights with delays already rounded, because the planted task, unlike speech, turns on single steps.

mod coincidences;
mod digits;
mod speech;

use chiasm_core::evidence::{
    Axis, BarSeries, Claim, DataSource, DataUsed, Direction, Figure, Findings, Measured, Plot,
    Points,
};
use chiasm_core::metrics::interval::{mean, t_interval_95};
use chiasm_core::run::Scale;
use chiasm_core::{Error, Result as CoreResult};
use chiasm_sim::cochlea::CochleaSettings;
use chiasm_sim::coincidence::CoincidenceSettings;
use chiasm_sim::speech_corpus::SpeechCorpusSettings;
use chiasm_spiking::{
    DelayNetworkConfig, DelayTrainingSettings, FrameSettings, Readout, SpreadSchedule,
};
use serde::{Deserialize, Serialize};

use self::coincidences::{Accuracies, CoincidenceSeed};
use self::digits::DigitsSeed;
use self::speech::Speech;
use crate::{Context, Family, OpenChoice, Result, Settings, SettingsOf, Study};

const LEARNED_BEATS_FIXED: Claim = Claim {
    id: "learned-beats-fixed",
    statement: "Where lags decide the class, networks that learn their delays beat networks whose delays \
                are random and stay.",
    paper: "learned delays beat fixed random ones on all three corpora",
    metric: "test accuracy minus that of fixed random delays (points)",
    direction: Direction::Greater,
    margin: 3.0,
    baseline: "no delays",
    control: "lags alike in all classes",
};

const LEARNED_BEATS_NONE: Claim = Claim {
    id: "learned-beats-none",
    statement: "Where lags decide the class, networks that learn delays beat networks without any.",
    paper: "learned delays beat none on all three corpora",
    metric: "test accuracy minus that without delays (points)",
    direction: Direction::Greater,
    margin: 5.0,
    baseline: "fixed random delays",
    control: "lags alike in all classes",
};

const ORDER_ON_DIGITS: Claim = Claim {
    id: "order-on-digits",
    statement: "On spoken digits of speakers never heard in training, learned delays beat fixed ones, and \
                fixed ones beat none.",
    paper: "95.07% on the Spiking Heidelberg Digits with learned delays, less with fixed, least without",
    metric: "smaller of the two differences in test accuracy (points)",
    direction: Direction::Greater,
    margin: 0.0,
    baseline: "fixed random delays over none",
    control: "labels shuffled in training",
};

const SHRINKING_BEATS_NARROW: Claim = Claim {
    id: "shrinking-beats-narrow",
    statement: "Delays are learned better through a kernel that starts wide and shrinks than through one \
                that is narrow from the start.",
    paper: "a decreasing width beats a constant one of 0.5",
    metric: "test accuracy minus that with a constant narrow kernel (points)",
    direction: Direction::Greater,
    margin: 0.0,
    baseline: "fixed random delays, shrinking kernel",
    control: "lags alike in all classes",
};

const LAGS_RECOVERED: Claim = Claim {
    id: "lags-recovered",
    statement: "The learned delays are the planted lags: their median distance is at most one step.",
    paper: "no ground truth in the paper; learned delays are shown to spread over the range",
    metric: "median distance of learned from planted lags (steps)",
    direction: Direction::Less,
    margin: 1.0,
    baseline: "fixed random delays",
    control: "lags alike in all classes",
};

const SPARSE_GAP_GROWS: Claim = Claim {
    id: "sparse-gap-grows",
    statement: "With few synapses a neuron, learning delays matters more than with all of them.",
    paper: "the gap between learned and fixed delays grows as connections are made sparse",
    metric: "gap of learned over fixed with few synapses minus that with all (points)",
    direction: Direction::Greater,
    margin: 0.0,
    baseline: "gap of fixed over no delays",
    control: "lags alike in all classes",
};

const WIDTH_DOES_NOT_REPLACE: Claim = Claim {
    id: "width-does-not-replace-delays",
    statement: "A wider network without delays, of as many parameters, does not make up for them.",
    paper: "delays win at equal or fewer parameters",
    metric: "test accuracy minus that of the wider network without delays (points)",
    direction: Direction::Greater,
    margin: 5.0,
    baseline: "no delays, equal width",
    control: "lags alike in all classes",
};

/// The settings of this study.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LearnedDelaysSettings {
    /// Trials of the planted task to learn from.
    pub(crate) training_trials: usize,
    /// Trials of the planted task to test on.
    pub(crate) test_trials: usize,
    /// Synapses a hidden neuron keeps where they are few.
    pub(crate) sparse_synapses: usize,
    /// The constant spread parameter that shrinking is compared with (0.23: a deviation of 0.5).
    pub(crate) narrow_spread: f32,
    /// Speakers kept for the test of spoken digits.
    pub(crate) test_speakers: usize,
    /// Speakers kept for early stopping.
    pub(crate) validation_speakers: usize,
    /// Where speech comes from.
    pub(crate) speech: Speech,
    /// The planted task.
    pub(crate) coincidence: CoincidenceSettings,
    /// The network for the planted task.
    pub(crate) coincidence_network: DelayNetworkConfig,
    /// Its training.
    pub(crate) coincidence_training: DelayTrainingSettings,
    /// The invented speakers.
    pub(crate) corpus: SpeechCorpusSettings,
    /// The ear.
    pub(crate) cochlea: CochleaSettings,
    /// How spikes become frames.
    pub(crate) frames: FrameSettings,
    /// The network for spoken digits.
    pub(crate) digits_network: DelayNetworkConfig,
    /// Its training.
    pub(crate) digits_training: DelayTrainingSettings,
}

impl Settings for LearnedDelaysSettings {
    fn at(scale: Scale) -> Self {
        let quick = scale == Scale::Quick;
        let paper = scale == Scale::Paper;
        let coincidence = CoincidenceSettings {
            step_seconds: 0.001,
            ..Default::default()
        };
        let taps = 2 * coincidence.longest_lag + 1;
        let shrinking = |taps: usize, share: f64| SpreadSchedule::Shrinking {
            from: (taps / 2) as f32,
            to: 0.23,
            share,
        };
        let pick = |quick_value: usize, standard: usize, full: usize| match scale {
            Scale::Quick => quick_value,
            Scale::Standard => standard,
            Scale::Paper => full,
        };
        LearnedDelaysSettings {
            training_trials: pick(560, 1200, 5000),
            test_trials: pick(400, 1000, 2000),
            sparse_synapses: 4,
            narrow_spread: 0.23,
            test_speakers: 2,
            validation_speakers: if quick { 1 } else { 2 },
            speech: Speech::Bundled,
            coincidence_network: DelayNetworkConfig {
                hidden: vec![80],
                readout_delays: false,
                taps,
                dropout: 0.0,
                readout: Readout::Mean,
                ..Default::default()
            },
            coincidence_training: DelayTrainingSettings {
                epochs: pick(16, 40, 100),
                batch_size: 32,
                weight_rate: 1e-2,
                spread: shrinking(taps, 0.5),
                rounded_share: 0.3,
                ..Default::default()
            },
            coincidence,
            corpus: SpeechCorpusSettings {
                speakers: pick(8, 12, 12),
                repeats: pick(3, 6, 40),
                ..Default::default()
            },
            cochlea: CochleaSettings {
                // The bundled speech is sampled at 8 kHz: nothing moves nearer the base.
                channels: if paper { 700 } else { 70 },
                from_centimetres: if paper { 0.0 } else { 1.2 },
                ..Default::default()
            },
            frames: FrameSettings {
                channels_per_frame_channel: if paper { 5 } else { 1 },
                ..Default::default()
            },
            digits_network: DelayNetworkConfig {
                hidden: if paper {
                    vec![256, 256]
                } else {
                    vec![pick(32, 64, 256)]
                },
                ..Default::default()
            },
            digits_training: DelayTrainingSettings {
                epochs: pick(20, 30, 150),
                batch_size: pick(30, 64, 256),
                spread: shrinking(25, 0.25),
                patience: pick(0, 15, 0),
                ..Default::default()
            },
        }
    }

    fn check(&self) -> CoreResult<()> {
        for (name, value) in [
            ("training_trials", self.training_trials),
            ("test_trials", self.test_trials),
            ("sparse_synapses", self.sparse_synapses),
            ("test_speakers", self.test_speakers),
            ("validation_speakers", self.validation_speakers),
        ] {
            if value == 0 {
                return Err(Error::setting(name, 0, "at least 1"));
            }
        }
        if !(self.narrow_spread >= 0.0 && self.narrow_spread <= 100.0) {
            return Err(Error::setting(
                "narrow_spread",
                self.narrow_spread,
                "between 0 and 100 steps",
            ));
        }
        self.coincidence.check()?;
        self.coincidence_network.check()?;
        self.coincidence_training.check()?;
        self.corpus.check()?;
        self.cochlea.check()?;
        self.frames.check()?;
        self.digits_network.check()?;
        self.digits_training.check()
    }
}

/// The study.
pub(crate) static STUDY: Study = Study::new(Study {
    number: 56,
    slug: "learned-delays",
    title: "Spiking networks that learn when, not only how strongly",
    family: Family::Spiking,
    citation: "Hammouamri, Khalfaoui-Hassani and Masquelier, Learning delays in spiking neural networks using \
               dilated convolutions with learnable spacings, ICLR 2024",
    summary: "Spiking networks whose synapses learn a delay each are compared with the same networks with random \
              delays, without delays, and wider without delays. One task has planted lags between channels and \
              tells nothing by rates, so that the right delays are known; the other is spoken digits through a \
              simulated cochlea, tested on speakers never heard. Delays are rounded to whole steps before \
              every test.",
    scaled_down: "Ten bundled digits varied into 8 to 12 invented speakers instead of 10 000 recordings of 12; 70 \
                  cochlear channels, one hidden layer of 32 (quick) or 64 neurons instead of two of 256, 20 or 30 \
                  epochs instead of 150.",
    data: "A file in the layout of the Spiking Heidelberg Digits (spikes/times, spikes/units, labels in HDF5), and \
           a second one as the test set; with one file, speakers are kept out for the test",
    claims: &[
        LEARNED_BEATS_FIXED,
        LEARNED_BEATS_NONE,
        ORDER_ON_DIGITS,
        SHRINKING_BEATS_NARROW,
        LAGS_RECOVERED,
        SPARSE_GAP_GROWS,
        WIDTH_DOES_NOT_REPLACE,
    ],
    choices: &[
        OpenChoice {
            setting: "coincidence_training.rounded_share",
            what: "share of epochs at the end that train weights with rounded delays; the paper takes none",
        },
        OpenChoice {
            setting: "coincidence.shortest_lag",
            what: "lags below it would coincide without any delay",
        },
        OpenChoice {
            setting: "digits_training.patience",
            what: "early stopping looks at speakers of its own; the published code picks the best epoch on the \
                   test set",
        },
        OpenChoice {
            setting: "digits_network.spread",
            what: "the kernel around a delay: gaussian as published, triangle, or linear",
        },
        OpenChoice {
            setting: "speech",
            what: "bundled recordings of one speaker, or espeak-ng in English and German where it is installed",
        },
    ],
    settings: SettingsOf::of::<LearnedDelaysSettings>(),
    run,
});

fn run(context: &Context) -> Result<Findings> {
    let settings: LearnedDelaysSettings = context.settings()?;
    // The person's own files first: what is wrong with them should not come to light hours later.
    let own = speech::OwnFiles::read(context, &settings)?;
    let mut findings = Findings::new();
    for data in speech::data_used(context, &settings)? {
        findings.data(data);
    }
    findings.data(DataUsed {
        name: "coincidences with planted lags".into(),
        sha256: None,
        source: DataSource::Simulated,
    });
    let planted: Vec<CoincidenceSeed> =
        context.each_seed("coincidences", |run| coincidences::measure(&settings, &run))?;
    let spoken: Vec<DigitsSeed> = context.each_seed("spoken-digits", |run| {
        digits::measure(context, &settings, own.as_ref(), &run)
    })?;
    claims(&mut findings, &planted, &spoken)?;
    figures(&mut findings, &settings, &planted, &spoken)?;
    notes(&mut findings, &settings, &planted, &spoken);
    Ok(findings)
}

fn claims(
    findings: &mut Findings,
    planted: &[CoincidenceSeed],
    spoken: &[DigitsSeed],
) -> CoreResult<()> {
    // Effect, baseline and control of a difference between conditions.
    let mut difference =
        |claim: &Claim, effect: fn(&Accuracies) -> f64, baseline: fn(&Accuracies) -> f64| {
            let measured = planted.iter().map(|seed| Measured {
                effect: effect(&seed.planted),
                baseline: baseline(&seed.planted),
                control: effect(&seed.null),
            });
            findings.measured(claim, measured)
        };
    difference(
        &LEARNED_BEATS_FIXED,
        |a| a.learned - a.fixed,
        |a| a.none - a.fixed,
    )?;
    difference(
        &LEARNED_BEATS_NONE,
        |a| a.learned - a.none,
        |a| a.fixed - a.none,
    )?;
    difference(
        &SHRINKING_BEATS_NARROW,
        |a| a.learned - a.narrow,
        |a| a.fixed - a.narrow,
    )?;
    difference(
        &SPARSE_GAP_GROWS,
        |a| (a.sparse_learned - a.sparse_fixed) - (a.learned - a.fixed),
        |a| (a.sparse_fixed - a.sparse_none) - (a.fixed - a.none),
    )?;
    difference(
        &WIDTH_DOES_NOT_REPLACE,
        |a| a.learned - a.wide,
        |a| a.none - a.wide,
    )?;
    findings.measured(
        &LAGS_RECOVERED,
        planted.iter().map(|seed| Measured {
            effect: seed.lag_error,
            baseline: seed.fixed_lag_error,
            control: seed.null_lag_error,
        }),
    )?;
    findings.measured(
        &ORDER_ON_DIGITS,
        spoken.iter().map(|seed| Measured {
            effect: seed.test.smaller_step(),
            baseline: seed.test.fixed - seed.test.none,
            control: seed.shuffled.smaller_step(),
        }),
    )
}

fn figures(
    findings: &mut Findings,
    settings: &LearnedDelaysSettings,
    planted: &[CoincidenceSeed],
    spoken: &[DigitsSeed],
) -> CoreResult<()> {
    let bars = |name: &str, groups: Vec<Vec<f64>>| BarSeries {
        name: name.to_string(),
        values: groups.iter().map(|values| mean(values)).collect(),
        intervals: groups.iter().map(|values| t_interval_95(values)).collect(),
    };
    let conditions: [(&str, fn(&Accuracies) -> f64); 8] = [
        ("learned", |a| a.learned),
        ("narrow from the start", |a| a.narrow),
        ("fixed random", |a| a.fixed),
        ("none", |a| a.none),
        ("none, wider", |a| a.wide),
        ("few synapses, learned", |a| a.sparse_learned),
        ("few synapses, fixed", |a| a.sparse_fixed),
        ("few synapses, none", |a| a.sparse_none),
    ];
    let over = |pick: fn(&CoincidenceSeed) -> &Accuracies| {
        let values =
            |of: fn(&Accuracies) -> f64| planted.iter().map(|seed| of(pick(seed))).collect();
        conditions
            .iter()
            .map(|&(_, of)| values(of))
            .collect::<Vec<Vec<f64>>>()
    };
    findings.figure(
        Figure::new(
            "coincidences",
            "Classes that differ in lags alone",
            "Test accuracy with delays rounded; mean and 95% interval over seeds. In the control, lags are alike \
             in all classes.",
            Axis::linear("delays"),
            Axis::linear("test accuracy (%)"),
            Plot::Bars {
                groups: conditions.map(|(name, _)| name.to_string()).to_vec(),
                series: vec![
                    bars("lags of each class", over(|seed| &seed.planted)),
                    bars("lags alike", over(|seed| &seed.null)),
                ],
            },
        )
        .with_reference("chance", 100.0 / settings.coincidence.classes as f64),
    )?;
    let groups = |pick: fn(&DigitsSeed) -> [f64; 3]| -> Vec<Vec<f64>> {
        (0..3)
            .map(|index| spoken.iter().map(|seed| pick(seed)[index]).collect())
            .collect()
    };
    findings.figure(Figure::new(
        "spoken-digits",
        "Spoken digits of speakers never heard",
        "Accuracy with delays rounded; mean and 95% interval over seeds.",
        Axis::linear("delays"),
        Axis::linear("accuracy (%)"),
        Plot::Bars {
            groups: ["learned", "fixed random", "none"]
                .map(String::from)
                .to_vec(),
            series: vec![
                bars(
                    "test speakers",
                    groups(|s| [s.test.learned, s.test.fixed, s.test.none]),
                ),
                bars(
                    "validation speakers",
                    groups(|s| [s.validation.learned, s.validation.fixed, s.validation.none]),
                ),
                bars(
                    "labels shuffled in training",
                    groups(|s| [s.shuffled.learned, s.shuffled.fixed, s.shuffled.none]),
                ),
            ],
        },
    ))?;
    let Some(first) = planted.first() else {
        return Ok(());
    };
    findings.figure(Figure::new(
        "lags",
        "Learned delays against planted lags",
        "One point a class and pair of channels, by the hidden neuron that speaks most for the class; first \
         seed.",
        Axis::linear("planted lag (steps)"),
        Axis::linear("learned difference of delays (steps)"),
        Plot::Scatter(vec![Points {
            name: "class and pair".into(),
            x: first.lags.iter().map(|(planted, _)| *planted).collect(),
            y: first.lags.iter().map(|(_, learned)| *learned).collect(),
            labels: Vec::new(),
        }]),
    ))
}

fn notes(
    findings: &mut Findings,
    settings: &LearnedDelaysSettings,
    planted: &[CoincidenceSeed],
    spoken: &[DigitsSeed],
) {
    if let Some(seed) = planted.first() {
        let [learned, wide] = seed.parameters;
        findings.note(format!(
            "On the planted task learned delays train {learned} parameters, the wider network without delays \
             {wide}."
        ));
    }
    if let Some(seed) = spoken.first() {
        let [training, validation, test] = seed.recordings;
        findings.note(format!(
            "Spoken digits of the first seed: {training} recordings to learn from, {validation} and {test} by \
             other speakers for validation and test; {:.0} frames and {:.0} spikes each.",
            seed.steps, seed.spikes
        ));
    }
    findings.note(format!(
        "Membranes have a time constant of {} steps: almost all memory is in the delays.",
        settings.digits_network.membrane_time_constant
    ));
}
