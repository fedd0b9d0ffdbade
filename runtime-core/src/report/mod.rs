//! What there is to report, and how it gets out.
//!
//! ```text
//!   a long poll, a stall ────┐
//!   a failure nobody saw ────┤                   bounded channel
//!   a task left at shutdown ─┼──▶ reporter ─────────────────────▶ its thread ──▶ outlet: hook, `tracing`, or
//!   a descriptor, a child ───┘    counts; never waits                                     standard error
//! ```
//!
//! Knows no workers: who notices something hands it in. [`report`] — what can be said; [`reporter`] — counting, and the
//! way out of the workers' threads; [`outlet`] — where it is said. [`policy`] — what is done about panics, in debug mode or not.
//!
//! And what a shutdown has to say, with or without debug mode: [`leftovers`] — what it finds unfinished, noted by every thread that
//! drops futures; [`shutdown_report`] — what its caller gets.

pub(crate) mod leftovers;
pub(crate) mod shutdown_report;

mod outlet;
mod policy;
#[expect(
    clippy::module_inception,
    reason = "the file is about the report, the folder about reporting"
)]
mod report;

pub(crate) mod reporter;

pub use policy::{PanicHandler, TaskPanic, UnhandledPanic};
pub use report::{Report, ReportedTask, SlowPollCause};

pub use shutdown_report::{
    ShutdownReport, UnfinishedJob, UnfinishedJobState, UnfinishedTask, UnfinishedTaskState,
};

pub(crate) use leftovers::{Leftovers, Unreached};
pub(crate) use outlet::Hook;
pub(crate) use reporter::Reporter;
