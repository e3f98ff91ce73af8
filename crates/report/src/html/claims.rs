//! Claims with their evidence, as cards. A claim that did not hold takes the same room and the same
//! weight as one that did.

use chiasm_core::evidence::{ClaimResult, Direction, NotTested};

use super::section::Writer;
use super::verdicts::{Outcome, derived, write_alarm_icon};
use crate::markup::attributes;
use crate::number::{format_exact, format_interval_bounds, format_mean, format_number};
use crate::plots::interval_plot;
use crate::svg::canvas::Size;

pub(super) fn write(
    writer: &mut Writer,
    claims: &[ClaimResult],
    not_tested: &[NotTested],
    seeds: &[u64],
    level: usize,
) {
    for claim in claims {
        write_claim(writer, claim, seeds, level);
    }
    for claim in not_tested {
        let outcome = Outcome(None);
        let id = writer.ids.unique(&format!("claim-{}", claim.id));
        open_card(writer, outcome, &id);
        writer.heading(level, &id, &claim.statement);
        writer.page.leaf("p", &[], &claim.reason);
        writer.page.close();
    }
}

fn open_card(writer: &mut Writer, outcome: Outcome, heading: &str) {
    writer.page.open(
        "article",
        attributes!["class" => format!("claim {}", outcome.class()), "aria-labelledby" => heading],
    );
    writer.page.open("p", attributes!["class" => "verdict"]);
    outcome.write_icon(&mut writer.page);
    writer.page.leaf("strong", &[], outcome.word());
    writer.page.close();
}

fn write_claim(writer: &mut Writer, claim: &ClaimResult, seeds: &[u64], level: usize) {
    let verdict = derived(claim);
    let outcome = Outcome(Some(verdict));
    let id = writer.ids.unique(&format!("claim-{}", claim.id));
    open_card(writer, outcome, &id);
    writer.heading(level, &id, &claim.statement);
    if claim.control_clears_margin() {
        alarm(
            writer,
            "The null control clears the margin too: the effect is there where it must vanish, so \
             what was measured does not speak for the claim.",
        );
    }
    if claim.verdict != verdict {
        alarm(
            writer,
            &format!(
                "The results say “{}”, but the interval gives “{verdict}”. The file was changed by \
                 something else than a run.",
                claim.verdict
            ),
        );
    }
    writer
        .page
        .leaf("p", attributes!["class" => "criterion"], &criterion(claim));
    writer.page.open("dl", attributes!["class" => "evidence"]);
    entry(writer, "The paper", None, &claim.paper);
    entry(
        writer,
        "Here",
        Some((claim.mean, claim.ci95)),
        &claim.metric,
    );
    let baseline = &claim.baseline;
    entry(
        writer,
        "Baseline",
        Some((baseline.mean, baseline.ci95)),
        &baseline.name,
    );
    let control = &claim.control;
    entry(
        writer,
        "Null control",
        Some((control.mean, control.ci95)),
        &control.name,
    );
    writer.page.close();
    for (size, suffix) in [(Size::Wide, "wide"), (Size::Narrow, "narrow")] {
        let drawing = interval_plot(claim, verdict, size, &format!("{id}-{suffix}"));
        writer.page.raw(&drawing);
    }
    per_seed(writer, claim, seeds);
    writer.page.close();
}

fn alarm(writer: &mut Writer, text: &str) {
    writer
        .page
        .open("p", attributes!["class" => "alarm", "role" => "note"]);
    write_alarm_icon(&mut writer.page);
    writer.page.leaf("strong", &[], text);
    writer.page.close();
}

/// When the claim holds, in a sentence.
fn criterion(claim: &ClaimResult) -> String {
    let margin = format_exact(claim.margin);
    let side = match claim.direction {
        Direction::Greater => format!("above {margin}"),
        Direction::Less => format!("below {margin}"),
        Direction::Within => format!("between {} and {margin}", format_exact(-claim.margin)),
    };
    let mut text = format!("Holds if the whole 95% interval lies {side}.");
    if claim.ci95.is_none() {
        text.push_str(" A single seed gives no interval, so nothing is decided.");
    }
    text
}

/// A number with what it is, or words alone.
fn entry(writer: &mut Writer, name: &str, number: Option<(f64, Option<[f64; 2]>)>, words: &str) {
    writer.page.open("div", &[]);
    writer.page.leaf("dt", &[], name);
    writer.page.open("dd", &[]);
    if let Some((mean, ci95)) = number {
        writer.page.leaf(
            "span",
            attributes!["class" => "value"],
            &format_mean(mean, ci95),
        );
        writer.page.text(" ");
        if let Some(bounds) = ci95 {
            writer.page.leaf(
                "span",
                attributes!["class" => "bounds"],
                &format_interval_bounds(mean, bounds),
            );
            writer.page.text(" ");
        }
    }
    writer
        .page
        .leaf("span", attributes!["class" => "words"], words);
    writer.page.close();
    writer.page.close();
}

fn per_seed(writer: &mut Writer, claim: &ClaimResult, seeds: &[u64]) {
    writer.page.open("details", &[]);
    writer.page.open("summary", &[]);
    writer.page.text("Values per seed ");
    writer.page.leaf(
        "span",
        attributes!["class" => "hidden"],
        &format!("for {}", claim.statement),
    );
    writer.page.close();
    let caption_id = writer.ids.unique(&format!("claim-{}-seeds", claim.id));
    writer.open_table(&caption_id, &claim.metric, "values");
    writer.head_row(&["Seed", "Effect", "Baseline", "Null control"].map(String::from));
    writer.page.open("tbody", &[]);
    for (index, effect) in claim.per_seed.iter().enumerate() {
        writer.page.open("tr", &[]);
        let seed = match seeds.get(index) {
            Some(seed) => seed.to_string(),
            None => format!("no. {}", index + 1),
        };
        writer.page.leaf("th", attributes!["scope" => "row"], &seed);
        let values = [
            Some(effect),
            claim.baseline.per_seed.get(index),
            claim.control.per_seed.get(index),
        ];
        for value in values {
            let text = value.map_or_else(String::new, |&value| format_number(value));
            writer.page.leaf("td", &[], &text);
        }
        writer.page.close();
    }
    writer.page.close();
    writer.close_table();
    writer.page.close();
}
