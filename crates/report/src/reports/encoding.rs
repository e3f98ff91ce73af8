//! The page of an encoding model.

use chiasm_core::evidence::{Axis, BarSeries, DataUsed, Figure, Line, Plot, Points, ResultTable};
use chiasm_core::metrics::score::{counted, median};

use crate::html::{Page, Section};
use crate::number::format_number;

/// Points of a cloud that a page draws; more say no more to the eye.
const MOST_POINTS: usize = 2000;

/// An encoding model's held-out scores. Per-target numbers are NaN where there is none.
#[derive(Clone, Debug, Default)]
pub struct Encoding {
    /// Names of the feature spaces.
    pub spaces: Vec<String>,
    /// What was predicted, e.g. the file.
    pub responses: String,
    /// The regression, e.g. `ridge`.
    pub method: String,
    /// All targets, those that were dropped too.
    pub targets: usize,
    /// Why targets were dropped, and how many.
    pub dropped: Vec<(String, usize)>,
    /// Pearson's r per target.
    pub correlation: Vec<f64>,
    /// R² per target.
    pub determination: Vec<f64>,
    /// R² of the training mean per target.
    pub baseline_determination: Vec<f64>,
    /// The kind of the ceiling, its value (a share of variance), and r and R² normalised by it.
    pub ceiling: Option<CeilingScores>,
    /// Penalties and how many targets chose each; empty for none.
    pub penalties: Vec<(f64, usize)>,
    /// What each space explains.
    pub contributions: Vec<Contribution>,
    /// What all spaces explain together and none alone, a mean over targets.
    pub shared: Option<f64>,
    /// Number of permutations, p and q per target.
    pub significance: Option<(usize, Vec<f64>, Vec<f64>)>,
    /// Settings with their values.
    pub settings: Vec<(String, String)>,
    /// The files.
    pub data: Vec<DataUsed>,
    /// Lines the reader should know.
    pub notes: Vec<String>,
}

/// Scores against a noise ceiling.
#[derive(Clone, Debug, Default)]
pub struct CeilingScores {
    /// How it was estimated.
    pub kind: String,
    /// The share of signal in the averaged test responses, per target.
    pub ceiling: Vec<f64>,
    /// `r/√ceiling` per target.
    pub correlation: Vec<f64>,
    /// `R²/ceiling` per target.
    pub determination: Vec<f64>,
    /// Targets whose ceiling is too low for a normalised score.
    pub unreliable: usize,
}

/// What a feature space explains, means over targets.
#[derive(Clone, Debug, Default)]
pub struct Contribution {
    /// The space.
    pub name: String,
    /// Its part of the joint R².
    pub product_measure: f64,
    /// The R² that is lost without it.
    pub unique: Option<f64>,
}

impl Encoding {
    /// The figures of the page.
    pub fn figures(&self) -> Vec<Figure> {
        let mut figures = vec![histogram(
            "correlation",
            "Held-out correlation",
            "Targets by the correlation of their test responses with the predictions.",
            "Pearson's r",
            &self.correlation,
        )];
        if let Some(ceiling) = &self.ceiling {
            figures.push(histogram(
                "normalised-correlation",
                "Correlation over its ceiling",
                "r/√ceiling: 1 is a model as good as the noise allows. Values above 1 are noise in the ceiling.",
                "r/√ceiling",
                &ceiling.correlation,
            ));
            figures.push(self.against_ceiling(ceiling));
        }
        figures.extend(self.contribution_figure());
        figures.extend(self.penalty_figure());
        if let Some((permutations, p_values, _)) = &self.significance {
            figures.push(histogram(
                "p-values",
                "Permutation p",
                &format!(
                    "Targets by p over {permutations} permutations; flat where nothing is predicted."
                ),
                "p",
                p_values,
            ));
        }
        figures
    }

    fn against_ceiling(&self, ceiling: &CeilingScores) -> Figure {
        let pairs: Vec<[f64; 2]> = ceiling
            .ceiling
            .iter()
            .zip(&self.correlation)
            .filter(|(ceiling, r)| **ceiling > 0.0 && r.is_finite())
            .map(|(ceiling, r)| [ceiling.sqrt(), *r])
            .collect();
        let step = pairs.len().div_ceil(MOST_POINTS).max(1);
        let shown: Vec<[f64; 2]> = pairs.iter().copied().step_by(step).collect();
        let mut caption =
            "Each point is a target with a ceiling above 0; along the line from 0 to 1 a model \
                           reaches all that the noise allows."
                .to_string();
        if step > 1 {
            caption.push_str(&format!(" Every {step}th of {} is drawn.", pairs.len()));
        }
        let top = shown.iter().map(|[x, _]| *x).fold(1.0, f64::max);
        let cloud = |name: &str, points: &[[f64; 2]]| Points {
            name: name.to_string(),
            x: points.iter().map(|[x, _]| *x).collect(),
            y: points.iter().map(|[_, y]| *y).collect(),
            labels: Vec::new(),
        };
        let diagonal: Vec<[f64; 2]> = (0..=50).map(|at| [top * f64::from(at) / 50.0; 2]).collect();
        Figure::new(
            "ceiling",
            "Correlation against its ceiling",
            caption,
            Axis::linear("√ceiling"),
            Axis::linear("Pearson's r"),
            Plot::Scatter(vec![cloud("targets", &shown), cloud("ceiling", &diagonal)]),
        )
    }

    fn contribution_figure(&self) -> Option<Figure> {
        if self.contributions.is_empty() {
            return None;
        }
        let mut groups: Vec<String> = self
            .contributions
            .iter()
            .map(|space| space.name.clone())
            .collect();
        let mut product: Vec<f64> = self
            .contributions
            .iter()
            .map(|space| space.product_measure)
            .collect();
        let unique: Option<Vec<f64>> = self
            .contributions
            .iter()
            .map(|space| space.unique)
            .collect();
        let mut series = Vec::new();
        if let (Some(mut unique), Some(shared)) = (unique, self.shared) {
            groups.push("shared".to_string());
            product.push(0.0);
            unique.push(shared);
            series.push(bars("unique R²", unique));
        }
        series.insert(0, bars("product measure", product));
        let drawable = series
            .iter()
            .flat_map(|bars| &bars.values)
            .all(|value| value.is_finite());
        drawable.then(|| {
            Figure::new(
                "feature-spaces",
                "What each feature space explains",
                "Means over targets. The product measure divides the joint R² among the spaces. Unique is the R² lost \
                 without a space; shared is what is left of the joint R², below 0 where spaces help each other.",
                Axis::default(),
                Axis::linear("R²"),
                Plot::Bars { groups, series },
            )
        })
    }

    fn penalty_figure(&self) -> Option<Figure> {
        if self.penalties.len() < 2 {
            return None;
        }
        let counts = |pairs: &[(f64, usize)]| Line {
            name: "targets".to_string(),
            x: pairs.iter().map(|(alpha, _)| *alpha).collect(),
            y: pairs.iter().map(|(_, count)| *count as f64).collect(),
            band: None,
        };
        let positive: Vec<(f64, usize)> = self
            .penalties
            .iter()
            .copied()
            .filter(|(alpha, _)| *alpha > 0.0)
            .collect();
        (positive.len() > 1).then(|| {
            Figure::new(
                "penalties",
                "Penalties that were chosen",
                "Targets by their penalty. A heap at either end says that the grid should go on there.",
                Axis::logarithmic("penalty"),
                Axis::linear("targets"),
                Plot::Lines(vec![counts(&positive)]),
            )
        })
    }

    fn summary(&self) -> ResultTable {
        let mut rows = Vec::new();
        let mut row = |name: &str, values: &[f64]| {
            let mut sorted = counted(values);
            sorted.sort_unstable_by(f64::total_cmp);
            let at = |share: f64| match sorted.len() {
                0 => "none".to_string(),
                count => format_number(sorted[((count - 1) as f64 * share).round() as usize]),
            };
            let mean = chiasm_core::metrics::interval::mean(&sorted);
            let said = |value: f64| {
                if value.is_finite() {
                    format_number(value)
                } else {
                    "none".to_string()
                }
            };
            rows.push(vec![
                name.to_string(),
                said(mean),
                said(median(&sorted)),
                at(0.05),
                at(0.95),
                sorted.len().to_string(),
            ]);
        };
        row("Pearson's r", &self.correlation);
        row("R²", &self.determination);
        row("R² of the training mean", &self.baseline_determination);
        if let Some(ceiling) = &self.ceiling {
            row("ceiling (share of variance)", &ceiling.ceiling);
            row("r/√ceiling", &ceiling.correlation);
            row("R²/ceiling", &ceiling.determination);
        }
        ResultTable {
            title: "Scores over targets".to_string(),
            caption: "On test responses that no fit has seen.".to_string(),
            columns: ["Score", "Mean", "Median", "5%", "95%", "Targets"]
                .map(String::from)
                .to_vec(),
            rows,
        }
    }

    fn facts(&self) -> Vec<(String, String)> {
        let gone: usize = self.dropped.iter().map(|(_, count)| count).sum();
        let mut facts = vec![("Targets scored".to_string(), {
            format!(
                "{} of {}",
                self.targets - gone.min(self.targets),
                self.targets
            )
        })];
        for (why, count) in &self.dropped {
            facts.push((format!("Dropped: {why}"), count.to_string()));
        }
        if let Some(ceiling) = &self.ceiling {
            facts.push(("Ceiling".to_string(), ceiling.kind.clone()));
            facts.push((
                "Ceiling too low to normalise".to_string(),
                ceiling.unreliable.to_string(),
            ));
        }
        if let Some((permutations, p_values, q_values)) = &self.significance {
            let below = |values: &[f64]| values.iter().filter(|value| **value < 0.05).count();
            facts.push(("Permutations".to_string(), permutations.to_string()));
            facts.push((
                "Targets with p < 0.05".to_string(),
                below(p_values).to_string(),
            ));
            facts.push((
                "Targets with q < 0.05".to_string(),
                below(q_values).to_string(),
            ));
        }
        facts
    }
}

fn bars(name: &str, values: Vec<f64>) -> BarSeries {
    BarSeries {
        name: name.to_string(),
        values,
        intervals: None,
    }
}

/// Counts of the values that are numbers, in up to twenty bins of a round width.
fn histogram(id: &str, title: &str, caption: &str, label: &str, values: &[f64]) -> Figure {
    let values = counted(values);
    let (low, high) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
    let (mut groups, mut counts) = (Vec::new(), Vec::new());
    if low.is_finite() {
        let width = round_width(high - low);
        let first = (low / width).floor();
        let bins = ((high / width).floor() - first) as usize + 1;
        let mut found = vec![0_usize; bins];
        for value in &values {
            let bin = ((value / width).floor() - first) as usize;
            found[bin.min(bins - 1)] += 1;
        }
        let digits = (-width.log10()).ceil().max(0.0) as usize + 1;
        for (bin, count) in found.into_iter().enumerate() {
            groups.push(format!("{:.digits$}", (first + bin as f64 + 0.5) * width));
            counts.push(count as f64);
        }
    }
    Figure::new(
        id,
        title,
        caption,
        Axis::linear(format!("{label} (middle of the bin)")),
        Axis::linear("targets"),
        Plot::Bars {
            groups,
            series: vec![bars("targets", counts)],
        },
    )
}

/// 1, 2 or 5 times a power of ten, of which at most twenty cover `span`.
fn round_width(span: f64) -> f64 {
    let least = (span / 19.0).max(1e-6);
    let power = 10f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|step| step * power)
        .find(|width| *width >= least * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

/// The page of `chiasm encode`: scores with their ceiling, what feature spaces explain, penalties,
/// significance.
pub fn encoding_report(encoding: &Encoding) -> String {
    let mut scores = Section::new("Scores")
        .facts(encoding.facts())
        .table(&encoding.summary());
    for figure in encoding.figures() {
        scores = scores.figure(&figure);
    }
    let mut page = Page::new(format!(
        "{} from {}",
        encoding.responses,
        encoding.spaces.join(", ")
    ))
    .kicker("Chiasm encode")
    .intro(format!(
        "Responses predicted from features by {}, scored on what was held out.",
        encoding.method
    ))
    .section(scores);
    if !encoding.notes.is_empty() {
        let notes = Section::new("What to know");
        page = page.section(
            encoding
                .notes
                .iter()
                .fold(notes, |notes, note| notes.note(note)),
        );
    }
    page = page.section(Section::new("Settings").facts(encoding.settings.clone()));
    if !encoding.data.is_empty() {
        page = page.section(Section::new("Data").data(&encoding.data));
    }
    page.footer(format!("Made by Chiasm {}.", env!("CARGO_PKG_VERSION")))
        .render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_round_and_hold_every_value() {
        assert!((round_width(1.9) - 0.1).abs() < 1e-12);
        assert!((round_width(0.03) - 0.002).abs() < 1e-12);
        let values: Vec<f64> = (0..100).map(|at| -0.2 + f64::from(at) / 99.0).collect();
        let mut with_holes = values.clone();
        with_holes.push(f64::NAN);
        let figure = histogram("h", "t", "c", "r", &with_holes);
        figure.check().unwrap();
        let Plot::Bars { groups, series } = &figure.plot else {
            panic!("bars");
        };
        assert!(groups.len() <= 21 && groups.len() > 8, "{groups:?}");
        assert_eq!(series[0].values.iter().sum::<f64>(), 100.0);
        // Equal values, and none.
        assert!(histogram("h", "t", "c", "r", &[0.5; 4]).check().is_ok());
        assert!(histogram("h", "t", "c", "r", &[f64::NAN]).check().is_ok());
    }

    #[test]
    fn the_page_says_what_was_dropped_and_stands_without_ceiling_or_p() {
        let plain = Encoding {
            spaces: vec!["words".to_string()],
            responses: "voxels.npy".to_string(),
            method: "ridge".to_string(),
            targets: 3,
            dropped: vec![("NaN".to_string(), 1)],
            correlation: vec![0.1, f64::NAN, 0.3],
            determination: vec![0.0, f64::NAN, 0.1],
            baseline_determination: vec![-0.1, f64::NAN, -0.1],
            ..Encoding::default()
        };
        let page = encoding_report(&plain);
        assert!(page.contains("2 of 3") && page.contains("Dropped: NaN"));
        assert!(!page.contains("ceiling too low") && !page.contains("q &lt; 0.05"));
        let full = Encoding {
            ceiling: Some(CeilingScores {
                kind: "split-half".to_string(),
                ceiling: vec![0.5, f64::NAN, -0.1],
                correlation: vec![0.14, f64::NAN, f64::NAN],
                determination: vec![0.0, f64::NAN, f64::NAN],
                unreliable: 1,
            }),
            contributions: vec![Contribution {
                name: "words".to_string(),
                product_measure: 0.1,
                unique: Some(0.05),
            }],
            shared: Some(-0.01),
            penalties: vec![(1.0, 2), (10.0, 1)],
            significance: Some((99, vec![0.01, f64::NAN, 0.5], vec![0.02, f64::NAN, 0.5])),
            ..plain
        };
        for figure in full.figures() {
            figure.check().unwrap();
        }
        let page = encoding_report(&full);
        assert!(page.contains("Ceiling too low") && page.contains("Permutation p"));
    }
}
