//! `chiasm encode`: responses predicted from features, and how well.

mod arguments;
mod files;
mod output;
mod responses;

use std::path::PathBuf;

use chiasm_brain::encoding::{Ceiling, EncodingData, EncodingSettings, fit_encoding};
use chiasm_core::{Progress, Seed};
use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::output_folder::OutputFolder;
use crate::runner::{stop_on_signals, use_threads};
use crate::terminal;

use arguments::{Alphas, CeilingArgument, MethodArgument, MetricArgument, TestArgument};
use files::{Files, Places};
use responses::Number;

/// Predict responses from features: ridge, banded ridge or partial least squares, scored on held-out stimuli
#[derive(Args)]
#[command(after_help = "\
Features are stimuli x features, one file a feature space. Responses are stimuli x targets, or repeats x
stimuli x targets (a repeat that is NaN in every target is missing), or a NIfTI series with --mask. With
--stimuli, rows of equal label are repeats: they stay on one side of every split, and test responses are
averaged over them. An array inside a .npz, .h5 or .safetensors is named after a colon: data.h5:/betas.

Examples:
  chiasm encode --features clip.npy --responses betas.npy --stimuli trials.csv:image --ceiling nsd
  chiasm encode --features words.npy --features motion.npy --responses repeats.npy --method banded
  chiasm encode --features motion.npy --responses bold.nii.gz --mask mask.nii --runs runs.csv --delays 1,2,3,4
  chiasm encode --features f.npy --responses y.npy --test test.csv --permutations 1000 --json

Leaves scores.npy (Pearson's r per target), r2.npy, alphas.npy, report.html and summary.json in the output
folder; with a ceiling also ceiling.npy and normalised scores, with permutations p.npy and q.npy. A ceiling is a share of
variance: its root is the best correlation that can be reached.")]
pub(crate) struct EncodeArguments {
    /// Features of the stimuli, once a feature space: .npy, .npz, .h5, .csv, .safetensors
    #[arg(long, required = true, value_name = "FILE")]
    features: Vec<PathBuf>,
    /// Responses to the stimuli: the same formats, or a NIfTI series
    #[arg(long, value_name = "FILE")]
    responses: PathBuf,
    /// Voxels to take from a NIfTI series: those that are not 0
    #[arg(long, value_name = "FILE")]
    mask: Option<PathBuf>,
    /// Labels of the stimuli, one a row: equal labels never straddle a split (trials.csv:COLUMN)
    #[arg(long, value_name = "FILE")]
    stimuli: Option<PathBuf>,
    /// The run of each row; runs are what is held out with --delays or without --stimuli
    #[arg(long, value_name = "FILE")]
    runs: Option<PathBuf>,
    /// Add copies of the features, delayed by these numbers of rows within a run
    #[arg(long, value_delimiter = ',', value_name = "N")]
    delays: Vec<usize>,
    /// The regression [default: ridge, or banded with several feature spaces]
    #[arg(long, value_enum)]
    method: Option<MethodArgument>,
    /// Penalties to choose from: log:FIRST:LAST:COUNT in powers of ten, or numbers
    #[arg(long, value_name = "GRID", default_value = "log:-3:6:20")]
    alphas: Alphas,
    /// The score by which penalties are chosen
    #[arg(long, value_enum, default_value = "r2")]
    metric: MetricArgument,
    /// Take the largest penalty within one standard deviation of the best
    #[arg(long)]
    conservative: bool,
    /// Leave features at their own scale
    #[arg(long)]
    no_standardise: bool,
    /// Inner folds that choose penalties [default: 5]
    #[arg(long, value_name = "N")]
    folds: Option<usize>,
    /// Components of partial least squares
    #[arg(long, value_name = "N", default_value_t = 25)]
    components: usize,
    /// Mixtures of feature spaces that banded ridge tries
    #[arg(long, value_name = "N", default_value_t = 100)]
    mixtures: usize,
    /// What is held out: a share, or a file of stimulus labels (without --stimuli, of row numbers from 0)
    #[arg(long, value_name = "SHARE|FILE", default_value = "0.2")]
    test: TestArgument,
    /// Go on where a stimulus is in training and test
    #[arg(long)]
    allow_leakage: bool,
    /// How the noise ceiling is estimated from repeats [default: split-half where test stimuli repeat]
    #[arg(long, value_enum)]
    ceiling: Option<CeilingArgument>,
    /// No normalised score for targets whose ceiling is not above this
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    least_ceiling: f64,
    /// Test each target by this many permutations
    #[arg(long, value_name = "N", default_value_t = 0)]
    permutations: usize,
    /// Rows that are permuted as one block [default: 10 with --delays, else 1]
    #[arg(long, value_name = "N")]
    block: Option<usize>,
    /// Leave out the fits without each feature space (unique R²)
    #[arg(long)]
    no_partitioning: bool,
    /// Write weights.safetensors too
    #[arg(long)]
    weights: bool,
    /// The seed of splits, halves and permutations
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Number of threads [default: one a core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Where to leave the results
    #[arg(long, value_name = "DIR", default_value = "encoding")]
    out: PathBuf,
    /// Print summary.json instead of a table
    #[arg(long)]
    json: bool,
}

impl EncodeArguments {
    fn settings(&self) -> EncodingSettings {
        let method = self.method.unwrap_or(if self.features.len() > 1 {
            MethodArgument::Banded
        } else {
            MethodArgument::Ridge
        });
        EncodingSettings {
            method: method.method(),
            alphas: self.alphas.0.clone(),
            metric: self.metric.metric(),
            conservative: self.conservative,
            standardise: !self.no_standardise,
            folds: self.folds,
            components: self.components,
            mixtures: self.mixtures,
            delays: self.delays.clone(),
            allow_leakage: self.allow_leakage,
            ceiling: match self.ceiling {
                Some(ceiling) => ceiling.ceiling(),
                None => Some(Ceiling::Usual),
            },
            least_ceiling: self.least_ceiling,
            permutations: self.permutations,
            block: self.block,
            variance_partitioning: !self.no_partitioning,
            ..EncodingSettings::default()
        }
    }
}

pub(crate) fn execute(arguments: EncodeArguments) -> Outcome {
    let settings = arguments.settings();
    settings.check()?;
    if arguments.weights && arguments.method == Some(MethodArgument::Mean) {
        return Err(Failure::Usage(
            "--weights: the mean has no weights".to_string(),
        ));
    }
    if let Some(threads) = arguments.threads {
        use_threads(threads)?;
    }
    let files = Files::read(&Places {
        features: &arguments.features,
        responses: &arguments.responses,
        stimuli: arguments.stimuli.as_deref(),
        runs: arguments.runs.as_deref(),
        mask: arguments.mask.as_deref(),
        test: &arguments.test,
    })?;
    let folder = OutputFolder::prepare(&arguments.out, &[])?;
    if files.responses.is_single() {
        run::<f32>(&arguments, &settings, &files, &folder)
    } else {
        run::<f64>(&arguments, &settings, &files, &folder)
    }
}

fn run<T: Number>(
    arguments: &EncodeArguments,
    settings: &EncodingSettings,
    files: &Files,
    folder: &OutputFolder,
) -> Outcome {
    let stop = stop_on_signals()?;
    let progress = Progress::new(terminal::progress_sink("encode"), stop);
    let seed = Seed::new(arguments.seed);
    let features = files.spaces::<T>()?;
    let data = EncodingData {
        features: &features,
        responses: &files.responses,
        design: &files.design,
    };
    let named = |error: chiasm_core::Error| name_responses(error, arguments);
    let fitted = fit_encoding(&data, &files.holdout, settings, &seed, &progress).map_err(named)?;
    let scores = fitted.score(&data, &seed, &progress).map_err(named)?;
    let finished = output::Finished {
        responses: arguments.responses.display().to_string(),
        files,
        settings: fitted.settings(),
        fitted: &fitted,
        scores: &scores,
        seed: arguments.seed,
        with_weights: arguments.weights,
    };
    let summary = finished.summary();
    finished.leave(folder, &summary)?;
    if arguments.json {
        return terminal::say_json(&summary);
    }
    terminal::say(output::table(&summary).trim_end())?;
    for warning in &fitted.warnings {
        terminal::remark(&format!("note: {warning}"));
    }
    terminal::say(&format!(
        "report: {}",
        arguments.out.join("report.html").display()
    ))
}

/// The method does not know files: what it finds wrong is wrong in the responses, unless it names something.
fn name_responses(error: chiasm_core::Error, arguments: &EncodeArguments) -> chiasm_core::Error {
    match error {
        chiasm_core::Error::Unusable { operation, reason } => chiasm_core::Error::Unusable {
            operation,
            reason: format!("{}: {reason}", arguments.responses.display()),
        },
        other => other,
    }
}
