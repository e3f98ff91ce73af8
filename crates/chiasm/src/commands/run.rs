//! `chiasm run`: studies from data to report.

use std::path::{Path, PathBuf};

use chiasm_core::Error;
use chiasm_core::evidence::RunResults;
use chiasm_core::run::{Device, RunFolder, Scale, write_atomically};
use chiasm_report::StudyEntry;
use chiasm_studies::{STUDIES, Study};
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::failure::{Failure, Outcome};
use crate::resolve::{
    PartialConfig, Wishes, check_data_unchanged, find_study, parse_key_value, resolve,
};
use crate::runner::{Task, run_task, stop_on_signals, use_threads};
use crate::terminal;

/// Run studies from data to report; with none named, the tour
#[derive(Args)]
#[command(after_help = "\
Examples:
  chiasm run                                   one quick study per family, one combined report
  chiasm run trsa learned-delays               two studies
  chiasm run trsa --scale standard --seeds 10  larger, with ten repetitions
  chiasm run dynamic-connectome --data traces.nwb --out worm
  chiasm run trsa --set noise=0.5              change a setting ('chiasm studies' names them)
  chiasm run --config runs/1/trsa/config.toml  repeat a run
  chiasm run --resume runs/1                   go on after Ctrl-C, a kill or a full disk

Each study leaves a folder with config.toml, results.json, report.html and figures/.")]
pub(crate) struct RunArguments {
    /// Studies, by short name or number
    #[arg(value_name = "STUDY")]
    studies: Vec<String>,
    /// Your own files, for studies that take them
    #[arg(long, num_args = 1.., value_name = "FILE")]
    data: Vec<PathBuf>,
    /// A TOML file with any part of a run's config.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Change one setting; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_key_value)]
    set: Vec<(String, String)>,
    /// Number of repetitions [default: 3 at quick, 5 otherwise]
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
    /// How large [default: quick]
    #[arg(long, value_enum)]
    scale: Option<ScaleArgument>,
    /// Where tensors live [default: cpu]
    #[arg(long, value_enum)]
    device: Option<DeviceArgument>,
    /// Number of threads [default: one a core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Where to leave the results [default: runs/1, runs/2, …]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with an interrupted run
    #[arg(long, value_name = "DIR",
          conflicts_with_all = ["data", "config", "set", "seeds", "scale", "device", "threads", "out"])]
    resume: Option<PathBuf>,
    /// Print the results as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ScaleArgument {
    /// Within a minute on two cores
    Quick,
    /// Within ten minutes
    Standard,
    /// The paper's own size
    Paper,
}

#[derive(Clone, Copy, ValueEnum)]
enum DeviceArgument {
    /// The processor
    Cpu,
    /// An NVIDIA card (needs a build with --features cuda)
    Cuda,
    /// Any graphics card (needs a build with --features wgpu)
    Wgpu,
}

/// What `--json` prints.
#[derive(Serialize)]
struct RunOutput<'a> {
    out: &'a Path,
    studies: &'a [RunResults],
}

pub(crate) fn execute(arguments: RunArguments) -> Outcome {
    let json = arguments.json;
    let (root, tasks) = match &arguments.resume {
        Some(root) => (root.clone(), reopen(root, &arguments.studies)?),
        None => begin(&arguments)?,
    };
    let threads = tasks.first().map_or(1, |task| task.config.threads);
    use_threads(threads)?;
    let stop = stop_on_signals()?;
    let mut all = Vec::with_capacity(tasks.len());
    let mut families = Vec::with_capacity(tasks.len());
    for task in tasks {
        let folder = task.folder.path().to_path_buf();
        families.push(task.study.family.to_string());
        let results = run_task(task, &stop, &root)?;
        if !json {
            terminal::say(&format!("\n{} ({})", results.title, results.study))?;
            terminal::say(&terminal::claims_table(&results, 110))?;
            terminal::say(&format!("report: {}", folder.join("report.html").display()))?;
        }
        all.push(results);
    }
    if !root.join("config.toml").exists() {
        let entries: Vec<StudyEntry<'_>> = all
            .iter()
            .zip(&families)
            .map(|(results, family)| StudyEntry {
                results,
                family,
                report: format!("{}/report.html", results.study),
            })
            .collect();
        let html = chiasm_report::combined_report(&entries);
        write_atomically(&root.join("report.html"), html.as_bytes())?;
        if !json && all.len() > 1 {
            terminal::say(&format!(
                "\nall of them: {}",
                root.join("report.html").display()
            ))?;
        }
    }
    if json {
        terminal::say_json(&RunOutput {
            out: &root,
            studies: &all,
        })
    } else {
        Ok(())
    }
}

/// The tasks of a new run, each with its folder and configuration in place.
fn begin(arguments: &RunArguments) -> Outcome<(PathBuf, Vec<Task>)> {
    let config = match &arguments.config {
        Some(path) => PartialConfig::read(path)?,
        None => PartialConfig::default(),
    };
    let studies = choose(&arguments.studies, config.study.as_deref())?;
    if studies.len() > 1 && !(arguments.data.is_empty() && config.data.is_empty()) {
        return Err(Failure::Usage(
            "--data goes with one study: name it".to_string(),
        ));
    }
    let wishes = Wishes {
        config,
        scale: arguments.scale.map(|scale| match scale {
            ScaleArgument::Quick => Scale::Quick,
            ScaleArgument::Standard => Scale::Standard,
            ScaleArgument::Paper => Scale::Paper,
        }),
        seeds: arguments.seeds,
        device: arguments.device.map(|device| match device {
            DeviceArgument::Cpu => Device::Cpu,
            DeviceArgument::Cuda => Device::Cuda,
            DeviceArgument::Wgpu => Device::Wgpu,
        }),
        threads: arguments.threads,
        data: arguments.data.clone(),
        set: arguments.set.clone(),
    };
    // Everything that can be wrong is found before anything is written.
    let configs = studies
        .iter()
        .map(|study| resolve(study, &wishes))
        .collect::<Outcome<Vec<_>>>()?;
    let root = match &arguments.out {
        Some(root) => root.clone(),
        None => next_run_folder()?,
    };
    let tasks = studies
        .into_iter()
        .zip(configs)
        .map(|(study, config)| {
            let folder = RunFolder::create(&root.join(study.slug), &config)?;
            Ok(Task {
                study,
                config,
                folder,
            })
        })
        .collect::<Outcome<Vec<_>>>()?;
    Ok((root, tasks))
}

/// The named studies, or the one a configuration file names, or the tour.
fn choose(names: &[String], configured: Option<&str>) -> Outcome<Vec<&'static Study>> {
    let mut chosen: Vec<&Study> = Vec::new();
    for name in names {
        let study = find_study(name)?;
        if !chosen.iter().any(|other| other.slug == study.slug) {
            chosen.push(study);
        }
    }
    match configured {
        Some(slug) if chosen.is_empty() => Ok(vec![find_study(slug)?]),
        Some(slug) if chosen.iter().any(|study| study.slug != slug) => {
            Err(Failure::Usage(format!(
                "the configuration file belongs to the study '{slug}', not to '{}'",
                chosen
                    .iter()
                    .map(|study| study.slug)
                    .collect::<Vec<_>>()
                    .join(" ")
            )))
        }
        _ if chosen.is_empty() => Ok(tour()),
        _ => Ok(chosen),
    }
}

/// The first study of every family.
fn tour() -> Vec<&'static Study> {
    let mut chosen: Vec<&'static Study> = Vec::new();
    for study in STUDIES {
        if !chosen.iter().any(|other| other.family == study.family) {
            chosen.push(study);
        }
    }
    chosen
}

/// The tasks of a run that was begun: a run's root, or one study's folder in it.
fn reopen(root: &Path, names: &[String]) -> Outcome<Vec<Task>> {
    let mut tasks = Vec::new();
    for folder in super::study_folders(root)? {
        let (folder, config) = RunFolder::open(&folder)?;
        let study = find_study(&config.study)?;
        (study.settings.check)(&config.settings)?;
        check_data_unchanged(&config)?;
        if config.version != env!("CARGO_PKG_VERSION") {
            return Err(Error::RunFolder {
                path: folder.path().to_path_buf(),
                reason: format!(
                    "was begun by version {}, this is {}; its checkpoints may not fit",
                    config.version,
                    env!("CARGO_PKG_VERSION")
                ),
            }
            .into());
        }
        tasks.push(Task {
            study,
            config,
            folder,
        });
    }
    for name in names {
        let study = find_study(name)?;
        if !tasks.iter().any(|task| task.study.slug == study.slug) {
            let there: Vec<&str> = tasks.iter().map(|task| task.study.slug).collect();
            return Err(Error::RunFolder {
                path: root.to_path_buf(),
                reason: format!("belongs to {}, not to {}", there.join(", "), study.slug),
            }
            .into());
        }
    }
    tasks.sort_by_key(|task| {
        STUDIES
            .iter()
            .position(|study| study.slug == task.study.slug)
    });
    Ok(tasks)
}

/// Makes the first of `runs/1`, `runs/2`, … that is not there yet.
fn next_run_folder() -> Outcome<PathBuf> {
    let runs = Path::new("runs");
    std::fs::create_dir_all(runs).map_err(|source| Error::file(runs, source))?;
    for number in 1_u32.. {
        let folder = runs.join(number.to_string());
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(Error::file(folder, source).into()),
        }
    }
    Err(Failure::Usage(
        "runs: no free number is left; give --out".to_string(),
    ))
}
