//! Evidence turned into HTML and SVG.
//!
//! [`figure_svg`] draws a figure as a file of its own. [`study_report`], [`combined_report`],
//! [`comparison_report`] and [`encoding_report`] make whole pages; each is composed of a [`Page`] with
//! [`Section`]s, which other commands use in the same way. Pages need nothing beside themselves: no script, no font, no
//! network. The same input gives the same bytes.

mod html;
mod markup;
mod number;
mod plots;
mod reports;
mod svg;

pub use html::{Page, Section};
pub use number::{format_interval, format_number};
pub use plots::figure_svg;
pub use reports::{CeilingScores, Comparison, Contribution, Dissimilarities, Encoding, StudyEntry};
pub use reports::{ModelPair, ModelPerformance, ModelPerformances};
pub use reports::{combined_report, comparison_report, encoding_report, study_report};
