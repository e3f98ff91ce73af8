//! `chiasm searchlight`: where in a brain the geometry of responses follows a model.

mod labels;
mod maps;

use std::path::PathBuf;

use chiasm_core::data::{Rdm, Responses};
use chiasm_core::evidence::{DataSource, DataUsed};
use chiasm_core::run::sha256_of_file;
use chiasm_core::{Progress, Seed};
use chiasm_io::nifti::{read_in_mask, read_mask};
use chiasm_numerics::similarity::compare::{Input, Source};
use chiasm_numerics::similarity::dissimilarity::rdm;
use chiasm_numerics::similarity::searchlight::{Grid, SearchlightSettings, searchlight};
use chiasm_numerics::similarity::{Dissimilarity, DissimilaritySettings};
use clap::Args;
use ndarray::Array2;

use super::compare::arguments::{
    ComparatorArgument, DissimilarityArgument, FirstAxis, NoiseArgument, Reading,
};
use super::compare::files;
use crate::failure::{Failure, Outcome};
use crate::runner::{stop_on_signals, use_threads};
use crate::terminal;

/// Map where in a brain responses follow a model: spheres over a mask, a map a model
#[derive(Args)]
#[command(after_help = "\
RESPONSES is a series of volumes, one a trial or condition; LABELS is a text file with the condition of each
volume on a line of its own (after a comma or tab, its run, for crossnobis). Volumes of one label are repeats.
Models are dissimilarity matrices or conditions x features, conditions in the order in which labels first appear;
a table with row names is put in that order by name. Voxels outside the mask are never used.

Examples:
  chiasm searchlight --responses betas.nii.gz --mask brain.nii.gz --labels labels.txt it.npy clip.csv
  chiasm searchlight --responses betas.nii.gz --mask brain.nii.gz --labels runs.csv --radius 6 \\
    --dissimilarity crossnobis --comparator whitened-pearson --permutations 1000 model.npy

Leaves one .nii.gz per model (similarity; with --permutations p-values corrected for all centres too) and
searchlight.json in the output folder.")]
pub(crate) struct SearchlightArguments {
    /// Models: .npy, .npz, .csv, .tsv, .safetensors
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
    /// Series of volumes: .nii, .nii.gz, .hdr
    #[arg(long, value_name = "FILE")]
    responses: PathBuf,
    /// Volume on the same grid, not zero inside
    #[arg(long, value_name = "FILE")]
    mask: PathBuf,
    /// Condition of each volume, one a line
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Radius of the spheres in millimetres
    #[arg(long, value_name = "MM", default_value_t = 8.0)]
    radius: f64,
    /// Centres with fewer voxels in their sphere get no value
    #[arg(long, value_name = "N", default_value_t = 10)]
    min_voxels: usize,
    /// How patterns become dissimilarities
    #[arg(long, value_enum, default_value = "correlation")]
    dissimilarity: DissimilarityArgument,
    /// The noise across voxels, for mahalanobis and crossnobis
    #[arg(long, value_enum, default_value = "shrinkage-diagonal")]
    noise: NoiseArgument,
    /// How dissimilarity matrices are compared
    #[arg(long, value_enum, default_value = "rho-a")]
    comparator: ComparatorArgument,
    /// Shuffle the models' conditions this often for p-values corrected over all centres
    #[arg(long, value_name = "N", default_value_t = 0)]
    permutations: usize,
    /// Names of the models, in order [default: the file names]
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    names: Vec<String>,
    /// What model files hold
    #[arg(long, value_enum, default_value = "auto")]
    input: Reading,
    /// The seed of the permutations
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Number of threads [default: one a core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Where to leave the maps
    #[arg(long, value_name = "DIR", default_value = "searchlight")]
    out: PathBuf,
    /// Print searchlight.json instead of a table
    #[arg(long)]
    json: bool,
}

pub(crate) fn execute(arguments: SearchlightArguments) -> Outcome {
    let settings = SearchlightSettings {
        radius: arguments.radius,
        minimum_voxels: arguments.min_voxels,
        dissimilarity: arguments.dissimilarity.settings(arguments.noise),
        comparator: arguments.comparator.comparator(),
        permutations: arguments.permutations,
    };
    if let Some(threads) = arguments.threads {
        use_threads(threads)?;
    }
    let files = files::read(
        &arguments.models,
        &arguments.names,
        arguments.input,
        FirstAxis::Subjects,
    )?;
    let mask = read_mask(&arguments.mask)?;
    let values = read_in_mask(&arguments.responses, &mask)?;
    let responses = labelled(&arguments, values)?;
    let models = files
        .inputs
        .iter()
        .map(|input| model(input, &responses, settings.dissimilarity))
        .collect::<Outcome<Vec<Rdm>>>()?;
    let mut used = Vec::new();
    for path in [&arguments.responses, &arguments.mask, &arguments.labels] {
        used.push(DataUsed {
            name: path.display().to_string(),
            sha256: Some(sha256_of_file(path)?),
            source: DataSource::File,
        });
    }
    used.extend(files.used);
    maps::prepare(&arguments.out)?;
    let stop = stop_on_signals()?;
    let progress = Progress::new(terminal::progress_sink("searchlight"), stop);
    let grid = Grid {
        inside: mask.inside.view(),
        affine: &mask.affine,
    };
    let seed = Seed::new(arguments.seed);
    let found = searchlight(&responses, grid, &models, &settings, &seed, &progress)?;
    let names: Vec<String> = files
        .inputs
        .iter()
        .map(|input| input.name.clone())
        .collect();
    let summary = maps::leave(
        &arguments.out,
        &found,
        &mask,
        &names,
        &settings,
        arguments.seed,
        used,
    )?;
    if arguments.json {
        return terminal::say_json(&summary);
    }
    terminal::say(&summary.table())
}

/// The volumes with their labels and runs.
fn labelled(arguments: &SearchlightArguments, values: Array2<f64>) -> Outcome<Responses> {
    let labels = labels::read(&arguments.labels, values.nrows(), &arguments.responses)?;
    Ok(Responses::new(
        arguments.responses.display().to_string(),
        values,
        labels.conditions,
        labels.runs,
    )?)
}

/// A model's RDM, conditions in the order of the responses.
///
/// Patterns of a model have no noise: where responses are compared in units of theirs, models are compared
/// by squared Euclidean distance.
fn model(input: &Input, responses: &Responses, settings: DissimilaritySettings) -> Outcome<Rdm> {
    let several = |count: usize| {
        Failure::Usage(format!(
            "{} holds {count} RDMs; a searchlight compares with one",
            input.name
        ))
    };
    let patterns = match &input.source {
        Source::Rdms(rdms) => {
            return match rdms.as_slice() {
                [only] => Ok(only.clone()),
                rdms => Err(several(rdms.len())),
            };
        }
        Source::Responses(all) => match all.as_slice() {
            [only] => only,
            all => return Err(several(all.len())),
        },
    };
    let measure = match settings.measure {
        Dissimilarity::Mahalanobis | Dissimilarity::Crossnobis => Dissimilarity::SquaredEuclidean,
        measure => measure,
    };
    let found = rdm(
        patterns,
        &DissimilaritySettings {
            measure,
            ..settings
        },
    )?;
    let (own, wanted) = (patterns.conditions(), responses.conditions());
    let by_position = own
        .iter()
        .enumerate()
        .all(|(at, label)| *label == at.to_string());
    if own == wanted || by_position || own.len() != wanted.len() {
        // Different numbers of conditions are found, and said, by the searchlight.
        return Ok(found);
    }
    let places = wanted
        .iter()
        .map(|label| {
            own.iter().position(|other| other == label).ok_or_else(|| {
                Failure::Usage(format!(
                    "labels do not match: {label:?} of {} is no row of {}",
                    responses.name, input.name
                ))
            })
        })
        .collect::<Outcome<Vec<usize>>>()?;
    let mut ordered = Vec::with_capacity(found.values().len());
    for (at, &i) in places.iter().enumerate() {
        ordered.extend(places[at + 1..].iter().map(|&j| found.get(i, j)));
    }
    Ok(found.with_values(ordered)?)
}
