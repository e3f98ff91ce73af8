//! Choices on triplets: their table, and the model fitted to them.

use std::collections::HashMap;
use std::path::Path;

use chiasm_brain::choice_model::{
    ChoiceModel, ChoiceModelSettings, HeldOut, Lapse, fit_choice_model, held_out,
};
use chiasm_core::Seed;
use chiasm_core::data::{Column, Table};
use chiasm_core::metrics::correlation::spearman;
use chiasm_io::csv::{Options, read_table};
use chiasm_numerics::similarity::triplets::{Similarity, Triplet};
use ndarray::{Array2, Axis};
use serde::Serialize;

use super::names::words;
use super::wrong;
use crate::failure::Outcome;

const LEVELS: [&str; 2] = ["the high difference", "the low difference"];
/// Folds of held-out triplets, where there are as many triplets.
const FOLDS: usize = 10;

/// Choices as read.
pub(super) struct Choices {
    images: Vec<[usize; 3]>,
    chose_b: Vec<bool>,
    subjects: Vec<String>,
    /// Seconds or milliseconds, as the person has them; empty without.
    response_times: Vec<f64>,
}

/// The fitted model and what else the choices say.
#[derive(Serialize)]
pub(super) struct Judged {
    pub(super) trials: usize,
    pub(super) triplets: usize,
    pub(super) model: ChoiceModel,
    pub(super) held_out: Option<HeldOutSummary>,
    pub(super) subjects: Vec<Subject>,
    /// Spearman correlation of response time and how clear the model finds the choice.
    pub(super) response_time_correlation: Option<f64>,
}

/// Predictions of triplets the model was not fitted to.
#[derive(Serialize)]
pub(super) struct HeldOutSummary {
    pub(super) folds: usize,
    pub(super) log_likelihood: f64,
    pub(super) area_under_curve: f64,
}

/// One person's choices.
#[derive(Serialize)]
pub(super) struct Subject {
    pub(super) subject: String,
    pub(super) trials: usize,
    /// `None` where these choices alone do not determine the weights.
    pub(super) model: Option<ChoiceModel>,
}

pub(super) fn read(path: &Path, names: Option<&[String]>, images: usize) -> Outcome<Choices> {
    let table = read_table(
        path,
        &Options {
            header: Some(true),
            ..Default::default()
        },
    )?;
    if table.rows() == 0 {
        return Err(wrong(path, "there is no choice in it"));
    }
    let column = |name: &str| find(&table, name);
    let needed = |name: &str| {
        column(name).map(words).ok_or_else(|| {
            let found: Vec<&str> = table.columns().iter().map(|(name, _)| name.as_str()).collect();
            wrong(
                path,
                format!(
                    "no column {name:?}; expected root, a, b, choice and perhaps subject and rt, found {}",
                    found.join(", ")
                ),
            )
        })
    };
    let places: Option<HashMap<&str, usize>> = names.map(|names| {
        let places = names.iter().enumerate();
        places.map(|(image, name)| (name.as_str(), image)).collect()
    });
    let image = |text: &str, row: usize, column: &str| -> Outcome<usize> {
        let found = match &places {
            Some(places) => places.get(text).copied(),
            None => text.parse().ok().filter(|&image: &usize| image < images),
        };
        found.ok_or_else(|| {
            let known = match places {
                Some(_) => "a name of --names".to_string(),
                None => format!("an image number of 0 to {}; names need --names", images - 1),
            };
            wrong(
                path,
                format!("row {}, {column}: {text:?} is not {known}", row + 1),
            )
        })
    };
    let [root, a, b, choice] = [
        needed("root")?,
        needed("a")?,
        needed("b")?,
        needed("choice")?,
    ];
    let mut triplets = Vec::with_capacity(root.len());
    for row in 0..root.len() {
        let own = [
            image(&root[row], row, "root")?,
            image(&a[row], row, "a")?,
            image(&b[row], row, "b")?,
        ];
        if own[0] == own[1] || own[0] == own[2] || own[1] == own[2] {
            return Err(wrong(
                path,
                format!("row {}: an image stands in it twice", row + 1),
            ));
        }
        triplets.push(own);
    }
    let response_times = match column("rt") {
        Some(Column::Numbers(times)) if times.iter().all(|time| time.is_finite()) => times.clone(),
        Some(_) => return Err(wrong(path, "rt holds cells that are no numbers")),
        None => Vec::new(),
    };
    Ok(Choices {
        chose_b: chosen(path, &a, &b, &choice)?,
        subjects: column("subject").map_or_else(|| vec![String::new(); root.len()], words),
        images: triplets,
        response_times,
    })
}

/// The column of that name, whatever its case.
fn find<'a>(table: &'a Table, name: &str) -> Option<&'a Column> {
    table
        .columns()
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|(_, column)| column)
}

/// Whether each choice is `b`: by letter, else by image, else by 0 and 1, the same way in all rows.
fn chosen(path: &Path, a: &[String], b: &[String], choice: &[String]) -> Outcome<Vec<bool>> {
    let letter = |row: usize| match choice[row].to_lowercase().as_str() {
        "a" => Some(false),
        "b" => Some(true),
        _ => None,
    };
    let image = |row: usize| match &choice[row] {
        own if *own == b[row] => Some(true),
        own if *own == a[row] => Some(false),
        _ => None,
    };
    let number = |row: usize| match choice[row].as_str() {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    };
    let ways: [&dyn Fn(usize) -> Option<bool>; 3] = [&letter, &image, &number];
    for way in ways {
        if let Some(all) = (0..choice.len()).map(way).collect() {
            return Ok(all);
        }
    }
    let row = (0..choice.len())
        .find(|&row| letter(row).is_none() && image(row).is_none() && number(row).is_none());
    Err(match row {
        Some(row) => wrong(
            path,
            format!(
                "row {}, choice: {:?} is neither a nor b, nor one of its images, nor 0 or 1",
                row + 1,
                choice[row]
            ),
        ),
        None => wrong(
            path,
            "choices are written in different ways in different rows",
        ),
    })
}

/// Fits the model to all choices and to each subject's own, with the similarities as predictors.
pub(super) fn fit(
    choices: &Choices,
    high: &Similarity,
    low: &Similarity,
    lapse: Lapse,
) -> Outcome<Judged> {
    let settings = ChoiceModelSettings {
        side_bias: true,
        lapse,
    };
    let trials = choices.images.len();
    let mut differences = Array2::zeros((trials, 2));
    for (mut row, &images) in differences.rows_mut().into_iter().zip(&choices.images) {
        let triplet = Triplet::of(high, low, images);
        row[0] = triplet.high_difference;
        row[1] = triplet.low_difference;
    }
    let model = fit_choice_model(differences.view(), &LEVELS, &choices.chose_b, &settings)?;
    let mut numbers: HashMap<[usize; 3], usize> = HashMap::new();
    let stimuli: Vec<usize> = choices
        .images
        .iter()
        .map(|&[root, a, b]| {
            // Left and right exchanged, it is the same triplet.
            let next = numbers.len();
            *numbers.entry([root, a.min(b), a.max(b)]).or_insert(next)
        })
        .collect();
    let folds = FOLDS.min(numbers.len());
    let prediction: Option<HeldOut> = if folds < 2 {
        None
    } else {
        // Without a fold, what is left may not determine the weights: then nothing is said of it.
        held_out(
            differences.view(),
            &LEVELS,
            &choices.chose_b,
            &stimuli,
            folds,
            &settings,
            Seed::new(0).named("folds"),
        )
        .ok()
    };
    let mut order: Vec<&str> = Vec::new();
    let mut rows_of: HashMap<&str, Vec<usize>> = HashMap::new();
    for (row, subject) in choices.subjects.iter().enumerate() {
        rows_of
            .entry(subject)
            .or_insert_with(|| {
                order.push(subject);
                Vec::new()
            })
            .push(row);
    }
    let subjects = order.iter().map(|subject| {
        let rows = &rows_of[subject];
        let own: Vec<bool> = rows.iter().map(|&row| choices.chose_b[row]).collect();
        let predictors = differences.select(Axis(0), rows);
        Subject {
            subject: (*subject).to_string(),
            trials: rows.len(),
            model: fit_choice_model(predictors.view(), &LEVELS, &own, &settings).ok(),
        }
    });
    let subjects: Vec<Subject> = if order.len() > 1 {
        subjects.collect()
    } else {
        Vec::new()
    };
    let response_time_correlation = if choices.response_times.len() < 3 {
        None
    } else {
        let clear: Vec<f64> = model
            .probabilities(differences.view())?
            .iter()
            .map(|probability| (probability - 0.5).abs())
            .collect();
        Some(spearman(&choices.response_times, &clear)?)
    };
    Ok(Judged {
        trials,
        triplets: numbers.len(),
        model,
        held_out: prediction.map(|own| HeldOutSummary {
            folds,
            log_likelihood: own.log_likelihood,
            area_under_curve: own.area_under_curve,
        }),
        subjects,
        response_time_correlation,
    })
}
