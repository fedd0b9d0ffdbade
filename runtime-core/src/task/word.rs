//! The atomic that stores a task's state: applies the transitions of [`state`](super::state).
//!
//! # Edges
//!
//! * T1 — whoever wakes → the next poll. Every wake-up before completion is a read-modify-write with
//!   Release, also when it changes no bit; `start` and `finish_pending` read it with Acquire. So the poll
//!   that follows a wake-up sees all that the waker saw.
//! * T2 — the end of one poll → the start of the next, on whatever thread: both are AcqRel.
//! * T3 — `complete` (Release) → the `JoinHandle`'s look (Acquire): the output is seen in full.
//! * T4 — `join_waker_set` (Release) → `complete` (Acquire): the join waker is seen in full; and back,
//!   `join_waker_cleared` only succeeds before `complete`.
//! * T5 — each release of a reference (Release) → the one that frees the cell (Acquire).
//! * T6 — an abort (Release) → whoever sees ABORTED and ends the task (Acquire): who aborted was noted before, so the note is
//!   found. It is in a table with a lock of its own; this edge is what puts the note before the look.

use super::state::*;
use crate::sync::atomic::{AtomicUsize, Ordering};
use std::fmt;

/// The state word.
pub(super) struct StateWord(AtomicUsize);

impl StateWord {
    pub(super) fn new(refs: usize) -> Self {
        Self(AtomicUsize::new(Snapshot::new(refs).0))
    }

    #[inline]
    pub(super) fn load(&self) -> Snapshot {
        // ORDERING: Acquire, edge T3: who sees COMPLETE sees the output.
        Snapshot(self.0.load(Ordering::Acquire))
    }

    /// Applies `step` until no other thread got in between.
    #[inline]
    fn update<R>(&self, step: impl Fn(Snapshot) -> (Snapshot, R)) -> R {
        // ORDERING: Relaxed; only a guess for the exchange below, which checks it.
        let mut seen = self.0.load(Ordering::Relaxed);
        loop {
            let (next, outcome) = step(Snapshot(seen));
            // ORDERING: AcqRel, edges T1, T2, T4, T5, each at both ends. A failure only loops.
            match self
                .0
                .compare_exchange_weak(seen, next.0, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return outcome,
                Err(actual) => seen = actual,
            }
        }
    }

    /// As `update`, for a step that may be refused; a refusal is an Acquire look.
    #[inline]
    fn try_update(&self, step: impl Fn(Snapshot) -> Option<Snapshot>) -> Result<(), Snapshot> {
        let mut seen = self.load();
        loop {
            let Some(next) = step(seen) else {
                return Err(seen);
            };
            // ORDERING: AcqRel, edge T4; on failure Acquire, edge T3, since the value may lead to a
            // refusal after which the caller reads the output.
            let outcome =
                self.0
                    .compare_exchange_weak(seen.0, next.0, Ordering::AcqRel, Ordering::Acquire);
            match outcome {
                Ok(_) => return Ok(()),
                Err(actual) => seen = Snapshot(actual),
            }
        }
    }

    #[inline]
    pub(super) fn wake_by_ref(&self) -> WakeOutcome {
        self.update(|s| s.woken_by_ref())
    }

    #[inline]
    pub(super) fn wake_by_value(&self) -> WakeOutcome {
        self.update(|s| s.woken_by_value())
    }

    #[inline]
    pub(super) fn start(&self) -> StartOutcome {
        self.update(|s| s.start())
    }

    #[inline]
    pub(super) fn finish_pending(&self) -> PendingOutcome {
        self.update(|s| s.finish_pending())
    }

    /// Ends the task; gives the state as it is then.
    #[inline]
    pub(super) fn complete(&self) -> Snapshot {
        // ORDERING: AcqRel, edge T3 (the output was just written) and T4 (the join waker is read
        // next). RUNNING is set and COMPLETE clear (I1), so flipping both is the transition.
        let before = Snapshot(self.0.fetch_xor(RUNNING | COMPLETE, Ordering::AcqRel));
        debug_assert!(
            before.0 & RUNNING != 0 && !before.is_complete(),
            "{before:?}"
        );
        before.complete()
    }

    /// Ends a task that no `JoinHandle` is left of and that nobody aborted, and gives references up in the same step.
    /// Whether they were the last; or `None` if it is no such task, or another thread got in between: then nothing has changed.
    #[inline]
    pub(super) fn complete_unobserved(&self, refs: usize) -> Option<bool> {
        // ORDERING: Relaxed; only a guess for the exchange below, which checks it.
        let seen = Snapshot(self.0.load(Ordering::Relaxed));
        let next = seen.completed_unobserved(refs)?;
        // ORDERING: AcqRel, edge T5 at both ends. RUNNING is set and COMPLETE clear (I1), and the references are the
        // caller's.
        self.0
            .compare_exchange(seen.0, next.0, Ordering::AcqRel, Ordering::Relaxed)
            .ok()?;
        Some(next.refs() == 0)
    }

    pub(super) fn abort(&self) -> AbortOutcome {
        self.update(|s| s.aborted())
    }

    pub(super) fn claim(&self) -> ClaimOutcome {
        self.update(|s| s.claim())
    }

    pub(super) fn set_join_waker(&self) -> Result<(), Snapshot> {
        self.try_update(|s| s.join_waker_set())
    }

    pub(super) fn clear_join_waker(&self) -> Result<(), Snapshot> {
        self.try_update(|s| s.join_waker_cleared())
    }

    /// After completion: hands the join waker's place back; gives the state as it is then.
    pub(super) fn release_join_waker(&self) -> Snapshot {
        // ORDERING: AcqRel, edge T4: the reading of the waker is over before the handle may drop it.
        Snapshot(self.0.fetch_and(!JOIN_WAKER, Ordering::AcqRel) & !JOIN_WAKER)
    }

    /// The `JoinHandle` goes; gives the state as it was.
    pub(super) fn drop_join(&self) -> Snapshot {
        self.update(|s| (s.join_dropped(), s))
    }

    /// Detaches a task that waits for its first poll, in one step: clears the handle's interest and gives
    /// its reference up. Whether it was in that state; if not, nothing has changed.
    #[inline]
    pub(super) fn detach_unstarted(&self) -> bool {
        // ORDERING: Relaxed; only a guess for the exchange below, which checks it.
        let seen = Snapshot(self.0.load(Ordering::Relaxed));
        let Some(next) = seen.detached_unstarted() else {
            return false;
        };
        // ORDERING: Release, edge T5, for the reference given up; nothing is read afterwards.
        self.0
            .compare_exchange(seen.0, next.0, Ordering::Release, Ordering::Relaxed)
            .is_ok()
    }

    #[inline]
    pub(super) fn add_ref(&self) {
        // ORDERING: Relaxed; whoever clones a handle already holds one, which keeps the cell alive.
        let before = self.0.fetch_add(REF_ONE, Ordering::Relaxed);
        // Leaked handles must not wrap the count: memory safety hangs on it.
        if before > isize::MAX as usize {
            std::process::abort();
        }
    }

    /// Gives `count` references up; whether the cell must be freed.
    #[inline]
    pub(super) fn release_refs(&self, count: usize) -> bool {
        // ORDERING: AcqRel, edge T5 at both ends.
        let before = Snapshot(self.0.fetch_sub(count * REF_ONE, Ordering::AcqRel));
        debug_assert!(before.refs() >= count, "{before:?}");
        before.refs() == count
    }
}

impl fmt::Debug for StateWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.load().fmt(f)
    }
}
