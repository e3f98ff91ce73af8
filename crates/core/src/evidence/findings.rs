//! What one run of a study found.

use serde::{Deserialize, Serialize};

use super::{Claim, ClaimResult, DataUsed, Figure, Series, verdict};
use crate::error::{Error, Result};
use crate::metrics::interval::{mean, t_interval_95};

/// The three numbers behind a claim for one seed, all in the claim's metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The effect the claim speaks of.
    pub effect: f64,
    /// The same effect for the strongest honest baseline.
    pub baseline: f64,
    /// The same effect under the null control.
    pub control: f64,
}

/// A claim that this run could not test, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotTested {
    /// The claim.
    pub id: String,
    /// The claim in a sentence.
    pub statement: String,
    /// Why it was not tested and what would be needed.
    pub reason: String,
}

/// A table of the report that belongs to no plot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultTable {
    /// What the table shows.
    pub title: String,
    /// How to read it.
    pub caption: String,
    /// Column headings.
    pub columns: Vec<String>,
    /// Rows of cells.
    pub rows: Vec<Vec<String>>,
}

/// What one run of a study found: claims, figures, tables, notes and the data it used.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub(crate) claims: Vec<ClaimResult>,
    pub(crate) not_tested: Vec<NotTested>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) tables: Vec<ResultTable>,
    pub(crate) notes: Vec<String>,
    pub(crate) data: Vec<DataUsed>,
}

impl Findings {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records what was measured for `claim`, one value a seed, and computes its verdict.
    pub fn measured(
        &mut self,
        claim: &Claim,
        per_seed: impl IntoIterator<Item = Measured>,
    ) -> Result<()> {
        let per_seed: Vec<Measured> = per_seed.into_iter().collect();
        let series =
            |pick: fn(&Measured) -> f64| -> Vec<f64> { per_seed.iter().map(pick).collect() };
        let effect = series(|measured| measured.effect);
        let baseline = series(|measured| measured.baseline);
        let control = series(|measured| measured.control);
        if per_seed.is_empty() {
            return Err(Error::TooFew {
                operation: "claim",
                what: "seeds",
                found: 0,
                needed: 1,
            });
        }
        for (part, values) in [
            ("effect", &effect),
            ("baseline", &baseline),
            ("control", &control),
        ] {
            crate::data::require_finite(
                &format!("{part} of claim {}", claim.id),
                values,
                |seed| format!("seed {seed}"),
            )?;
        }
        let ci95 = t_interval_95(&effect);
        self.claims.push(ClaimResult {
            id: claim.id.to_string(),
            statement: claim.statement.to_string(),
            paper: claim.paper.to_string(),
            metric: claim.metric.to_string(),
            direction: claim.direction,
            margin: claim.margin,
            mean: mean(&effect),
            ci95,
            per_seed: effect,
            baseline: Series::new(claim.baseline, baseline),
            control: Series::new(claim.control, control),
            verdict: verdict(claim.direction, claim.margin, ci95),
        });
        Ok(())
    }

    /// Records that this run could not test `claim`.
    pub fn not_tested(&mut self, claim: &Claim, reason: impl Into<String>) {
        self.not_tested.push(NotTested {
            id: claim.id.to_string(),
            statement: claim.statement.to_string(),
            reason: reason.into(),
        });
    }

    /// Adds a figure.
    pub fn figure(&mut self, figure: Figure) -> Result<()> {
        figure.check()?;
        if self.figures.iter().any(|other| other.id == figure.id) {
            return Err(Error::Unusable {
                operation: "figure",
                reason: format!("{} is there twice", figure.id),
            });
        }
        self.figures.push(figure);
        Ok(())
    }

    /// Adds a table.
    pub fn table(&mut self, table: ResultTable) {
        self.tables.push(table);
    }

    /// Adds a line the reader should know: a thing left out, a fallback taken, a surprise.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Says which data the run used.
    pub fn data(&mut self, data: DataUsed) {
        self.data.push(data);
    }

    /// Fails unless every claim of `claims` was measured or said to be not tested, once.
    pub fn check_against(&self, claims: &[Claim]) -> Result<()> {
        for claim in claims {
            let times = self
                .claims
                .iter()
                .filter(|result| result.id == claim.id)
                .count()
                + self
                    .not_tested
                    .iter()
                    .filter(|skipped| skipped.id == claim.id)
                    .count();
            if times != 1 {
                return Err(Error::Unusable {
                    operation: "findings",
                    reason: format!("claim {} was recorded {times} times, not once", claim.id),
                });
            }
        }
        Ok(())
    }

    /// The claims measured so far.
    pub fn claims(&self) -> &[ClaimResult] {
        &self.claims
    }
}
