//! What can be compared.

use chiasm_core::data::{Rdm, Responses};
use chiasm_core::{Error, Result};
use ndarray::{Array2, Array3, Array4, ArrayView3, Axis};

use crate::similarity::comparator::Comparator;
use crate::similarity::dissimilarity::{DissimilaritySettings, rdm};

/// A named representation.
#[derive(Clone, Debug)]
pub struct Input {
    /// What a person calls it, e.g. a file name.
    pub name: String,
    /// What it holds.
    pub source: Source,
}

/// Measured patterns or finished RDMs, one per subject; a single one stands for all subjects.
#[derive(Clone, Debug)]
pub enum Source {
    /// Trials x channels with stimulus labels.
    Responses(Vec<Responses>),
    /// Dissimilarity matrices.
    Rdms(Vec<Rdm>),
}

impl Input {
    /// One pattern per condition: conditions x channels.
    pub fn patterns(name: impl Into<String>, values: Array2<f64>) -> Result<Self> {
        let name = name.into();
        let responses = Responses::one_trial_each(name.clone(), values)?;
        Ok(Input {
            name,
            source: Source::Responses(vec![responses]),
        })
    }

    /// Subjects x conditions x channels.
    pub fn subject_patterns(name: impl Into<String>, values: Array3<f64>) -> Result<Self> {
        let name = name.into();
        let responses = values
            .axis_iter(Axis(0))
            .enumerate()
            .map(|(subject, values)| {
                Responses::one_trial_each(format!("{name}, subject {subject}"), values.to_owned())
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Input {
            name,
            source: Source::Responses(responses),
        })
    }

    /// Repeated measurements of every condition: runs x conditions x channels.
    pub fn runs(name: impl Into<String>, values: Array3<f64>) -> Result<Self> {
        let name = name.into();
        let responses = responses_of_runs(&name, values.view())?;
        Ok(Input {
            name,
            source: Source::Responses(vec![responses]),
        })
    }

    /// Subjects x runs x conditions x channels.
    pub fn subject_runs(name: impl Into<String>, values: Array4<f64>) -> Result<Self> {
        let name = name.into();
        let responses = values
            .axis_iter(Axis(0))
            .enumerate()
            .map(|(subject, values)| {
                responses_of_runs(&format!("{name}, subject {subject}"), values)
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Input {
            name,
            source: Source::Responses(responses),
        })
    }

    /// One RDM per subject, or one.
    pub fn rdms(name: impl Into<String>, rdms: Vec<Rdm>) -> Self {
        Input {
            name: name.into(),
            source: Source::Rdms(rdms),
        }
    }

    fn subjects(&self) -> usize {
        match &self.source {
            Source::Responses(subjects) => subjects.len(),
            Source::Rdms(subjects) => subjects.len(),
        }
    }

    /// The conditions in order; without labels where the input is an RDM, or an array whose rows have
    /// nothing but their number.
    fn conditions(&self, subject: usize) -> (usize, Option<Vec<&str>>) {
        match &self.source {
            Source::Responses(subjects) => {
                let labels = subjects[subject].conditions();
                let numbered =
                    (labels.iter().enumerate()).all(|(index, label)| label.parse() == Ok(index));
                (labels.len(), (!numbered).then_some(labels))
            }
            Source::Rdms(subjects) => (subjects[subject].conditions(), None),
        }
    }

    /// The RDM of each subject.
    pub(super) fn to_rdms(&self, settings: &DissimilaritySettings) -> Result<Vec<Rdm>> {
        match &self.source {
            Source::Responses(subjects) => subjects
                .iter()
                .map(|responses| rdm(responses, settings))
                .collect(),
            Source::Rdms(subjects) => Ok(subjects.clone()),
        }
    }
}

fn responses_of_runs(name: &str, values: ArrayView3<'_, f64>) -> Result<Responses> {
    let (runs, conditions, channels) = values.dim();
    let stacked = values
        .as_standard_layout()
        .into_owned()
        .into_shape_with_order((runs * conditions, channels));
    let stacked = stacked.map_err(|error| Error::Unusable {
        operation: "compare",
        reason: format!("{name}: {error}"),
    })?;
    let stimuli = (0..runs * conditions)
        .map(|row| (row % conditions).to_string())
        .collect();
    let folds = (0..runs * conditions).map(|row| row / conditions).collect();
    Responses::new(name, stacked, stimuli, Some(folds))
}

/// Checks that inputs can be compared and gives the number of subjects (1 without a subject axis).
pub(super) fn check(inputs: &[Input], comparator: Comparator) -> Result<usize> {
    let mut subjects = 1;
    let mut with_subjects: Option<&Input> = None;
    for input in inputs {
        match (input.subjects(), with_subjects) {
            (0, _) => {
                return Err(Error::TooFew {
                    operation: "compare",
                    what: "RDMs or subjects in an input",
                    found: 0,
                    needed: 1,
                });
            }
            (1, _) => {}
            (count, None) => {
                subjects = count;
                with_subjects = Some(input);
            }
            (count, Some(first)) if count != subjects => {
                return Err(Error::Shape {
                    operation: "compare",
                    what: input.name.clone(),
                    axis: "subjects",
                    found: count,
                    expected: format!("{subjects} (as in {})", first.name),
                });
            }
            _ => {}
        }
    }
    let (expected, _) = inputs[0].conditions(0);
    let mut labelled: Option<(&str, Vec<&str>)> = None;
    for input in inputs {
        for subject in 0..input.subjects() {
            let (found, labels) = input.conditions(subject);
            if found != expected {
                return Err(Error::Shape {
                    operation: "compare",
                    what: input.name.clone(),
                    axis: "conditions",
                    found,
                    expected: format!("{expected} (as in {})", inputs[0].name),
                });
            }
            let Some(labels) = labels else { continue };
            match &labelled {
                None => labelled = Some((&input.name, labels)),
                Some((other, expected)) => {
                    if let Some(at) = (0..found).find(|&at| labels[at] != expected[at]) {
                        return Err(Error::Unusable {
                            operation: "compare",
                            reason: format!(
                                "condition labels do not match: condition {at} is \"{}\" in {} and \
                                 \"{}\" in {other}; give all inputs the same rows in the same order",
                                labels[at], input.name, expected[at]
                            ),
                        });
                    }
                }
            }
        }
    }
    if expected < comparator.fewest_conditions() {
        return Err(Error::TooFew {
            operation: "compare",
            what: "conditions",
            found: expected,
            needed: comparator.fewest_conditions(),
        });
    }
    Ok(subjects)
}
