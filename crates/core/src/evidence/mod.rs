//! Claims, what was measured for them, and the verdict that follows.
//!
//! A study lists its [`Claim`]s as constants. A run measures, for every seed, the effect a claim
//! speaks of, the same effect for the strongest honest baseline, and the same effect under a null
//! control in which it must vanish. The verdict is computed from the effect's interval alone.

mod claim;
mod figure;
mod findings;
mod results;

pub use claim::{Claim, Direction, Verdict, verdict};
pub use figure::{Axis, BarSeries, Figure, Graph, Line, Plot, Points, Reference};
pub use findings::{Findings, Measured, NotTested, ResultTable};
pub use results::{Choice, ClaimResult, DataSource, DataUsed, RunResults, Series, StudyFacts};
