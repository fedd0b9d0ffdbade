//! The handle that may end a task.

use super::Id;
use super::aborts::Abort;
use super::header::TaskRef;
use std::fmt;

/// Ends a task from outside, without being able to wait for it.
///
/// Made by [`JoinHandle::abort_handle`](super::JoinHandle::abort_handle). Holding one does not keep the
/// task's future or output alive.
#[derive(Clone)]
pub struct AbortHandle {
    task: TaskRef,
}

impl AbortHandle {
    pub(crate) fn new(task: TaskRef) -> Self {
        Self { task }
    }

    /// Makes the task end at its next point of suspension, or before it first runs.
    ///
    /// The future is dropped on a worker; whoever joins the task gets an error whose
    /// [`is_cancelled`](super::JoinError::is_cancelled) is true. A task that has ended is not touched, and one
    /// that completes in the very poll that is going on is complete. A job of an executor can be aborted
    /// only until it starts.
    ///
    /// The error says where the first abort was, and by which task: [`aborted_at`](super::JoinError::aborted_at),
    /// [`aborted_by`](super::JoinError::aborted_by).
    #[track_caller]
    pub fn abort(&self) {
        self.task.abort(Some(Abort::here()));
    }

    /// Whether the task has ended, in whatever way.
    pub fn is_finished(&self) -> bool {
        self.task.is_complete()
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        self.task.meta().id
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AbortHandle").field(&self.task).finish()
    }
}
