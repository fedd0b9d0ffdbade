//! What other crates notice for debug mode.

use crate::report::Report;
use crate::scheduler::context;

/// A child process is dropped before its end is known. Reported by the runtime of this thread, if there is one.
pub fn unwaited_child(pid: u32) {
    if let Some(house) = context::house() {
        house
            .engine
            .reporter
            .report(|| Report::UnwaitedChild { pid });
    }
}
