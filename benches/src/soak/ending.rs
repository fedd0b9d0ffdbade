//! The ways in which a runtime ends.

use std::thread;
use std::time::Duration;

use gristmill::runtime::Runtime;

use super::lanes::Lane;
use super::stage::Flavour;
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
    pub(super) fn end(self, runtime: Runtime, flavour: Flavour, lane: &Lane) {
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
            Self::Inside => end_inside(runtime, flavour),
        }
    }
}

/// Has a task of `runtime` drop it.
fn end_inside(runtime: Runtime, flavour: Flavour) {
    let handle = runtime.handle().clone();
    let task = handle.spawn(async move { drop(runtime) });
    let driver = (flavour == Flavour::CurrentThread).then(|| {
        // Somebody has to run the task; the wait ends with the runtime.
        thread::spawn(move || handle.block_on(async { gristmill::task::yield_now().await }))
    });
    let ended = futures_lite::future::block_on(task);
    // The task may be cancelled by the very shutdown that it causes.
    if ended.is_err_and(|error| error.is_panic()) {
        violation("the task that dropped its runtime panicked");
    }
    if let Some(driver) = driver
        && driver.join().is_err()
    {
        violation("a thread whose runtime was dropped by a task panicked");
    }
}
