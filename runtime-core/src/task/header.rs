#![expect(
    unsafe_code,
    reason = "counts references to a cell whose type is erased"
)]
//! The part of a task that does not depend on its future's type, and the counted pointer to it.
//!
//! # Invariants
//!
//! * H1 — A `Header` is always the first field of a `Cell<F, S>` that its vtable was made for.
//! * H2 — A `TaskRef` owns one reference (I6 of the state word), so the cell outlives it.
//! * H3 — `place` is set once, by the owned set that the task's scheduler names, before anybody else can run the task.

use super::aborts::Abort;
use super::error::JoinError;
use super::meta::Meta;
use super::schedule::Cause;
use super::state::{ClaimOutcome, Standing};
use super::word::StateWord;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicUsize, Ordering};
use std::fmt;
use std::ptr::NonNull;
use std::task::Waker;

/// The head of every task's cell; the rest of its cache line is for the scheduler.
#[repr(C)]
pub(crate) struct Header {
    /// What may happen to the task; see [`state`](super::state).
    pub(super) state: StateWord,
    /// The operations that know the future's type.
    pub(super) vtable: &'static Vtable,
    /// Where in the owned set the task is.
    pub(super) place: PlaceIndex,
    /// Identity and spawn site; never written after the spawn.
    pub(super) meta: Meta,
}

#[cfg(all(
    not(any(gristmill_loom, gristmill_shuttle)),
    target_pointer_width = "64"
))]
const _: () = assert!(
    size_of::<Header>() == 40,
    "header and scheduler leave room in the cache line for the future"
);

/// Where in its owned set a task is, if it was put into one.
pub(super) struct PlaceIndex(AtomicUsize);

impl PlaceIndex {
    const NONE: usize = usize::MAX;

    pub(super) fn none() -> Self {
        Self(AtomicUsize::new(Self::NONE))
    }

    pub(super) fn set(&self, index: usize) {
        // ORDERING: Relaxed; published with the task, by the set and with the runnable (H3).
        self.0.store(index, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn get(&self) -> Option<usize> {
        // ORDERING: Relaxed, as above.
        let index = self.0.load(Ordering::Relaxed);
        (index != Self::NONE).then_some(index)
    }
}

/// The operations that know the future's type.
///
/// All take a pointer to a living cell of that type.
pub(super) struct Vtable {
    /// Runs a runnable; consumes its reference.
    pub(super) poll: unsafe fn(NonNull<Header>),
    /// Hands a runnable, which takes over one reference, to the scheduler.
    pub(super) schedule: unsafe fn(NonNull<Header>, Cause),
    /// Ends the task with the error unless it runs or has ended; borrows.
    pub(super) end: unsafe fn(NonNull<Header>, JoinError) -> ClaimOutcome,
    /// Does what an abort asks for, and remembers who asked, if that is told; borrows.
    pub(super) abort: unsafe fn(NonNull<Header>, Option<Abort>),
    /// Writes `Poll::Ready` to the place behind the pointer if the task has ended, or else registers
    /// the waker; borrows. Only for the `JoinHandle`.
    pub(super) take_output: unsafe fn(NonNull<Header>, *mut (), &Waker),
    /// The `JoinHandle` goes; borrows.
    pub(super) drop_join: unsafe fn(NonNull<Header>),
    /// What the user called the task; borrows.
    pub(super) name: unsafe fn(NonNull<Header>) -> Option<Arc<str>>,
    /// Frees the cell.
    pub(super) free: unsafe fn(NonNull<Header>),
}

/// A counted pointer to a task.
pub(crate) struct TaskRef(NonNull<Header>);

// SAFETY: a task's future is `Send` (see `allocate`), and all that a `TaskRef` reaches is atomic or
// immutable.
unsafe impl Send for TaskRef {}
// SAFETY: as above; every operation offered through `&TaskRef` synchronizes by the state word.
unsafe impl Sync for TaskRef {}

impl TaskRef {
    /// Takes over one reference.
    ///
    /// # Safety
    ///
    /// The pointer is to a living cell, and the caller owns one of its references.
    #[inline]
    pub(super) unsafe fn from_raw(task: NonNull<Header>) -> Self {
        Self(task)
    }

    /// Gives the reference to the caller.
    #[inline]
    pub(super) fn into_raw(self) -> NonNull<Header> {
        let task = self.0;
        std::mem::forget(self);
        task
    }

    #[inline]
    pub(super) fn as_raw(&self) -> NonNull<Header> {
        self.0
    }

    #[inline]
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: H2, the cell lives as long as this reference.
        unsafe { self.0.as_ref() }
    }

    pub(crate) fn meta(&self) -> &Meta {
        &self.header().meta
    }

    /// What the user called the task, if anything.
    pub(crate) fn name(&self) -> Option<Arc<str>> {
        // SAFETY: H2 for a living cell, H1 for the matching vtable.
        unsafe { (self.header().vtable.name)(self.0) }
    }

    /// What the task is doing.
    pub(crate) fn standing(&self) -> Standing {
        self.header().state.load().standing()
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.header().state.load().is_complete()
    }

    /// Ends the task as the error says, unless it has ended or is just being polled; in that case it
    /// ends as cancelled after the poll. A task that was aborted before ends as aborted. The future is dropped on this thread.
    pub(crate) fn end(&self, error: JoinError) {
        let _ = self.claim_and_end(error);
    }

    /// As [`end`](Self::end); says what came of it.
    pub(crate) fn claim_and_end(&self, error: JoinError) -> ClaimOutcome {
        // SAFETY: H2 for a living cell, H1 for the matching vtable.
        unsafe { (self.header().vtable.end)(self.0, error) }
    }

    /// Makes the task end at its next point of suspension.
    pub(super) fn abort(&self, abort: Option<Abort>) {
        // SAFETY: H2 for a living cell, H1 for the matching vtable.
        unsafe { (self.header().vtable.abort)(self.0, abort) }
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        self.header().state.add_ref();
        Self(self.0)
    }
}

impl Drop for TaskRef {
    #[inline]
    fn drop(&mut self) {
        if self.header().state.release_refs(1) {
            // SAFETY: that was the last reference (I6), so nobody else can reach the cell.
            unsafe { (self.header().vtable.free)(self.0) }
        }
    }
}

impl fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Meta { id, site } = self.meta();
        write!(f, "task {id}")?;
        if let Some(name) = self.name() {
            write!(f, " {name:?}")?;
        }
        write!(f, " spawned at {site}")
    }
}
