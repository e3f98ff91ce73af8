//! What a study is.

use chiasm_core::evidence::{Claim, Findings};
use chiasm_core::run::Scale;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Context, Result};

/// One published system: what it claims and how that is tested.
///
/// Made by [`Study::new`] in a constant, where a study without claims does not compile.
#[derive(Debug)]
pub struct Study {
    /// Number among the sixty-four systems.
    pub number: u16,
    /// Short name on the command line.
    pub slug: &'static str,
    /// What the study is about, in a line.
    pub title: &'static str,
    /// The group it belongs to.
    pub family: Family,
    /// Authors, title, place, year.
    pub citation: &'static str,
    /// What runs, in a few sentences: data, method, comparison. The study's page opens with it.
    pub summary: &'static str,
    /// What is smaller or other than in the paper, in a line.
    pub scaled_down: &'static str,
    /// What `--data` takes; empty where the study takes no files.
    pub data: &'static str,
    /// The claims.
    pub claims: &'static [Claim],
    /// Details the paper leaves open, each with the setting that changes it.
    pub choices: &'static [OpenChoice],
    /// The study's settings.
    pub settings: SettingsOf,
    /// Runs the study.
    pub run: fn(&Context) -> Result<Findings>,
}

/// A detail the paper leaves open.
#[derive(Clone, Copy, Debug)]
pub struct OpenChoice {
    /// The setting that changes it.
    pub setting: &'static str,
    /// What is open and what is taken, in a line.
    pub what: &'static str,
}

impl Study {
    /// Checks at compile time that there is something to test.
    pub const fn new(study: Study) -> Study {
        assert!(!study.claims.is_empty(), "a study tests at least one claim");
        study
    }

    /// Number of seeds where the person names none.
    pub fn default_seeds(&self, scale: Scale) -> u64 {
        if scale == Scale::Quick { 3 } else { 5 }
    }
}

/// Groups of studies, in the order they are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Encoding, decoding and similarity of brains and models.
    Brain,
    /// Populations of neurons: states and circuits.
    Populations,
    /// Spiking networks.
    Spiking,
    /// Memory and sparse codes.
    Memory,
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Family::Brain => "brain",
            Family::Populations => "populations",
            Family::Spiking => "spiking",
            Family::Memory => "memory",
        })
    }
}

/// The settings of a study: plain data with a default for every scale.
///
/// Implementors derive `Serialize` and `Deserialize` with `#[serde(deny_unknown_fields)]`; every
/// field has a value, so that the resolved configuration shows them all.
pub trait Settings: Serialize + DeserializeOwned {
    /// The settings at `scale`.
    fn at(scale: Scale) -> Self;

    /// Fails where a value is out of range, naming it.
    fn check(&self) -> chiasm_core::Result<()>;
}

/// The settings type of a study as plain functions, so that studies of different settings stand in
/// one slice.
#[derive(Clone, Copy, Debug)]
pub struct SettingsOf {
    /// The settings at a scale.
    pub at: fn(Scale) -> chiasm_core::Result<toml::Table>,
    /// Fails where the table does not make valid settings.
    pub check: fn(&toml::Table) -> chiasm_core::Result<()>,
}

impl SettingsOf {
    /// The functions of settings type `T`.
    pub const fn of<T: Settings>() -> Self {
        SettingsOf {
            at: |scale| {
                let mut table = toml::Table::try_from(T::at(scale)).map_err(|error| {
                    chiasm_core::Error::setting("settings", error, "values that TOML can hold")
                })?;
                table.iter_mut().for_each(|(_, value)| shorten(value));
                Ok(table)
            },
            check: |table| read_settings::<T>(table).map(|_| ()),
        }
    }
}

/// Single-precision settings as a person would write them: 0.23, not 0.23000000417232513. Both read
/// back to the same number.
fn shorten(value: &mut toml::Value) {
    match value {
        toml::Value::Float(float) => {
            let single = *float as f32;
            if f64::from(single) == *float {
                *float = single.to_string().parse().unwrap_or(*float);
            }
        }
        toml::Value::Array(values) => values.iter_mut().for_each(shorten),
        toml::Value::Table(table) => table.iter_mut().for_each(|(_, value)| shorten(value)),
        _ => {}
    }
}

/// No setting counts or measures anything larger than this; what does is a slip, and would run for ever.
const LARGEST: f64 = 1e9;

/// Settings from their table, checked.
pub(crate) fn read_settings<T: Settings>(table: &toml::Table) -> chiasm_core::Result<T> {
    for (name, value) in table {
        in_reach(name, value)?;
    }
    let table = toml::Value::Table(table.clone());
    let settings: T = serde_path_to_error::deserialize(table).map_err(|error| {
        let name = error.path().to_string();
        let found = error.into_inner().to_string();
        chiasm_core::Error::setting(name, in_words(found.trim_end()), "what the setting holds")
    })?;
    settings.check()?;
    Ok(settings)
}

/// Fails at the first number that is not finite or out of all proportion.
fn in_reach(name: &str, value: &toml::Value) -> chiasm_core::Result<()> {
    let number = match value {
        toml::Value::Integer(whole) => *whole as f64,
        toml::Value::Float(float) => *float,
        toml::Value::Array(values) => {
            return (values.iter().enumerate())
                .try_for_each(|(index, value)| in_reach(&format!("{name}[{index}]"), value));
        }
        toml::Value::Table(table) => {
            return (table.iter())
                .try_for_each(|(inner, value)| in_reach(&format!("{name}.{inner}"), value));
        }
        _ => return Ok(()),
    };
    if number.abs() <= LARGEST {
        return Ok(());
    }
    let allowed = format!("a number of at most {LARGEST:e} in size");
    Err(chiasm_core::Error::setting(name, number, allowed))
}

/// A message of the reader of settings without the names of Rust's types.
fn in_words(message: &str) -> String {
    ["usize", "u64", "u32", "u16", "u8"]
        .iter()
        .fold(message.to_string(), |message, name| {
            message.replace(
                &format!("expected {name}"),
                "expected a whole number, not negative",
            )
        })
        .replace("expected f64", "expected a number")
        .replace("expected f32", "expected a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        hidden: Vec<usize>,
        rate: f64,
    }

    #[derive(Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        network: Inner,
    }

    impl Settings for Outer {
        fn at(_: Scale) -> Self {
            Outer {
                network: Inner {
                    hidden: vec![8],
                    rate: f64::from(0.23_f32),
                },
            }
        }

        fn check(&self) -> chiasm_core::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn settings_that_cannot_be_are_named_with_their_place() {
        let settings = SettingsOf::of::<Outer>();
        let table = (settings.at)(Scale::Quick).unwrap();
        assert_eq!(table["network"]["rate"].as_float(), Some(0.23));
        (settings.check)(&table).unwrap();
        for (text, expected) in [
            (
                "network = {hidden = [-1], rate = 1.0}",
                "network.hidden[0] = invalid value",
            ),
            (
                "network = {hidden = [9000000000000], rate = 1.0}",
                "network.hidden[0] = 9000000000000",
            ),
            ("network = {hidden = [1], rate = nan}", "network.rate = NaN"),
            ("network = {hidden = [1], rate = 1e300}", "network.rate = 1"),
            (
                "network = {hidden = [1], rate = 1.0, extra = 1}",
                "unknown field",
            ),
        ] {
            let table = toml::from_str(text).unwrap();
            let message = (settings.check)(&table).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
            assert!(!message.contains("usize"), "{text}: {message}");
        }
    }
}
