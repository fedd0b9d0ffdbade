//! Where reports are said: to the program's own hook, to `tracing`, or on standard error.

use super::Report;
use std::fmt::Display;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a program does with reports.
pub(crate) type Hook = Arc<dyn Fn(&Report) + Send + Sync>;

/// Where reports are said.
pub(super) struct Outlet {
    hook: Option<Hook>,
}

impl Outlet {
    pub(super) fn new(hook: Option<Hook>) -> Self {
        Self { hook }
    }

    /// Says it. Whether that went well: the hook or the subscriber may panic, and standard error may be closed.
    pub(super) fn say(&self, report: &Report) -> bool {
        let said = catch_unwind(AssertUnwindSafe(|| match &self.hook {
            Some(hook) => {
                hook(report);
                true
            }
            None => traced(report) || print(report),
        }));
        said.unwrap_or_else(|payload| {
            // Dropping it could panic again.
            std::mem::forget(payload);
            false
        })
    }
}

/// One line, in one write, so that lines of several threads do not mix. Whether it went out.
pub(super) fn print(said: &impl Display) -> bool {
    let line = format!("gristmill: {}\n", said.to_string().replace('\n', " "));
    std::io::stderr().lock().write_all(line.as_bytes()).is_ok()
}

/// There is nobody to tell without the feature.
#[cfg(not(feature = "tracing"))]
fn traced(_report: &Report) -> bool {
    false
}

/// Tells the subscriber. Whether there is one.
#[cfg(feature = "tracing")]
fn traced(report: &Report) -> bool {
    use tracing::subscriber::NoSubscriber;

    let nobody = tracing::dispatcher::get_default(|dispatch| dispatch.is::<NoSubscriber>());
    if !nobody {
        emit(report);
    }
    !nobody
}

#[cfg(feature = "tracing")]
fn emit(report: &Report) {
    use tracing::{field, warn};

    let (kind, task) = match report {
        Report::SlowPoll { task, .. } => ("slow_poll", Some(task)),
        Report::Stall { task, .. } => ("stall", Some(task)),
        Report::UnobservedPanic { task, .. } => ("unobserved_panic", Some(task)),
        Report::UnobservedError { task, .. } => ("unobserved_error", Some(task)),
        Report::UnfinishedTask { task } => ("unfinished_task", Some(task)),
        Report::OpenDescriptors { .. } => ("open_descriptors", None),
        Report::UnwaitedChild { .. } => ("unwaited_child", None),
        Report::Lost { .. } => ("lost", None),
    };
    let (duration, cause) = match report {
        Report::SlowPoll {
            duration, cause, ..
        } => (Some(duration.as_secs_f64() * 1e3), Some(*cause)),
        Report::Stall { duration, .. } => (Some(duration.as_secs_f64() * 1e3), None),
        _ => (None, None),
    };
    // Fields without a value are left out.
    warn!(
        target: "gristmill",
        kind,
        task.id = task.and_then(|task| task.id()).map(field::display),
        task.name = task.and_then(|task| task.name()),
        task.spawned_at = task.map(|task| field::display(task.spawned_at())),
        duration_ms = duration,
        cause = cause.map(field::debug),
        "{report}"
    );
}
