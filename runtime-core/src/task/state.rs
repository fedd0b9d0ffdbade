//! The state word of a task: what each bit means, and every transition as a pure function.
//!
//! Nothing here is atomic; [`word`](super::word) stores what these functions compute. So each
//! transition can be tested over every bit pattern.
//!
//! ```text
//!            spawn                    start                       finish_ready
//!     ────────────▶ SCHEDULED ────────────────▶ RUNNING ─────────────────────────▶ COMPLETE
//!                     ▲   ▲                     │  │  ▲                               ▲
//!                woken│   │ finish_pending      │  │  └── RUNNING|SCHEDULED           │
//!                     │   └─(woken meanwhile)───┘  │       (woken while running)      │
//!                     │                            │ finish_pending                   │
//!                    idle ◀────────────────────────┘                                  │
//!                     │                    claim_for_shutdown                         │
//!                     └──────────────────────────▶ RUNNING ── future dropped ─────────┘
//! ```
//!
//! # Invariants
//!
//! * I1 — While RUNNING is set, exactly one thread may touch the future: the one whose transition set
//!   it. COMPLETE and RUNNING are never set together.
//! * I2 — SCHEDULED means that a `Runnable` exists or that the running thread will make one. At most
//!   one `Runnable` exists, and it owns one reference.
//! * I3 — Once COMPLETE is set it stays, the future is gone, and the stage holds the output until the
//!   `JoinHandle` takes it, or whoever observed that there is none drops it.
//! * I4 — The join waker's place belongs to the `JoinHandle` while JOIN_WAKER is clear. While it is
//!   set, both sides may read the place and neither may write; only the handle clears it before
//!   COMPLETE, only the completing thread after.
//! * I5 — JOIN_INTEREST is set while a `JoinHandle` exists. Whoever clears it after COMPLETE drops the
//!   output.
//! * I6 — The count is the number of handles of any kind, and of the owned set's membership. Zero
//!   frees the cell; no transition raises it from zero.
//!
//! # Rejected
//!
//! * SCHEDULED and the count in two words: a wake would need two operations.
//! * Clearing SCHEDULED at the end of a poll instead of at its start: wake-ups during the poll would
//!   be lost.

use std::fmt;

/// One thread may touch the future.
pub(super) const RUNNING: usize = 1;
/// A runnable exists or will be made at the end of the poll.
pub(super) const SCHEDULED: usize = 1 << 1;
/// The future is gone for good.
pub(super) const COMPLETE: usize = 1 << 2;
/// Somebody asked for the task to end.
pub(super) const ABORTED: usize = 1 << 3;
/// A `JoinHandle` exists.
pub(super) const JOIN_INTEREST: usize = 1 << 4;
/// The join waker's place is filled and frozen.
pub(super) const JOIN_WAKER: usize = 1 << 5;
/// One reference.
pub(super) const REF_ONE: usize = 1 << 6;
const FLAGS: usize = REF_ONE - 1;

/// A copy of the state word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Snapshot(pub(super) usize);

/// What a wake-up asks of its caller.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
#[must_use]
pub(super) enum WakeOutcome {
    /// Make a runnable and schedule it.
    Schedule,
    /// Somebody else sees to it, or there is nothing left to do.
    Nothing,
    /// As `Nothing`, and the reference given up was the last one: free the cell.
    Free,
}

/// What a runnable may do.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
#[must_use]
pub(super) enum StartOutcome {
    /// Poll the future.
    Poll,
    /// Drop the future and complete as cancelled.
    Cancel,
    /// The task was claimed by a shutdown: only give the reference back.
    Stale,
}

/// What follows a poll that was pending.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
#[must_use]
pub(super) enum PendingOutcome {
    /// Asleep; the runnable's reference is given back.
    Idle,
    /// As `Idle`, and nobody is left who could wake it: free the cell.
    Free,
    /// Woken while it ran: the reference becomes a new runnable's.
    Reschedule,
    /// Aborted while it ran: still RUNNING, drop the future and complete as cancelled.
    Cancel,
}

/// What an abort asks of its caller.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
#[must_use]
pub(super) enum AbortOutcome {
    /// Make a runnable and schedule it, so that a worker drops the future.
    Schedule,
    /// A runnable or the running thread will notice.
    Nothing,
    /// The task has ended.
    TooLate,
}

/// Whether a shutdown got hold of the future.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
#[must_use]
pub(crate) enum ClaimOutcome {
    /// The caller is now the running thread: drop the future and complete as cancelled.
    Claimed,
    /// The thread that runs it will see the abort.
    Running,
    /// The task has ended.
    Ended,
}

/// What a task was doing at one moment.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Standing {
    /// It waited to be woken.
    Asleep,
    /// It waited for its turn.
    Scheduled,
    /// Some thread polled it, or dropped its future.
    Running,
    /// It had ended.
    Ended,
}

impl Snapshot {
    /// A new task: scheduled, joined, with the given number of references.
    pub(super) const fn new(refs: usize) -> Self {
        Self(SCHEDULED | JOIN_INTEREST | (refs * REF_ONE))
    }

    const fn has(self, bits: usize) -> bool {
        self.0 & bits != 0
    }

    pub(super) const fn is_complete(self) -> bool {
        self.has(COMPLETE)
    }

    /// What the task is doing.
    pub(super) const fn standing(self) -> Standing {
        if self.has(COMPLETE) {
            Standing::Ended
        } else if self.has(RUNNING) {
            Standing::Running
        } else if self.has(SCHEDULED) {
            Standing::Scheduled
        } else {
            Standing::Asleep
        }
    }

    pub(super) const fn is_join_interested(self) -> bool {
        self.has(JOIN_INTEREST)
    }

    pub(super) const fn is_aborted(self) -> bool {
        self.has(ABORTED)
    }

    pub(super) const fn has_join_waker(self) -> bool {
        self.has(JOIN_WAKER)
    }

    pub(super) const fn refs(self) -> usize {
        self.0 / REF_ONE
    }

    /// A wake-up by somebody who keeps its reference.
    pub(super) const fn woken_by_ref(self) -> (Self, WakeOutcome) {
        if self.has(COMPLETE | SCHEDULED) {
            (self, WakeOutcome::Nothing)
        } else if self.has(RUNNING) {
            (Self(self.0 | SCHEDULED), WakeOutcome::Nothing)
        } else {
            (Self((self.0 | SCHEDULED) + REF_ONE), WakeOutcome::Schedule)
        }
    }

    /// A wake-up by somebody who gives its reference up: to the runnable, or for good.
    pub(super) const fn woken_by_value(self) -> (Self, WakeOutcome) {
        if self.has(COMPLETE | SCHEDULED | RUNNING) {
            let mark = if self.has(COMPLETE) { 0 } else { SCHEDULED };
            let next = Self((self.0 | mark) - REF_ONE);
            let outcome = if next.refs() == 0 {
                WakeOutcome::Free
            } else {
                WakeOutcome::Nothing
            };
            (next, outcome)
        } else {
            (Self(self.0 | SCHEDULED), WakeOutcome::Schedule)
        }
    }

    /// A runnable begins.
    pub(super) const fn start(self) -> (Self, StartOutcome) {
        if self.has(COMPLETE | RUNNING) {
            return (self, StartOutcome::Stale);
        }
        let next = Self((self.0 & !SCHEDULED) | RUNNING);
        if self.has(ABORTED) {
            (next, StartOutcome::Cancel)
        } else {
            (next, StartOutcome::Poll)
        }
    }

    /// A poll ends and the future is still pending.
    pub(super) const fn finish_pending(self) -> (Self, PendingOutcome) {
        if self.has(ABORTED) {
            (self, PendingOutcome::Cancel)
        } else if self.has(SCHEDULED) {
            (Self(self.0 & !RUNNING), PendingOutcome::Reschedule)
        } else {
            let next = Self((self.0 & !RUNNING) - REF_ONE);
            let outcome = if next.refs() == 0 {
                PendingOutcome::Free
            } else {
                PendingOutcome::Idle
            };
            (next, outcome)
        }
    }

    /// The running thread has put the output, or the reason for its lack, in place.
    pub(super) const fn complete(self) -> Self {
        Self((self.0 & !RUNNING) | COMPLETE)
    }

    /// As [`complete`](Self::complete) for a task that no `JoinHandle` is left of and that nobody aborted, with references
    /// given up in the same step; any other state needs `complete`.
    pub(super) const fn completed_unobserved(self, refs: usize) -> Option<Self> {
        if self.has(JOIN_INTEREST | ABORTED) {
            None
        } else {
            Some(Self(self.complete().0 - refs * REF_ONE))
        }
    }

    /// The user wants the task to end.
    pub(super) const fn aborted(self) -> (Self, AbortOutcome) {
        if self.has(COMPLETE) {
            (self, AbortOutcome::TooLate)
        } else if self.has(RUNNING | SCHEDULED) {
            (Self(self.0 | ABORTED), AbortOutcome::Nothing)
        } else {
            (
                Self((self.0 | ABORTED | SCHEDULED) + REF_ONE),
                AbortOutcome::Schedule,
            )
        }
    }

    /// A shutdown, or the abort of a job that has not started, takes the future at once.
    pub(super) const fn claim(self) -> (Self, ClaimOutcome) {
        if self.has(COMPLETE) {
            (self, ClaimOutcome::Ended)
        } else if self.has(RUNNING) {
            (Self(self.0 | ABORTED), ClaimOutcome::Running)
        } else {
            (Self(self.0 | ABORTED | RUNNING), ClaimOutcome::Claimed)
        }
    }

    /// The `JoinHandle` freezes the waker it has put in place; refused once complete.
    pub(super) const fn join_waker_set(self) -> Option<Self> {
        if self.has(COMPLETE) {
            None
        } else {
            Some(Self(self.0 | JOIN_WAKER))
        }
    }

    /// The `JoinHandle` takes the waker's place back; refused once complete.
    pub(super) const fn join_waker_cleared(self) -> Option<Self> {
        if self.has(COMPLETE) {
            None
        } else {
            Some(Self(self.0 & !JOIN_WAKER))
        }
    }

    /// The `JoinHandle` of a task that is scheduled, and has no join waker, goes with its reference; any
    /// other state needs [`join_dropped`](Self::join_dropped). The runnable's reference stays.
    pub(super) const fn detached_unstarted(self) -> Option<Self> {
        if self.0 & FLAGS == SCHEDULED | JOIN_INTEREST {
            Some(Self((self.0 & !JOIN_INTEREST) - REF_ONE))
        } else {
            None
        }
    }

    /// The `JoinHandle` goes. Before COMPLETE it takes the waker's place along; after, the completing
    /// thread may still be reading it, so the bit stays as it is.
    pub(super) const fn join_dropped(self) -> Self {
        if self.has(COMPLETE) {
            Self(self.0 & !JOIN_INTEREST)
        } else {
            Self(self.0 & !(JOIN_INTEREST | JOIN_WAKER))
        }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            "RUNNING",
            "SCHEDULED",
            "COMPLETE",
            "ABORTED",
            "JOIN_INTEREST",
            "JOIN_WAKER",
        ];
        for (bit, name) in names.iter().enumerate() {
            if self.0 & (1 << bit) != 0 {
                write!(f, "{name}|")?;
            }
        }
        write!(f, "refs={}", self.refs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pattern of flags that can occur, with one to three references.
    fn all() -> impl Iterator<Item = Snapshot> {
        (0..=FLAGS)
            .filter(|flags| flags & (RUNNING | COMPLETE) != RUNNING | COMPLETE)
            .flat_map(|flags| (1..=3).map(move |refs| Snapshot(flags + refs * REF_ONE)))
    }

    #[test]
    fn no_transition_makes_running_and_complete_meet() {
        for s in all() {
            let mut after = vec![s.woken_by_ref().0, s.woken_by_value().0, s.start().0];
            after.extend([s.aborted().0, s.claim().0, s.join_dropped()]);
            after.extend(s.join_waker_set());
            after.extend(s.join_waker_cleared());
            if s.has(RUNNING) {
                after.extend([s.finish_pending().0, s.complete()]);
            }
            for next in after {
                assert!(
                    !(next.has(RUNNING) && next.has(COMPLETE)),
                    "{s:?} -> {next:?}"
                );
            }
        }
    }

    #[test]
    fn a_wake_up_before_completion_is_never_forgotten() {
        for s in all().filter(|s| !s.is_complete()) {
            assert!(s.woken_by_ref().0.has(SCHEDULED), "{s:?}");
            assert!(s.woken_by_value().0.has(SCHEDULED), "{s:?}");
        }
    }

    #[test]
    fn a_wake_up_schedules_exactly_when_nobody_has_the_task() {
        for s in all() {
            let idle = !s.has(RUNNING | SCHEDULED | COMPLETE);
            assert_eq!(s.woken_by_ref().1 == WakeOutcome::Schedule, idle, "{s:?}");
            assert_eq!(s.woken_by_value().1 == WakeOutcome::Schedule, idle, "{s:?}");
            assert_eq!(s.aborted().1 == AbortOutcome::Schedule, idle, "{s:?}");
            let ended = s.is_complete();
            assert_eq!(s.aborted().1 == AbortOutcome::TooLate, ended, "{s:?}");
        }
    }

    #[test]
    fn references_are_conserved() {
        for s in all() {
            let (next, outcome) = s.woken_by_ref();
            let made = usize::from(outcome == WakeOutcome::Schedule);
            assert_eq!(next.refs(), s.refs() + made, "{s:?}");
            let (next, outcome) = s.woken_by_value();
            let given = usize::from(outcome != WakeOutcome::Schedule);
            assert_eq!(next.refs(), s.refs() - given, "{s:?}");
            assert_eq!(outcome == WakeOutcome::Free, next.refs() == 0, "{s:?}");
            assert_eq!(s.start().0.refs(), s.refs());
            assert_eq!(s.claim().0.refs(), s.refs());
            assert_eq!(s.join_dropped().refs(), s.refs());
        }
    }

    #[test]
    fn a_wake_up_while_running_reschedules_at_the_end_of_the_poll() {
        for s in all().filter(|s| s.has(RUNNING) && !s.has(ABORTED)) {
            let (_, outcome) = s.woken_by_ref().0.finish_pending();
            assert_eq!(outcome, PendingOutcome::Reschedule, "{s:?}");
        }
    }

    #[test]
    fn an_abort_before_completion_is_seen_by_whoever_has_the_task_next() {
        for s in all().filter(|s| !s.is_complete()) {
            let next = s.aborted().0;
            if next.has(RUNNING) {
                assert_eq!(next.finish_pending().1, PendingOutcome::Cancel, "{s:?}");
            } else {
                assert_eq!(next.start().1, StartOutcome::Cancel, "{s:?}");
            }
        }
    }

    #[test]
    fn who_completes_an_aborted_or_joined_task_has_to_look_further() {
        for s in all().filter(|s| s.has(RUNNING)) {
            let at_once = s.completed_unobserved(1);
            assert_eq!(at_once.is_none(), s.is_join_interested() || s.is_aborted());
            if let Some(next) = at_once {
                assert_eq!(next.refs(), s.refs() - 1, "{s:?}");
                assert!(next.is_complete() && !next.has(RUNNING), "{s:?}");
            }
        }
    }

    #[test]
    fn a_claimed_task_turns_its_runnable_stale() {
        for s in all().filter(|s| !s.has(RUNNING | COMPLETE)) {
            let (next, outcome) = s.claim();
            assert_eq!(outcome, ClaimOutcome::Claimed);
            assert_eq!(next.standing(), Standing::Running);
            assert_eq!(next.start().1, StartOutcome::Stale);
            assert_eq!(next.complete().start().1, StartOutcome::Stale);
        }
    }

    #[test]
    fn the_join_waker_stays_frozen_from_completion_on() {
        for s in all().filter(|s| s.is_complete()) {
            assert_eq!(s.join_waker_set(), None);
            assert_eq!(s.join_waker_cleared(), None);
            assert_eq!(s.join_dropped().has_join_waker(), s.has_join_waker());
        }
    }
}
