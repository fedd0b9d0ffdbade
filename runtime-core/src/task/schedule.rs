//! What a task needs of the world around it.

use super::header::Header;
use super::{Aborts, JoinError, Meta, Runnable, Unobserved};
use crate::sync::Arc;

/// Why a runnable is to be put somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The task is new.
    Spawned,
    /// Somebody woke it while it slept, or aborted it.
    Woken,
    /// It was woken while it ran, most often by itself: others should get their turn first.
    Yielded,
}

/// Where a task's runnables go, and where it is registered while it lives.
///
/// A value of this lives inside the task's cell.
pub(crate) trait Schedule: Send + Sync + Sized + 'static {
    /// Whether an abort takes a future that has not started at once, on the aborting thread, instead
    /// of leaving its end to whoever would run it.
    const CLAIM_ON_ABORT: bool;

    /// Where a runnable goes, on its own.
    type Address;

    /// Looks up where this task's runnables go from this thread.
    fn address(&self) -> Self::Address;

    /// Takes a runnable.
    ///
    /// From the moment that another thread can see the runnable, the task may be run, finished and freed, and with it the
    /// value whose address this is: hence an address that stands by itself.
    fn send(address: Self::Address, runnable: Runnable, cause: Cause);

    /// Takes a finished task out of the set of living ones. Whether it was in it, so that the set's
    /// reference is the caller's now.
    fn release(&self, task: &Header) -> bool;

    /// The task panicked, and will end with this error.
    fn panicked(&self, _meta: &Meta, _name: Option<&Arc<str>>, _error: &JoinError) {}

    /// The task failed, and nobody will see it: the output is about to be dropped.
    fn unobserved(&self, _meta: &Meta, _name: Option<&Arc<str>>, _failure: Unobserved<'_>) {}

    /// Where aborts are remembered until the task ends; without it errors do not say who aborted.
    fn aborts(&self) -> Option<&Aborts> {
        None
    }

    /// The task was aborted while it was polled, did not end in that poll, and its future is about to be dropped.
    fn cut_off(&self, _meta: &Meta, _name: Option<&Arc<str>>) {}

    /// What the user called the task, if anything.
    fn name(&self) -> Option<&Arc<str>> {
        None
    }
}
