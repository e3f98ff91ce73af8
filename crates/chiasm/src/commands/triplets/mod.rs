//! `chiasm triplets`: image triplets that take two similarities apart, and what drives choices on them.

mod choices;
mod names;
mod output;
mod page;

use std::path::{Path, PathBuf};

use chiasm_brain::choice_model::Lapse;
use chiasm_core::evidence::{DataSource, DataUsed};
use chiasm_core::run::sha256_of_file;
use chiasm_core::{Progress, Seed};
use chiasm_io::matrix::{read_matrix, split_key};
use chiasm_numerics::similarity::triplets::{
    LowSigns, Similarity, ToleranceUnit, TripletSettings, check_pair, random_triplets,
    select_triplets,
};
use clap::{Args, ValueEnum};

use crate::failure::{Failure, Outcome};
use crate::runner::{stop_on_signals, use_threads};
use crate::terminal;

/// Select image triplets that decouple two similarities; say what drives choices on triplets
#[derive(Args)]
#[command(after_help = "\
HIGH and LOW are similarities of all pairs of the same images (images x images, symmetric), e.g.
correlations of a late and of an early layer. Each bin has a size of the high and of the low difference
of similarity, in steps of standard deviations; no image is used twice. Choices are a table with columns
root, a, b, choice and, if you have them, subject and rt: images by name (by number from 0 without
--names), the choice as a or b, as the chosen image, or as 0 (a) and 1 (b).

Examples:
  chiasm triplets it.npy v1.npy --names files.csv
  chiasm triplets it.npy v1.npy --bins 4 --tables 3 --seed 1 --out stimuli
  chiasm triplets layers.npz:fc3 layers.npz:pool3 --tolerance 0.05 --tolerance-in sd
  chiasm triplets it.npy v1.npy --names files.csv --choices choices.csv --lapse fitted

Leaves triplets.csv, random.csv, coverage.csv, triplets.json and report.html in the output folder.")]
pub(crate) struct TripletsArguments {
    /// The similarity of the high level: .npy, .npz, .csv, .tsv, .safetensors, .h5
    #[arg(value_name = "HIGH")]
    high: PathBuf,
    /// The similarity of the low level
    #[arg(value_name = "LOW")]
    low: PathBuf,
    /// Names of the images, one a line, in the order of rows
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,
    /// Triplets wanted of each bin
    #[arg(long, value_name = "N", default_value_t = 3)]
    tables: usize,
    /// Bins of each level
    #[arg(long, value_name = "N", default_value_t = 10)]
    bins: usize,
    /// A step between bins, in standard deviations
    #[arg(
        long,
        value_name = "SD",
        default_value_t = 0.5,
        allow_negative_numbers = true
    )]
    step: f64,
    /// How far a difference may lie from its bin
    #[arg(
        long,
        value_name = "X",
        default_value_t = 0.01,
        allow_negative_numbers = true
    )]
    tolerance: f64,
    /// What the tolerance is measured in
    #[arg(long, value_enum, default_value = "similarity")]
    tolerance_in: Unit,
    /// How the sign of the low difference is chosen
    #[arg(long, value_enum, default_value = "balanced")]
    signs: Signs,
    /// Count the diagonal of the similarities for standard deviations
    #[arg(long)]
    diagonal: bool,
    /// Choices on triplets of these images
    #[arg(long, value_name = "FILE")]
    choices: Option<PathBuf>,
    /// The lapse rate of the choice model: a number of 0 to 0.5, or `fitted`
    #[arg(long, value_name = "RATE", default_value = "0", requires = "choices")]
    lapse: LapseArgument,
    /// The seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Number of threads [default: one a core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Where to leave the results
    #[arg(long, value_name = "DIR", default_value = "triplets")]
    out: PathBuf,
    /// Print triplets.json instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Unit {
    /// The units of the similarities
    Similarity,
    /// Standard deviations of a level
    Sd,
}

#[derive(Clone, Copy, ValueEnum)]
enum Signs {
    /// So that products of differences cancel
    Balanced,
    /// By coin
    Coin,
}

#[derive(Clone, Copy)]
struct LapseArgument(Lapse);

impl std::str::FromStr for LapseArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "fitted" {
            return Ok(LapseArgument(Lapse::Fitted));
        }
        match text.parse() {
            Ok(rate) if (0.0..=0.5).contains(&rate) => Ok(LapseArgument(Lapse::Fixed(rate))),
            _ => Err("expected a number of 0 to 0.5, or fitted".to_string()),
        }
    }
}

pub(crate) fn execute(arguments: TripletsArguments) -> Outcome {
    let settings = TripletSettings {
        bins: arguments.bins,
        step: arguments.step,
        tolerance: arguments.tolerance,
        tolerance_unit: match arguments.tolerance_in {
            Unit::Similarity => ToleranceUnit::Similarity,
            Unit::Sd => ToleranceUnit::StandardDeviation,
        },
        tables: arguments.tables,
        diagonal_counts: arguments.diagonal,
        signs: match arguments.signs {
            Signs::Balanced => LowSigns::Balanced,
            Signs::Coin => LowSigns::Coin,
        },
        most_roots: 0,
    };
    settings.check()?;
    if let Some(threads) = arguments.threads {
        use_threads(threads)?;
    }
    let mut used = Vec::new();
    let high = similarity(&arguments.high, &mut used)?;
    let low = similarity(&arguments.low, &mut used)?;
    check_pair(&high, &low)?;
    let names = match &arguments.names {
        Some(path) => {
            used.push(used_file(path)?);
            Some(names::read(path, high.images())?)
        }
        None => None,
    };
    let judged = match &arguments.choices {
        Some(path) => {
            used.push(used_file(path)?);
            Some(choices::read(path, names.as_deref(), high.images())?)
        }
        None => None,
    };
    let folder = output::Folder::prepare(&arguments.out)?;
    let progress = Progress::new(terminal::progress_sink("triplets"), stop_on_signals()?);
    let seed = Seed::new(arguments.seed);
    let selection = select_triplets(&high, &low, &settings, seed, &progress)?;
    // Where few triplets were found, more random ones show the correlation better.
    let count = selection.triplets.len().max(200).min(high.images() / 3);
    let random = random_triplets(&high, &low, count, seed.named("random triplets"))?;
    let model = match &judged {
        Some(judged) => Some(choices::fit(judged, &high, &low, arguments.lapse.0)?),
        None => None,
    };
    let found = output::Found {
        names,
        settings,
        seed: arguments.seed,
        selection,
        random,
        model,
        used,
        levels: [high.name().to_string(), low.name().to_string()],
    };
    let result = output::Output::new(&found);
    folder.leave(&found, &result)?;
    if arguments.json {
        return terminal::say_json(&result);
    }
    terminal::say(&output::table(&found))?;
    for warning in result.warnings() {
        terminal::remark(&format!("note: {warning}"));
    }
    terminal::say(&format!(
        "report: {}",
        arguments.out.join("report.html").display()
    ))
}

fn similarity(path: &Path, used: &mut Vec<DataUsed>) -> Outcome<Similarity> {
    let values = read_matrix(path)?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    let similarity = Similarity::new(name.to_string_lossy(), values)?;
    used.push(used_file(&split_key(path).0).map(|own| DataUsed {
        name: path.display().to_string(),
        ..own
    })?);
    Ok(similarity)
}

fn used_file(path: &Path) -> Outcome<DataUsed> {
    Ok(DataUsed {
        name: path.display().to_string(),
        sha256: Some(sha256_of_file(path)?),
        source: DataSource::File,
    })
}

/// A file that does not say what it should, with the place.
fn wrong(path: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::Usage(format!("{}: {reason}", path.display()))
}
