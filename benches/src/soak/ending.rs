//! The ways in which a runtime ends.

use std::time::Duration;

use gristmill::runtime::Runtime;

use super::lanes::Lane;
use super::verdict::violation;

/// A way to end a runtime.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    /// Loads end their rounds and are awaited; then the runtime is dropped.
    InOrder,
    /// Dropped in the middle of everything.
    Drop,
    /// With more time than anything needs.
    LongTimeout,
    /// With less time than some things need.
    ShortTimeout,
    /// Without waiting.
    Background,
    /// Dropped by one of its own tasks.
    Inside,
}

impl Ending {
    pub(super) const ALL: [Self; 6] = [
        Self::InOrder,
        Self::Drop,
        Self::LongTimeout,
        Self::ShortTimeout,
        Self::Background,
        Self::Inside,
    ];

    /// Whether everything has ended when the call returns.
    pub(super) const fn is_complete(self) -> bool {
        matches!(self, Self::InOrder | Self::Drop | Self::LongTimeout)
    }

    /// Ends `runtime`.
    pub(super) fn end(self, runtime: Runtime, lane: &Lane) {
        lane.at("shutting down");
        match self {
            Self::InOrder | Self::Drop => drop(runtime),
            Self::LongTimeout => {
                let report = runtime.shutdown_timeout(Duration::from_secs(20));
                if !report.threads().is_empty() || report.open_descriptors() > 0 {
                    violation(format!(
                        "a shutdown with time enough left something: {report}"
                    ));
                }
            }
            // Whatever it tells has to come to its end all the same, which the ledger checks.
            Self::ShortTimeout => drop(runtime.shutdown_timeout(Duration::from_millis(1))),
            Self::Background => runtime.shutdown_background(),
            Self::Inside => end_inside(runtime),
        }
    }
}

/// Has a task of `runtime` drop it. Where there are no workers, this thread runs the task.
fn end_inside(runtime: Runtime) {
    let handle = runtime.handle().clone();
    let task = handle.spawn(async move { drop(runtime) });
    // The task may be cancelled by the very shutdown that it causes.
    if handle.block_on(task).is_err_and(|error| error.is_panic()) {
        violation("the task that dropped its runtime panicked");
    }
}
