//! The person's own traces.

use chiasm_core::evidence::{Axis, Figure, Findings, Line, Plot, ResultTable};
use chiasm_core::{Progress, Seed};
use chiasm_io::traces::read_traces;
use std::path::Path;

use super::ConnectomeSettings;
use crate::Result;

/// Analyses the files or folders given, each file one animal, and describes every component.
pub(super) fn analyse<'a>(
    settings: &ConnectomeSettings,
    paths: impl Iterator<Item = &'a Path>,
    seed: Seed,
    findings: &mut Findings,
    progress: &Progress,
) -> Result<()> {
    let rate = (settings.trace_rate > 0.0).then_some(settings.trace_rate);
    let mut recordings = Vec::new();
    for path in paths {
        recordings.extend(read_traces(path, rate)?);
    }
    let fit = settings.pipeline.fit(&recordings, seed, progress)?;
    findings.note(format!(
        "{} recordings, {} neurons found in enough of them; {} components explain {:.0}% of the squared \
         affinity; {} pairs of neurons were never found together.",
        fit.animals.len(),
        fit.neurons.len(),
        fit.components.len(),
        100.0 * (1.0 - fit.relative_error.powi(2)),
        fit.unobserved_pairs
    ));
    let named = |neurons: &[usize]| {
        let names: Vec<&str> = neurons
            .iter()
            .map(|&neuron| fit.neurons[neuron].as_str())
            .collect();
        if names.is_empty() {
            "none stands out".to_string()
        } else {
            names.join(", ")
        }
    };
    let rows = fit.components.iter().enumerate().map(|(index, component)| {
        let times: Vec<String> = component
            .active
            .bounds()
            .iter()
            .map(|(start, stop)| format!("{start:.0}-{stop:.0}"))
            .collect();
        let animals: Vec<&str> = component
            .animals
            .iter()
            .map(|&animal| fit.animals[animal].as_str())
            .collect();
        let levels = component.communities.as_ref().map_or_else(Vec::new, |own| {
            own.levels
                .iter()
                .map(|labels| (labels.iter().max().map_or(0, |&most| most + 1)).to_string())
                .collect()
        });
        vec![
            (index + 1).to_string(),
            times.join(", "),
            animals.join(", "),
            levels.join(" > "),
            named(&component.module),
        ]
    });
    findings.table(ResultTable {
        title: "Components of the traces".to_string(),
        caption:
            "When each component is active, in which recordings, how its graph divides, and the \
                  neurons that hold it together."
                .to_string(),
        columns: [
            "Component",
            "Active (s)",
            "Recordings",
            "Blocks by level",
            "Module",
        ]
        .map(String::from)
        .to_vec(),
        rows: rows.collect(),
    });
    let lines = (0..fit.components.len()).map(|index| Line {
        name: format!("component {}", index + 1),
        x: fit.times.clone(),
        y: mean_timeline(
            &(0..fit.animals.len())
                .map(|a| fit.timeline(index, a))
                .collect::<Vec<_>>(),
        ),
        band: None,
    });
    findings.figure(Figure::new(
        "components-over-time",
        "When the components of the traces are active",
        "Affinity of each component's strongest pair, mean over recordings.",
        Axis::linear("time (s)"),
        Axis::linear("affinity"),
        Plot::Lines(lines.collect()),
    ))?;
    Ok(())
}

fn mean_timeline(timelines: &[Vec<f64>]) -> Vec<f64> {
    let steps = timelines.first().map_or(0, Vec::len);
    let share = 1.0 / timelines.len().max(1) as f64;
    (0..steps)
        .map(|step| timelines.iter().map(|line| line[step] * share).sum())
        .collect()
}
