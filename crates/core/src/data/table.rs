//! Named columns.

use crate::error::{Error, Result};

/// One column of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Numbers; a missing cell is NaN.
    Numbers(Vec<f64>),
    /// Words; a missing cell is empty.
    Words(Vec<String>),
}

impl Column {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Column::Numbers(values) => values.len(),
            Column::Words(values) => values.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Columns of equal length, e.g. trials, events or a CSV file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<(String, Column)>,
}

impl Table {
    /// Checks that all columns have the same number of rows.
    pub fn new(columns: Vec<(String, Column)>) -> Result<Self> {
        if let Some((_, first)) = columns.first() {
            for (name, column) in &columns {
                if column.len() != first.len() {
                    return Err(Error::Shape {
                        operation: "table",
                        what: format!("column {name}"),
                        axis: "rows",
                        found: column.len(),
                        expected: first.len().to_string(),
                    });
                }
            }
        }
        Ok(Table { columns })
    }

    /// The columns in order.
    pub fn columns(&self) -> &[(String, Column)] {
        &self.columns
    }

    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, column)| column)
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }
}
