//! Sources that were taken for drained, to be looked at once more.
//!
//! A read that fills its buffer leaves open whether there is more. With edges the reader has to try again before it waits, and where
//! messages are as long as the buffers that is a system call for each that finds nothing. What comes after the last event was fetched is
//! another event, so only what was there by then, and did not fit, would be missed by who takes the source for drained. So where such
//! attempts keep finding nothing ([`odds`](super::odds)) a worker takes the source for drained, and notes it on its lane's list. If
//! no event has come for it when the worker would sleep, or after a few looks at its pollers, it counts as readable again: the attempt
//! is made after all. Nothing of this rests on the system's reporting all that comes later: a doubt has its note until it is settled.
//!
//! ```text
//!    a full read ──▶ doubtful, noted ──an event, or an attempt that finds nothing──▶ settled, the note means nothing
//!                            │
//!                            └── before a sleep, at a turn of the list, at a tick ──▶ readable: the reader tries
//! ```
//!
//! # Invariants
//!
//! * K1 — A source is made doubtful under the lock of the list that takes the note of it. So a source in doubt is noted, and whoever takes the
//!   note makes it readable, unless the doubt is settled.
//! * K2 — A note settles only its own doubt: the generation of the readiness tells it from a later one.
//! * K3 — Only the lane's worker notes, between its looks. It neither sleeps nor leaves its lane while the list has notes; if it does not
//!   look for a whole tick, the reactor thread takes them.

use super::key::Key;
use super::readiness::Seen;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

/// More notes than this are not kept: who comes then tries at once.
const MOST: usize = 4_096;

/// A source that was taken for drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(super) key: Key,
    /// Its readiness at that moment.
    pub(super) seen: Seen,
}

impl Note {
    /// For tests and models, which have no table of sources.
    #[cfg(all(any(test, gristmill_loom), not(gristmill_shuttle)))]
    pub(crate) fn of(key: usize, seen: Seen) -> Self {
        Self {
            key: Key::from_raw(key),
            seen,
        }
    }

    #[cfg(gristmill_loom)]
    pub(crate) fn seen(self) -> Seen {
        self.seen
    }
}

/// The notes of one lane.
#[derive(Debug)]
pub(crate) struct Rechecks {
    has_notes: AtomicBool,
    lists: Mutex<Lists>,
}

#[derive(Debug)]
struct Lists {
    /// Since the last turn.
    young: Vec<Note>,
    /// From before it.
    old: Vec<Note>,
}

impl Rechecks {
    pub(crate) fn new() -> Self {
        Self {
            has_notes: AtomicBool::new(false),
            lists: Mutex::new(Lists {
                young: Vec::new(),
                old: Vec::new(),
            }),
        }
    }

    /// Notes a source, if `doubt` makes it doubtful and there is room. Whether it did. Only for the lane's worker.
    pub(crate) fn note(&self, note: Note, doubt: impl FnOnce() -> bool) -> bool {
        let mut lists = self.lists.lock();
        let is_noted = lists.young.len() + lists.old.len() < MOST && doubt();
        if is_noted {
            lists.young.push(note);
            // ORDERING: Relaxed, as everywhere here. It is the worker itself that must not miss it; another that does looks again a tick
            // later.
            self.has_notes.store(true, Ordering::Relaxed);
        }
        is_noted
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // ORDERING: Relaxed, see `note`.
        !self.has_notes.load(Ordering::Relaxed)
    }

    /// Moves the notes from before the last turn to `taken`, which is empty, and makes a turn.
    pub(crate) fn turn(&self, taken: &mut Vec<Note>) {
        let mut lists = self.lists.lock();
        let Lists { young, old } = &mut *lists;
        std::mem::swap(old, taken);
        std::mem::swap(young, old);
        self.note_end(&lists);
    }

    /// Moves all to `taken`.
    pub(crate) fn take_all(&self, taken: &mut Vec<Note>) {
        let mut lists = self.lists.lock();
        taken.append(&mut lists.old);
        taken.append(&mut lists.young);
        self.note_end(&lists);
    }

    fn note_end(&self, lists: &Lists) {
        let has_notes = !(lists.young.is_empty() && lists.old.is_empty());
        // ORDERING: Relaxed, see `note`.
        self.has_notes.store(has_notes, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;
    use crate::reactor::ready::Ready;
    use crate::reactor::source::Source;

    fn note(key: usize) -> Note {
        Note::of(key, Source::new(Ready::BOTH).seen())
    }

    #[test]
    fn a_note_is_taken_at_the_second_turn() {
        let rechecks = Rechecks::new();
        let mut taken = Vec::new();
        assert!(rechecks.note(note(1), || true));
        rechecks.turn(&mut taken);
        assert_eq!(taken, []);
        assert!(rechecks.note(note(2), || true));
        rechecks.turn(&mut taken);
        assert_eq!(taken, [note(1)]);
        taken.clear();
        assert!(!rechecks.is_empty());
        assert!(rechecks.note(note(3), || true));
        rechecks.take_all(&mut taken);
        assert_eq!(taken, [note(2), note(3)]);
        assert!(rechecks.is_empty());
    }

    #[test]
    fn what_is_not_in_doubt_is_not_noted_and_where_there_is_no_room_nothing_becomes_doubtful() {
        let rechecks = Rechecks::new();
        assert!(!rechecks.note(note(0), || false));
        assert!(rechecks.is_empty());
        for key in 0..MOST {
            assert!(rechecks.note(note(key), || true));
        }
        rechecks.turn(&mut Vec::new());
        assert!(!rechecks.note(note(MOST), || unreachable!("no room")));
    }
}
