//! A neuron with active dendrites, one-shot learning, and classification by two neurons.
//!
//! Every segment turns its overlap with the active cells into an output by a nonlinearity; the soma
//! sums the outputs, and fires where any segment does (Ahmad & Hawkins 2016; the nonlinearities after
//! Poirazi & Mel 2001). Learning takes one presentation: a pattern is given a segment, and the
//! segment a few of the pattern's active cells as synapses. Where there are more patterns than
//! segments, a segment holds the synapses of several (the union of patterns on one dendrite).
//!
//! A neuron's false-positive probability is `1 - (1 - P)^m` for `m` segments, not `P`:
//! [`crate::recognition::any_of`].

use chiasm_core::{Error, Progress, Result, Seed};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::sdr::{Sdr, same_cells};
use crate::segment_index::SegmentIndex;
use crate::segments::DendriticSegments;

/// Patterns a thread takes at a time.
const BLOCK: usize = 256;

/// What a segment makes of its number of active synapses.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum DendriticNonlinearity {
    /// 1 from `threshold` active synapses on, else 0: an NMDA spike.
    Threshold {
        /// Active synapses needed.
        threshold: u16,
    },
    /// The overlap to the power of `exponent`.
    Power {
        /// The exponent; 10 in the paper.
        exponent: f64,
    },
    /// `1 / (1 + exp(-slope (overlap - centre)))`.
    Sigmoid {
        /// The overlap that gives one half; 11.5 in the paper.
        centre: f64,
        /// Steepness per synapse; 5 in the paper.
        slope: f64,
    },
}

impl DendriticNonlinearity {
    /// The output of a segment with `overlap` active synapses.
    pub fn output(&self, overlap: u16) -> f64 {
        match *self {
            DendriticNonlinearity::Threshold { threshold } => {
                f64::from(u8::from(overlap >= threshold))
            }
            DendriticNonlinearity::Power { exponent } => f64::from(overlap).powf(exponent),
            DendriticNonlinearity::Sigmoid { centre, slope } => {
                1.0 / (1.0 + (-slope * (f64::from(overlap) - centre)).exp())
            }
        }
    }

    /// Fails where a value is not finite, or an exponent or slope not positive.
    pub fn check(&self) -> Result<()> {
        let positive = |name: &str, value: f64| {
            if value.is_finite() && value > 0.0 {
                Ok(())
            } else {
                Err(Error::setting(name, value, "a positive number"))
            }
        };
        match *self {
            DendriticNonlinearity::Threshold { .. } => Ok(()),
            DendriticNonlinearity::Power { exponent } => positive("exponent", exponent),
            DendriticNonlinearity::Sigmoid { centre, slope } => {
                if !centre.is_finite() {
                    return Err(Error::setting("centre", centre, "a finite number"));
                }
                positive("slope", slope)
            }
        }
    }
}

/// How a neuron is built.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeuronSettings {
    /// Segments (m).
    pub segments: usize,
    /// Synapses a segment takes from each pattern it stores (s).
    pub synapses: usize,
    /// What a segment makes of its overlap.
    pub nonlinearity: DendriticNonlinearity,
}

impl Default for NeuronSettings {
    fn default() -> Self {
        NeuronSettings {
            segments: 500,
            synapses: 20,
            nonlinearity: DendriticNonlinearity::Threshold { threshold: 10 },
        }
    }
}

impl NeuronSettings {
    /// Fails where there is no segment or synapse, or the nonlinearity is out of range.
    pub fn check(&self) -> Result<()> {
        for (name, value) in [("segments", self.segments), ("synapses", self.synapses)] {
            if value == 0 {
                return Err(Error::setting(name, value, "at least 1"));
            }
        }
        self.nonlinearity.check()
    }
}

/// A neuron that has learned patterns.
#[derive(Clone, Debug)]
pub struct DendriticNeuron {
    segments: DendriticSegments,
    index: SegmentIndex,
    nonlinearity: DendriticNonlinearity,
}

impl DendriticNeuron {
    /// Learns `patterns`, each in one presentation: pattern `i` leaves `settings.synapses` of its
    /// active cells, drawn uniformly, on segment `i` modulo the number of segments.
    ///
    /// Fails without patterns, where they speak of different populations, or where one has fewer
    /// active cells than a segment takes.
    pub fn learn(settings: &NeuronSettings, patterns: &[Sdr], seed: &Seed) -> Result<Self> {
        settings.check()?;
        let Some(first) = patterns.first() else {
            return Err(Error::TooFew {
                operation: "one-shot learning",
                what: "patterns",
                found: 0,
                needed: 1,
            });
        };
        let mut rng = seed.rng();
        let used = settings.segments.min(patterns.len());
        let mut synapses: Vec<Vec<u32>> = vec![Vec::new(); used];
        for (number, pattern) in patterns.iter().enumerate() {
            same_cells("one-shot learning", first.cells(), pattern.cells())?;
            let chosen = pattern.subsample(settings.synapses, &mut rng)?;
            synapses[number % used].extend_from_slice(chosen.active());
        }
        let mut segments = DendriticSegments::new(first.cells())?;
        for mut cells in synapses {
            cells.sort_unstable();
            cells.dedup();
            segments.push(&cells)?;
        }
        let index = SegmentIndex::new(&segments)?;
        Ok(DendriticNeuron {
            segments,
            index,
            nonlinearity: settings.nonlinearity,
        })
    }

    /// The segments with their synapses.
    pub fn segments(&self) -> &DendriticSegments {
        &self.segments
    }

    /// The largest overlap of any segment with each of `codes`.
    pub fn best_overlaps(&self, codes: &[Sdr], progress: &Progress) -> Result<Vec<u16>> {
        self.each(codes, progress, |overlaps| {
            overlaps.iter().copied().max().unwrap_or(0)
        })
    }

    /// The summed segment outputs for each of `codes`.
    pub fn activations(&self, codes: &[Sdr], progress: &Progress) -> Result<Vec<f64>> {
        self.each(codes, progress, |overlaps| {
            overlaps
                .iter()
                .map(|&overlap| self.nonlinearity.output(overlap))
                .sum()
        })
    }

    fn each<T: Send>(
        &self,
        codes: &[Sdr],
        progress: &Progress,
        soma: impl Fn(&[u16]) -> T + Sync,
    ) -> Result<Vec<T>> {
        for code in codes {
            same_cells("neuron", self.segments.cells(), code.cells())?;
        }
        let parts: Vec<Vec<T>> = codes
            .par_chunks(BLOCK)
            .map(|codes| {
                progress.check()?;
                let mut overlaps = vec![0; self.index.len()];
                Ok(codes
                    .iter()
                    .map(|code| {
                        self.index.count(code, &mut overlaps);
                        soma(&overlaps)
                    })
                    .collect())
            })
            .collect::<Result<_>>()?;
        Ok(parts.into_iter().flatten().collect())
    }
}

/// What two neurons make of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TwoNeuronClass {
    /// The positive neuron is the more active one.
    Positive,
    /// The negative neuron is the more active one.
    Negative,
    /// Both are equally active, as where neither knows the code.
    Unclassified,
}

/// A neuron for each of two classes; the more active one decides.
#[derive(Clone, Debug)]
pub struct TwoNeuronClassifier {
    positive: DendriticNeuron,
    negative: DendriticNeuron,
}

impl TwoNeuronClassifier {
    /// Each neuron learns the patterns of its class in one presentation.
    pub fn learn(
        settings: &NeuronSettings,
        positive: &[Sdr],
        negative: &[Sdr],
        seed: &Seed,
    ) -> Result<Self> {
        Ok(TwoNeuronClassifier {
            positive: DendriticNeuron::learn(settings, positive, &seed.named("positive"))?,
            negative: DendriticNeuron::learn(settings, negative, &seed.named("negative"))?,
        })
    }

    /// The class of each of `codes`.
    pub fn classify(&self, codes: &[Sdr], progress: &Progress) -> Result<Vec<TwoNeuronClass>> {
        let positive = self.positive.activations(codes, progress)?;
        let negative = self.negative.activations(codes, progress)?;
        let decide = |(positive, negative)| match f64::total_cmp(&positive, &negative) {
            std::cmp::Ordering::Greater => TwoNeuronClass::Positive,
            std::cmp::Ordering::Less => TwoNeuronClass::Negative,
            std::cmp::Ordering::Equal => TwoNeuronClass::Unclassified,
        };
        Ok(positive.into_iter().zip(negative).map(decide).collect())
    }
}
