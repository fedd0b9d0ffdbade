//! A worker's own queue: the LIFO slot and a FIFO deque, with the end that others may steal from.
//!
//! # Invariants
//!
//! * L1 — At most [`LIFO_STREAK`] runnables in a row come from the slot while the deque has any: two tasks
//!   that keep waking each other cannot starve the rest.
//!
//! # Rejected
//!
//! * A bound on the deque, with the surplus to the injector: see `docs/decisions/no-surplus.md`.

use super::Injector;
use super::injector::until_decided;
use super::slot::LifoSlot;
use crate::sync::deque::{Stealer, Worker};
use crate::task::Runnable;
use std::cell::Cell;

/// Runs from the slot in a row.
const LIFO_STREAK: u32 = 3;

/// The owner's end.
pub(crate) struct LocalQueue {
    deque: Worker<Runnable>,
    /// Runs from the slot since the last one from elsewhere.
    streak: Cell<u32>,
}

/// The end that other workers see.
#[derive(Debug)]
pub(crate) struct Shared {
    stealer: Stealer<Runnable>,
    slot: LifoSlot,
}

impl LocalQueue {
    /// Makes both ends.
    pub(crate) fn new() -> (Self, Shared) {
        let deque = Worker::new_fifo();
        let shared = Shared {
            stealer: deque.stealer(),
            slot: LifoSlot::new(),
        };
        (
            Self {
                deque,
                streak: Cell::new(0),
            },
            shared,
        )
    }

    /// Puts a runnable first in line; what that displaces goes to the back, and then the answer is true.
    #[inline]
    pub(crate) fn push_first(&self, shared: &Shared, runnable: Runnable) -> bool {
        match shared.slot.put(runnable) {
            None => false,
            Some(displaced) => {
                self.push_back(displaced);
                true
            }
        }
    }

    /// Puts a runnable last in line.
    #[inline]
    pub(crate) fn push_back(&self, runnable: Runnable) {
        self.deque.push(runnable);
    }

    /// Takes the next in line.
    #[inline]
    pub(crate) fn pop(&self, shared: &Shared) -> Option<Runnable> {
        if self.streak.get() < LIFO_STREAK
            && let Some(runnable) = shared.slot.take()
        {
            self.streak.set(self.streak.get() + 1);
            return Some(runnable);
        }
        self.streak.set(0);
        self.deque.pop().or_else(|| shared.slot.take())
    }

    /// Whether nothing waits here.
    pub(crate) fn is_empty(&self, shared: &Shared) -> bool {
        self.deque.is_empty() && shared.slot.is_empty()
    }

    /// Moves a batch from the injector here, and takes the first of it.
    #[inline]
    pub(crate) fn take_from(&self, injector: &Injector) -> Option<Runnable> {
        injector.take_batch(&self.deque)
    }

    /// Moves about half of a victim's deque here, and takes the first of it.
    #[inline]
    pub(crate) fn steal_from(&self, victim: &Shared) -> Option<Runnable> {
        if victim.stealer.is_empty() {
            return None;
        }
        until_decided(|| victim.stealer.steal_batch_and_pop(&self.deque))
    }
}

impl Shared {
    /// Takes the victim's slot; only for a victim that is stuck in a poll.
    pub(crate) fn steal_slot(&self) -> Option<Runnable> {
        self.slot.take()
    }

    /// Whether the deque has something for thieves.
    #[inline]
    pub(crate) fn has_stealable(&self) -> bool {
        !self.stealer.is_empty()
    }

    /// Whether the slot is filled.
    pub(crate) fn has_slot(&self) -> bool {
        !self.slot.is_empty()
    }

    /// How many runnables wait in the deque and the slot.
    pub(crate) fn len(&self) -> usize {
        self.stealer.len() + usize::from(self.has_slot())
    }
}
