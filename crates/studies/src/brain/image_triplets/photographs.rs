//! Real data: photographs of faces and of other things, where they were fetched.
//!
//! Low similarity is the correlation of Gabor energies. High similarity is category, made continuous: how
//! much more a patch is like the mean of the other faces than like the mean of the other patches without a
//! face, the patch itself left out of both means; two patches are as similar as those values lie close.

use chiasm_brain::choice_model::area_under_curve;
use chiasm_brain::gabor_energy::GaborEnergy;
use chiasm_core::evidence::{Findings, ResultTable};
use chiasm_core::{Progress, Result as CoreResult, Seed};
use chiasm_io::catalogue::{self, FacePatches, Status};
use chiasm_numerics::similarity::triplets::{
    Similarity, ToleranceUnit, TripletSettings, difference_correlation, random_triplets,
    reused_images, select_triplets,
};
use ndarray::{Array1, Array2, Axis};

use super::TripletStudySettings;
use crate::Result;

const ITEM: &str = "face-patches";
/// Selections and random sets, since one set of few triplets says little.
const SETS: u64 = 20;

/// Selects triplets of photographs; says so where they are not there.
pub(super) fn examine(
    settings: &TripletStudySettings,
    findings: &mut Findings,
    progress: &Progress,
) -> Result<()> {
    let known = catalogue::list()?
        .into_iter()
        .find(|(item, _)| item.name == ITEM);
    let Some((item, Status::Fetched)) = known else {
        findings.note(format!(
            "Photographs not run: they are not on this machine. `chiasm data get {ITEM}` fetches them."
        ));
        return Ok(());
    };
    let patches = catalogue::face_patches(&progress.quiet())?;
    findings.data(item.used());
    findings.table(table(settings, &patches, progress)?);
    Ok(())
}

fn table(
    settings: &TripletStudySettings,
    patches: &FacePatches,
    progress: &Progress,
) -> CoreResult<ResultTable> {
    let gabor = GaborEnergy::default().features(patches.images.view())?;
    let low = Similarity::of_features("Gabor energy", gabor.view())?;
    let likeness = face_likeness(patches);
    let high = Similarity::new(
        "likeness to faces",
        Array2::from_shape_fn((likeness.len(), likeness.len()), |(i, j)| {
            -(likeness[i] - likeness[j]).abs()
        }),
    )?;
    // Similarities of two kinds and sizes: a tolerance in standard deviations, about that of 0.01.
    let selection = TripletSettings {
        tolerance: 0.05,
        tolerance_unit: ToleranceUnit::StandardDeviation,
        ..settings.triplets.clone()
    };
    let (mut selected, mut random, mut found, mut covered) = (0.0, 0.0, 0.0, 0.0);
    let mut reused = 0;
    for set in 0..SETS {
        let seed = Seed::new(0).named("photographs").indexed(set);
        let own = select_triplets(&high, &low, &selection, seed, &progress.quiet())?;
        let other = random_triplets(&high, &low, own.triplets.len(), seed.named("random"))?;
        let share = 1.0 / SETS as f64;
        selected += share * difference_correlation(&own.triplets).unwrap_or(0.0);
        random += share * difference_correlation(&other).unwrap_or(0.0);
        found += share * own.triplets.len() as f64;
        covered += share * own.covered_share();
        reused += reused_images(&own.triplets);
    }
    Ok(ResultTable {
        title: "Photographs of faces and other things".to_string(),
        caption: format!(
            "Triplets of {} patches of photographs, means over {SETS} selections. Low similarity: \
             correlation of Gabor energies; high: how alike two patches are in being like a face, which \
             by itself tells faces from other patches with an area under the curve of {:.3}. A check on \
             real images: no claim rests on it.",
            patches.is_face.len(),
            area_under_curve(&likeness, &patches.is_face)?
        ),
        columns: [
            "Triplets found",
            "Bins covered",
            "Correlation, random",
            "Correlation, selected",
            "Images used twice",
        ]
        .map(String::from)
        .to_vec(),
        rows: vec![vec![
            format!("{found:.1} of {}", selection.bins.pow(2) * selection.tables),
            format!("{:.0}%", 100.0 * covered),
            format!("{random:.3}"),
            format!("{selected:.3}"),
            reused.to_string(),
        ]],
    })
}

/// Correlation with the mean of the other faces minus that with the mean of the other patches.
fn face_likeness(patches: &FacePatches) -> Vec<f64> {
    let count = patches.is_face.len();
    let scaled: Vec<Array1<f64>> = patches
        .images
        .axis_iter(Axis(0))
        .map(|patch| unit(patch.iter().copied().collect()))
        .collect();
    let sum_of = |face: bool, except: usize| {
        (0..count)
            .filter(|&patch| patch != except && patches.is_face[patch] == face)
            .fold(Array1::zeros(scaled[0].len()), |sum, patch| {
                sum + &scaled[patch]
            })
    };
    (0..count)
        .map(|patch| {
            let correlation = |face: bool| unit(sum_of(face, patch)).dot(&scaled[patch]);
            correlation(true) - correlation(false)
        })
        .collect()
}

/// Mean 0 and length 1; a flat patch stays 0.
fn unit(values: Array1<f64>) -> Array1<f64> {
    let mean = values.sum() / values.len().max(1) as f64;
    let centred = values - mean;
    let length = centred.dot(&centred).sqrt();
    if length > 0.0 {
        centred / length
    } else {
        centred
    }
}
