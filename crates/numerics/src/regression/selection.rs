//! From scores of every fold to one penalty a target.

use serde::{Deserialize, Serialize};

/// For whom a penalty is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PenaltyChoice {
    /// The best mean score over folds, for each target by itself.
    #[default]
    PerTarget,
    /// One penalty for all: the best mean over targets that are not constant, averaged over folds.
    Shared,
    /// One penalty for all: the best median over such targets, averaged over folds.
    SharedMedian,
}

/// Penalties that cross-validation chose.
#[derive(Clone, Debug, PartialEq)]
pub struct PenaltySelection {
    /// The grid, rising.
    pub grid: Vec<f64>,
    /// The place in the grid of each target's penalty.
    pub chosen: Vec<usize>,
    /// The mean score over folds of each target's penalty; 0 for constant targets.
    pub scores: Vec<f64>,
    /// Which targets are constant over the training rows; they take the largest penalty and count nowhere.
    pub constant: Vec<bool>,
}

impl PenaltySelection {
    /// Each target's penalty.
    pub fn alphas(&self) -> Vec<f64> {
        self.chosen.iter().map(|&place| self.grid[place]).collect()
    }

    /// How many targets that are not constant chose the smallest and the largest penalty of the grid: many
    /// of either say that the grid should go on there. (A target that the features do not predict wants
    /// the largest penalty however far the grid goes.) Both 0 for a grid of one.
    pub fn at_grid_edges(&self) -> (usize, usize) {
        let last = self.grid.len() - 1;
        if last == 0 {
            return (0, 0);
        }
        let count = |place| {
            let pairs = self.chosen.iter().zip(&self.constant);
            pairs
                .filter(|&(&chosen, &constant)| !constant && chosen == place)
                .count()
        };
        (count(0), count(last))
    }

    /// How many targets are constant.
    pub fn constant_targets(&self) -> usize {
        self.constant.iter().filter(|&&constant| constant).count()
    }
}

/// Scores of every target under every penalty, folds added one by one.
#[derive(Debug)]
pub(super) struct FoldScores<'a> {
    constant: &'a [bool],
    penalties: usize,
    choice: PenaltyChoice,
    /// The fold that is being filled (targets x penalties).
    current: Vec<f64>,
    folds: f64,
    mean: Vec<f64>,
    /// Sums of squared deviations from the mean; empty where nobody asks.
    squares: Vec<f64>,
    conservative: bool,
    /// Mean or median over targets: its mean over folds and its sums of squared deviations, a penalty each.
    shared_mean: Vec<f64>,
    shared_squares: Vec<f64>,
}

impl<'a> FoldScores<'a> {
    pub(super) fn new(
        constant: &'a [bool],
        penalties: usize,
        choice: PenaltyChoice,
        conservative: bool,
    ) -> Self {
        let size = constant.len() * penalties;
        let spread = conservative && choice == PenaltyChoice::PerTarget;
        FoldScores {
            constant,
            penalties,
            choice,
            current: vec![0.0; size],
            folds: 0.0,
            mean: vec![0.0; size],
            squares: vec![0.0; if spread { size } else { 0 }],
            conservative,
            shared_mean: vec![0.0; penalties],
            shared_squares: vec![0.0; penalties],
        }
    }

    /// Scores (targets x penalties) of the present fold, of targets from `first` on.
    pub(super) fn put(&mut self, first: usize, scores: &[f64]) {
        let start = first * self.penalties;
        self.current[start..start + scores.len()].copy_from_slice(scores);
    }

    /// Call once all targets of a fold are in.
    pub(super) fn end_fold(&mut self) {
        self.folds += 1.0;
        for (at, &score) in self.current.iter().enumerate() {
            let squares = self.squares.get_mut(at);
            add_to_mean(score, self.folds, &mut self.mean[at], squares);
        }
        if self.choice == PenaltyChoice::PerTarget {
            return;
        }
        for penalty in 0..self.penalties {
            let mut scores: Vec<f64> = (0..self.constant.len())
                .filter(|&target| !self.constant[target])
                .map(|target| self.current[target * self.penalties + penalty])
                .collect();
            let over_targets = if scores.is_empty() {
                0.0
            } else if self.choice == PenaltyChoice::SharedMedian {
                scores.sort_unstable_by(f64::total_cmp);
                crate::resampling::quantile(&scores, 0.5)
            } else {
                scores.iter().sum::<f64>() / scores.len() as f64
            };
            add_to_mean(
                over_targets,
                self.folds,
                &mut self.shared_mean[penalty],
                Some(&mut self.shared_squares[penalty]),
            );
        }
    }

    /// Each target's place in the grid and its mean score there.
    pub(super) fn choose(&self) -> (Vec<usize>, Vec<f64>) {
        let shared = self.best(&self.shared_mean, &self.shared_squares);
        (0..self.constant.len())
            .map(|target| {
                if self.constant[target] {
                    return (self.penalties - 1, 0.0);
                }
                let range = target * self.penalties..(target + 1) * self.penalties;
                let scores = &self.mean[range.clone()];
                let place = match self.choice {
                    PenaltyChoice::PerTarget => {
                        self.best(scores, self.squares.get(range).unwrap_or(&[]))
                    }
                    PenaltyChoice::Shared | PenaltyChoice::SharedMedian => shared,
                };
                (place, scores[place])
            })
            .unzip()
    }

    fn best(&self, scores: &[f64], squares: &[f64]) -> usize {
        let best = best_of(scores);
        match squares.get(best) {
            Some(squares) if self.conservative => {
                largest_within(scores, best, (squares / self.folds).sqrt())
            }
            _ => best,
        }
    }
}

/// One step of Welford's recurrence; `count` includes `value`.
fn add_to_mean(value: f64, count: f64, mean: &mut f64, squares: Option<&mut f64>) {
    let before = value - *mean;
    *mean += before / count;
    if let Some(squares) = squares {
        *squares += before * (value - *mean);
    }
}

/// The best score; of equals the one with the largest penalty.
fn best_of(scores: &[f64]) -> usize {
    let mut best = 0;
    for (place, score) in scores.iter().enumerate() {
        if *score >= scores[best] {
            best = place;
        }
    }
    best
}

/// The largest penalty whose score is above the best less one deviation.
fn largest_within(scores: &[f64], best: usize, deviation: f64) -> usize {
    (best..scores.len())
        .rev()
        .find(|&place| scores[place] > scores[best] - deviation)
        .unwrap_or(best)
}
