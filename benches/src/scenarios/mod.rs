//! The scenarios, by kind.
//!
//! Each is one function, generic over the runtime, that takes an `Effort` and gives a `Sample`. `ALL` names them for the
//! command line and for the report.

mod table;

mod countdown;
mod in_task;

mod spawn;
mod switch;

mod timers;

mod memory;

mod tcp;

mod executors;

mod cpu;

pub(crate) use table::{ALL, Scenario, Unit, find, list};
