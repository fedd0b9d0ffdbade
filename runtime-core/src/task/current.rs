//! Which task or job runs on this thread.
//!
//! Not through the door: the hook of panics asks too, at moments at which `shuttle` does not answer.

use super::Id;
use std::cell::Cell;

thread_local! {
    /// The task or job that runs on this thread.
    static TASK: Cell<Option<Id>> = const { Cell::new(None) };
}

/// Names the task that runs on this thread, until the guard is dropped.
#[must_use]
pub(crate) struct TaskScope(Option<Id>);

#[inline]
pub(crate) fn enter_task(id: Id) -> TaskScope {
    TaskScope(TASK.replace(Some(id)))
}

impl Drop for TaskScope {
    #[inline]
    fn drop(&mut self) {
        TASK.set(self.0);
    }
}

/// The task or job that runs on this thread.
pub(crate) fn current_task() -> Option<Id> {
    TASK.try_with(Cell::get).ok().flatten()
}
