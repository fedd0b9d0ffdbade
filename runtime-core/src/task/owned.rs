#![expect(unsafe_code, reason = "owns references by pointers in its places")]
//! The set of living tasks, so that a shutdown can drop every future that is left.
//!
//! A table of places, each empty or a task. A task remembers its place, so that leaving takes one exchange, without a lock
//! and without a look at other tasks. A runtime has one set for each worker, so that spawning workers do not meet.
//!
//! # Invariants
//!
//! * O1 — A pointer in a place stands for one reference to that task, which so lives. Pointers come in under the lock of the
//!   intake; whoever exchanges one for null owns the reference.
//! * O2 — A task is put into at most one place in its life. It leaves that place only by its own pointer, never by that of a
//!   later tenant.
//! * O3 — Once closed, a set takes no more members: a spawn that comes too late ends its task instead.
//!
//! # Edges
//!
//! * O — `insert` (Release) → `pop` (Acquire): the task is seen in full. To the thread that runs the task its place comes
//!   with the runnable.

use super::header::{Header, TaskRef};
use crate::sync::atomic::{AtomicPtr, Ordering};
use crate::sync::{Mutex, OnceLock};
use std::ptr::{self, NonNull};

/// Places in the first chunk; each further one doubles the table.
const FIRST: usize = if cfg!(any(gristmill_loom, gristmill_shuttle)) {
    2
} else {
    64
};
/// Chunks at most: more places than there can be tasks.
const CHUNKS: usize = 27;

/// A set of living tasks.
pub(crate) struct OwnedSet {
    chunks: [OnceLock<Box<[Place]>>; CHUNKS],
    intake: Mutex<Intake>,
}

type Place = AtomicPtr<Header>;

struct Intake {
    /// Places in use so far.
    places: usize,
    /// The next to look at for an empty one.
    cursor: usize,
    /// Empty ones found in this round.
    reused: usize,
    /// How many may be added before the next round.
    fresh: usize,
    /// Places that `pop` has emptied.
    popped: usize,
    closed: bool,
}

impl OwnedSet {
    pub(crate) fn new() -> Self {
        Self {
            chunks: [const { OnceLock::new() }; CHUNKS],
            intake: Mutex::new(Intake {
                places: 0,
                cursor: 0,
                reused: 0,
                fresh: 0,
                popped: 0,
                closed: false,
            }),
        }
    }

    /// Takes a new task in.
    ///
    /// # Errors
    ///
    /// Gives it back if the set is closed.
    pub(crate) fn insert(&self, task: TaskRef) -> Result<(), TaskRef> {
        let mut intake = self.intake.lock();
        if intake.closed {
            drop(intake);
            return Err(task);
        }
        let index = self.vacancy(&mut intake);
        task.header().place.set(index);
        // ORDERING: Release, edge O.
        self.place(index)
            .store(task.into_raw().as_ptr(), Ordering::Release);
        Ok(())
    }

    /// Takes a task out. Whether it was in; if so the set's reference is the caller's now.
    ///
    /// The task's scheduler names this set.
    #[inline]
    pub(crate) fn remove(&self, task: &Header) -> bool {
        let Some(index) = task.place.get() else {
            return false;
        };
        let own = ptr::from_ref(task).cast_mut();
        // ORDERING: Relaxed; O1 is decided by the exchange alone, and the caller reads nothing through the pointer that it
        // could not read before.
        self.place(index)
            .compare_exchange(own, ptr::null_mut(), Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// Takes no more members from now on.
    pub(crate) fn close(&self) {
        self.intake.lock().closed = true;
    }

    /// Takes any one member out. A closed set is empty once there is none.
    pub(crate) fn pop(&self) -> Option<TaskRef> {
        let mut intake = self.intake.lock();
        while intake.popped < intake.places {
            let index = intake.popped;
            intake.popped += 1;
            if let Some(task) = self.take(index) {
                return Some(task);
            }
        }
        None
    }

    /// How many places there are.
    #[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
    pub(super) fn places(&self) -> usize {
        self.intake.lock().places
    }

    /// How many tasks are in. Looks at every place.
    pub(crate) fn len(&self) -> usize {
        let places = self.intake.lock().places;
        (0..places)
            // ORDERING: Acquire; whoever was told of the end of a task, or of its spawn, sees that counted.
            .filter(|&index| !self.place(index).load(Ordering::Acquire).is_null())
            .count()
    }

    /// An empty place, which only the holder of the intake fills.
    ///
    /// Goes round the table, and adds to it only after a round that found less than half of it empty. What a round finds
    /// taken lived when it began, so the table stays below three places for each task that ever lived at once.
    fn vacancy(&self, intake: &mut Intake) -> usize {
        loop {
            if intake.fresh > 0 {
                intake.fresh -= 1;
                return self.add_place(intake);
            }
            while intake.cursor < intake.places {
                let index = intake.cursor;
                intake.cursor += 1;
                // ORDERING: Relaxed; who emptied it left nothing behind in it.
                if self.place(index).load(Ordering::Relaxed).is_null() {
                    intake.reused += 1;
                    return index;
                }
            }
            if intake.reused * 2 < intake.places.max(1) {
                intake.fresh = FIRST.max(intake.places / 2);
            }
            intake.cursor = 0;
            intake.reused = 0;
        }
    }

    fn add_place(&self, intake: &mut Intake) -> usize {
        let index = intake.places;
        let (chunk, start) = locate(index);
        if start == 0 {
            self.chunks[chunk].get_or_init(|| {
                let length = if chunk == 0 { FIRST } else { index };
                (0..length).map(|_| Place::new(ptr::null_mut())).collect()
            });
        }
        intake.places += 1;
        index
    }

    #[inline]
    fn place(&self, index: usize) -> &Place {
        let (chunk, at) = locate(index);
        match self.chunks[chunk].get() {
            Some(places) => &places[at],
            None => unreachable!("a place is made before its index is given out"),
        }
    }

    /// Takes out who is in a place.
    fn take(&self, index: usize) -> Option<TaskRef> {
        // ORDERING: Acquire, edge O.
        let task = self.place(index).swap(ptr::null_mut(), Ordering::Acquire);
        // SAFETY: O1, the set's reference becomes the caller's.
        NonNull::new(task).map(|task| unsafe { TaskRef::from_raw(task) })
    }
}

/// The chunk of a place, and where in it. Chunk 0 has `FIRST` places, each later one as many as all before it.
#[inline]
fn locate(index: usize) -> (usize, usize) {
    match (index / FIRST).checked_ilog2() {
        None => (0, index),
        Some(log) => (log as usize + 1, index - (FIRST << log)),
    }
}

impl Drop for OwnedSet {
    fn drop(&mut self) {
        self.intake.lock().popped = 0;
        while let Some(task) = self.pop() {
            drop(task);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_has_a_place_of_its_own() {
        let mut lengths = [0; CHUNKS];
        for index in 0..10_000 {
            let (chunk, at) = locate(index);
            assert_eq!(at, lengths[chunk], "{index}");
            lengths[chunk] += 1;
        }
        assert_eq!(lengths[..4], [FIRST, FIRST, 2 * FIRST, 4 * FIRST]);
    }
}
