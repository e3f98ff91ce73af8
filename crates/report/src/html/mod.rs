//! Pages: what they are made of and how that is written.

mod claims;
mod figures;
mod ids;
mod page;
mod section;
mod tables;
mod verdicts;

pub use page::Page;
pub use section::Section;
pub(crate) use section::StudyRow;
pub(crate) use verdicts::Tally;
