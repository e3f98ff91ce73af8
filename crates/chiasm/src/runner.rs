//! Runs a study in its folder and leaves config, results, figures and report.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use chiasm_core::evidence::{Choice, Figure, ResultTable, RunResults, StudyFacts};
use chiasm_core::run::{RunConfig, RunFolder, write_atomically};
use chiasm_core::{Error, ErrorKind, Progress};
use chiasm_studies::{Context, Study};

use crate::failure::{Failure, Outcome};
use crate::terminal;

/// A flag that turns true on the first Ctrl-C or SIGTERM. The second one ends the process at once:
/// nothing is lost by that but the step under way.
pub(crate) fn stop_on_signals() -> Outcome<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(3);
        }
        terminal::remark("stopping at the next safe point; once more to stop at once");
    })
    .map_err(|error| Failure::System(format!("signals cannot be caught: {error}")))?;
    Ok(stop)
}

/// Fails for a number of threads that no machine has.
pub(crate) fn check_threads(count: usize) -> Outcome {
    if (1..=4096).contains(&count) {
        return Ok(());
    }
    Err(Error::setting("threads", count, "1 to 4096").into())
}

/// Sets the number of threads for the whole process.
pub(crate) fn use_threads(count: usize) -> Outcome {
    check_threads(count)?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .build_global()
        .map_err(|error| Failure::System(format!("{count} threads cannot be started: {error}")))
}

/// One study's part of a run.
pub(crate) struct Task {
    pub(crate) study: &'static Study,
    pub(crate) config: RunConfig,
    pub(crate) folder: RunFolder,
}

/// Runs a task unless it is complete, and returns its results. `root` is what the person passes to
/// `--resume`.
pub(crate) fn run_task(task: Task, stop: &Arc<AtomicBool>, root: &Path) -> Outcome<RunResults> {
    let Task {
        study,
        config,
        folder,
    } = task;
    if folder.is_complete() {
        // The process may have ended between the results and the clearing up.
        folder.drop_checkpoints()?;
        return Ok(folder.results()?);
    }
    let _only_one = folder.lock()?;
    let clock = Clock::start(&folder)?;
    let progress = Progress::new(terminal::progress_sink(study.slug), stop.clone());
    let context = Context::new(config.clone(), folder.clone(), progress);
    let found = (study.run)(&context).and_then(|findings| {
        findings.check_against(study.claims)?;
        Ok(findings)
    });
    let findings = match found {
        Ok(findings) => findings,
        Err(error) => {
            return Err(match error.kind() {
                ErrorKind::Interrupted => {
                    clock.keep()?;
                    Failure::Interrupted(root.display().to_string())
                }
                ErrorKind::Input => {
                    folder.take_back()?;
                    // The run's root, where nothing else is in it.
                    let _ = std::fs::remove_dir(root);
                    error.into()
                }
                ErrorKind::Internal => {
                    clock.keep()?;
                    Failure::Broken {
                        error: error.to_string(),
                        root: root.display().to_string(),
                    }
                }
            });
        }
    };
    let facts = StudyFacts {
        slug: study.slug,
        title: study.title,
        paper: study.number,
        citation: study.citation,
        scaled_down: study.scaled_down,
    };
    let choices = study
        .choices
        .iter()
        .map(|choice| Choice {
            setting: choice.setting.into(),
            what: choice.what.into(),
        })
        .collect();
    let (results, figures, tables) = RunResults::assemble(
        facts,
        &config,
        choices,
        findings,
        clock.seconds(),
        peak_rss_mib(),
    );
    leave(&folder, &results, &figures, &tables)?;
    Ok(results)
}

/// Writes everything a complete run leaves, the results last.
fn leave(
    folder: &RunFolder,
    results: &RunResults,
    figures: &[Figure],
    tables: &[ResultTable],
) -> Outcome {
    let place = folder.path().join("figures");
    std::fs::create_dir_all(&place).map_err(|source| Error::file(&place, source))?;
    for figure in figures {
        let svg = chiasm_report::figure_svg(figure);
        write_atomically(&place.join(format!("{}.svg", figure.id)), svg.as_bytes())?;
    }
    let config = folder.path().join("config.toml");
    let config = std::fs::read_to_string(&config).map_err(|source| Error::file(&config, source))?;
    let html = chiasm_report::study_report(results, figures, tables, &config);
    write_atomically(&folder.path().join("report.html"), html.as_bytes())?;
    folder.finish(results)?;
    Ok(())
}

/// Wall-clock time over all parts of a run.
struct Clock {
    before: f64,
    begun: Instant,
    kept: PathBuf,
}

impl Clock {
    fn start(folder: &RunFolder) -> Outcome<Self> {
        let kept = folder.scratch("clock")?.join("seconds");
        let before = match std::fs::read_to_string(&kept) {
            Ok(text) => text.trim().parse().unwrap_or(0.0),
            Err(_) => 0.0,
        };
        Ok(Clock {
            before,
            begun: Instant::now(),
            kept,
        })
    }

    fn seconds(&self) -> f64 {
        self.before + self.begun.elapsed().as_secs_f64()
    }

    fn keep(&self) -> Outcome {
        Ok(write_atomically(
            &self.kept,
            self.seconds().to_string().as_bytes(),
        )?)
    }
}

/// The largest resident memory of this process so far, where the system tells.
fn peak_rss_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some((kib / 1024.0 * 10.0).round() / 10.0)
}
