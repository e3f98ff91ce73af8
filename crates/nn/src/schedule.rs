//! Step sizes over the course of training.

use serde::{Deserialize, Serialize};

/// How the learning rate moves; a factor on the base rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Schedule {
    /// 1 throughout.
    #[default]
    Constant,
    /// Rises linearly over the first `warmup` share of the steps, then falls to `floor` along half
    /// a cosine (Loshchilov & Hutter 2017, one period).
    Cosine {
        /// Share of the steps spent rising, in [0, 1).
        warmup: f64,
        /// The factor at the end.
        floor: f64,
    },
    /// Rises from `start` to 1 over the first `rise` share of the steps, then falls to `end`, both
    /// along half a cosine (Smith & Topin 2018).
    OneCycle {
        /// Share of the steps spent rising, in [0, 1].
        rise: f64,
        /// The factor at the beginning.
        start: f64,
        /// The factor at the end.
        end: f64,
    },
    /// Multiplied by `factor` after every `every` share of the steps.
    Step {
        /// Share of the steps between changes, above 0.
        every: f64,
        /// The factor at each change.
        factor: f64,
    },
}

impl Schedule {
    /// The factor at step `step` of `total`, both counted from 0.
    pub fn factor(&self, step: u64, total: u64) -> f64 {
        let place = step as f64 / total.saturating_sub(1).max(1) as f64;
        match *self {
            Schedule::Constant => 1.0,
            Schedule::Cosine { warmup, floor } => {
                if place < warmup {
                    // The first step is not wasted on a rate of zero.
                    return (step + 1) as f64 / (warmup * total as f64 + 1.0);
                }
                between(1.0, floor, (place - warmup) / (1.0 - warmup))
            }
            Schedule::OneCycle { rise, start, end } if place < rise => {
                let _ = end;
                between(start, 1.0, place / rise)
            }
            Schedule::OneCycle { rise, end, .. } => between(
                1.0,
                end,
                (place - rise) / (1.0 - rise).max(f64::MIN_POSITIVE),
            ),
            Schedule::Step { every, factor } => {
                factor.powf((step as f64 / total.max(1) as f64 / every).floor())
            }
        }
    }

    /// Whether every number is in its range.
    pub fn check(&self) -> chiasm_core::Result<()> {
        let share = |name: &str, value: f64, allowed: bool, range: &str| {
            if allowed {
                Ok(())
            } else {
                Err(chiasm_core::Error::setting(name, value, range))
            }
        };
        match *self {
            Schedule::Constant => Ok(()),
            Schedule::Cosine { warmup, floor } => {
                share(
                    "schedule.warmup",
                    warmup,
                    (0.0..1.0).contains(&warmup),
                    "[0, 1)",
                )?;
                share(
                    "schedule.floor",
                    floor,
                    (0.0..=1.0).contains(&floor),
                    "[0, 1]",
                )
            }
            Schedule::OneCycle { rise, start, end } => {
                share("schedule.rise", rise, (0.0..=1.0).contains(&rise), "[0, 1]")?;
                share(
                    "schedule.start",
                    start,
                    (0.0..=1.0).contains(&start),
                    "[0, 1]",
                )?;
                share("schedule.end", end, (0.0..=1.0).contains(&end), "[0, 1]")
            }
            Schedule::Step { every, factor } => {
                share(
                    "schedule.every",
                    every,
                    every > 0.0 && every.is_finite(),
                    "above 0",
                )?;
                share(
                    "schedule.factor",
                    factor,
                    factor > 0.0 && factor <= 1.0,
                    "(0, 1]",
                )
            }
        }
    }
}

/// From `a` to `b` along half a cosine as `place` goes from 0 to 1.
fn between(a: f64, b: f64, place: f64) -> f64 {
    b + (a - b) * 0.5 * (1.0 + (std::f64::consts::PI * place.min(1.0)).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_pass_through_their_fixed_points() {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        let cosine = Schedule::Cosine {
            warmup: 0.0,
            floor: 0.1,
        };
        near(cosine.factor(0, 101), 1.0);
        near(cosine.factor(50, 101), 0.55);
        near(cosine.factor(100, 101), 0.1);
        let cycle = Schedule::OneCycle {
            rise: 0.25,
            start: 0.04,
            end: 0.0,
        };
        near(cycle.factor(0, 101), 0.04);
        near(cycle.factor(25, 101), 1.0);
        near(cycle.factor(100, 101), 0.0);
        let step = Schedule::Step {
            every: 0.5,
            factor: 0.1,
        };
        near(step.factor(49, 100), 1.0);
        near(step.factor(50, 100), 0.1);
        near(Schedule::Constant.factor(7, 9), 1.0);
    }

    #[test]
    fn warm_up_rises_from_above_zero_to_one() {
        let cosine = Schedule::Cosine {
            warmup: 0.2,
            floor: 0.0,
        };
        let factors: Vec<f64> = (0..100).map(|step| cosine.factor(step, 100)).collect();
        assert!(factors[0] > 0.0 && factors[..20].is_sorted());
        assert!(factors[20] > 0.99 && factors[20..].is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn a_share_out_of_range_is_named() {
        let message = Schedule::Cosine {
            warmup: 1.5,
            floor: 0.0,
        }
        .check()
        .unwrap_err()
        .to_string();
        assert_eq!(message, "schedule.warmup = 1.5: expected [0, 1)");
    }
}
