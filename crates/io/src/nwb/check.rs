//! What is inconsistent in a file, for its summary: what the readers themselves say of it, asked in
//! bounded time and memory.

use super::table::{DynamicTable, Extent};
use super::{INTERVALS, Nwb, UNITS, series, units};
use crate::hdf5::{Attribute, Kind};
use crate::{Error, Result};

/// The most tables and series that are looked at.
const MOST_CHECKED: usize = 200;
/// The most problems that are listed.
const MOST_LISTED: usize = 40;

/// Every table and series that its reader would refuse, with the reason.
pub(super) fn problems(nwb: &Nwb) -> Vec<String> {
    let file = &nwb.file;
    let mut problems = Vec::new();
    let mut checked = 0;
    let mut note = |path: &str, result: Result<()>| {
        if let Err(error) = result {
            let reason = error.without(file.name(), path);
            problems.push(format!("{path}: cannot be read: {reason}"));
        }
        checked += 1;
        checked < MOST_CHECKED
    };
    let is_table =
        |kind: &Kind, colnames: Option<&Attribute>| *kind == Kind::Group && colnames.is_some();
    for (path, object) in file.objects() {
        let table = is_table(&object.kind, object.attributes.get("colnames"));
        let more = if path == UNITS && nwb.has_units() {
            note(path, units::check(file))
        } else if table {
            note(path, table_check(nwb, path))
        } else {
            true
        };
        if !more {
            break;
        }
    }
    for series in &nwb.unusable {
        let refused = Error::malformed(file.name(), &*series.path, &*series.reason);
        note(&series.path, Err(refused));
    }
    for series in &nwb.series {
        if !note(&series.path, series::check(file, series)) {
            break;
        }
    }
    let more = problems.len().saturating_sub(MOST_LISTED);
    problems.truncate(MOST_LISTED);
    if more > 0 {
        problems.push(format!("{more} more tables and series cannot be read"));
    }
    problems
}

fn table_check(nwb: &Nwb, path: &str) -> Result<()> {
    let table = DynamicTable::read(&nwb.file, path, Extent::Check)?;
    let times = ["start_time", "stop_time"];
    let skipped = |(name, _): &(String, String)| times.contains(&name.as_str());
    if path
        .rsplit_once('/')
        .is_some_and(|(parent, _)| parent == INTERVALS)
        && !table.skipped.iter().any(skipped)
    {
        table.check_intervals(nwb.file.name(), path)?;
    }
    Ok(())
}
