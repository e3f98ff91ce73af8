//! A person's changes to a study's settings: single values by dotted name, or tables from a file.

use chiasm_core::Error;
use toml::{Table, Value};

use crate::failure::{Failure, Outcome};
use crate::resolve::nearest;

/// Changes the setting called `name`, e.g. `noise` or `network.hidden`, to what `text` says.
pub(crate) fn set(study: &str, settings: &mut Table, name: &str, text: &str) -> Outcome {
    let mut table = settings;
    let mut before = String::new();
    let (path, last) = name.rsplit_once('.').unwrap_or(("", name));
    for part in path.split('.').filter(|_| !path.is_empty()) {
        require(study, table, &before, part)?;
        before = format!("{before}{part}.");
        table = match table.get_mut(part) {
            Some(Value::Table(inner)) => inner,
            _ => {
                return Err(Failure::Usage(format!(
                    "{study}: the setting '{}' is a single value; leave out '.{}'",
                    before.trim_end_matches('.'),
                    &name[before.len()..]
                )));
            }
        };
    }
    change(study, table, &before, last, parse_value(text))
}

/// Changes every setting that `changes` names; tables are entered, not replaced.
pub(crate) fn merge(study: &str, settings: &mut Table, changes: &Table) -> Outcome {
    merge_below(study, settings, changes, "")
}

fn merge_below(study: &str, settings: &mut Table, changes: &Table, before: &str) -> Outcome {
    for (name, value) in changes {
        match (settings.get_mut(name), value) {
            (Some(Value::Table(own)), Value::Table(theirs)) if same_variant(own, theirs) => {
                merge_below(study, own, theirs, &format!("{before}{name}."))?;
            }
            _ => change(study, settings, before, name, value.clone())?,
        }
    }
    Ok(())
}

/// Whether two tables hold the same fields: another `kind`, or another variant as the only key,
/// stands for something else as a whole.
fn same_variant(own: &Table, theirs: &Table) -> bool {
    let same_kind = theirs
        .get("kind")
        .is_none_or(|kind| own.get("kind") == Some(kind));
    let several = own.len() > 1 || theirs.len() > 1;
    same_kind && (several || own.keys().eq(theirs.keys()))
}

/// A value as TOML where it parses as that, else a word.
fn parse_value(text: &str) -> Value {
    let parsed = toml::from_str::<Table>(&format!("value = {text}"));
    // More than the one key means that the text broke out of its line.
    let alone = parsed.ok().filter(|table| table.len() == 1);
    match alone.and_then(|mut table| table.remove("value")) {
        Some(value) => value,
        None => Value::String(text.to_string()),
    }
}

/// Fails where `table` has no setting `name`, with the nearest name it has.
fn require(study: &str, table: &Table, before: &str, name: &str) -> Outcome {
    if table.contains_key(name) {
        return Ok(());
    }
    let hint = match nearest(name, table.keys().map(String::as_str)) {
        Some(known) => format!("did you mean '{before}{known}'?"),
        None => format!(
            "it has: {}",
            table.keys().cloned().collect::<Vec<_>>().join(", ")
        ),
    };
    Err(Failure::Usage(format!(
        "{study} has no setting '{before}{name}'; {hint}"
    )))
}

/// Puts `value` in the place of a setting, in the type its default has.
fn change(study: &str, table: &mut Table, before: &str, name: &str, value: Value) -> Outcome {
    require(study, table, before, name)?;
    let Some(default) = table.get_mut(name) else {
        return Ok(());
    };
    *default = match (&*default, value) {
        (Value::Float(_), Value::Integer(whole)) => Value::Float(whole as f64),
        // A variant without fields is a word, one with fields a table: the study decides.
        (Value::String(_), value @ Value::Table(_))
        | (Value::Table(_), value @ Value::String(_)) => value,
        (Value::String(_), value) if !value.is_str() => Value::String(value.to_string()),
        (default, value) if default.same_type(&value) => value,
        (default, value) => {
            return Err(Error::setting(
                format!("{before}{name}"),
                value,
                format!("a value like {default} ({})", default.type_str()),
            )
            .into());
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> Table {
        toml::from_str(
            "noise = 0.5\nspread = {kind = 'shrinking', from = 2.0}\n\
             [network]\nhidden = [8]\nactivation = 'relu'\n[network.readout]\nbias = true\n",
        )
        .unwrap()
    }

    #[test]
    fn values_are_toml_where_they_can_be() {
        assert_eq!(parse_value("3"), Value::Integer(3));
        assert_eq!(parse_value("1e-3"), Value::Float(1e-3));
        assert_eq!(parse_value("true"), Value::Boolean(true));
        assert_eq!(parse_value("[1, 2]").as_array().map(Vec::len), Some(2));
        assert_eq!(parse_value("gaussian"), Value::String("gaussian".into()));
        assert_eq!(parse_value("1\nb = 2"), Value::String("1\nb = 2".into()));
    }

    #[test]
    fn dotted_names_reach_inside() {
        let mut settings = defaults();
        for (name, text) in [("noise", "1"), ("network.readout.bias", "false")] {
            assert!(set("study", &mut settings, name, text).is_ok(), "{name}");
        }
        assert_eq!(settings["noise"], Value::Float(1.0));
        assert_eq!(
            settings["network"]["readout"]["bias"],
            Value::Boolean(false)
        );
        assert_eq!(
            settings["network"]["hidden"],
            defaults()["network"]["hidden"]
        );
    }

    #[test]
    fn slips_are_named_with_their_place() {
        for (name, text, expected) in [
            ("network.hiden", "[1]", "did you mean 'network.hidden'?"),
            ("netwrk.hidden", "[1]", "did you mean 'network'?"),
            (
                "noise.level",
                "1",
                "'noise' is a single value; leave out '.level'",
            ),
            ("network.readout.bias", "3", "network.readout.bias = 3"),
            ("network", "3", "network = 3"),
        ] {
            let failure = set("study", &mut defaults(), name, text).unwrap_err();
            let said = failure.to_string();
            assert!(said.contains(expected), "{name}: {said}");
        }
    }

    #[test]
    fn files_change_single_fields_and_replace_other_variants() {
        let mut settings = defaults();
        let changes = toml::from_str(
            "spread = {kind = 'constant', value = 1.0}\n[network]\nactivation = 'tanh'\n",
        )
        .unwrap();
        assert!(merge("study", &mut settings, &changes).is_ok());
        assert_eq!(
            settings["network"]["activation"],
            Value::String("tanh".into())
        );
        assert_eq!(
            settings["network"]["hidden"],
            defaults()["network"]["hidden"]
        );
        assert_eq!(settings["spread"].as_table().map(Table::len), Some(2));
    }
}
