use std::collections::HashMap;

use chiasm_core::{Error, Result};

use crate::sdr::{Sdr, at_most, check_cells};

/// Names as codes that share no cell: nothing is like anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryEncoder {
    places: HashMap<String, usize>,
    cells: usize,
    active: usize,
}

impl CategoryEncoder {
    /// An encoder of `categories` with `active` cells each. Fails where there is none or one is
    /// named twice.
    pub fn new(categories: &[&str], active: usize) -> Result<Self> {
        at_most(
            "active",
            active,
            u32::MAX as usize,
            "what cells can be numbered with",
        )?;
        let cells = categories.len().saturating_mul(active);
        check_cells(cells)?;
        let mut places = HashMap::with_capacity(categories.len());
        for (place, &category) in categories.iter().enumerate() {
            if places.insert(category.to_string(), place).is_some() {
                return Err(Error::setting("category", category, "each category once"));
            }
        }
        Ok(CategoryEncoder {
            places,
            cells,
            active,
        })
    }

    /// The number of cells of a code.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// The code of `category`; fails for one the encoder was not made for.
    pub fn encode(&self, category: &str) -> Result<Sdr> {
        let Some(&place) = self.places.get(category) else {
            let mut known: Vec<&str> = self.places.keys().map(String::as_str).collect();
            known.sort_unstable();
            return Err(Error::setting(
                "category",
                category,
                format!("one of {}", known.join(", ")),
            ));
        };
        let first = (place * self.active) as u32;
        Ok(Sdr::from_sorted(
            self.cells,
            (first..first + self.active as u32).collect(),
        ))
    }
}
