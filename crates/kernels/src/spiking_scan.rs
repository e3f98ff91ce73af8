//! Leaky integrate-and-fire neurons scanned over all of time, forward and backward.
//!
//! Arrays are time first: `[steps, lanes]`, where a lane is one neuron of one sample. Lanes never
//! touch each other, so they are vectorised and shared among threads, and each thread keeps the
//! carried state of its lanes in its first-level cache for the whole sequence.
//!
//! One step is
//!
//! ```text
//! h[t] = carry[t-1] + gain x[t] + drive          membrane before the reset
//! s[t] = 1 where h[t] passes the threshold       the spike
//! carry[t] = decay h[t], or what the reset makes of it
//! ```
//!
//! which covers the discretisations in use: SpikingJelly's `LIFNode` (`Reset::To` or
//! `Reset::Subtract`), snnTorch's `Leaky` (`Reset::SubtractUndecayed`, because there the reset of the
//! previous step is subtracted after the decay), Norse and the exact exponential step of a
//! current-driven neuron (`gain = 1 - decay`).

#![allow(unsafe_code)]

use rayon::prelude::*;

use crate::disjoint::DisjointMut;
use crate::simd::{exp, vectorised};

/// Lanes a thread carries at once: state and one row stay in the first-level cache.
const LANES_PER_TASK: usize = 1024;
/// Below this many values the work costs less than handing it out.
const SERIAL_VALUES: usize = 1 << 14;

/// Stand-ins for the derivative of the step function, of `x = membrane - threshold`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Surrogate {
    /// `(α/2) / (1 + (π α x / 2)²)`.
    Atan {
        /// Height and sharpness, 2 in SpikingJelly and snnTorch.
        alpha: f32,
    },
    /// `1 / (1 + k |x|)²`.
    FastSigmoid {
        /// Sharpness, 25 in snnTorch.
        slope: f32,
    },
    /// `1 / (α |x| + 1)²`, Zenke and Ganguli's SuperSpike; Norse uses α = 100.
    SuperSpike {
        /// Sharpness.
        alpha: f32,
    },
    /// `α σ(α x) (1 - σ(α x))` with the logistic function σ.
    Sigmoid {
        /// Sharpness, 4 in SpikingJelly and 25 in snnTorch.
        alpha: f32,
    },
    /// `max(0, α - α² |x|)`.
    PiecewiseQuadratic {
        /// Height and sharpness.
        alpha: f32,
    },
    /// `α max(0, 1 - |x|)`.
    Triangle {
        /// Height, 0.3 in most uses.
        alpha: f32,
    },
    /// `1 / (2 α (1/α + |x|)²)`.
    SoftSign {
        /// Sharpness.
        alpha: f32,
    },
    /// `1 / (2 a)` where `|x| < a`, else 0.
    Boxcar {
        /// The half width `a`, 0.25 or 0.5.
        half_width: f32,
    },
}

impl Surrogate {
    /// The stand-in derivative at `x = membrane - threshold`.
    pub fn derivative(self, x: f32) -> f32 {
        struct At(f32);
        impl SurrogateVisitor for At {
            type Output = f32;
            fn visit(self, derivative: impl Fn(f32) -> f32 + Copy + Send + Sync) -> f32 {
                derivative(self.0)
            }
        }
        self.visit(At(x))
    }

    /// Hands the derivative to `visitor` as a closure of its own type, so that loops over it compile
    /// to straight vector code with no branch on the kind.
    fn visit<V: SurrogateVisitor>(self, visitor: V) -> V::Output {
        match self {
            Surrogate::Atan { alpha } => {
                let scale = std::f32::consts::FRAC_PI_2 * alpha;
                visitor.visit(
                    #[inline(always)]
                    move |x| 0.5 * alpha / (1.0 + (scale * x) * (scale * x)),
                )
            }
            Surrogate::FastSigmoid { slope: alpha } | Surrogate::SuperSpike { alpha } => visitor
                .visit(
                    #[inline(always)]
                    move |x| {
                        let width = 1.0 + alpha * x.abs();
                        1.0 / (width * width)
                    },
                ),
            Surrogate::Sigmoid { alpha } => visitor.visit(
                #[inline(always)]
                move |x| {
                    // σ(1 - σ) is even: the negative side never overflows.
                    let decayed = exp(-(alpha * x).abs());
                    alpha * decayed / ((1.0 + decayed) * (1.0 + decayed))
                },
            ),
            Surrogate::PiecewiseQuadratic { alpha } => visitor.visit(
                #[inline(always)]
                move |x| (alpha - alpha * alpha * x.abs()).max(0.0),
            ),
            Surrogate::Triangle { alpha } => visitor.visit(
                #[inline(always)]
                move |x| alpha * (1.0 - x.abs()).max(0.0),
            ),
            Surrogate::SoftSign { alpha } => visitor.visit(
                #[inline(always)]
                move |x| {
                    let width = 1.0 / alpha + x.abs();
                    1.0 / (2.0 * alpha * width * width)
                },
            ),
            Surrogate::Boxcar { half_width } => visitor.visit(
                #[inline(always)]
                move |x| {
                    if x.abs() < half_width {
                        0.5 / half_width
                    } else {
                        0.0
                    }
                },
            ),
        }
    }
}

trait SurrogateVisitor {
    type Output;
    fn visit(self, derivative: impl Fn(f32) -> f32 + Copy + Send + Sync) -> Self::Output;
}

/// Whether a membrane exactly at the threshold fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThresholdTie {
    /// Fires at `h >= θ` (SpikingJelly, NEST).
    Fires,
    /// Fires only above, `h > θ` (NIR, snnTorch, Norse).
    Silent,
}

/// What a spike does to the membrane that is carried on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reset {
    /// Nothing.
    None,
    /// `carry = decay (h - θ)`: soft reset at once (SpikingJelly with `v_reset=None`).
    Subtract,
    /// `carry = decay h - θ`: the reset arrives one step late and does not decay (snnTorch's `subtract`).
    SubtractUndecayed,
    /// `carry = decay v`: hard reset to the membrane `v` (SpikingJelly, Norse, snnTorch's `zero`).
    To(f32),
}

/// One population of identical leaky integrate-and-fire neurons.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LifScan {
    /// The share of the membrane that survives a step.
    pub decay: f32,
    /// What multiplies the input.
    pub gain: f32,
    /// What is added every step, e.g. `(1 - decay)` times a resting membrane.
    pub drive: f32,
    /// The membrane before the first step.
    pub initial_membrane: f32,
    /// The threshold θ.
    pub threshold: f32,
    /// What happens exactly at the threshold.
    pub tie: ThresholdTie,
    /// What a spike does to the membrane.
    pub reset: Reset,
    /// Whether gradients ignore the reset's dependence on the spike.
    pub detach_reset: bool,
    /// The stand-in for the spike's derivative.
    pub surrogate: Surrogate,
}

/// The step with its constants folded: a neuron that fired carries `fired_slope h + fired_offset`.
#[derive(Clone, Copy)]
struct Folded {
    decay: f32,
    gain: f32,
    drive: f32,
    first_carry: f32,
    threshold: f32,
    fired_slope: f32,
    fired_offset: f32,
    reset_gradient: f32,
}

impl LifScan {
    fn fold(&self) -> Folded {
        let (fired_slope, fired_offset) = match self.reset {
            Reset::None => (self.decay, 0.0),
            Reset::Subtract => (self.decay, -self.decay * self.threshold),
            Reset::SubtractUndecayed => (self.decay, -self.threshold),
            Reset::To(membrane) => (0.0, self.decay * membrane),
        };
        Folded {
            decay: self.decay,
            gain: self.gain,
            drive: self.drive,
            first_carry: self.decay * self.initial_membrane,
            threshold: self.threshold,
            fired_slope,
            fired_offset,
            reset_gradient: if self.detach_reset { 0.0 } else { 1.0 },
        }
    }

    /// Turns the inputs `[steps, lanes]` in `membrane` into membranes before the reset, and writes the
    /// spikes (0 or 1) to `spikes`.
    ///
    /// # Panics
    /// If a slice does not hold `steps * lanes` values.
    pub fn forward(&self, steps: usize, lanes: usize, membrane: &mut [f32], spikes: &mut [f32]) {
        assert_eq!(
            membrane.len(),
            steps * lanes,
            "membrane is not steps x lanes"
        );
        assert_eq!(spikes.len(), steps * lanes, "spikes are not steps x lanes");
        let folded = self.fold();
        let fires_on_tie = self.tie == ThresholdTie::Fires;
        let membrane = DisjointMut::new(membrane);
        let spikes = DisjointMut::new(spikes);
        for_lanes(steps, lanes, |start, width| {
            let mut carry = vec![folded.first_carry; width];
            for step in 0..steps {
                // SAFETY: lane ranges of different tasks do not overlap, and rows lie `lanes` apart.
                let (membrane, spikes) = unsafe {
                    (
                        membrane.slice(step * lanes + start, width),
                        spikes.slice(step * lanes + start, width),
                    )
                };
                let carry = &mut carry[..];
                if fires_on_tie {
                    vectorised(|| {
                        step_forward(folded, membrane, spikes, carry, |h, theta| h >= theta)
                    });
                } else {
                    vectorised(|| {
                        step_forward(folded, membrane, spikes, carry, |h, theta| h > theta)
                    });
                }
            }
        });
    }

    /// What neurons carry into their first step.
    pub fn first_carry(&self) -> f32 {
        self.fold().first_carry
    }

    /// One step of neurons that are simulated as they go: turns the inputs in `membrane` into membranes
    /// before the reset, writes the spikes, and moves `carry` on.
    ///
    /// # Panics
    /// If the slices differ in length.
    pub fn step(&self, carry: &mut [f32], membrane: &mut [f32], spikes: &mut [f32]) {
        assert!(
            carry.len() == membrane.len() && carry.len() == spikes.len(),
            "slices of different lengths"
        );
        let folded = self.fold();
        match self.tie {
            ThresholdTie::Fires => {
                step_forward(folded, membrane, spikes, carry, |h, theta| h >= theta)
            }
            ThresholdTie::Silent => {
                step_forward(folded, membrane, spikes, carry, |h, theta| h > theta)
            }
        }
    }

    /// Turns the gradients of the spikes `[steps, lanes]` in `gradient` into gradients of the inputs.
    /// `membrane` is what [`LifScan::forward`] left there.
    ///
    /// # Panics
    /// If a slice does not hold `steps * lanes` values.
    pub fn backward(&self, steps: usize, lanes: usize, membrane: &[f32], gradient: &mut [f32]) {
        assert_eq!(
            membrane.len(),
            steps * lanes,
            "membrane is not steps x lanes"
        );
        assert_eq!(
            gradient.len(),
            steps * lanes,
            "gradient is not steps x lanes"
        );
        self.surrogate.visit(Backward {
            scan: self,
            steps,
            lanes,
            membrane,
            gradient,
        });
    }
}

struct Backward<'a> {
    scan: &'a LifScan,
    steps: usize,
    lanes: usize,
    membrane: &'a [f32],
    gradient: &'a mut [f32],
}

impl SurrogateVisitor for Backward<'_> {
    type Output = ();

    fn visit(self, derivative: impl Fn(f32) -> f32 + Copy + Send + Sync) {
        let Backward {
            scan,
            steps,
            lanes,
            membrane,
            gradient,
        } = self;
        let folded = scan.fold();
        let fires_on_tie = scan.tie == ThresholdTie::Fires;
        let gradient = DisjointMut::new(gradient);
        for_lanes(steps, lanes, |start, width| {
            let mut next = vec![0.0f32; width];
            for step in (0..steps).rev() {
                let offset = step * lanes + start;
                let membrane = &membrane[offset..offset + width];
                // SAFETY: lane ranges of different tasks do not overlap, and rows lie `lanes` apart.
                let gradient = unsafe { gradient.slice(offset, width) };
                let next = &mut next[..];
                if fires_on_tie {
                    vectorised(|| {
                        step_backward(folded, membrane, gradient, next, derivative, |h, theta| {
                            h >= theta
                        })
                    });
                } else {
                    vectorised(|| {
                        step_backward(folded, membrane, gradient, next, derivative, |h, theta| {
                            h > theta
                        })
                    });
                }
            }
        });
    }
}

#[inline(always)]
fn step_forward(
    folded: Folded,
    membrane: &mut [f32],
    spikes: &mut [f32],
    carry: &mut [f32],
    fires: impl Fn(f32, f32) -> bool,
) {
    for ((membrane, spike), carry) in membrane.iter_mut().zip(spikes).zip(carry) {
        let h = *carry + folded.gain * *membrane + folded.drive;
        let fired = fires(h, folded.threshold);
        let after = folded.fired_slope * h + folded.fired_offset;
        let kept = folded.decay * h;
        *membrane = h;
        *spike = if fired { 1.0 } else { 0.0 };
        *carry = if fired { after } else { kept };
    }
}

/// `next` holds the gradient of the carried state: that of the following membrane.
#[inline(always)]
fn step_backward(
    folded: Folded,
    membrane: &[f32],
    gradient: &mut [f32],
    next: &mut [f32],
    derivative: impl Fn(f32) -> f32,
    fires: impl Fn(f32, f32) -> bool,
) {
    let slope_change = folded.reset_gradient * (folded.fired_slope - folded.decay);
    let offset = folded.reset_gradient * folded.fired_offset;
    for ((&h, gradient), next) in membrane.iter().zip(gradient).zip(next) {
        let of_spike = *gradient + *next * (slope_change * h + offset);
        let slope = if fires(h, folded.threshold) {
            folded.fired_slope
        } else {
            folded.decay
        };
        let of_membrane = of_spike * derivative(h - folded.threshold) + slope * *next;
        *next = of_membrane;
        *gradient = folded.gain * of_membrane;
    }
}

/// A leaky integrator without spikes, `v[t] = decay v[t-1] + gain x[t]` from 0: the membrane of a
/// readout, or an exponential synaptic current.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeakyIntegrator {
    /// The share that survives a step.
    pub decay: f32,
    /// What multiplies the input.
    pub gain: f32,
}

impl LeakyIntegrator {
    /// Turns inputs `[steps, lanes]` into integrated values, in place.
    ///
    /// # Panics
    /// If the slice does not hold `steps * lanes` values.
    pub fn forward(&self, steps: usize, lanes: usize, values: &mut [f32]) {
        self.scan(steps, lanes, values, false);
    }

    /// Turns gradients of the integrated values into gradients of the inputs, in place.
    ///
    /// # Panics
    /// If the slice does not hold `steps * lanes` values.
    pub fn backward(&self, steps: usize, lanes: usize, gradient: &mut [f32]) {
        self.scan(steps, lanes, gradient, true);
    }

    /// The filter is its own adjoint with time reversed.
    fn scan(&self, steps: usize, lanes: usize, values: &mut [f32], reversed: bool) {
        assert_eq!(values.len(), steps * lanes, "values are not steps x lanes");
        let LeakyIntegrator { decay, gain } = *self;
        let values = DisjointMut::new(values);
        for_lanes(steps, lanes, |start, width| {
            let mut carry = vec![0.0f32; width];
            for index in 0..steps {
                let step = if reversed { steps - 1 - index } else { index };
                // SAFETY: lane ranges of different tasks do not overlap, and rows lie `lanes` apart.
                let row = unsafe { values.slice(step * lanes + start, width) };
                let carry = &mut carry[..];
                vectorised(|| {
                    for (value, carry) in row.iter_mut().zip(carry) {
                        *carry = decay * *carry + gain * *value;
                        *value = *carry;
                    }
                });
            }
        });
    }
}

/// Calls `work(start, width)` for ranges of lanes that cover all of them.
fn for_lanes(steps: usize, lanes: usize, work: impl Fn(usize, usize) + Sync) {
    if steps * lanes <= SERIAL_VALUES {
        if lanes > 0 {
            work(0, lanes);
        }
        return;
    }
    let width = LANES_PER_TASK
        .min(lanes.div_ceil(rayon::current_num_threads()))
        .next_multiple_of(16);
    (0..lanes.div_ceil(width)).into_par_iter().for_each(|task| {
        let start = task * width;
        work(start, width.min(lanes - start));
    });
}

#[cfg(test)]
mod tests;
