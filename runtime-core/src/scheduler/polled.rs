#![expect(unsafe_code, reason = "keeps a spawn site as an atomic pointer")]
//! Which task a worker polls, for whoever watches it from outside.
//!
//! The worker says it before every poll, so it has to cost next to nothing: two plain stores, and one after the poll. A name would
//! cost more; it is looked up by the id, see [`named`](crate::task::named).
//!
//! # Invariants
//!
//! * X2 — The pointer is null or was made from a `&'static Location`.
//!
//! The id and the site are two words, so a reader may see them of two tasks. It asks only when it has seen the same poll go on for a
//! whole tick: then both were stored long ago.

use crate::report::ReportedTask;
use crate::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use crate::task::{Id, Meta, named};
use std::panic::Location;
use std::ptr;

/// What is being polled; written by the worker's own thread.
#[derive(Debug)]
pub(crate) struct Polled {
    /// Where it was spawned; null between polls.
    site: AtomicPtr<Location<'static>>,
    /// The id of the task that is, or was last, polled; zero for what is no task.
    task: AtomicU64,
}

impl Polled {
    pub(super) fn new() -> Self {
        Self {
            site: AtomicPtr::new(ptr::null_mut()),
            task: AtomicU64::new(0),
        }
    }

    /// A poll of a task begins.
    #[inline]
    pub(super) fn begin(&self, task: &Meta) {
        self.set(Some(task.id), task.site);
    }

    /// A poll of a future that is no task begins.
    #[inline]
    pub(super) fn begin_root(&self, site: &'static Location<'static>) {
        self.set(None, site);
    }

    /// The poll is over.
    #[inline]
    pub(super) fn end(&self) {
        // ORDERING: Relaxed; a hint.
        self.site.store(ptr::null_mut(), Ordering::Relaxed);
    }

    #[inline]
    fn set(&self, task: Option<Id>, site: &'static Location<'static>) {
        // ORDERING: Relaxed, twice; what the pointer leads to is immutable and was there before the program began.
        self.task
            .store(task.map_or(0, Id::number), Ordering::Relaxed);
        self.site
            .store(ptr::from_ref(site).cast_mut(), Ordering::Relaxed);
    }

    /// Whether something is being polled.
    #[inline]
    pub(super) fn is_some(&self) -> bool {
        // ORDERING: Relaxed; a hint.
        !self.site.load(Ordering::Relaxed).is_null()
    }

    /// The id of the task that is being polled.
    pub(super) fn task(&self) -> Option<Id> {
        // ORDERING: Relaxed; a hint.
        let task = Id::from_number(self.task.load(Ordering::Relaxed));
        task.filter(|_| self.is_some())
    }

    /// What is being polled.
    pub(super) fn get(&self) -> Option<ReportedTask> {
        // ORDERING: Relaxed, twice; see `set`.
        let site = self.site.load(Ordering::Relaxed);
        let task = Id::from_number(self.task.load(Ordering::Relaxed));
        // SAFETY: X2.
        let site = unsafe { site.cast_const().as_ref() }?;
        Some(ReportedTask {
            id: task,
            name: task.and_then(named::name_of),
            site,
        })
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn what_is_polled_is_known_until_the_end_of_the_poll() {
        let polled = Polled::new();
        assert!(!polled.is_some() && polled.get().is_none());
        let meta = Meta::new(Location::caller());
        polled.begin(&meta);
        let task = polled.get().expect("a poll");
        assert_eq!(task.id(), Some(meta.id));
        assert_eq!(task.spawned_at(), meta.site);
        assert_eq!(task.name(), None);
        polled.begin_root(meta.site);
        assert_eq!(polled.get().expect("a poll").id(), None);
        polled.end();
        assert!(!polled.is_some() && polled.get().is_none());
    }
}
