//! The scenarios, by kind.
//!
//! Each is one function, generic over the runtime, that takes an `Effort` and gives a `Sample`; `apart` has those of peers that
//! are no such runtime. `ALL` names them for the command line and for the report.

mod table;

pub(crate) mod countdown;
pub(crate) mod in_task;

pub(crate) mod spawn;
pub(crate) mod switch;

mod timers;

mod memory;

mod per_core;
pub(crate) mod tcp;

mod idle;

pub(crate) mod executors;

pub(crate) mod cpu;

pub(crate) mod mixed;

pub(crate) mod apart;

pub(crate) use table::{ALL, Run, Scenario, Unit, find, list};
