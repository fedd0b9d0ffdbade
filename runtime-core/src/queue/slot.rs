#![expect(unsafe_code, reason = "keeps a runnable as an atomic pointer")]
//! The LIFO slot: room for the runnable that was made last.
//!
//! A task that wakes another and then suspends, as in every request and reply, finds its partner here,
//! still warm in the cache and ahead of the whole queue.
//!
//! # Invariants
//!
//! * S1 — Only the owning worker puts a runnable in; anybody may take it out.
//! * S2 — A pointer in the slot stands for exactly one runnable. Every access is a swap, so whoever gets the
//!   pointer is the only one who got it.
//!
//! # Edges
//!
//! * Q1 — `put` (Release) → `take` (Acquire): the taker sees all that was written to the task.
//!
//! # Rejected
//!
//! * Letting thieves take a fresh slot, and waking a thief at every `put`: measured elsewhere at a third of
//!   the throughput of message passing, and taken back.

use crate::sync::atomic::{AtomicPtr, Ordering};
use crate::task::{Runnable, header::Header};
use std::ptr;

/// Room for one runnable.
#[derive(Debug)]
pub(crate) struct LifoSlot(AtomicPtr<Header>);

impl LifoSlot {
    pub(crate) fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Puts a runnable in; gives back the one that it displaces. Only for the owner (S1).
    #[inline]
    pub(crate) fn put(&self, runnable: Runnable) -> Option<Runnable> {
        // ORDERING: AcqRel, edge Q1 at both ends: this runnable out, the displaced one in.
        let old = self.0.swap(runnable.into_ptr(), Ordering::AcqRel);
        // SAFETY: S2, the swap made this thread the only owner of what was in.
        unsafe { Runnable::from_ptr(old) }
    }

    /// Takes the runnable out, if there is one.
    #[inline]
    pub(crate) fn take(&self) -> Option<Runnable> {
        if self.is_empty() {
            return None;
        }
        // ORDERING: Acquire, edge Q1 from `put`.
        let old = self.0.swap(ptr::null_mut(), Ordering::Acquire);
        // SAFETY: S2, the swap made this thread the only owner of what was in.
        unsafe { Runnable::from_ptr(old) }
    }

    /// Whether nothing is in. Exact for the owner, a guess for others.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // ORDERING: Relaxed; nothing is read through the pointer. A sleeper's look that must not miss a
        // `put` has a fence before it, and only the owner puts.
        self.0.load(Ordering::Relaxed).is_null()
    }
}

impl Drop for LifoSlot {
    fn drop(&mut self) {
        drop(self.take());
    }
}
