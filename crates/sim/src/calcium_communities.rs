//! Calcium recordings of several animals in which groups of neurons act together at times.

use chiasm_core::data::{Clock, Recording};
use chiasm_core::{Error, Result, Seed};
use ndarray::Array2;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// How [`simulate_communities`] draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalciumCommunitiesSettings {
    /// Number of animals.
    pub animals: usize,
    /// Number of neurons that exist.
    pub neurons: usize,
    /// Frames recorded from each animal.
    pub frames: usize,
    /// Frames per second.
    pub rate: f64,
    /// Communities that are active after a stimulus, at evenly spaced times.
    pub stimulus_locked: usize,
    /// Communities that are active at a time of their own, apart from all others where there is room.
    pub spontaneous: usize,
    /// Frames each community is active for.
    pub interval_frames: usize,
    /// Fewest members of a community.
    pub fewest_members: usize,
    /// Most members of a community.
    pub most_members: usize,
    /// The smallest share of the animals that has a community.
    pub least_share_of_animals: f64,
    /// Size of the shared derivative, in standard deviations of the background; 0 plants nothing.
    pub drive: f64,
    /// Share of the variance of the shared derivative that differs from animal to animal.
    pub animal_variability: f64,
    /// Length scale of the shared derivative in seconds.
    pub drive_seconds: f64,
    /// Time constant of each neuron's own background derivative in seconds.
    pub background_seconds: f64,
    /// Decay of the calcium indicator in seconds.
    pub calcium_seconds: f64,
    /// Standard deviation of a trace over that of its measurement noise.
    pub signal_to_noise: f64,
    /// Share of the neurons not found in an animal.
    pub missing: f64,
    /// A (community, neuron) whose share in the drive is taken away, all else staying the same.
    pub lesion: Option<(usize, usize)>,
}

impl Default for CalciumCommunitiesSettings {
    fn default() -> Self {
        CalciumCommunitiesSettings {
            animals: 12,
            neurons: 60,
            frames: 600,
            rate: 4.0,
            stimulus_locked: 3,
            spontaneous: 2,
            interval_frames: 60,
            fewest_members: 6,
            most_members: 14,
            least_share_of_animals: 0.5,
            drive: 4.0,
            animal_variability: 0.0,
            drive_seconds: 3.0,
            background_seconds: 0.5,
            calcium_seconds: 1.5,
            signal_to_noise: 3.0,
            missing: 0.15,
            lesion: None,
        }
    }
}

impl CalciumCommunitiesSettings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first that is outside.
    pub fn check(&self) -> Result<()> {
        let fail =
            |name: &str, value: f64, allowed: &str| Err(Error::setting(name, value, allowed));
        if self.animals == 0 {
            return fail("animals", 0.0, "at least 1");
        }
        if self.fewest_members < 2 || self.fewest_members > self.most_members {
            return fail(
                "fewest_members",
                self.fewest_members as f64,
                "from 2 to most_members",
            );
        }
        if self.most_members > self.neurons {
            return fail("most_members", self.most_members as f64, "at most neurons");
        }
        if self.interval_frames == 0 || self.interval_frames >= self.frames {
            let found = self.interval_frames as f64;
            return fail("interval_frames", found, "at least 1 and below frames");
        }
        for (name, value) in [
            ("rate", self.rate),
            ("drive_seconds", self.drive_seconds),
            ("background_seconds", self.background_seconds),
            ("calcium_seconds", self.calcium_seconds),
            ("signal_to_noise", self.signal_to_noise),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return fail(name, value, "a positive number");
            }
        }
        if !(self.drive >= 0.0 && self.drive.is_finite()) {
            return fail("drive", self.drive, "at least 0");
        }
        for (name, value) in [
            ("least_share_of_animals", self.least_share_of_animals),
            ("animal_variability", self.animal_variability),
            ("missing", self.missing),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return fail(name, value, "from 0 to 1");
            }
        }
        if let Some((community, neuron)) = self.lesion
            && (community >= self.stimulus_locked + self.spontaneous || neuron >= self.neurons)
        {
            return Err(Error::setting(
                "lesion",
                format!("({community}, {neuron})"),
                "an existing community and neuron",
            ));
        }
        Ok(())
    }
}

/// A planted community.
#[derive(Clone, Debug, PartialEq)]
pub struct PlantedCommunity {
    /// First frame of its activity and the one after the last.
    pub interval: (usize, usize),
    /// Whether it follows a stimulus.
    pub stimulus_locked: bool,
    /// Each neuron's gain; 0 for those outside.
    pub gain: Vec<f64>,
    /// Whether each animal has it.
    pub animals: Vec<bool>,
    /// For each frame the mean, over the animals that have it, of the size of the shared derivative as
    /// the indicator shows it.
    pub activity: Vec<f64>,
}

impl PlantedCommunity {
    /// Neurons with a gain.
    pub fn members(&self) -> Vec<usize> {
        (0..self.gain.len())
            .filter(|&neuron| self.gain[neuron] > 0.0)
            .collect()
    }

    /// The member with the largest gain.
    pub fn hub(&self) -> usize {
        let best = |a: &usize, b: &usize| self.gain[*a].total_cmp(&self.gain[*b]);
        (0..self.gain.len()).max_by(best).unwrap_or(0)
    }
}

/// Simulated recordings and what was planted in them.
#[derive(Clone, Debug)]
pub struct CalciumCommunities {
    /// One recording an animal: the neurons that were found, by name.
    pub recordings: Vec<Recording>,
    /// Names of all neurons that exist.
    pub neurons: Vec<String>,
    /// The planted communities.
    pub communities: Vec<PlantedCommunity>,
}

/// Simulates animals in which communities of neurons change together.
///
/// The derivative of each neuron's activity is an Ornstein-Uhlenbeck background of unit variance; in
/// its interval, and in the animals that have it, a community adds to each member its gain (uniform
/// in 0.5 to 1.5) times a smooth shared function (a Gaussian process), whose sign is drawn anew for
/// each animal. Activity, the integral, is filtered by the indicator's exponential decay, noise is
/// added, and some neurons of each animal are left out.
///
/// The same seed gives the same backgrounds, noise, communities and missing neurons whatever `drive`
/// and `lesion` are.
///
/// # Errors
/// [`Error::Setting`] from [`CalciumCommunitiesSettings::check`].
pub fn simulate_communities(
    settings: &CalciumCommunitiesSettings,
    seed: Seed,
) -> Result<CalciumCommunities> {
    settings.check()?;
    let count = settings.stimulus_locked + settings.spontaneous;
    let step = 1.0 / settings.rate;
    let decay = (-step / settings.calcium_seconds).exp();
    let mut communities = Vec::with_capacity(count);
    // The shared derivative of each community in each animal; empty where the animal lacks it.
    let mut shared: Vec<Vec<Vec<f64>>> = Vec::with_capacity(count);
    for index in 0..count {
        let mut rng = seed.named("community").indexed(index as u64).rng();
        let (community, drives) = plant(settings, index, &communities, &mut rng);
        communities.push(community);
        shared.push(drives);
    }
    for (community, drives) in communities.iter_mut().zip(&shared) {
        let having = drives.iter().filter(|drive| !drive.is_empty());
        let total = having.clone().count() as f64;
        for drive in having {
            let seen = low_pass(drive, decay);
            let sum = community.activity.iter_mut().zip(seen);
            sum.for_each(|(mean, value)| *mean += value.abs() / total);
        }
    }
    let neurons: Vec<String> = (0..settings.neurons).map(|n| format!("N{n:03}")).collect();
    let mut recordings = Vec::with_capacity(settings.animals);
    for animal in 0..settings.animals {
        let seed = seed.named("animal").indexed(animal as u64);
        let mut found: Vec<usize> = (0..settings.neurons).collect();
        shuffle(&mut found, &mut seed.named("missing").rng());
        let missing = (settings.missing * settings.neurons as f64).round() as usize;
        found.truncate((settings.neurons - missing).max(1));
        found.sort_unstable();
        let mut samples = Array2::<f32>::zeros((settings.frames, found.len()));
        for (column, &neuron) in found.iter().enumerate() {
            let mut rng = seed.named("neuron").indexed(neuron as u64).rng();
            let mut derivative = background(settings, &mut rng);
            for (index, community) in communities.iter().enumerate() {
                let drive = &shared[index][animal];
                if drive.is_empty() || settings.lesion == Some((index, neuron)) {
                    continue;
                }
                let gain = community.gain[neuron];
                derivative
                    .iter_mut()
                    .zip(drive)
                    .for_each(|(sum, value)| *sum += gain * value);
            }
            let mut activity = derivative;
            let mut level = 0.0;
            for value in &mut activity {
                level += *value * step;
                *value = level;
            }
            let trace = low_pass(&activity, decay);
            let mean = trace.iter().sum::<f64>() / trace.len() as f64;
            let variance = trace
                .iter()
                .map(|value| (value - mean).powi(2))
                .sum::<f64>();
            let noise = (variance / trace.len() as f64).sqrt() / settings.signal_to_noise;
            for (frame, value) in trace.into_iter().enumerate() {
                samples[[frame, column]] = (value + noise * normal(&mut rng)) as f32;
            }
        }
        let names = found
            .iter()
            .map(|&neuron| neurons[neuron].clone())
            .collect();
        let clock = Clock::Regular {
            start: 0.0,
            rate: settings.rate,
        };
        recordings.push(Recording::new(
            format!("animal {animal}"),
            samples,
            names,
            clock,
            "",
        )?);
    }
    Ok(CalciumCommunities {
        recordings,
        neurons,
        communities,
    })
}

fn plant(
    settings: &CalciumCommunitiesSettings,
    index: usize,
    earlier: &[PlantedCommunity],
    rng: &mut ChaCha8Rng,
) -> (PlantedCommunity, Vec<Vec<f64>>) {
    let stimulus_locked = index < settings.stimulus_locked;
    let last_start = settings.frames - settings.interval_frames;
    let start = if stimulus_locked {
        (index + 1) * last_start / (settings.stimulus_locked + 1)
    } else {
        free_start(settings, earlier, last_start, rng)
    };
    let interval = (start, start + settings.interval_frames);
    let size = rng.random_range(settings.fewest_members..=settings.most_members);
    let mut order: Vec<usize> = (0..settings.neurons).collect();
    shuffle(&mut order, rng);
    let mut gain = vec![0.0; settings.neurons];
    order
        .iter()
        .take(size)
        .for_each(|&neuron| gain[neuron] = rng.random_range(0.5..1.5));
    let share = rng.random_range(settings.least_share_of_animals..=1.0);
    let having = ((share * settings.animals as f64).round() as usize).max(1);
    let mut order: Vec<usize> = (0..settings.animals).collect();
    shuffle(&mut order, rng);
    let mut animals = vec![false; settings.animals];
    order
        .iter()
        .take(having)
        .for_each(|&animal| animals[animal] = true);
    let common = smooth(settings, rng);
    let own = settings.animal_variability;
    let drives = (0..settings.animals)
        .map(|animal| {
            let sign = if rng.random::<bool>() { 1.0 } else { -1.0 };
            let individual = smooth(settings, rng);
            if !animals[animal] {
                return Vec::new();
            }
            let mut drive = vec![0.0; settings.frames];
            for (offset, (a, b)) in common.iter().zip(&individual).enumerate() {
                let mixed = (1.0 - own).sqrt() * a + own.sqrt() * b;
                drive[interval.0 + offset] = settings.drive * sign * mixed;
            }
            drive
        })
        .collect();
    let activity = vec![0.0; settings.frames];
    (
        PlantedCommunity {
            interval,
            stimulus_locked,
            gain,
            animals,
            activity,
        },
        drives,
    )
}

/// A random start away from the intervals of earlier communities: where two communities act at once the
/// affinities are no longer a sum of one component for each. Anywhere, where there is no such place.
fn free_start(
    settings: &CalciumCommunitiesSettings,
    earlier: &[PlantedCommunity],
    last_start: usize,
    rng: &mut ChaCha8Rng,
) -> usize {
    let apart = settings.interval_frames;
    let free: Vec<usize> = (0..=last_start)
        .filter(|start| {
            earlier
                .iter()
                .all(|other| other.interval.0.abs_diff(*start) >= apart)
        })
        .collect();
    if free.is_empty() {
        rng.random_range(0..=last_start)
    } else {
        free[rng.random_range(0..free.len())]
    }
}

/// A Gaussian process of unit variance over one interval: white noise under a Gaussian window, which
/// gives a squared-exponential covariance.
fn smooth(settings: &CalciumCommunitiesSettings, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let width = settings.drive_seconds * settings.rate / std::f64::consts::SQRT_2;
    let reach = (4.0 * width).ceil() as usize;
    let window: Vec<f64> = (0..=2 * reach)
        .map(|k| (-0.5 * ((k as f64 - reach as f64) / width).powi(2)).exp())
        .collect();
    let norm = window.iter().map(|value| value * value).sum::<f64>().sqrt();
    let noise: Vec<f64> = (0..settings.interval_frames + 2 * reach)
        .map(|_| normal(rng))
        .collect();
    (0..settings.interval_frames)
        .map(|frame| {
            window
                .iter()
                .zip(&noise[frame..])
                .map(|(a, b)| a * b)
                .sum::<f64>()
                / norm
        })
        .collect()
}

fn background(settings: &CalciumCommunitiesSettings, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let keep = (-1.0 / (settings.rate * settings.background_seconds)).exp();
    let fresh = (1.0 - keep * keep).sqrt();
    let mut value: f64 = normal(rng);
    (0..settings.frames)
        .map(|_| {
            value = keep * value + fresh * normal(rng);
            value
        })
        .collect()
}

/// Exponential decay of unit area.
fn low_pass(values: &[f64], decay: f64) -> Vec<f64> {
    let mut state = values.first().copied().unwrap_or(0.0);
    values
        .iter()
        .map(|value| {
            state = decay * state + (1.0 - decay) * value;
            state
        })
        .collect()
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

fn shuffle(items: &mut [usize], rng: &mut ChaCha8Rng) {
    for last in (1..items.len()).rev() {
        items.swap(last, rng.random_range(0..=last));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slope_correlation(a: &[f64], b: &[f64]) -> f64 {
        let slope = |x: &[f64]| x.windows(9).map(|w| w[8] - w[0]).collect::<Vec<f64>>();
        let (a, b) = (slope(a), slope(b));
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(p, q)| p * q).sum::<f64>();
        dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
    }

    fn trace(data: &CalciumCommunities, animal: usize, neuron: usize) -> Option<Vec<f64>> {
        let recording = &data.recordings[animal];
        let column = recording
            .channels
            .iter()
            .position(|name| *name == data.neurons[neuron])?;
        Some(
            recording
                .samples
                .column(column)
                .iter()
                .map(|&value| f64::from(value))
                .collect(),
        )
    }

    /// Mean slope correlation of members in the interval of community 0, over animals that have it
    /// or lack it.
    fn coupling(data: &CalciumCommunities, having: bool) -> f64 {
        let community = &data.communities[0];
        let (start, stop) = community.interval;
        let members = community.members();
        let (mut sum, mut pairs) = (0.0, 0.0);
        for animal in (0..12).filter(|&animal| community.animals[animal] == having) {
            for (i, &a) in members.iter().enumerate() {
                for &b in &members[..i] {
                    if let (Some(a), Some(b)) = (trace(data, animal, a), trace(data, animal, b)) {
                        sum += slope_correlation(&a[start..stop], &b[start..stop]);
                        pairs += 1.0;
                    }
                }
            }
        }
        sum / pairs
    }

    #[test]
    fn members_change_together_only_where_planted() {
        let settings = CalciumCommunitiesSettings {
            least_share_of_animals: 0.5,
            spontaneous: 0,
            stimulus_locked: 1,
            ..Default::default()
        };
        let (mut with, mut without, mut null) = (0.0, 0.0, 0.0);
        let mut counted = 0.0;
        for seed in 0..6 {
            let data = simulate_communities(&settings, Seed::new(seed)).unwrap();
            with += coupling(&data, true) / 6.0;
            if data.communities[0].animals.iter().any(|having| !having) {
                without += coupling(&data, false);
                counted += 1.0;
            }
            let silent = CalciumCommunitiesSettings {
                drive: 0.0,
                ..settings.clone()
            };
            let data = simulate_communities(&silent, Seed::new(seed)).unwrap();
            null += coupling(&data, true) / 6.0;
        }
        assert!(with > 0.25, "with {with}");
        assert!(
            (without / counted).abs() < 0.1,
            "without {}",
            without / counted
        );
        assert!(null.abs() < 0.1, "null {null}");
    }

    #[test]
    fn a_lesion_touches_only_its_neuron() {
        let settings = CalciumCommunitiesSettings::default();
        let whole = simulate_communities(&settings, Seed::new(5)).unwrap();
        let hub = whole.communities[1].hub();
        let settings = CalciumCommunitiesSettings {
            lesion: Some((1, hub)),
            ..settings
        };
        let lesioned = simulate_communities(&settings, Seed::new(5)).unwrap();
        for (before, after) in whole.recordings.iter().zip(&lesioned.recordings) {
            assert_eq!(before.channels, after.channels);
            for (column, name) in before.channels.iter().enumerate() {
                let same = before.samples.column(column) == after.samples.column(column);
                assert!(same || *name == whole.neurons[hub], "{name} changed");
            }
        }
        assert!(
            whole
                .recordings
                .iter()
                .zip(&lesioned.recordings)
                .any(|(a, b)| a != b)
        );
    }

    #[test]
    fn missing_neurons_are_absent_by_name() {
        let data = simulate_communities(&Default::default(), Seed::new(0)).unwrap();
        assert!(
            data.recordings
                .iter()
                .all(|recording| recording.channels.len() == 51)
        );
        assert!(data.recordings[0].channels != data.recordings[1].channels);
    }
}
