//! From membrane motion to spikes: Meddis's transmitter pools, nerve fibres with a dead time, and a
//! bushy cell that fires when many fibres do.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Meddis's (1986, 1988) inner hair cell: transmitter moves between a free pool `q`, the cleft `c` and a
/// reprocessing store `w`. Rates per second, the free pool at most 1.
const PERMEABILITY_OFFSET: f32 = 5.0;
const PERMEABILITY_HALF: f32 = 300.0;
const RELEASE: f32 = 2000.0;
const REPLENISH: f32 = 5.05;
const LOSS: f32 = 2500.0;
const RECOVERY: f32 = 6580.0;
const REPROCESSING: f32 = 66.3;
/// Firing rate per unit of transmitter in the cleft, in hertz.
const FIRING: f32 = 50_000.0;

/// Seconds in which a fibre cannot fire again.
const DEAD_TIME: f64 = 0.001;

const MEMBRANE_TIME_CONSTANT: f64 = 0.001;
const SYNAPSE_TIME_CONSTANT: f64 = 0.0005;
const REFRACTORY: f64 = 0.001;
/// The weights of all fibres together, per second.
const TOTAL_WEIGHT: f64 = 13_000.0;

/// The three pools of one hair cell.
pub(super) struct HairCell {
    step: f32,
    free: f32,
    cleft: f32,
    store: f32,
}

impl HairCell {
    /// The pools as they settle in silence.
    pub(super) fn at_rest(step: f64) -> Self {
        let permeability = permeability(0.0);
        // All flows balance.
        let cleft =
            permeability * REPLENISH / (LOSS * permeability + REPLENISH * (LOSS + RECOVERY));
        let free = cleft * (LOSS + RECOVERY) / permeability;
        HairCell {
            step: step as f32,
            free,
            cleft,
            store: cleft * RECOVERY / REPROCESSING,
        }
    }

    /// One sample; returns the probability that a fibre at rest fires in it.
    pub(super) fn step(&mut self, drive: f32) -> f32 {
        let released = permeability(drive) * self.free;
        let replenished = REPLENISH * (1.0 - self.free).max(0.0);
        let restored = REPROCESSING * self.store;
        let taken_up = RECOVERY * self.cleft;
        self.free += self.step * (replenished - released + restored);
        self.cleft += self.step * (released - LOSS * self.cleft - taken_up);
        self.store += self.step * (taken_up - restored);
        (FIRING * self.step * self.cleft).clamp(0.0, 1.0)
    }
}

fn permeability(drive: f32) -> f32 {
    let above = drive + PERMEABILITY_OFFSET;
    if above > 0.0 {
        RELEASE * above / (above + PERMEABILITY_HALF)
    } else {
        0.0
    }
}

/// Fibres that fire independently with the same probability. They are exchangeable, so it is enough
/// to draw how many of the rested ones fire, and to know when those return.
pub(super) struct NerveFibres {
    rested: usize,
    /// How many fired in each of the last samples of the dead time.
    tired: Vec<usize>,
    now: usize,
}

impl NerveFibres {
    pub(super) fn new(count: usize, step: f64) -> Self {
        let samples = (DEAD_TIME / step).round().max(1.0) as usize;
        NerveFibres {
            rested: count,
            tired: vec![0; samples],
            now: 0,
        }
    }

    /// Draws how many fibres fire in this sample.
    pub(super) fn step(&mut self, probability: f32, rng: &mut ChaCha8Rng) -> usize {
        self.rested += self.tired[self.now];
        let fired = binomial(self.rested, probability, rng.random());
        self.rested -= fired;
        self.tired[self.now] = fired;
        self.now = (self.now + 1) % self.tired.len();
        fired
    }
}

/// The binomial quantile of `uniform`, by walking up from 0: counts are small here.
fn binomial(trials: usize, probability: f32, uniform: f32) -> usize {
    if probability >= 1.0 {
        return trials;
    }
    let odds = probability / (1.0 - probability);
    let mut term = (1.0 - probability).powi(trials as i32);
    let mut below = term;
    let mut count = 0;
    while uniform >= below && count < trials {
        term *= odds * (trials - count) as f32 / (count + 1) as f32;
        below += term;
        count += 1;
    }
    count
}

/// A leaky integrate-and-fire neuron with an exponential synaptic current, stepped exactly.
pub(super) struct BushyCell {
    membrane_decay: f32,
    synapse_decay: f32,
    /// What a unit of current adds to the membrane over a step.
    transfer: f32,
    weight: f32,
    membrane: f32,
    current: f32,
    refractory_steps: usize,
    waiting: usize,
}

impl BushyCell {
    pub(super) fn new(fibres: usize, step: f64) -> Self {
        let membrane_decay = (-step / MEMBRANE_TIME_CONSTANT).exp();
        let synapse_decay = (-step / SYNAPSE_TIME_CONSTANT).exp();
        let transfer =
            (membrane_decay - synapse_decay) * MEMBRANE_TIME_CONSTANT * SYNAPSE_TIME_CONSTANT
                / (MEMBRANE_TIME_CONSTANT - SYNAPSE_TIME_CONSTANT);
        BushyCell {
            membrane_decay: membrane_decay as f32,
            synapse_decay: synapse_decay as f32,
            transfer: transfer as f32,
            weight: (TOTAL_WEIGHT / fibres as f64) as f32,
            membrane: 0.0,
            current: 0.0,
            refractory_steps: (REFRACTORY / step).round() as usize,
            waiting: 0,
        }
    }

    /// One sample with `released` fibres firing at its start; returns whether the cell fires.
    pub(super) fn step(&mut self, released: usize) -> bool {
        self.current += self.weight * released as f32;
        let membrane = self.membrane_decay * self.membrane + self.transfer * self.current;
        self.current *= self.synapse_decay;
        if self.waiting > 0 {
            self.waiting -= 1;
            self.membrane = 0.0;
            return false;
        }
        let fires = membrane > 1.0;
        self.membrane = if fires { 0.0 } else { membrane };
        if fires {
            self.waiting = self.refractory_steps;
        }
        fires
    }
}

#[cfg(test)]
mod tests {
    use chiasm_core::Seed;

    use super::*;

    #[test]
    fn silence_leaves_the_hair_cell_at_rest() {
        let mut cell = HairCell::at_rest(1.0 / 16_000.0);
        let first = cell.step(0.0);
        let mut last = first;
        for _ in 0..16_000 {
            last = cell.step(0.0);
        }
        assert!(
            (last / first - 1.0).abs() < 1e-3,
            "{first} drifts to {last}"
        );
        // Spontaneous firing of tens of hertz.
        assert!(
            (20.0..150.0).contains(&(first * 16_000.0)),
            "{} Hz",
            first * 16_000.0
        );
    }

    #[test]
    fn a_step_of_drive_fires_at_once_and_adapts() {
        let mut cell = HairCell::at_rest(1.0 / 16_000.0);
        let response: Vec<f32> = (0..4800).map(|_| cell.step(300.0)).collect();
        let onset = response[..160].iter().copied().fold(0.0, f32::max);
        let settled = response[4799];
        assert!(onset > 2.0 * settled && settled > cell.step(-1000.0) * 0.5);
    }

    #[test]
    fn binomial_draws_have_their_mean_and_variance() {
        let mut rng = Seed::new(1).rng();
        let draws: Vec<f64> = (0..40_000)
            .map(|_| binomial(40, 0.1, rng.random()) as f64)
            .collect();
        let mean = draws.iter().sum::<f64>() / 40_000.0;
        let variance = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 40_000.0;
        assert!(
            (mean - 4.0).abs() < 0.04 && (variance - 3.6).abs() < 0.12,
            "{mean} {variance}"
        );
        assert_eq!(binomial(40, 0.0, 0.999), 0);
        assert_eq!(binomial(40, 1.0, 0.0), 40);
    }

    #[test]
    fn fibres_rest_for_their_dead_time() {
        let mut rng = Seed::new(1).rng();
        let mut fibres = NerveFibres::new(10, 0.0001);
        let fired: Vec<usize> = (0..25).map(|_| fibres.step(1.0, &mut rng)).collect();
        let at: Vec<usize> = (0..25).filter(|&t| fired[t] == 10).collect();
        assert_eq!(at, [0, 10, 20]);
        assert!((0..25).all(|t| fired[t] == 10 || fired[t] == 0));
    }

    #[test]
    fn the_bushy_cell_needs_many_fibres_at_once() {
        let step = 1.0 / 100_000.0;
        // The peak of one input is w τm τs / (τm - τs) (e^-t/τm - e^-t/τs) = 325e-3 / 4 at t = ln 2 ms.
        for (together, fires) in [(12, false), (13, true)] {
            let mut cell = BushyCell::new(40, step);
            let fired = (0..500).any(|t| cell.step(if t == 0 { together } else { 0 }));
            assert_eq!(fired, fires, "{together} fibres");
        }
    }
}
