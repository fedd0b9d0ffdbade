//! The scenarios, by kind.
//!
//! Each is one function, generic over the runtime, that takes an `Effort` and gives a `Sample`; `apart` has those of peers that
//! are no such runtime. `ALL` names them for the command line and for the report.

mod table;

mod countdown;
mod in_task;

mod spawn;
mod switch;

mod timers;

mod memory;

mod per_core;
mod tcp;

mod idle;

mod executors;

mod cpu;

mod mixed;

pub(crate) mod apart;

pub(crate) use table::{ALL, Scenario, Unit, find, list};
