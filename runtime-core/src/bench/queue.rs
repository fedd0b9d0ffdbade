//! A worker's local queue and the injector.

use super::task::Item;
use crate::queue::{Injector, LocalQueue, Shared as Stealable};
use std::fmt;

/// The queue that all workers share.
#[derive(Debug)]
pub struct Shared(Injector);

/// A worker's own queue, both ends.
pub struct Local {
    own: LocalQueue,
    seen: Stealable,
}

/// The end of a worker's queue that other workers see.
#[derive(Debug)]
pub struct Victim(Stealable);

impl Shared {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self(Injector::new())
    }

    /// Adds to the back.
    #[inline]
    pub fn push(&self, item: Item) {
        self.0.push(item.0);
    }

    /// Takes the first.
    #[inline]
    #[must_use]
    pub fn take(&self) -> Option<Item> {
        self.0.take().map(Item)
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self::new()
    }
}

impl Local {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        let (own, seen) = LocalQueue::new();
        Self { own, seen }
    }

    /// Puts an item first in line, into the slot.
    #[inline]
    pub fn push_first(&self, item: Item) {
        self.own.push_first(&self.seen, item.0);
    }

    /// Puts an item last in line.
    #[inline]
    pub fn push_back(&self, item: Item) {
        self.own.push_back(item.0);
    }

    /// Takes the next in line.
    #[inline]
    #[must_use]
    pub fn pop(&self) -> Option<Item> {
        self.own.pop(&self.seen).map(Item)
    }

    /// Moves a batch of a victim's items here, and takes the first of it.
    #[inline]
    #[must_use]
    pub fn steal_from(&self, victim: &Victim) -> Option<Item> {
        self.own.steal_from(&victim.0).map(Item)
    }

    /// Moves a batch from the shared queue here, and takes the first of it.
    #[inline]
    #[must_use]
    pub fn take_from(&self, shared: &Shared) -> Option<Item> {
        self.own.take_from(&shared.0).map(Item)
    }

    /// Gives the owner's end up: what is in the queue can only be stolen.
    #[must_use]
    pub fn into_victim(self) -> Victim {
        Victim(self.seen)
    }
}

impl Default for Local {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.seen.fmt(f)
    }
}
