//! Who aborted which task, and where.
//!
//! Few tasks are ever aborted, so this is no part of a task: it lies in a table beside the scheduler, from the abort to the
//! end of the task.
//!
//! # Invariants
//!
//! * B1 — An entry is made before the abort's transition, so that whoever ends the task for it finds the entry (edge T6 of
//!   [`word`](super::word)). The first entry stays.
//! * B2 — No entry outlives its task: whoever completes a task that was aborted removes the entry, and an abort that comes after
//!   the completion removes its own.

use super::{Id, current};
use crate::sync::Mutex;
use std::collections::BTreeMap;
use std::panic::Location;

/// Who aborted a task, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abort {
    /// The call.
    pub(super) site: &'static Location<'static>,
    /// The task that made it, if one did.
    pub(super) by: Option<Id>,
}

impl Abort {
    /// By the task of this thread, at the caller's place.
    #[track_caller]
    pub(super) fn here() -> Self {
        Self {
            site: Location::caller(),
            by: current::current_task(),
        }
    }
}

/// The aborts of tasks that have not ended.
pub(crate) struct Aborts(Mutex<BTreeMap<Id, Abort>>);

impl Aborts {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Remembers the first abort of a task.
    pub(super) fn note(&self, task: Id, abort: Abort) {
        self.0.lock().entry(task).or_insert(abort);
    }

    pub(super) fn get(&self, task: Id) -> Option<Abort> {
        self.0.lock().get(&task).copied()
    }

    pub(super) fn forget(&self, task: Id) {
        self.0.lock().remove(&task);
    }

    /// How many tasks were aborted and have not ended.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }
}
