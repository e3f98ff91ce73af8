//! `chiasm compare`: how similar the person's own representations are.

pub(super) mod arguments;
pub(super) mod files;
mod models;
mod output;

use std::path::PathBuf;

use chiasm_core::{Progress, Seed};
use chiasm_numerics::similarity::compare::{CompareSettings, compare};
use chiasm_numerics::similarity::inference::{BootstrapOver, BootstrapSettings};
use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::output_folder::OutputFolder;
use crate::runner::{stop_on_signals, use_threads};
use crate::terminal;

use arguments::{
    ComparatorArgument, DissimilarityArgument, FirstAxis, NoiseArgument, OverArgument, Reading,
    TransformArguments,
};
use models::ModelArguments;

/// Compare representations: dissimilarity matrices, their similarity, how sure it is
#[derive(Args)]
#[command(after_help = "\
Inputs are arrays of conditions x channels, or dissimilarity matrices (square with a zero diagonal,
or condensed). A third, first axis holds subjects, or runs with --axis runs; with four axes they are
subjects x runs x conditions x channels. An array inside a .npz is named after a colon: data.npz:v1.

Examples:
  chiasm compare v1.npy it.npy model.npy
  chiasm compare brain.npz:it model.csv --comparator rho-a --bootstrap 1000 --over both --noise-ceiling
  chiasm compare a.npy b.npy --transform geo-topological --lower 0 --upper 0.25
  chiasm compare runs.npy model.npy --axis runs --dissimilarity crossnobis --comparator whitened-pearson
  chiasm compare a.npy b.npy --comparator debiased-cka --json
  chiasm compare --data brain.npz:it v1.npy gabor.csv --bootstrap 1000
  chiasm compare --data brain.npz:it layers.npy pixels.npy --weight layers.npy --bootstrap 1000 --over both

With --data the FILEs are models, and each is tested: above zero, against the noise ceiling and against every
other. Without --bootstrap the tests generalise to other subjects alone; with it, to what --over names [default:
both, where the data have subjects]. A model with several RDMs along a first axis is flexible: --select, --weight
or --interpolate says what is fitted, and it is cross-validated within every bootstrap sample.

Leaves compare.json, report.html and one .npy of dissimilarities per input in the output folder.")]
pub(crate) struct CompareArguments {
    /// Arrays or dissimilarity matrices: .npy, .npz, .csv, .tsv, .safetensors
    #[arg(required = true, num_args = 1.., value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    models: ModelArguments,
    /// Names of the inputs, in order, data first [default: the file names]
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    names: Vec<String>,
    /// How patterns become dissimilarities
    #[arg(long, value_enum, default_value = "correlation")]
    dissimilarity: DissimilarityArgument,
    /// The noise across channels, for mahalanobis and crossnobis
    #[arg(long, value_enum, default_value = "shrinkage-diagonal")]
    noise: NoiseArgument,
    /// How dissimilarity matrices are compared
    #[arg(long, value_enum, default_value = "rho-a")]
    comparator: ComparatorArgument,
    #[command(flatten)]
    transform: TransformArguments,
    /// Give 95% intervals from this many bootstrap samples
    #[arg(long, value_name = "N")]
    bootstrap: Option<usize>,
    /// What the bootstrap draws anew [default: conditions; with --data and subjects: both]
    #[arg(long, value_enum, requires = "bootstrap")]
    over: Option<OverArgument>,
    /// Give the noise ceiling of every input with subjects
    #[arg(long)]
    noise_ceiling: bool,
    /// What files hold
    #[arg(long, value_enum, default_value = "auto")]
    input: Reading,
    /// What the first of three axes is
    #[arg(long, value_enum, default_value = "subjects")]
    axis: FirstAxis,
    /// The seed of the bootstrap
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Number of threads [default: one a core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Where to leave the results
    #[arg(long, value_name = "DIR", default_value = "comparison")]
    out: PathBuf,
    /// Print compare.json instead of a table
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: CompareArguments) -> Outcome {
    let tests_models = arguments.models.data.is_some();
    if arguments.files.len() < 2 && !tests_models {
        return Err(Failure::Usage(
            "compare needs at least 2 FILEs, or --data FILE and the FILE of a model".to_string(),
        ));
    }
    let settings = CompareSettings {
        dissimilarity: arguments.dissimilarity.settings(arguments.noise),
        transform: arguments.transform.transform()?,
        comparator: arguments.comparator.comparator(),
        // The tests of models bring their own intervals and ceiling.
        bootstrap: arguments
            .bootstrap
            .filter(|_| !tests_models)
            .map(|draws| BootstrapSettings {
                draws,
                over: arguments
                    .over
                    .map_or(BootstrapOver::Conditions, OverArgument::over),
            }),
        noise_ceiling: arguments.noise_ceiling && !tests_models,
    };
    settings.check()?;
    if let Some(threads) = arguments.threads {
        use_threads(threads)?;
    }
    let paths: Vec<PathBuf> = arguments
        .models
        .data
        .iter()
        .chain(&arguments.files)
        .cloned()
        .collect();
    let mut files = files::read(&paths, &arguments.names, arguments.input, arguments.axis)?;
    let layout = if tests_models {
        arguments.models.lay_out(&mut files)?
    } else {
        Vec::new()
    };
    let folder = OutputFolder::prepare(&arguments.out, &["rdms"])?;
    let stop = stop_on_signals()?;
    let progress = Progress::new(terminal::progress_sink("compare"), stop);
    let seed = Seed::new(arguments.seed);
    let mut comparison = compare(&files.inputs, &settings, &seed, &progress)?;
    let tested = if tests_models {
        let subjects = comparison.rdms[0].len();
        let settings =
            arguments
                .models
                .settings(&settings, arguments.bootstrap, arguments.over, subjects);
        let tested = models::test(&comparison, &layout, settings, &seed, &progress)?;
        comparison.warnings.extend(tested.warnings());
        Some(tested)
    } else {
        None
    };
    let result = output::Output::new(
        &comparison,
        tested.as_ref(),
        &settings,
        arguments.seed,
        &files.used,
    );
    output::leave(
        &folder,
        &comparison,
        tested.as_ref(),
        &settings,
        &files,
        &result,
    )?;
    if arguments.json {
        return terminal::say_json(&result);
    }
    terminal::say(&match &tested {
        Some(tested) => tested.table(settings.comparator.name()),
        None => output::table(&comparison, &settings),
    })?;
    for warning in &comparison.warnings {
        terminal::remark(&format!("note: {warning}"));
    }
    terminal::say(&format!(
        "report: {}",
        arguments.out.join("report.html").display()
    ))
}
