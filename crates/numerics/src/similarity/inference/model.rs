//! Models of representational geometry: what they predict, and what in them is fitted.

use chiasm_core::data::Rdm;
use chiasm_core::{Error, Result};
use serde::{Deserialize, Serialize};

/// What is fitted to the data before a model predicts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flexibility {
    /// Nothing: one RDM is the prediction.
    #[default]
    Fixed,
    /// Which of several RDMs predicts best.
    Select,
    /// Weights, not below zero, of a sum of several RDMs: `sum_k w_k d_k`.
    Weight,
    /// A place on the line from each RDM to the next: `w d_k + (1 - w) d_(k+1)`, 0 <= w <= 1.
    Interpolate,
}

/// A named model.
#[derive(Clone, Debug)]
pub struct Model {
    /// What a person calls it.
    pub name: String,
    /// What is fitted.
    pub flexibility: Flexibility,
    /// One RDM of a fixed model, several of a flexible one.
    pub rdms: Vec<Rdm>,
}

impl Model {
    /// A model that predicts one RDM.
    pub fn fixed(rdm: Rdm) -> Self {
        Model {
            name: rdm.name.clone(),
            flexibility: Flexibility::Fixed,
            rdms: vec![rdm],
        }
    }

    /// A model that is fitted to the data.
    pub fn flexible(name: impl Into<String>, flexibility: Flexibility, rdms: Vec<Rdm>) -> Self {
        Model {
            name: name.into(),
            flexibility,
            rdms,
        }
    }

    /// Fails where the number of RDMs does not suit the flexibility, or conditions are not those of the data.
    pub(super) fn check(&self, conditions: usize, data: &str) -> Result<()> {
        let count = self.rdms.len();
        let fits = match self.flexibility {
            Flexibility::Fixed => count == 1,
            _ => count >= 2,
        };
        if !fits {
            return Err(Error::Shape {
                operation: "inference on models",
                what: self.name.clone(),
                axis: "number of RDMs",
                found: count,
                expected: match self.flexibility {
                    Flexibility::Fixed => {
                        "1 (several make a flexible model: select, weight or interpolate)"
                    }
                    _ => "at least 2 for a flexible model",
                }
                .to_string(),
            });
        }
        match self.rdms.iter().find(|rdm| rdm.conditions() != conditions) {
            None => Ok(()),
            Some(rdm) => Err(Error::Shape {
                operation: "inference on models",
                what: self.name.clone(),
                axis: "conditions",
                found: rdm.conditions(),
                expected: format!("{conditions} (as in {data})"),
            }),
        }
    }
}
