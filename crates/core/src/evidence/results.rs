//! `results.json`: what a run leaves for programs to read. Its JSON schema is
//! `schemas/results-1.json`.

use serde::{Deserialize, Serialize};

use super::{Direction, Figure, Findings, NotTested, ResultTable, Verdict};
use crate::metrics::interval::{mean, t_interval_95};
use crate::run::RunConfig;

/// Everything a run found, with what is needed to judge it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunResults {
    /// Version of this layout: 1.
    pub schema: u32,
    /// The study's short name.
    pub study: String,
    /// The study's title.
    pub title: String,
    /// Number of the published system.
    pub paper: u16,
    /// The publication.
    pub citation: String,
    /// `quick`, `standard` or `paper`.
    pub scale: String,
    /// `cpu`, `cuda` or `wgpu`.
    pub device: String,
    /// Number of threads.
    pub threads: usize,
    /// Version of Chiasm.
    pub version: String,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// What is smaller or other than in the paper.
    pub scaled_down: String,
    /// What was used.
    pub data: Vec<DataUsed>,
    /// Every claim that was tested.
    pub claims: Vec<ClaimResult>,
    /// Every claim that was not, with the reason.
    pub not_tested: Vec<NotTested>,
    /// Details the paper leaves open, and what was taken.
    pub choices: Vec<Choice>,
    /// Lines the reader should know.
    pub notes: Vec<String>,
    /// Paths of the figures, relative to the run's folder.
    pub figures: Vec<String>,
    /// Wall-clock seconds, over all parts of a resumed run.
    pub seconds: f64,
    /// Largest resident memory of the process in MiB, where the system tells.
    pub peak_rss_mib: Option<f64>,
}

/// One claim with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimResult {
    /// The claim's short name.
    pub id: String,
    /// The claim in a sentence.
    pub statement: String,
    /// The paper's own figure.
    pub paper: String,
    /// What the numbers are.
    pub metric: String,
    /// On which side of the margin the effect must lie.
    pub direction: Direction,
    /// The margin.
    pub margin: f64,
    /// The effect for each seed.
    pub per_seed: Vec<f64>,
    /// Its mean.
    pub mean: f64,
    /// The 95% t interval of its mean; null with a single seed.
    pub ci95: Option<[f64; 2]>,
    /// The strongest honest baseline in the same metric.
    pub baseline: Series,
    /// The null control in the same metric.
    pub control: Series,
    /// What follows from direction, margin and interval.
    pub verdict: Verdict,
}

impl ClaimResult {
    /// Whether the null control clears the margin too: then the effect is not what it seems.
    pub fn control_clears_margin(&self) -> bool {
        super::verdict(self.direction, self.margin, self.control.ci95) == Verdict::Held
    }
}

/// One value a seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// What was measured.
    pub name: String,
    /// One value a seed.
    pub per_seed: Vec<f64>,
    /// The mean.
    pub mean: f64,
    /// The 95% t interval of the mean; null with a single seed.
    pub ci95: Option<[f64; 2]>,
}

impl Series {
    /// Values with their mean and interval.
    pub fn new(name: impl Into<String>, per_seed: Vec<f64>) -> Self {
        Series {
            name: name.into(),
            mean: mean(&per_seed),
            ci95: t_interval_95(&per_seed),
            per_seed,
        }
    }
}

/// Where data came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataSource {
    /// In the repository and the binary.
    Bundled,
    /// From a public package.
    Package,
    /// Made by a simulator with known ground truth.
    Simulated,
    /// The person's own file.
    File,
}

/// Data a run used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataUsed {
    /// Name or path.
    pub name: String,
    /// SHA-256 of the bytes in hexadecimal; null for simulated data, which the seed determines.
    pub sha256: Option<String>,
    /// Where it came from.
    pub source: DataSource,
}

impl DataUsed {
    /// Data from the simulator called `name`.
    pub fn simulated(name: impl Into<String>) -> Self {
        DataUsed {
            name: name.into(),
            sha256: None,
            source: DataSource::Simulated,
        }
    }
}

/// A detail the paper leaves open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The setting that changes it.
    pub setting: String,
    /// What is open and what was taken, in a line.
    pub what: String,
}

/// The facts about a study that a result repeats.
#[derive(Clone, Copy, Debug)]
pub struct StudyFacts<'a> {
    /// Short name.
    pub slug: &'a str,
    /// Title.
    pub title: &'a str,
    /// Number of the published system.
    pub paper: u16,
    /// The publication.
    pub citation: &'a str,
    /// What is smaller or other than in the paper.
    pub scaled_down: &'a str,
}

impl RunResults {
    /// Puts together what a run leaves, with the figures and tables that go into the report.
    pub fn assemble(
        facts: StudyFacts<'_>,
        config: &RunConfig,
        choices: Vec<Choice>,
        findings: Findings,
        seconds: f64,
        peak_rss_mib: Option<f64>,
    ) -> (Self, Vec<Figure>, Vec<ResultTable>) {
        let results = RunResults {
            schema: 1,
            study: facts.slug.to_string(),
            title: facts.title.to_string(),
            paper: facts.paper,
            citation: facts.citation.to_string(),
            scale: config.scale.to_string(),
            device: config.device.to_string(),
            threads: config.threads,
            version: config.version.clone(),
            seeds: config.seeds.clone(),
            scaled_down: facts.scaled_down.to_string(),
            data: findings.data,
            claims: findings.claims,
            not_tested: findings.not_tested,
            choices,
            notes: findings.notes,
            figures: findings
                .figures
                .iter()
                .map(|figure| format!("figures/{}.svg", figure.id))
                .collect(),
            seconds,
            peak_rss_mib,
        };
        (results, findings.figures, findings.tables)
    }
}
