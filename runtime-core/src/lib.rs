//! The engine of gristmill: tasks, queues, parking, reactor, scheduler, runtime.
//!
//! This crate is the mechanism; users take its names from the facade `gristmill`. The layers, bottom first; each
//! imports only from those before it:
//!
//! ```text
//!   sync ─▶ task ─▶ queue ─▶ park ─▶ reactor ─▶ report ─▶ scheduler ─▶ runtime
//!            │        │        │        │          │          │           │
//!         what a   where     how     who hears   what      who runs    assembly:
//!         task is  runnables threads from the    debug     what, when  Builder, Runtime,
//!                  wait      sleep   system      mode says             Handle, block_on
//! ```
//!
//! `runtime-timer` and `runtime-blocking` stand beside it and know nothing of it.

mod sync;

mod task;

mod queue;

mod park;

mod reactor;

mod report;

mod scheduler;

mod runtime;

pub mod guarded;

#[cfg(all(test, gristmill_loom))]
mod models;

#[cfg(all(test, gristmill_shuttle))]
mod schedules;

#[cfg(gristmill_bench)]
pub mod bench;

pub use reactor::{Direction, Initial, Interest, Ready, Registered};
pub use report::{
    PanicHandler, Report, ReportedTask, ShutdownReport, SlowPollCause, TaskPanic, UnfinishedJob,
    UnfinishedJobState, UnfinishedTask, UnfinishedTaskState, UnhandledPanic,
};
pub use runtime::*;
pub use scheduler::block_in_place::block_in_place;
pub use task::budget::{Spent, Unconstrained, consume_budget, poll_proceed, unconstrained};
pub use task::{AbortHandle, Id, JoinError, JoinHandle, PanicLocation};

/// What to tell who needs a runtime where there is none.
const NO_RUNTIME: &str = "there is no gristmill runtime on this thread: call this inside gristmill::run, \
                          Runtime::block_on or a task, or enter one with Handle::enter";
