//! What a unit costs when there are more of them: it should not cost more.
//!
//! - `table`: the curves, their sizes, and how a size is measured
//! - `run`: the parent, which starts a process for every point, and the report

mod run;
mod table;

pub(crate) use run::run;
pub(crate) use table::{ALL, Curve, find};
