//! Progress bars on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chiasm_core::ProgressSink;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::remark;

/// Bars where standard error is a terminal, lines where it is not.
pub(crate) fn progress_sink(label: &str) -> Arc<dyn ProgressSink> {
    if std::io::stderr().is_terminal() {
        Arc::new(Bars {
            label: label.to_string(),
            all: MultiProgress::new(),
            open: Mutex::default(),
        })
    } else {
        Arc::new(Lines {
            label: label.to_string(),
            open: Mutex::default(),
        })
    }
}

/// One bar a stage that is under way, the outermost on top.
struct Bars {
    label: String,
    all: MultiProgress,
    open: Mutex<Vec<ProgressBar>>,
}

impl ProgressSink for Bars {
    fn begin(&self, stage: &str, total: u64) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let name = if open.is_empty() {
            format!("{}: {stage}", self.label)
        } else {
            stage.into()
        };
        let (bar, template) = if total > 0 {
            (
                ProgressBar::new(total),
                "{prefix:32!} {bar:28.cyan/blue} {pos}/{len}  {elapsed} gone, {eta} left",
            )
        } else {
            (
                ProgressBar::new_spinner(),
                "{prefix:32!} {spinner} {elapsed} gone",
            )
        };
        let style = ProgressStyle::with_template(template);
        let bar = self
            .all
            .add(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())));
        bar.set_prefix(name);
        bar.enable_steady_tick(Duration::from_millis(200));
        open.push(bar);
    }

    fn advance(&self, amount: u64) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = open.last() {
            bar.inc(amount);
        }
    }

    fn note(&self, text: &str) {
        // A bar that cannot print the line is a terminal that is gone.
        let _ = self.all.println(format!("{}: {text}", self.label));
    }

    fn end(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bar) = open.pop() {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }
}

/// A line when a stage begins, then at most one every few seconds.
struct Lines {
    label: String,
    open: Mutex<Vec<Stage>>,
}

struct Stage {
    name: String,
    total: u64,
    done: u64,
    begun: Instant,
    said: Instant,
}

const LINE_EVERY: Duration = Duration::from_secs(5);

impl ProgressSink for Lines {
    fn begin(&self, stage: &str, total: u64) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.is_empty() {
            remark(&format!("{}: {stage}", self.label));
        }
        let now = Instant::now();
        open.push(Stage {
            name: stage.to_string(),
            total,
            done: 0,
            begun: now,
            said: now,
        });
    }

    fn advance(&self, amount: u64) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stage) = open.last_mut() else { return };
        stage.done += amount;
        if stage.total > 0 && stage.said.elapsed() > LINE_EVERY {
            stage.said = Instant::now();
            let gone = stage.begun.elapsed().as_secs_f64();
            let left =
                gone / stage.done.max(1) as f64 * stage.total.saturating_sub(stage.done) as f64;
            let line = format!(
                "{}: {} {}/{} ({gone:.0} s gone, {left:.0} s left)",
                self.label, stage.name, stage.done, stage.total
            );
            remark(&line);
        }
    }

    fn note(&self, text: &str) {
        remark(&format!("{}: {text}", self.label));
    }

    fn end(&self) {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
    }
}
