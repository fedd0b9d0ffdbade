//! One thread's bed: it sleeps on a condition variable, or in the operating system's poller.
//!
//! ```text
//!              park ┌──▶ PARKED ──┐ unpark: signal the condition variable
//!    EMPTY ─────────┤             ├──▶ NOTIFIED ──(the sleeper sees it)──▶ EMPTY
//!        ▲   enter_ └──▶ POLLING ─┘ unpark: tell the poller, which has a number
//!        │   poller        │             ▲
//!        └─────────────────┘             │ unpark, and nobody sleeps: kept for the next park
//!          leave_poller        EMPTY ────┘
//! ```
//!
//! # Invariants
//!
//! * K1 — Only the owner moves the state to EMPTY, PARKED or POLLING; others only to NOTIFIED.
//! * K2 — A notification is never lost: whatever the state is, `unpark` leaves NOTIFIED behind, and the
//!   owner does not sleep in that state.
//! * K3 — Many notifications between two sleeps count as one.
//!
//! # Edges
//!
//! * K — `unpark` (Release) → the owner's return from sleep (Acquire).

use crate::sync::atomic::{AtomicU32, Ordering};
use crate::sync::{Condvar, Mutex, now};
use std::time::Instant;

const EMPTY: u32 = 0;
const PARKED: u32 = 1;
const NOTIFIED: u32 = 2;
/// And the number of the poller on top.
const POLLING: u32 = 3;

/// One thread's bed.
#[derive(Debug)]
pub(crate) struct Parker {
    state: AtomicU32,
    /// Taken by the owner while it moves to PARKED and waits, and by others before they signal.
    lock: Mutex<()>,
    signal: Condvar,
}

/// What is left to do after an `unpark`.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
#[must_use]
pub(crate) enum Unpark {
    /// Nothing.
    Done,
    /// The thread sleeps in the poller of this number: tell it.
    TellPoller(u32),
}

/// How a sleep ended.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Woken {
    /// By an `unpark`.
    Notified,
    /// By its deadline.
    DeadlinePassed,
}

impl Parker {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU32::new(EMPTY),
            lock: Mutex::new(()),
            signal: Condvar::new(),
        }
    }

    /// Sleeps until notified or until the deadline. Only for the owner.
    pub(crate) fn park(&self, deadline: Option<Instant>) -> Woken {
        if self.take_notification() {
            return Woken::Notified;
        }
        let mut guard = self.lock.lock();
        // ORDERING: Acquire on failure, edge K: NOTIFIED is what made it fail. Relaxed on success:
        // nothing is handed over by going to sleep.
        let parked =
            self.state
                .compare_exchange(EMPTY, PARKED, Ordering::Relaxed, Ordering::Acquire);
        if parked.is_err() {
            self.take_notification();
            return Woken::Notified;
        }
        loop {
            match deadline {
                None => self.signal.wait(&mut guard),
                Some(deadline) => {
                    self.signal.wait_until(&mut guard, deadline);
                }
            }
            if self.take_notification() {
                return Woken::Notified;
            }
            if deadline.is_some_and(|deadline| now() >= deadline) {
                return if self.leave() {
                    Woken::Notified
                } else {
                    Woken::DeadlinePassed
                };
            }
        }
    }

    /// Announces that the owner is about to sleep in a poller. False, and a notification is used up, if
    /// it must not.
    #[must_use]
    pub(crate) fn enter_poller(&self, number: u32) -> bool {
        let polling = POLLING + number;
        // ORDERING: Acquire on failure, edge K. SeqCst on success: an `unpark` that comes later must see
        // POLLING and tell the poller, one that came before makes this fail.
        let entered =
            self.state
                .compare_exchange(EMPTY, polling, Ordering::SeqCst, Ordering::Acquire);
        entered.is_ok() || !self.take_notification()
    }

    /// The owner is back from the poller. Whether it was notified meanwhile.
    pub(crate) fn leave_poller(&self) -> bool {
        self.leave()
    }

    fn leave(&self) -> bool {
        // ORDERING: Acquire, edge K.
        self.state.swap(EMPTY, Ordering::Acquire) == NOTIFIED
    }

    /// Uses up a notification, if there is one. Only for the owner.
    pub(crate) fn take_notification(&self) -> bool {
        // ORDERING: Acquire on success, edge K; Relaxed on failure, nothing was received.
        self.state
            .compare_exchange(NOTIFIED, EMPTY, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    /// Whether a notification waits. Does not use it up.
    #[inline]
    pub(crate) fn is_notified(&self) -> bool {
        // ORDERING: Relaxed; a hint while spinning, `take_notification` synchronizes.
        self.state.load(Ordering::Relaxed) == NOTIFIED
    }

    /// Ends the owner's sleep, or the next one before it begins.
    pub(crate) fn unpark(&self) -> Unpark {
        // ORDERING: SeqCst, so Release, edge K, and ordered with `enter_poller`.
        match self.state.swap(NOTIFIED, Ordering::SeqCst) {
            PARKED => {
                // The owner moved to PARKED under the lock and holds it until it waits; once the lock was
                // ours it is waiting, and the signal reaches it.
                drop(self.lock.lock());
                self.signal.notify_one();
                Unpark::Done
            }
            EMPTY | NOTIFIED => Unpark::Done,
            polling => Unpark::TellPoller(polling - POLLING),
        }
    }
}
