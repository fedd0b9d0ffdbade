#![expect(unsafe_code, reason = "owns an erased reference to a task")]
//! The right to poll a task once.
//!
//! A runnable owns one reference (I2). Queues hold runnables; a runnable that is dropped without being
//! run, as when a queue is drained at shutdown, ends its task as cancelled.

use super::error::JoinError;
use super::header::{Header, TaskRef};
use super::meta::Meta;
use crate::sync::Arc;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// The right to poll a task once.
pub(crate) struct Runnable(ManuallyDrop<TaskRef>);

impl Runnable {
    /// Takes over one reference.
    ///
    /// # Safety
    ///
    /// The caller owns the reference, and the task is SCHEDULED with no other runnable.
    #[inline]
    pub(super) unsafe fn from_raw(task: NonNull<Header>) -> Self {
        // SAFETY: the caller's reference.
        Self(ManuallyDrop::new(unsafe { TaskRef::from_raw(task) }))
    }

    /// Polls the task, unless it was aborted: then its future is dropped.
    ///
    /// A panic of the task's own code stays in the task.
    #[inline]
    pub(crate) fn run(self) {
        let task = self.0.as_raw();
        let poll = self.0.header().vtable.poll;
        std::mem::forget(self);
        // SAFETY: by H1 and H2 of the header: the reference moves into the call.
        unsafe { poll(task) }
    }

    /// What the task is called and where it comes from.
    #[inline]
    pub(crate) fn meta(&self) -> &Meta {
        self.0.meta()
    }

    /// Whether the task has ended, so that there is nothing to run.
    pub(crate) fn is_complete(&self) -> bool {
        self.0.is_complete()
    }

    /// What the user called the task, if anything.
    pub(crate) fn name(&self) -> Option<Arc<str>> {
        self.0.name()
    }

    /// The task, without the right to poll it. The caller ends it: nobody else would.
    pub(crate) fn into_task(mut self) -> TaskRef {
        // SAFETY: the reference is taken once, for the runnable is forgotten.
        let task = unsafe { ManuallyDrop::take(&mut self.0) };
        std::mem::forget(self);
        task
    }

    /// The task itself.
    pub(crate) fn task(&self) -> TaskRef {
        TaskRef::clone(&self.0)
    }

    /// The runnable as a plain pointer, for the LIFO slot; [`from_ptr`](Self::from_ptr) takes it back.
    #[inline]
    pub(crate) fn into_ptr(self) -> *mut Header {
        let task = self.0.as_raw();
        std::mem::forget(self);
        task.as_ptr()
    }

    /// The runnable behind a pointer that [`into_ptr`](Self::into_ptr) gave, or none for null.
    ///
    /// # Safety
    ///
    /// The pointer is null or from `into_ptr`, and was not taken back before.
    #[inline]
    pub(crate) unsafe fn from_ptr(task: *mut Header) -> Option<Self> {
        // SAFETY: `into_ptr` kept the reference and the right to poll, which are taken up here.
        NonNull::new(task).map(|task| unsafe { Self::from_raw(task) })
    }
}

impl Drop for Runnable {
    fn drop(&mut self) {
        self.0.end(JoinError::undone(self.meta().id));
        // SAFETY: a runnable is dropped once, and not used afterwards.
        unsafe { ManuallyDrop::drop(&mut self.0) };
    }
}

impl fmt::Debug for Runnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runnable").field(&*self.0).finish()
    }
}
