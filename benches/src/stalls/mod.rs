//! What goes on beside tasks that keep their workers, and beside a program that has no descriptor left.
//!
//! - `paced`: clients at a pace, beside tasks that block or compute
//! - `timers`: short timers while every worker is in a long poll
//! - `descriptors`: accepting connections when there are no descriptors, and when there are some again
//! - `table`: the scenarios; processes of `benches one` run them as they do all others
//! - `run`, `report`: the parent, and the targets

mod descriptors;
mod paced;
mod timers;

mod report;
mod run;
mod table;

pub(crate) use run::run;
pub(crate) use table::ALL;
