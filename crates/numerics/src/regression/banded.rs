//! Banded (group) ridge: feature spaces with a penalty each, found by random search.
//!
//! b = argmin ‖y - Σ_i X_i b_i‖² + Σ_i α_i ‖b_i‖² with one α_i a band. With α_i = α / γ_i and γ on the simplex this is
//! plain ridge with penalty α on features scaled by √γ_i, or on the kernel Σ_i γ_i X_i X_i'. Candidates for γ are drawn
//! from Dirichlet distributions; each is scanned over the whole grid of α, and each target keeps the best
//! pair (Nunez-Elizalde, Huth and Gallant 2019; Dupré la Tour, Eickenberg, Nunez-Elizalde and Gallant 2022).
//!
//! Memory besides that of plain ridge: products of features of one fold (features² or bands x rows²), and a mean score for
//! every penalty, target and candidate of a chunk of candidates; the chunk stays below
//! [`RidgeSettings::batch_mebibytes`].

use std::ops::Range;

use chiasm_core::{Error, Progress, Result, Seed};
use faer::Mat;
use ndarray::{Array2, ArrayView2, Axis};
use rand_distr::{Distribution, Gamma};
use serde::{Deserialize, Serialize};

use super::banded_fit::BandedFit;
use super::checks::{batches, check_data, constant_targets};
use super::columns::{Columns, column_means, subtract};
use super::design::{Centring, Spectrum};
use super::penalty_path::{PathScratch, PenaltyPath};
use super::real::Real;
use super::ridge::{RidgeSettings, Solver};
use super::selection::{FoldScores, PenaltyChoice};
use super::source::ResponseSource;
use crate::splits::{Split, check_splits};

/// How [`fit_banded_ridge`] works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BandedSettings {
    /// How many weightings of the bands are tried.
    pub candidates: usize,
    /// Concentrations of the Dirichlet distributions, taken in turn: below 1 most draws favour one band.
    pub concentrations: Vec<f64>,
    /// The grid of penalties, score, intercept and the rest; the choice is per target.
    pub ridge: RidgeSettings,
}

impl Default for BandedSettings {
    /// One hundred candidates with concentrations 0.1 and 1 in turn.
    fn default() -> Self {
        BandedSettings {
            candidates: 100,
            concentrations: vec![0.1, 1.0],
            ridge: RidgeSettings::default(),
        }
    }
}

impl BandedSettings {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Setting`] with the name of the first that is outside.
    pub fn check(&self) -> Result<()> {
        self.ridge.check()?;
        if self.candidates == 0 {
            return Err(Error::setting("candidates", 0, "at least 1"));
        }
        if self.concentrations.is_empty() {
            return Err(Error::setting("concentrations", "none", "at least one"));
        }
        for &concentration in &self.concentrations {
            if !(concentration > 0.0 && concentration.is_finite()) {
                return Err(Error::setting("concentrations", concentration, "above 0"));
            }
        }
        if self.ridge.choice != PenaltyChoice::PerTarget {
            return Err(Error::setting(
                "choice",
                format!("{:?}", self.ridge.choice),
                "PerTarget (bands are weighed for each target)",
            ));
        }
        Ok(())
    }
}

/// Weightings of `bands` bands (candidates x bands, rows sum to 1): the first uniform, the others from
/// Dirichlet distributions with the concentrations in turn, by the seed named `band weights`.
///
/// # Errors
/// [`Error::Setting`] from [`BandedSettings::check`]; [`Error::TooFew`] without bands.
pub fn band_weight_candidates(
    bands: usize,
    settings: &BandedSettings,
    seed: Seed,
) -> Result<Array2<f64>> {
    settings.check()?;
    if bands == 0 {
        return Err(too_few_bands());
    }
    let mut rng = seed.named("band weights").rng();
    let mut candidates = Array2::from_elem((settings.candidates, bands), 1.0 / bands as f64);
    let cycle = settings.concentrations.iter().cycle();
    for (mut row, &concentration) in candidates.rows_mut().into_iter().zip(cycle).skip(1) {
        let gamma = Gamma::new(concentration, 1.0)
            .map_err(|_| Error::setting("concentrations", concentration, "above 0"))?;
        // Tiny concentrations can round every draw to 0: such a row says nothing, so draw again.
        let mut sum = 0.0;
        for _ in 0..1000 {
            row.mapv_inplace(|_| gamma.sample(&mut rng));
            sum = row.sum();
            if sum > 0.0 {
                break;
            }
        }
        if sum > 0.0 {
            row /= sum;
        } else {
            row.fill(1.0 / bands as f64);
        }
    }
    Ok(candidates)
}

pub(super) fn too_few_bands() -> Error {
    Error::TooFew {
        operation: "banded ridge",
        what: "bands",
        found: 0,
        needed: 1,
    }
}

/// Chooses band weights and penalties by cross-validation over `folds` and fits all rows with them. `bands` holds the
/// features of each band, all with the same rows.
///
/// # Errors
/// As [`super::fit_ridge`]; [`Error::Shape`] where bands differ in their rows.
pub fn fit_banded_ridge<T: Real, S: ResponseSource<T>>(
    bands: &[ArrayView2<'_, T>],
    y: &S,
    folds: &[Split],
    settings: &BandedSettings,
    seed: Seed,
    progress: &Progress,
) -> Result<BandedFit<T>> {
    let candidates = band_weight_candidates(bands.len(), settings, seed)?;
    fit_banded_ridge_over(bands, y, folds, candidates, &settings.ridge, progress)
}

/// As [`fit_banded_ridge`], over given weightings (candidates x bands, none negative, no row all 0).
///
/// # Errors
/// As [`fit_banded_ridge`]; [`Error::Setting`] for a weight outside its range.
pub fn fit_banded_ridge_over<T: Real, S: ResponseSource<T>>(
    bands: &[ArrayView2<'_, T>],
    y: &S,
    folds: &[Split],
    candidates: Array2<f64>,
    settings: &RidgeSettings,
    progress: &Progress,
) -> Result<BandedFit<T>> {
    settings.check()?;
    check_candidates(&candidates, bands.len())?;
    let (x, ranges) = side_by_side(bands)?;
    check_data(x.view(), y)?;
    check_splits(folds, x.nrows())?;
    let constant = constant_targets(y, settings.batch_mebibytes, progress)?;
    let search = Search {
        x: x.view(),
        y,
        folds,
        bands: &ranges,
        settings,
        grid: settings.grid(),
    };
    let best = search.over(&candidates, &constant, progress)?;
    search.refit(best, candidates, constant, progress)
}

/// All bands in one table, and the columns of each.
pub(super) fn side_by_side<T: Real>(
    bands: &[ArrayView2<'_, T>],
) -> Result<(Array2<T>, Vec<Range<usize>>)> {
    let rows = bands.first().ok_or_else(too_few_bands)?.nrows();
    let mut ranges = Vec::with_capacity(bands.len());
    let mut end = 0;
    for (band, features) in bands.iter().enumerate() {
        if features.nrows() != rows {
            return Err(Error::Shape {
                operation: "banded ridge",
                what: format!("band {band}"),
                axis: "rows",
                found: features.nrows(),
                expected: format!("{rows}, as the first band"),
            });
        }
        ranges.push(end..end + features.ncols());
        end += features.ncols();
    }
    let x = ndarray::concatenate(Axis(1), bands).map_err(|error| Error::Unusable {
        operation: "banded ridge",
        reason: error.to_string(),
    })?;
    Ok((x, ranges))
}

fn check_candidates(candidates: &Array2<f64>, bands: usize) -> Result<()> {
    if candidates.nrows() == 0 {
        return Err(Error::setting("candidates", 0, "at least 1"));
    }
    if candidates.ncols() != bands {
        return Err(Error::Shape {
            operation: "banded ridge",
            what: "the candidates".to_string(),
            axis: "bands",
            found: candidates.ncols(),
            expected: bands.to_string(),
        });
    }
    for row in candidates.rows() {
        for &weight in row {
            if !(weight >= 0.0 && weight.is_finite()) {
                return Err(Error::setting("band weight", weight, "at least 0"));
            }
        }
        if row.sum() == 0.0 {
            return Err(Error::setting(
                "band weights",
                "0 for all bands",
                "one above 0",
            ));
        }
    }
    Ok(())
}

/// The best candidate and penalty of each target so far.
struct Best {
    chosen: Vec<usize>,
    alphas: Vec<f64>,
    scores: Vec<f64>,
    candidate_scores: Array2<f64>,
}

struct Search<'a, T, S> {
    x: ArrayView2<'a, T>,
    y: &'a S,
    folds: &'a [Split],
    bands: &'a [Range<usize>],
    settings: &'a RidgeSettings,
    grid: Vec<f64>,
}

/// Products of features from which those of any weighting follow.
enum Products {
    /// Features x features, lower triangle.
    Features(Mat<f64>),
    /// For each band: training rows x training rows (lower triangle), test rows x training rows.
    Rows(Vec<(Mat<f64>, Mat<f64>)>),
}

impl<T: Real, S: ResponseSource<T>> Search<'_, T, S> {
    fn centring(&self, rows: &[usize]) -> Centring {
        let settings = self.settings;
        Centring::of(self.x, rows, settings.intercept, settings.standardise)
    }

    fn products(&self, centring: &Centring, train: &[usize], test: &[usize]) -> Products {
        if self.settings.form.is_dual(train.len(), self.x.ncols()) {
            let of_band =
                |band: &Range<usize>| centring.row_products(self.x, band.clone(), train, test);
            Products::Rows(self.bands.iter().map(of_band).collect())
        } else {
            Products::Features(centring.feature_products(self.x, train))
        }
    }

    /// The decomposition of features scaled by the square roots of `weights`.
    fn spectrum(
        &self,
        products: &Products,
        centring: &Centring,
        weights: &[f64],
        train: &[usize],
        test: &[usize],
    ) -> Result<Spectrum<T>> {
        match products {
            Products::Features(gram) => {
                let roots = self.root_weights(weights);
                let size = gram.nrows();
                let mut scaled = Mat::zeros(size, size);
                for j in 0..size {
                    for i in j..size {
                        scaled[(i, j)] = gram[(i, j)] * roots[i] * roots[j];
                    }
                }
                let mut centring = centring.clone();
                for (scale, root) in centring.scale.iter_mut().zip(&roots) {
                    *scale *= root;
                }
                Spectrum::primal(scaled.as_ref(), self.x, &centring, train, test)
            }
            Products::Rows(of_bands) => {
                let mut gram = Mat::zeros(train.len(), train.len());
                let mut cross = Mat::zeros(test.len(), train.len());
                for ((band_gram, band_cross), &weight) in of_bands.iter().zip(weights) {
                    for j in 0..train.len() {
                        for i in j..train.len() {
                            gram[(i, j)] += weight * band_gram[(i, j)];
                        }
                        for i in 0..test.len() {
                            cross[(i, j)] += weight * band_cross[(i, j)];
                        }
                    }
                }
                Spectrum::dual(gram.as_ref(), cross.as_ref(), self.x.ncols())
            }
        }
    }

    /// The square root of its band's weight, for each feature.
    fn root_weights(&self, weights: &[f64]) -> Vec<f64> {
        let pairs = self.bands.iter().zip(weights);
        pairs
            .flat_map(|(band, weight)| std::iter::repeat_n(weight.sqrt(), band.len()))
            .collect()
    }

    fn over(
        &self,
        candidates: &Array2<f64>,
        constant: &[bool],
        progress: &Progress,
    ) -> Result<Best> {
        let targets = constant.len();
        let count = candidates.nrows();
        let mut best = Best {
            chosen: vec![0; targets],
            alphas: vec![self.grid[self.grid.len() - 1]; targets],
            scores: vec![f64::NEG_INFINITY; targets],
            candidate_scores: Array2::zeros((count, targets)),
        };
        progress.begin(
            "banded ridge: cross-validation",
            (count * self.folds.len()) as u64,
        );
        let per_candidate = targets * self.grid.len() * 2;
        for some in batches::<f64>(count, per_candidate, self.settings.batch_mebibytes) {
            let mut scores: Vec<FoldScores<'_>> = some
                .clone()
                .map(|_| {
                    FoldScores::new(
                        constant,
                        self.grid.len(),
                        PenaltyChoice::PerTarget,
                        self.settings.conservative,
                    )
                })
                .collect();
            for fold in self.folds {
                let centring = self.centring(&fold.train);
                let products = self.products(&centring, &fold.train, &fold.test);
                for (candidate, scores) in some.clone().zip(&mut scores) {
                    let weights = candidates.row(candidate).to_vec();
                    self.score_fold(fold, &products, &centring, &weights, scores, progress)?;
                    progress.advance(1)?;
                }
            }
            for (candidate, scores) in some.zip(&scores) {
                let (places, values) = scores.choose();
                for (target, (place, value)) in places.into_iter().zip(values).enumerate() {
                    best.candidate_scores[[candidate, target]] = value;
                    // Of candidates that differ by rounding alone the first stays.
                    if value > best.scores[target] + 32.0 * T::NEGLIGIBLE {
                        best.scores[target] = value;
                        best.chosen[target] = candidate;
                        best.alphas[target] = self.grid[place];
                    }
                }
            }
        }
        progress.end();
        Ok(best)
    }

    fn score_fold(
        &self,
        fold: &Split,
        products: &Products,
        centring: &Centring,
        weights: &[f64],
        scores: &mut FoldScores<'_>,
        progress: &Progress,
    ) -> Result<()> {
        let spectrum = self.spectrum(products, centring, weights, &fold.train, &fold.test)?;
        let path = PenaltyPath::new(&spectrum, &self.grid);
        let per_target =
            fold.train.len() + fold.test.len() + PathScratch::per_target(&path, &spectrum);
        let mut scratch = PathScratch::default();
        let (mut train, mut test) = (Columns::default(), Columns::default());
        scores.begin_fold();
        for batch in batches::<T>(
            self.y.target_count(),
            per_target,
            self.settings.batch_mebibytes,
        ) {
            train.read(self.y, &fold.train, batch.clone())?;
            test.read(self.y, &fold.test, batch.clone())?;
            if self.settings.intercept {
                let means = column_means(&train);
                subtract(&mut train, &means);
                subtract(&mut test, &means);
            }
            let found = scratch.score(&spectrum, &path, &train, &test, self.settings.metric)?;
            scores.put(batch.start, &found);
            progress.check()?;
        }
        scores.end_fold();
        Ok(())
    }

    fn refit(
        &self,
        best: Best,
        candidates: Array2<f64>,
        constant: Vec<bool>,
        progress: &Progress,
    ) -> Result<BandedFit<T>> {
        let targets = constant.len();
        let rows: Vec<usize> = (0..self.x.nrows()).collect();
        let centring = self.centring(&rows);
        let products = self.products(&centring, &rows, &[]);
        let dual = matches!(products, Products::Rows(_));
        let height = if dual { rows.len() } else { self.x.ncols() };
        let mut coefficients = Columns::zeros(height, targets);
        let mut means = vec![0.0; targets];
        progress.begin("banded ridge: final fit", targets as u64);
        let mut of_candidate: Vec<Vec<usize>> = vec![Vec::new(); candidates.nrows()];
        for (target, &candidate) in best.chosen.iter().enumerate() {
            of_candidate[candidate].push(target);
        }
        let mut responses = Columns::default();
        for (candidate, members) in of_candidate.iter().enumerate() {
            if members.is_empty() {
                continue;
            }
            let weights = candidates.row(candidate).to_vec();
            let spectrum = self.spectrum(&products, &centring, &weights, &rows, &[])?;
            let solver = Solver::new(&spectrum, dual);
            let roots = self.root_weights(&weights);
            let per_target = 2 * rows.len() + 2 * spectrum.eigenvalues.len() + height;
            for some in batches::<T>(members.len(), per_target, self.settings.batch_mebibytes) {
                let members = &members[some];
                responses.read_some(self.y, &rows, members)?;
                let mut solved = Columns::zeros(height, members.len());
                if self.settings.intercept {
                    let batch_means = column_means(&responses);
                    subtract(&mut responses, &batch_means);
                    for (&target, mean) in members.iter().zip(batch_means) {
                        means[target] = mean;
                    }
                }
                let alphas: Vec<f64> = members.iter().map(|&target| best.alphas[target]).collect();
                solver.solve(&spectrum, &responses, &alphas, solved.mat_mut());
                for (column, &target) in members.iter().enumerate() {
                    let from = solved.column(column);
                    let to = coefficients.column_mut(target);
                    to.copy_from_slice(from);
                    if !dual {
                        for (weight, root) in to.iter_mut().zip(&roots) {
                            *weight = T::from_double(weight.to_double() * root);
                        }
                    }
                }
                progress.advance(members.len() as u64)?;
            }
        }
        progress.end();
        let training = if dual {
            Some(centring.apply(self.x, &rows))
        } else {
            None
        };
        let mut scores = best.scores;
        for (score, &constant) in scores.iter_mut().zip(&constant) {
            if constant {
                *score = 0.0;
            }
        }
        Ok(BandedFit {
            bands: self.bands.to_vec(),
            centring,
            coefficients,
            training,
            means,
            candidates,
            chosen: best.chosen,
            alphas: best.alphas,
            scores,
            candidate_scores: best.candidate_scores,
            constant,
        })
    }
}
