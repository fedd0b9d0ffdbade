//! The queue that all workers share.
//!
//! Takes what comes from other threads. Unbounded, first in first out.

use crate::sync::deque::{self, Steal, Worker};
use crate::sync::spin_loop;
use crate::task::Runnable;

/// The shared queue.
#[derive(Debug)]
pub(crate) struct Injector(deque::Injector<Runnable>);

impl Injector {
    pub(crate) fn new() -> Self {
        Self(deque::Injector::new())
    }

    /// Adds to the back.
    #[inline]
    pub(crate) fn push(&self, runnable: Runnable) {
        self.0.push(runnable);
    }

    /// Moves a batch into `into`, and takes the first of it.
    #[inline]
    pub(crate) fn take_batch(&self, into: &Worker<Runnable>) -> Option<Runnable> {
        if self.is_empty() {
            return None;
        }
        until_decided(|| self.0.steal_batch_and_pop(into))
    }

    /// Takes one.
    pub(crate) fn take(&self) -> Option<Runnable> {
        until_decided(|| self.0.steal())
    }

    /// Whether nothing waits here. Exact only after a fence, see [`park`](crate::park).
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many wait here.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Repeats an attempt that lost a race: `Retry` is not `Empty`.
pub(super) fn until_decided<T>(mut attempt: impl FnMut() -> Steal<T>) -> Option<T> {
    loop {
        match attempt() {
            Steal::Success(value) => return Some(value),
            Steal::Empty => return None,
            Steal::Retry => spin_loop(),
        }
    }
}
