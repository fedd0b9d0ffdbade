#![expect(
    unsafe_code,
    reason = "reads the output of a task whose type is erased"
)]
//! The handle that may take a task's output.

use super::aborts::Abort;
use super::budget;
use super::error::JoinError;
use super::header::TaskRef;
use super::{AbortHandle, Id};
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Awaits the end of a task or of an executor's job, and gives its output.
///
/// Dropping the handle detaches the task: it goes on, and its output is dropped when it ends.
///
/// # Errors
///
/// The output is an error if the task was aborted, panicked, was dropped by the shutdown of its runtime,
/// or could not be started; see [`JoinError`].
///
/// # Panics
///
/// When polled again after it gave its output.
///
/// # Cancel safety
///
/// Awaiting `&mut handle` can be given up and taken up again; nothing is lost.
pub struct JoinHandle<T> {
    task: ManuallyDrop<TaskRef>,
    _output: PhantomData<T>,
}

// SAFETY: the handle gives access to nothing of a task but its output, by value, hence `T: Send`.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: `&JoinHandle` gives no access to the output.
unsafe impl<T: Send> Sync for JoinHandle<T> {}
impl<T> Unpin for JoinHandle<T> {}
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    pub(super) fn new(task: TaskRef) -> Self {
        Self {
            task: ManuallyDrop::new(task),
            _output: PhantomData,
        }
    }

    /// Makes the task end at its next point of suspension; see [`AbortHandle::abort`].
    ///
    /// Await the handle afterwards to know that the future is gone.
    #[doc(alias = "cancel")]
    #[track_caller]
    pub fn abort(&self) {
        self.task.abort(Some(Abort::here()));
    }

    /// As [`abort`](Self::abort), by somebody who lets no one see the error.
    pub(crate) fn abort_unseen(&self) {
        self.task.abort(None);
    }

    /// A handle that can abort the task, and nothing else.
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle::new(TaskRef::clone(&self.task))
    }

    /// Whether the task has ended, in whatever way.
    #[doc(alias = "done")]
    pub fn is_finished(&self) -> bool {
        self.task.is_complete()
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        self.task.meta().id
    }

    /// Ends a task that was spawned after the end of its runtime.
    pub(crate) fn refuse_late(&self) {
        self.task.end(JoinError::too_late(self.id()));
    }

    /// Ends a task that could not be started.
    pub(crate) fn refuse(&self, error: std::io::Error) {
        self.task.end(JoinError::refused(self.id(), error));
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let spent = ready!(budget::poll_proceed(cx));
        let mut output: Poll<Self::Output> = Poll::Pending;
        let task = self.task.as_raw();
        // SAFETY: the handle owns a reference, is the only one for this task, and passes the output's
        // own type, which it was made for.
        unsafe {
            (self.task.header().vtable.take_output)(task, (&raw mut output).cast(), cx.waker());
        }
        if output.is_ready() {
            spent.made_progress();
        }
        output
    }
}

impl<T> Drop for JoinHandle<T> {
    #[inline]
    fn drop(&mut self) {
        if self.task.header().state.detach_unstarted() {
            // The transition gave up this handle's reference.
            return;
        }
        // SAFETY: the handle still owns its reference.
        unsafe { (self.task.header().vtable.drop_join)(self.task.as_raw()) };
        // SAFETY: dropped once, and not used afterwards.
        unsafe { ManuallyDrop::drop(&mut self.task) };
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JoinHandle").field(&self.task).finish()
    }
}
