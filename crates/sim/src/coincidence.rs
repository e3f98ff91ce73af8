//! A task that only relative spike timing solves, with the delays that solve it known.
//!
//! Channels come in fixed pairs. A trial holds a few events of every pair: one spike on the leading
//! channel at a random time, and one on the trailing channel after a lag that belongs to the class and the
//! pair. Times run on a circle, so that in every class each channel's spikes are spread evenly over
//! the trial and equal in number: counts and time courses of single channels say nothing, only the lags
//! between channels do. A detector that delays the leading channel by the lag more than the trailing one
//! sees both at once, which fixes its delays up to a shift common to the pair.
//!
//! Built after the description of such tasks in Hammouamri, Khalfaoui-Hassani and Masquelier (2024) and
//! Göltz and colleagues (2025).

use std::collections::BTreeMap;

use chiasm_core::{Error, Result, Seed};
use ndarray::{Array2, ArrayView2};
use rand::RngExt;
use rand_distr::{Distribution, Normal, Poisson};
use serde::{Deserialize, Serialize};

/// The sizes and the noise of the task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CoincidenceSettings {
    /// Input channels; half as many pairs.
    pub channels: usize,
    /// Classes.
    pub classes: usize,
    /// Time steps of a trial.
    pub steps: usize,
    /// Seconds a step lasts.
    pub step_seconds: f64,
    /// The shortest lag, in steps: 0 lets some pairs coincide as they are, which needs no delays to see.
    pub shortest_lag: usize,
    /// The longest lag, in steps.
    pub longest_lag: usize,
    /// Events of each pair in a trial.
    pub events_per_pair: usize,
    /// Standard deviation of the lag from event to event, in steps.
    pub jitter_steps: f64,
    /// Poisson background of every channel, in spikes per second.
    pub background_hertz: f64,
    /// Gives every class the lags of the first: nothing is left to be learned.
    pub same_lags: bool,
}

impl Default for CoincidenceSettings {
    fn default() -> Self {
        CoincidenceSettings {
            channels: 20,
            classes: 4,
            steps: 100,
            step_seconds: 0.01,
            shortest_lag: 3,
            longest_lag: 20,
            events_per_pair: 3,
            jitter_steps: 1.0,
            background_hertz: 5.0,
            same_lags: false,
        }
    }
}

impl CoincidenceSettings {
    /// Refuses settings without meaning.
    pub fn check(&self) -> Result<()> {
        if self.channels < 2 || !self.channels.is_multiple_of(2) || self.channels > 1 << 15 {
            return Err(Error::setting(
                "channels",
                self.channels,
                "an even number of at least 2",
            ));
        }
        if self.classes < 2 {
            return Err(Error::setting("classes", self.classes, "at least 2"));
        }
        if self.steps < 2 || self.steps > 1 << 20 {
            return Err(Error::setting("steps", self.steps, "2 to 1048576"));
        }
        if self.shortest_lag > self.longest_lag {
            let allowed = "at most longest_lag";
            return Err(Error::setting("shortest_lag", self.shortest_lag, allowed));
        }
        if 2 * self.longest_lag >= self.steps {
            return Err(Error::setting(
                "longest_lag",
                self.longest_lag,
                "less than half the steps",
            ));
        }
        if !(self.jitter_steps.is_finite() && self.jitter_steps >= 0.0) {
            return Err(Error::setting(
                "jitter_steps",
                self.jitter_steps,
                "0 or more",
            ));
        }
        if !(self.background_hertz.is_finite() && (0.0..=1e4).contains(&self.background_hertz)) {
            return Err(Error::setting(
                "background_hertz",
                self.background_hertz,
                "0 to 10000",
            ));
        }
        if !(self.step_seconds.is_finite() && self.step_seconds > 0.0) {
            return Err(Error::setting("step_seconds", self.step_seconds, "above 0"));
        }
        Ok(())
    }
}

/// One class's spikes in one trial.
#[derive(Clone, Debug, PartialEq)]
pub struct CoincidenceTrial {
    /// The class.
    pub label: usize,
    /// (step, channel) of each spike, sorted, each once.
    pub spikes: Vec<(u32, u16)>,
}

/// The task: its settings and the lags that were drawn for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Coincidence {
    settings: CoincidenceSettings,
    /// Steps from the leading to the trailing spike, classes x pairs. Pair `k` is led by channel `2k` and
    /// trailed by channel `2k + 1`; negative lags turn that around.
    lags: Array2<i64>,
}

impl Coincidence {
    /// Draws lags of `shortest_lag` to `longest_lag` in either direction, different between all classes
    /// of a pair as far as there are enough of them.
    pub fn new(settings: CoincidenceSettings, seed: Seed) -> Result<Self> {
        settings.check()?;
        let mut rng = seed.named("lags").rng();
        let (shortest, longest) = (settings.shortest_lag as i64, settings.longest_lag as i64);
        let mut lags = Array2::zeros((settings.classes, settings.channels / 2));
        for mut pair in lags.columns_mut() {
            let mut left: Vec<i64> = Vec::new();
            for lag in &mut pair {
                if left.is_empty() {
                    left = (-longest..=longest)
                        .filter(|lag| lag.abs() >= shortest)
                        .collect();
                }
                *lag = left.swap_remove(rng.random_range(0..left.len()));
            }
            if settings.same_lags {
                let first = pair[0];
                pair.fill(first);
            }
        }
        Ok(Coincidence { settings, lags })
    }

    /// The settings of this task.
    pub fn settings(&self) -> &CoincidenceSettings {
        &self.settings
    }

    /// The lags, classes x pairs, in steps.
    pub fn lags(&self) -> ArrayView2<'_, i64> {
        self.lags.view()
    }

    /// Draws `count` trials with classes in turn.
    pub fn trials(&self, count: usize, seed: Seed) -> Result<Vec<CoincidenceTrial>> {
        (0..count)
            .map(|index| self.trial(index % self.settings.classes, seed.indexed(index as u64)))
            .collect()
    }

    fn trial(&self, label: usize, seed: Seed) -> Result<CoincidenceTrial> {
        let settings = &self.settings;
        let mut rng = seed.rng();
        let jitter = Normal::new(0.0, settings.jitter_steps).map_err(|error| {
            Error::setting("jitter_steps", settings.jitter_steps, error.to_string())
        })?;
        let steps = settings.steps as i64;
        let mut spikes = Vec::new();
        for (pair, &lag) in self.lags.row(label).iter().enumerate() {
            for _ in 0..settings.events_per_pair {
                let lead = rng.random_range(0..steps);
                let trail = lead + lag + jitter.sample(&mut rng).round() as i64;
                spikes.push((lead as u32, 2 * pair as u16));
                spikes.push((trail.rem_euclid(steps) as u32, 2 * pair as u16 + 1));
            }
        }
        let expected = settings.background_hertz * settings.step_seconds * settings.steps as f64;
        if expected > 0.0 {
            let background = Poisson::new(expected).map_err(|error| {
                Error::setting(
                    "background_hertz",
                    settings.background_hertz,
                    error.to_string(),
                )
            })?;
            for channel in 0..settings.channels {
                for _ in 0..background.sample(&mut rng) as usize {
                    spikes.push((rng.random_range(0..steps) as u32, channel as u16));
                }
            }
        }
        spikes.sort_unstable();
        spikes.dedup();
        Ok(CoincidenceTrial { label, spikes })
    }

    /// The lags that a network with one layer of delays learned, by (class, pair), in steps.
    ///
    /// `delays` and `weights` are channels x units, `readout` units x classes. For a class and a pair, the
    /// unit taken is the one that speaks most for the class through both channels, by `weight · weight ·
    /// readout`; its lag is the difference of its two delays, so that shifts common to the pair cancel. Pairs
    /// that no unit supports are left out.
    pub fn learned_lags(
        &self,
        delays: ArrayView2<'_, f64>,
        weights: ArrayView2<'_, f64>,
        readout: ArrayView2<'_, f64>,
    ) -> Result<BTreeMap<(usize, usize), f64>> {
        let units = delays.ncols();
        for (what, found, expected) in [
            ("delays", delays.dim(), (self.settings.channels, units)),
            ("weights", weights.dim(), (self.settings.channels, units)),
            ("readout", readout.dim(), (units, self.settings.classes)),
        ] {
            if found != expected {
                return Err(Error::Shape {
                    operation: "learned lags",
                    what: what.into(),
                    axis: "values",
                    found: found.0 * found.1,
                    expected: format!("{} x {}", expected.0, expected.1),
                });
            }
        }
        let mut learned = BTreeMap::new();
        for ((class, pair), _) in self.lags.indexed_iter() {
            let (lead, trail) = (2 * pair, 2 * pair + 1);
            let support = |unit: usize| {
                let (a, b) = (weights[[lead, unit]], weights[[trail, unit]]);
                if a > 0.0 && b > 0.0 {
                    a * b * readout[[unit, class]]
                } else {
                    0.0
                }
            };
            let best = (0..units).max_by(|&a, &b| support(a).total_cmp(&support(b)));
            if let Some(unit) = best.filter(|&unit| support(unit) > 0.0) {
                learned.insert((class, pair), delays[[lead, unit]] - delays[[trail, unit]]);
            }
        }
        Ok(learned)
    }

    /// The median distance of learned from planted lags, in steps. Pairs that are missing count as the
    /// longest lag.
    pub fn median_lag_error(&self, learned: &BTreeMap<(usize, usize), f64>) -> f64 {
        let missing = self.settings.longest_lag as f64;
        let mut errors: Vec<f64> = self
            .lags
            .indexed_iter()
            .map(|(place, &lag)| {
                learned
                    .get(&place)
                    .map_or(missing, |learned| (learned - lag as f64).abs())
            })
            .collect();
        errors.sort_by(f64::total_cmp);
        let half = errors.len() / 2;
        if errors.len().is_multiple_of(2) {
            (errors[half - 1] + errors[half]) / 2.0
        } else {
            errors[half]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> Coincidence {
        Coincidence::new(CoincidenceSettings::default(), Seed::new(1)).unwrap()
    }

    #[test]
    fn counts_and_time_courses_say_nothing_about_the_class() {
        let task = task();
        let (trials, channels, bins) = (4000, 20, 5);
        let mut counts = vec![vec![0.0f64; channels * bins]; 4];
        for trial in task.trials(trials, Seed::new(2)).unwrap() {
            for (step, channel) in trial.spikes {
                counts[trial.label][usize::from(channel) * bins + step as usize / 20] += 1.0;
            }
        }
        // Each cell holds about 1000 trials of 8 / 5 spikes: a chi-square over classes per cell.
        let mut chi_square = 0.0;
        for cell in 0..channels * bins {
            let mean = counts.iter().map(|class| class[cell]).sum::<f64>() / 4.0;
            assert!(mean > 1000.0);
            chi_square += counts
                .iter()
                .map(|class| (class[cell] - mean).powi(2) / mean)
                .sum::<f64>();
        }
        // 300 degrees of freedom: mean 300, standard deviation 24.5. Events in fixed number make it smaller.
        assert!(chi_square < 300.0 + 4.0 * 24.5, "{chi_square}");
    }

    #[test]
    fn the_planted_lag_is_the_commonest_difference() {
        let task = task();
        let trials = task.trials(800, Seed::new(3)).unwrap();
        for class in 0..4 {
            for pair in 0..10 {
                let mut histogram = BTreeMap::new();
                for trial in trials.iter().filter(|trial| trial.label == class) {
                    let of = |channel: usize| {
                        let spikes = trial.spikes.iter();
                        spikes
                            .filter(move |s| usize::from(s.1) == channel)
                            .map(|s| i64::from(s.0))
                    };
                    for lead in of(2 * pair) {
                        for trail in of(2 * pair + 1) {
                            *histogram.entry((trail - lead).rem_euclid(100)).or_insert(0) += 1;
                        }
                    }
                }
                let (best, _) = histogram
                    .iter()
                    .max_by_key(|&(&lag, &count)| (count, lag))
                    .unwrap();
                let planted = task.lags()[[class, pair]].rem_euclid(100);
                assert!((best - planted).abs() <= 1, "{best} for {planted}");
            }
        }
    }

    #[test]
    fn lags_differ_between_classes_unless_told_otherwise() {
        for pair in task().lags().columns() {
            let mut lags = pair.to_vec();
            lags.sort_unstable();
            lags.dedup();
            assert_eq!(lags.len(), 4);
            assert!(lags.iter().all(|lag| (3..=20).contains(&lag.abs())));
        }
        let settings = CoincidenceSettings {
            same_lags: true,
            ..CoincidenceSettings::default()
        };
        let null = Coincidence::new(settings, Seed::new(1)).unwrap();
        assert!(
            null.lags()
                .columns()
                .into_iter()
                .all(|pair| pair.iter().all(|lag| *lag == pair[0]))
        );
    }

    #[test]
    fn perfect_delays_have_no_error_and_shifts_do_not_matter() {
        let task = task();
        // One unit a class, each shifted by a delay of its own.
        let mut delays = Array2::zeros((20, 4));
        for ((class, pair), &lag) in task.lags().indexed_iter() {
            delays[[2 * pair, class]] = 25.0 + class as f64 + lag as f64 / 2.0;
            delays[[2 * pair + 1, class]] = 25.0 + class as f64 - lag as f64 / 2.0;
        }
        let weights = Array2::ones((20, 4));
        let readout = Array2::eye(4);
        let learned = task
            .learned_lags(delays.view(), weights.view(), readout.view())
            .unwrap();
        assert_eq!(learned.len(), 40);
        assert!(task.median_lag_error(&learned) < 1e-12);
        let flat = Array2::zeros((20, 4));
        let none = task
            .learned_lags(flat.view(), weights.view(), readout.view())
            .unwrap();
        assert!(task.median_lag_error(&none) > 5.0);
        assert_eq!(task.median_lag_error(&BTreeMap::new()), 20.0);
        assert!(
            task.learned_lags(flat.view(), weights.view(), weights.view())
                .is_err()
        );
    }

    #[test]
    fn settings_without_meaning_are_refused() {
        let refused = [
            CoincidenceSettings {
                channels: 7,
                ..CoincidenceSettings::default()
            },
            CoincidenceSettings {
                classes: 1,
                ..CoincidenceSettings::default()
            },
            CoincidenceSettings {
                longest_lag: 50,
                ..CoincidenceSettings::default()
            },
            CoincidenceSettings {
                jitter_steps: f64::NAN,
                ..CoincidenceSettings::default()
            },
            CoincidenceSettings {
                background_hertz: -1.0,
                ..CoincidenceSettings::default()
            },
        ];
        for settings in refused {
            assert!(Coincidence::new(settings, Seed::new(0)).is_err());
        }
    }
}
