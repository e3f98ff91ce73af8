//! What `chiasm compare` leaves and prints.

use chiasm_core::data::Rdm;
use chiasm_core::evidence::DataUsed;
use chiasm_io::numpy::write_npy;
use chiasm_numerics::similarity::compare::{CompareSettings, Comparison};
use chiasm_numerics::similarity::inference::{ModelInference, PairInference};
use chiasm_numerics::similarity::{Comparator, Transform, classical_scaling};
use chiasm_report::{Dissimilarities, comparison_report, format_number};
use ndarray::{Array2, Array3, Axis};
use serde::Serialize;

use super::files::Files;
use super::models::{Method, Tested};
use crate::failure::{Failure, Outcome};
use crate::output_folder::{OutputFolder, setting_name};
use crate::terminal::TextTable;

/// Larger matrices are drawn in blocks: a page has no room for more pixels.
const LARGEST_IMAGE: usize = 200;

/// `compare.json`.
#[derive(Serialize)]
pub(super) struct Output<'a> {
    names: &'a [String],
    comparator: &'static str,
    /// `similarity`, or `distance` where larger means less alike.
    kind: &'static str,
    matrix: Vec<Vec<f64>>,
    ci95: Option<Vec<Vec<[f64; 2]>>>,
    noise_ceiling: Option<Vec<Ceiling<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    models: Option<&'a [ModelInference]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pairwise: Option<&'a [PairInference]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inference: Option<Method<'a>>,
    settings: &'a CompareSettings,
    seed: u64,
    rdms: Vec<String>,
    files: &'a [DataUsed],
    warnings: &'a [String],
    version: &'static str,
}

#[derive(Serialize)]
struct Ceiling<'a> {
    name: &'a str,
    lower: f64,
    upper: f64,
    lower_ci95: Option<[f64; 2]>,
    upper_ci95: Option<[f64; 2]>,
}

impl<'a> Output<'a> {
    pub(super) fn new(
        comparison: &'a Comparison,
        tested: Option<&'a Tested>,
        settings: &'a CompareSettings,
        seed: u64,
        files: &'a [DataUsed],
    ) -> Self {
        let ci95 = comparison.ci95.as_ref().map(|bounds| {
            rows(&bounds.lower)
                .into_iter()
                .zip(rows(&bounds.upper))
                .map(|(low, high)| {
                    low.into_iter()
                        .zip(high)
                        .map(|(low, high)| [low, high])
                        .collect()
                })
                .collect()
        });
        let ceilings = comparison.names.iter().zip(&comparison.noise_ceiling);
        Output {
            names: &comparison.names,
            comparator: settings.comparator.name(),
            kind: if settings.comparator.is_distance() {
                "distance"
            } else {
                "similarity"
            },
            matrix: rows(&comparison.matrix),
            ci95,
            noise_ceiling: of_tests(tested).or_else(|| {
                settings.noise_ceiling.then(|| {
                    ceilings
                        .filter_map(|(name, found)| {
                            let found = found.as_ref()?;
                            Some(Ceiling {
                                name,
                                lower: found.ceiling.lower,
                                upper: found.ceiling.upper,
                                lower_ci95: found.ci95.map(|bounds| bounds[0]),
                                upper_ci95: found.ci95.map(|bounds| bounds[1]),
                            })
                        })
                        .collect()
                })
            }),
            models: tested.map(|tested| tested.inference.models.as_slice()),
            pairwise: tested.map(|tested| tested.inference.pairwise.as_slice()),
            inference: tested.map(Tested::method),
            settings,
            seed,
            rdms: (1..=comparison.names.len()).map(rdm_file).collect(),
            files,
            warnings: &comparison.warnings,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

/// The noise ceiling that models were tested against.
fn of_tests(tested: Option<&Tested>) -> Option<Vec<Ceiling<'_>>> {
    let tested = tested?;
    let ceiling = tested.inference.noise_ceiling?;
    Some(vec![Ceiling {
        name: &tested.data,
        lower: ceiling.lower,
        upper: ceiling.upper,
        lower_ci95: None,
        upper_ci95: None,
    }])
}

fn rdm_file(number: usize) -> String {
    format!("rdms/{number}.npy")
}

fn rows(matrix: &Array2<f64>) -> Vec<Vec<f64>> {
    matrix.rows().into_iter().map(|row| row.to_vec()).collect()
}

/// Writes dissimilarities, report and, last, `compare.json`.
pub(super) fn leave(
    folder: &OutputFolder,
    comparison: &Comparison,
    tested: Option<&Tested>,
    settings: &CompareSettings,
    files: &Files,
    output: &Output<'_>,
) -> Outcome {
    for (index, stack) in comparison.rdms.iter().enumerate() {
        let path = folder.file(&rdm_file(index + 1));
        match stack.as_slice() {
            [only] => write_npy(&path, &only.to_square())?,
            stack => write_npy(&path, &stacked(stack)?)?,
        }
    }
    let page = comparison_report(&page(comparison, tested, settings, files)?);
    folder.write("report.html", &page)?;
    folder.write_json("compare.json", output)
}

/// Subjects x conditions x conditions.
fn stacked(stack: &[Rdm]) -> Outcome<Array3<f64>> {
    let squares: Vec<Array2<f64>> = stack.iter().map(Rdm::to_square).collect();
    let views: Vec<_> = squares.iter().map(|square| square.view()).collect();
    ndarray::stack(Axis(0), &views)
        .map_err(|error| Failure::System(format!("dissimilarities of subjects: {error}")))
}

fn page(
    comparison: &Comparison,
    tested: Option<&Tested>,
    settings: &CompareSettings,
    files: &Files,
) -> Outcome<chiasm_report::Comparison> {
    let mut notes = comparison.warnings.clone();
    let mut dissimilarities = Vec::with_capacity(comparison.rdms.len());
    let mut coarse = false;
    for (name, stack) in comparison.names.iter().zip(&comparison.rdms) {
        let mean = mean_rdm(stack);
        let fits = mean.nrows() <= LARGEST_IMAGE;
        coarse |= !fits;
        let named = fits && files.conditions.len() == mean.nrows();
        dissimilarities.push(Dissimilarities {
            name: match stack.len() {
                1 => name.clone(),
                subjects => format!("{name} (mean of {subjects} subjects)"),
            },
            conditions: if named {
                files.conditions.clone()
            } else {
                Vec::new()
            },
            values: rows(&if fits { mean } else { in_blocks(&mean) }),
        });
    }
    if coarse {
        notes.push(format!(
            "Matrices of more than {LARGEST_IMAGE} conditions are drawn in blocks of neighbouring \
             conditions; rdms/ holds every entry."
        ));
    }
    let ceilings = comparison.names.iter().zip(&comparison.noise_ceiling);
    Ok(chiasm_report::Comparison {
        names: comparison.names.clone(),
        comparator: described(settings.comparator),
        matrix: rows(&comparison.matrix),
        ci95: comparison
            .ci95
            .as_ref()
            .map(|bounds| [rows(&bounds.lower), rows(&bounds.upper)]),
        noise_ceiling: ceilings
            .filter_map(|(name, found)| {
                let ceiling = found.as_ref()?.ceiling;
                Some((name.clone(), [ceiling.lower, ceiling.upper]))
            })
            .collect(),
        dissimilarity: setting_name(&settings.effective_dissimilarity().measure),
        dissimilarities,
        embedding: embedding(comparison, settings.comparator)?,
        models: tested.map(Tested::page),
        settings: listed(settings),
        data: files.used.clone(),
        notes,
    })
}

/// The representations in the plane, from three on. Similarities s become distances `sqrt(2 - 2s)`.
fn embedding(comparison: &Comparison, comparator: Comparator) -> Outcome<Option<Vec<[f64; 2]>>> {
    let count = comparison.names.len();
    if count < 3 {
        return Ok(None);
    }
    let mut distances = Vec::new();
    for i in 0..count {
        for j in i + 1..count {
            let value = comparison.matrix[[i, j]];
            let distance = |similarity: f64| (2.0 - 2.0 * similarity.min(1.0)).sqrt();
            distances.push(if comparator.is_distance() {
                value
            } else {
                distance(value)
            });
        }
    }
    let map = classical_scaling(&Rdm::from_condensed("comparison", distances)?, 2)?;
    Ok(Some(
        map.coordinates
            .rows()
            .into_iter()
            .map(|row| [row[0], row[1]])
            .collect(),
    ))
}

fn mean_rdm(stack: &[Rdm]) -> Array2<f64> {
    let mut mean = stack[0].to_square();
    for rdm in &stack[1..] {
        mean += &rdm.to_square();
    }
    mean / stack.len() as f64
}

/// The means of blocks of neighbouring conditions.
fn in_blocks(matrix: &Array2<f64>) -> Array2<f64> {
    let size = matrix.nrows().div_ceil(LARGEST_IMAGE);
    let count = matrix.nrows().div_ceil(size);
    Array2::from_shape_fn((count, count), |(row, column)| {
        let range = |block: usize| block * size..((block + 1) * size).min(matrix.nrows());
        let block = matrix.slice(ndarray::s![range(row), range(column)]);
        block.sum() / block.len() as f64
    })
}

fn described(comparator: Comparator) -> String {
    let what = match comparator {
        Comparator::Cosine => "cosine of dissimilarities",
        Comparator::Pearson => "Pearson correlation of dissimilarities",
        Comparator::Spearman => "Spearman correlation of dissimilarities",
        Comparator::KendallTauA => "Kendall's tau-a of dissimilarities",
        Comparator::KendallTauB => "Kendall's tau-b of dissimilarities",
        Comparator::RhoA => "rank correlation rho-a of dissimilarities",
        Comparator::WhitenedCosine => "whitened cosine of dissimilarities",
        Comparator::WhitenedPearson => "whitened Pearson correlation of dissimilarities",
        Comparator::Cka => "linear centred kernel alignment",
        Comparator::DebiasedCka => "debiased linear centred kernel alignment",
        Comparator::Procrustes => "angular shape distance (radians; 0 is equal)",
        Comparator::Bures => "Bures similarity of centred kernels",
    };
    what.to_string()
}

fn listed(settings: &CompareSettings) -> Vec<(String, String)> {
    let mut listed = vec![
        (
            "dissimilarity".to_string(),
            setting_name(&settings.effective_dissimilarity().measure),
        ),
        (
            "comparator".to_string(),
            settings.comparator.name().to_string(),
        ),
    ];
    if settings.transform != Transform::None {
        listed.push(("transform".to_string(), setting_name(&settings.transform)));
    }
    if let Some(bootstrap) = settings.bootstrap {
        let text = format!(
            "{} draws over {}",
            bootstrap.draws,
            setting_name(&bootstrap.over)
        );
        listed.push(("bootstrap".to_string(), text));
    }
    listed
}

/// The matrix for the terminal.
pub(super) fn table(comparison: &Comparison, settings: &CompareSettings) -> String {
    let mut headings = vec![settings.comparator.name()];
    headings.extend(comparison.names.iter().map(String::as_str));
    let mut table = TextTable::new(&headings);
    for (i, name) in comparison.names.iter().enumerate() {
        let cells = (0..comparison.names.len()).map(|j| {
            let value = format_number(comparison.matrix[[i, j]]);
            match &comparison.ci95 {
                Some(bounds) if i != j => format!(
                    "{value} [{}, {}]",
                    format_number(bounds.lower[[i, j]]),
                    format_number(bounds.upper[[i, j]])
                ),
                _ => value,
            }
        });
        table.row(std::iter::once(name.clone()).chain(cells));
    }
    let mut text = table.render(120);
    for (name, found) in comparison.names.iter().zip(&comparison.noise_ceiling) {
        if let Some(found) = found {
            text.push_str(&format!(
                "\nnoise ceiling of {name}: {} to {}",
                format_number(found.ceiling.lower),
                format_number(found.ceiling.upper)
            ));
        }
    }
    text
}
