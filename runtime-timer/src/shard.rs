//! One wheel behind its lock, and the deadline that it publishes.
//!
//! The wheel is touched under the lock; its next deadline can be read without. Wakers are cloned,
//! woken and dropped outside the lock, so nothing foreign ever runs under it.
//!
//! # Invariants
//! - I1: with the lock free, `next` is not later than the wheel's earliest deadline. It may be earlier
//!   after cancels, which costs one look for nothing and saves telling sleepers of every cancel.
//! - I2: `next` is written only under the lock.
//!
//! # Edges
//! - T1 "announce, then look": a thread that starts a timer stores `next`, passes a SeqCst fence, then
//!   looks (in [`Host::sooner`](crate::Host::sooner)) for a sleeper that sleeps longer than that; a
//!   sleeper announces until when it will sleep, passes a SeqCst fence, then loads `next`. At least
//!   one of the two sees the other.
//!
//! # Rejected
//! - Publishing a later deadline when the earliest timer is cancelled: a request that sets and cancels
//!   a timeout would then look like a sooner deadline every time, and unpark a sleeper every time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Poll, Waker};

use crate::sync::{AtomicU64, Mutex, Ordering, fence};
use crate::wheel::{Fired, Key, Refreshed, Wheel};

/// The value of `next` that means "no timer".
const NO_DEADLINE: u64 = u64::MAX;
/// The latest deadline that a timer can have; later ones saturate to it.
pub(crate) const LAST_DEADLINE: u64 = NO_DEADLINE - 1;

/// Drops the waker of a task that waited here before; its panic is not the next one's.
fn let_go(waker: Option<Waker>) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(waker))) {
        // Dropping the payload could panic again; the panic hook has reported it.
        std::mem::forget(payload);
    }
}

/// Whether a new timer is the first of its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Started {
    /// Nothing changes for sleepers.
    Behind(Key),
    /// It is due at the given time, before what was published; the fence of T1 has been passed.
    First(Key, u64),
}

/// One wheel; on cache lines of its own, in pairs because processors fetch them so.
#[repr(align(128))]
pub(crate) struct Shard {
    wheel: Mutex<Wheel>,
    /// When the wheel wants to be fired next, or [`NO_DEADLINE`]. See I1 and I2.
    next: AtomicU64,
}

impl Shard {
    pub(crate) fn new() -> Self {
        Self {
            wheel: Mutex::new(Wheel::new()),
            next: AtomicU64::new(NO_DEADLINE),
        }
    }

    /// How many timers wait.
    pub(crate) fn len(&self) -> usize {
        self.wheel.lock().len()
    }

    /// The published deadline.
    #[inline]
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        // ORDERING: SeqCst, edge T1, the sleeper's half: the announcement of its sleep stays before
        // this.
        Some(self.next.load(Ordering::SeqCst)).filter(|&deadline| deadline != NO_DEADLINE)
    }

    /// Publishes a deadline; the borrow of the wheel is the proof that its lock is held.
    #[inline]
    fn publish(&self, _wheel: &mut Wheel, deadline: Option<u64>) {
        // ORDERING: SeqCst, edge T1, the starter's half: see the fence in `start`.
        self.next
            .store(deadline.unwrap_or(NO_DEADLINE), Ordering::SeqCst);
    }

    /// Starts a timer.
    #[inline]
    pub(crate) fn start(&self, deadline_ns: u64, waker: Waker) -> Started {
        let deadline_ns = deadline_ns.min(LAST_DEADLINE);
        let mut wheel = self.wheel.lock();
        let key = wheel.insert(deadline_ns, waker);
        // ORDERING: Relaxed. It is written only under the lock (I2), which is held.
        if deadline_ns >= self.next.load(Ordering::Relaxed) {
            return Started::Behind(key);
        }
        self.publish(&mut wheel, Some(deadline_ns));
        drop(wheel);
        // ORDERING: SeqCst, edge T1, the starter's half: whatever the host loads comes after the
        // store in `publish`, in the one order that all such fences and accesses agree on.
        fence(Ordering::SeqCst);
        Started::First(key, deadline_ns)
    }

    /// Appends the wakers of at most `limit` timers that are due.
    pub(crate) fn take_due(&self, now_ns: u64, limit: usize, due: &mut Vec<Waker>) -> Fired {
        let (outcome, excess) = {
            let mut wheel = self.wheel.lock();
            let outcome = wheel.fire(now_ns, limit, due);
            let next = wheel.next_deadline();
            self.publish(&mut wheel, next);
            (outcome, wheel.take_excess())
        };
        drop(excess);
        outcome
    }

    /// Whether a timer has fired; if not, it will wake the task of `waker`.
    #[inline]
    pub(crate) fn poll_fired(&self, key: Key, waker: &Waker) -> Poll<()> {
        // A binding of its own, so that the lock is free again before the waker is cloned.
        let refreshed = self.wheel.lock().refresh(key, waker);
        match refreshed {
            Refreshed::Fired => Poll::Ready(()),
            Refreshed::Waiting => Poll::Pending,
            Refreshed::Stale => self.replace_waker(key, waker.clone()),
        }
    }

    #[cold]
    fn replace_waker(&self, key: Key, waker: Waker) -> Poll<()> {
        // A binding of its own, so that the lock is free again before a waker is dropped.
        let replaced = self.wheel.lock().replace(key, waker);
        match replaced {
            Ok(old) => {
                let_go(old);
                Poll::Pending
            }
            Err(_unused) => Poll::Ready(()),
        }
    }

    /// Takes a timer out and returns its waker; `None` if it has fired.
    #[inline]
    pub(crate) fn cancel(&self, key: Key) -> Option<Waker> {
        let (waker, excess) = {
            let mut wheel = self.wheel.lock();
            (wheel.cancel(key), wheel.take_excess())
        };
        drop(excess);
        waker
    }

    /// Computes when the first timer is due, cancels taken into account, and publishes that.
    pub(crate) fn exact_next_deadline(&self) -> Option<u64> {
        let mut wheel = self.wheel.lock();
        let deadline = wheel.exact_next_deadline();
        self.publish(&mut wheel, deadline);
        deadline
    }
}
