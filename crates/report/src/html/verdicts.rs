//! Verdicts in words, shapes and colours.

use chiasm_core::evidence::{ClaimResult, NotTested, Verdict, verdict};

use crate::markup::{Markup, attributes};

/// How a claim fared: its verdict, or none where it was not tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome(pub(super) Option<Verdict>);

impl Outcome {
    pub(super) const ALL: [Outcome; 4] = [
        Outcome(Some(Verdict::Held)),
        Outcome(Some(Verdict::NotHeld)),
        Outcome(Some(Verdict::Inconclusive)),
        Outcome(None),
    ];

    pub(super) fn word(self) -> &'static str {
        match self.0 {
            Some(Verdict::Held) => "held",
            Some(Verdict::NotHeld) => "not held",
            Some(Verdict::Inconclusive) => "inconclusive",
            None => "not tested",
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self.0 {
            Some(Verdict::Held) => "held",
            Some(Verdict::NotHeld) => "not-held",
            Some(Verdict::Inconclusive) => "inconclusive",
            None => "not-tested",
        }
    }

    /// Each outcome has a shape of its own: disc with tick, square with cross, diamond with a
    /// question mark, dashed ring.
    fn shape(self) -> [(&'static str, &'static str); 2] {
        match self.0 {
            Some(Verdict::Held) => [
                ("ground", "M1 10a9 9 0 1 0 18 0a9 9 0 1 0 -18 0z"),
                ("sign", "M5.5 10.5L9 14L15 7"),
            ],
            Some(Verdict::NotHeld) => [
                ("ground", "M2 2H18V18H2z"),
                ("sign", "M6 6L14 14M14 6L6 14"),
            ],
            Some(Verdict::Inconclusive) => [
                ("ground", "M10 0L20 10L10 20L0 10z"),
                (
                    "sign",
                    "M7.6 7.8a2.5 2.5 0 1 1 3.6 2.4c-.9 .5 -1.2 .9 -1.2 1.9M10 14.4V14.6",
                ),
            ],
            None => [
                ("ring", "M2 10a8 8 0 1 0 16 0a8 8 0 1 0 -16 0z"),
                ("dash", "M6.5 10H13.5"),
            ],
        }
    }

    /// Draws the shape; the word beside it says the same.
    pub(super) fn write_icon(self, page: &mut Markup) {
        page.open(
            "svg",
            attributes!["class" => "icon", "viewBox" => "0 0 20 20", "width" => 20.0, "height" => 20.0, "aria-hidden" => "true", "focusable" => "false"],
        );
        for (class, data) in self.shape() {
            page.empty("path", attributes!["class" => class, "d" => data]);
        }
        page.close();
    }
}

/// How many claims fared how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    counts: [usize; 4],
    controls_that_clear: usize,
}

impl Tally {
    /// Counts the claims of a run. Verdicts follow from the intervals.
    pub(crate) fn of(claims: &[ClaimResult], not_tested: &[NotTested]) -> Self {
        let mut tally = Tally::default();
        for claim in claims {
            let outcome = Outcome(Some(derived(claim)));
            for (count, other) in tally.counts.iter_mut().zip(Outcome::ALL) {
                *count += usize::from(other == outcome);
            }
            tally.controls_that_clear += usize::from(claim.control_clears_margin());
        }
        tally.counts[3] = not_tested.len();
        tally
    }

    /// The counts of several runs together.
    pub(crate) fn plus(mut self, other: &Tally) -> Self {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.controls_that_clear += other.controls_that_clear;
        self
    }

    /// Number of claims, tested or not.
    pub(crate) fn total(&self) -> usize {
        self.counts.iter().sum()
    }
}

/// The verdict that a claim's interval gives, whatever a file says.
pub(super) fn derived(claim: &ClaimResult) -> Verdict {
    verdict(claim.direction, claim.margin, claim.ci95)
}

/// Writes the counts below a page's title.
pub(super) fn write_tally(page: &mut Markup, tally: &Tally) {
    page.open("div", attributes!["class" => "tally"]);
    write_counts(page, tally);
    page.close();
}

/// Writes the counts that are not zero, each with shape and word, as a list.
pub(super) fn write_counts(page: &mut Markup, tally: &Tally) {
    page.open("ul", attributes!["class" => "counts"]);
    for (count, outcome) in tally.counts.iter().zip(Outcome::ALL) {
        if *count > 0 {
            page.open("li", attributes!["class" => outcome.class()]);
            outcome.write_icon(page);
            page.leaf("span", &[], &format!("{count} {}", outcome.word()));
            page.close();
        }
    }
    if tally.controls_that_clear > 0 {
        page.open("li", attributes!["class" => "alarm"]);
        write_alarm_icon(page);
        let (noun, verb) = if tally.controls_that_clear == 1 {
            ("null control", "clears")
        } else {
            ("null controls", "clear")
        };
        let text = format!("{} {noun} {verb} the margin", tally.controls_that_clear);
        page.leaf("span", &[], &text);
        page.close();
    }
    page.close();
}

/// A triangle with an exclamation mark.
pub(super) fn write_alarm_icon(page: &mut Markup) {
    page.open(
        "svg",
        attributes!["class" => "icon", "viewBox" => "0 0 20 20", "width" => 20.0, "height" => 20.0, "aria-hidden" => "true", "focusable" => "false"],
    );
    page.empty(
        "path",
        attributes!["class" => "ground", "d" => "M10 1L20 19H0z"],
    );
    page.empty(
        "path",
        attributes!["class" => "sign", "d" => "M10 7.5V12.5M10 15.6V15.8"],
    );
    page.close();
}
