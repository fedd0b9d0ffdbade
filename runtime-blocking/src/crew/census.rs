//! The census: who does what, counted in one atomic word, so that a pusher decides by one load.
//!
//! ```text
//!   bit 63   62     48        32..47    16..31   0..15
//!     closed open   lookout   threads   idle     searching
//! ```
//!
//! [`Snapshot`] is the pure half: fields out of a word. [`Census`] stores the word. Changes are additions of constants,
//! so no count can be lost; that no field overflows follows from every thread being counted once in each.

use crate::sync::{AtomicU64, Ordering};

/// One searching thread.
pub(super) const SEARCHING: u64 = 1;
/// One idle thread.
pub(super) const IDLE: u64 = 1 << 16;
/// One thread.
pub(super) const THREAD: u64 = 1 << 32;
/// The lookout. There is at most one.
pub(super) const LOOKOUT: u64 = 1 << 48;
/// The first thread has been started.
const OPEN: u64 = 1 << 62;
/// Shut down.
const CLOSED: u64 = 1 << 63;

const FIELD: u64 = 0xffff;

/// A copy of the census.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Snapshot(u64);

impl Snapshot {
    /// Threads that look for a job, or were called in to.
    pub(super) const fn searching(self) -> usize {
        (self.0 & FIELD) as usize
    }

    /// Threads on the idle stack.
    pub(super) const fn idle(self) -> usize {
        (self.0 >> 16 & FIELD) as usize
    }

    /// Threads that exist or are being started.
    pub(super) const fn threads(self) -> usize {
        (self.0 >> 32 & FIELD) as usize
    }

    /// Whether a thread is, or was called in to be, the lookout.
    pub(super) const fn has_lookout(self) -> bool {
        self.0 & LOOKOUT != 0
    }

    /// Threads that run a job.
    pub(super) const fn busy(self) -> usize {
        let others = self.searching() + self.idle() + self.has_lookout() as usize;
        self.threads().saturating_sub(others)
    }

    /// Whether the crew has got its first thread.
    pub(super) const fn is_open(self) -> bool {
        self.0 & OPEN != 0
    }

    /// Whether the crew has been shut down.
    pub(super) const fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    /// Whether somebody looks after the queue who is not busy.
    pub(super) const fn is_covered(self) -> bool {
        self.searching() > 0 || self.has_lookout()
    }
}

/// The census itself.
#[derive(Debug)]
pub(super) struct Census(AtomicU64);

impl Census {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(super) fn load(&self) -> Snapshot {
        // ORDERING: SeqCst, edges C1 and C2 of the pusher: not before the fence that follows its push.
        Snapshot(self.0.load(Ordering::SeqCst))
    }

    /// Moves threads from one count to another; gives the census before.
    pub(super) fn change(&self, add: u64, subtract: u64) -> Snapshot {
        // ORDERING: SeqCst, edge C1 of the searcher and the lookout: a pusher that missed this change has pushed before
        // the fence that follows it.
        Snapshot(
            self.0
                .fetch_add(add.wrapping_sub(subtract), Ordering::SeqCst),
        )
    }

    /// Notes that the first thread has been started.
    pub(super) fn open(&self) {
        // ORDERING: SeqCst, edge C1: who sees the flag may count on the thread's own entry, which was made before.
        self.0.fetch_or(OPEN, Ordering::SeqCst);
    }

    /// Notes the shutdown; gives the census before.
    pub(super) fn close(&self) -> Snapshot {
        // ORDERING: SeqCst, edge C2 of the closer: a pusher that missed it has pushed before the drain that follows.
        Snapshot(self.0.fetch_or(CLOSED, Ordering::SeqCst))
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_read_apart_from_the_others() {
        let counts = [0, 1, 2, 512, 32_767];
        for searching in counts {
            for idle in counts {
                for threads in counts {
                    for flags in [0, LOOKOUT, OPEN, CLOSED, LOOKOUT | OPEN | CLOSED] {
                        let word = searching * SEARCHING + idle * IDLE + threads * THREAD + flags;
                        let snapshot = Snapshot(word);
                        assert_eq!(snapshot.searching() as u64, searching);
                        assert_eq!(snapshot.idle() as u64, idle);
                        assert_eq!(snapshot.threads() as u64, threads);
                        assert_eq!(snapshot.has_lookout(), flags & LOOKOUT != 0);
                        assert_eq!(snapshot.is_open(), flags & OPEN != 0);
                        assert_eq!(snapshot.is_closed(), flags & CLOSED != 0);
                    }
                }
            }
        }
    }

    #[test]
    fn change_moves_a_thread_in_one_step() {
        let census = Census::new();
        census.change(THREAD + SEARCHING, 0);
        census.change(IDLE, SEARCHING);
        let now = census.load();
        assert_eq!(
            (now.threads(), now.idle(), now.searching(), now.busy()),
            (1, 1, 0, 0)
        );
        census.change(LOOKOUT, IDLE);
        assert!(census.load().is_covered());
    }
}
