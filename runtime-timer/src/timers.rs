//! The timers of one runtime: wheels in shards, each behind a lock of its own, and the deadlines
//! that they publish.
//!
//! A shard's wheel is touched under its lock; its next deadline can be read without. Wakers are
//! cloned, woken and dropped outside the lock, and so is the host called.
//!
//! # Invariants
//! - I1: with the lock free, a shard's `next` is not later than its wheel's earliest deadline. It
//!   may be earlier after cancels, which costs one look for nothing and saves telling sleepers of
//!   every cancel.
//! - I2: `next` is written only under the lock.
//!
//! # Edges
//! - T1 "announce, then look": a thread that starts a timer stores `next`, passes a SeqCst fence,
//!   then looks (in [`Host::sooner`]) for a sleeper that sleeps longer than that; a sleeper
//!   announces until when it will sleep, passes a SeqCst fence, then loads `next`. At least one of
//!   the two sees the other.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};

use crate::clock::Clock;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering, fence};
use crate::wheel::{Fired, Key, Refreshed, Wheel};

/// The value of a shard's `next` that means "no timer".
const NO_DEADLINE: u64 = u64::MAX;
/// The latest deadline that a timer can have; later ones saturate to it.
pub(crate) const LAST_DEADLINE: u64 = NO_DEADLINE - 1;

/// What timers ask of the scheduler that they live in.
///
/// No lock of the timers is held during a call, so a host may call back into them. A host that owns
/// its [`Timers`] should be known to them through something smaller, since they keep it alive.
pub trait Host: Send + Sync {
    /// The earliest deadline of `shard` has become `deadline_ns`, which is sooner than what was
    /// published before.
    ///
    /// Called by the thread that started the timer, after the deadline was published and a SeqCst
    /// fence passed (edge T1): a sleeper that would sleep past it has to be unparked. A sleeper,
    /// for its part, has to announce its sleep, pass a SeqCst fence, and only then load
    /// [`Timers::next_deadline`].
    fn sooner(&self, shard: usize, deadline_ns: u64);

    /// Spends one unit of the running task's budget, before a timer reports that it has fired.
    ///
    /// `Pending` means that the budget is used up, and that the host has arranged for the task to
    /// be woken.
    fn poll_proceed(&self, cx: &mut Context<'_>) -> Poll<()>;

    /// The clock was paused, resumed or advanced: whoever computed how long to sleep has to compute
    /// it again.
    fn clock_moved(&self);
}

/// What one call of [`Timers::fire_due`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Batch {
    /// How many timers fired.
    pub fired: usize,
    /// Whether something that is due may be left.
    pub rest: Fired,
}

/// The timers of one runtime, in shards.
///
/// Every worker has a shard of its own; the last one is for threads that have none. See the
/// [crate's page](crate) for who calls what.
pub struct Timers {
    shards: Box<[Shard]>,
    clock: Clock,
    host: Arc<dyn Host>,
    pausing: Pausing,
}

/// Whether the clock may be paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pausing {
    /// More than one thread runs tasks, so there is no moment at which time could stand still.
    Refused,
    Allowed,
}

/// One wheel; on cache lines of its own, in pairs because processors fetch them so.
#[repr(align(128))]
struct Shard {
    wheel: Mutex<Wheel>,
    /// When the wheel wants to be fired next, or [`NO_DEADLINE`]. See I1 and I2.
    next: AtomicU64,
}

impl Shard {
    fn new() -> Self {
        Self {
            wheel: Mutex::new(Wheel::new()),
            next: AtomicU64::new(NO_DEADLINE),
        }
    }

    fn next(&self) -> u64 {
        // ORDERING: SeqCst, edge T1, the sleeper's half: the announcement of its sleep stays before
        // this.
        self.next.load(Ordering::SeqCst)
    }

    /// Publishes `deadline`; the borrow of the wheel is the proof that its lock is held.
    fn publish(&self, _wheel: &mut Wheel, deadline: u64) {
        // ORDERING: SeqCst, edge T1, the starter's half: see the fence in `Timers::start`.
        self.next.store(deadline, Ordering::SeqCst);
    }
}

impl Timers {
    /// Timers with `shards` shards, the last of which is for threads that own none. The clock
    /// cannot be paused unless [`allow_pausing`](Self::allow_pausing) says so.
    ///
    /// # Panics
    /// If `shards` is zero.
    #[must_use]
    pub fn new(shards: usize, clock: Clock, host: Arc<dyn Host>) -> Self {
        assert!(shards > 0, "timers need at least one shard");
        let shards = (0..shards).map(|_| Shard::new()).collect();
        Self {
            shards,
            clock,
            host,
            pausing: Pausing::Refused,
        }
    }

    /// Lets tasks [pause](crate::pause) the clock; for runtimes that run tasks on one thread.
    #[must_use]
    pub fn allow_pausing(self) -> Self {
        Self {
            pausing: Pausing::Allowed,
            ..self
        }
    }

    /// Whether tasks may pause the clock.
    #[must_use]
    pub fn is_pausable(&self) -> bool {
        self.pausing == Pausing::Allowed
    }

    /// How many shards there are, the outside one included.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// The shard of threads that own none.
    #[must_use]
    pub fn outside(&self) -> usize {
        self.shards.len() - 1
    }

    /// The clock that these timers go by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The scheduler that these timers live in.
    pub(crate) fn host(&self) -> &dyn Host {
        &*self.host
    }

    /// The time of the clock, in nanoseconds since its origin.
    #[inline]
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        self.clock.now_ns()
    }

    /// How many timers wait. It locks every shard in turn, so it is for statistics only.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.wheel.lock().len())
            .sum()
    }

    /// Whether no timer waits; as expensive as [`len`](Self::len).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// When `shard` wants to be fired next, in nanoseconds of the clock; `None` if it has no
    /// timers.
    ///
    /// One atomic load. Never later than the shard's earliest deadline, but possibly earlier after
    /// cancels.
    #[inline]
    #[must_use]
    pub fn next_deadline(&self, shard: usize) -> Option<u64> {
        Some(self.shards[shard].next()).filter(|&deadline| deadline != NO_DEADLINE)
    }

    /// The earliest [`next_deadline`](Self::next_deadline) of all shards. One atomic load a shard.
    #[must_use]
    pub fn next_deadline_of_all(&self) -> Option<u64> {
        let earliest = self.shards.iter().map(Shard::next).min();
        earliest.filter(|&deadline| deadline != NO_DEADLINE)
    }

    /// Fires timers of `shard` whose deadline is at most `now_ns`, `limit` at most, and wakes their
    /// tasks outside the lock.
    ///
    /// If nothing is due it costs one atomic load. `scratch` has to be empty and is left empty;
    /// keep it between calls to save allocations. A waker that panics is reported by the panic hook
    /// and stops neither the others nor the caller.
    pub fn fire_due(
        &self,
        shard: usize,
        now_ns: u64,
        limit: usize,
        scratch: &mut Vec<Waker>,
    ) -> Batch {
        let shard = &self.shards[shard];
        if shard.next() > now_ns {
            return Batch {
                fired: 0,
                rest: Fired::Done,
            };
        }
        debug_assert!(
            scratch.is_empty(),
            "what is in `scratch` would be woken and counted"
        );
        let (rest, excess) = {
            let mut wheel = shard.wheel.lock();
            let rest = wheel.fire(now_ns, limit, scratch);
            let next = wheel.next_deadline().unwrap_or(NO_DEADLINE);
            shard.publish(&mut wheel, next);
            (rest, wheel.take_excess())
        };
        drop(excess);
        let fired = scratch.len();
        scratch.drain(..).for_each(wake);
        Batch { fired, rest }
    }

    /// Fires everything that is due now, in every shard.
    pub(crate) fn fire_all_due(&self) {
        const BATCH: usize = 64;
        let now_ns = self.now_ns();
        let mut scratch = Vec::new();
        for shard in 0..self.shards.len() {
            while self.fire_due(shard, now_ns, BATCH, &mut scratch).rest == Fired::More {}
        }
    }

    /// If the clock is paused, moves it to the earliest deadline of all shards, and returns whether
    /// a timer is due now.
    ///
    /// For a scheduler of one thread that has nothing to run and would park: if this returns `true`
    /// it should fire timers instead. Unlike a published deadline, the one found here is exact, so
    /// that a cancelled timer does not move the clock.
    #[must_use]
    pub fn auto_advance(&self) -> bool {
        if !self.clock.is_paused() {
            return false;
        }
        let earliest = self.shards.iter().filter_map(exact_next_deadline).min();
        earliest.is_some_and(|deadline| self.clock.advance_to(deadline).is_ok())
    }

    /// Starts a timer in `shard`, and tells the host if it is now the shard's first.
    #[inline]
    pub(crate) fn start(&self, shard: usize, deadline_ns: u64, waker: Waker) -> Key {
        let deadline_ns = deadline_ns.min(LAST_DEADLINE);
        let place = &self.shards[shard];
        let mut wheel = place.wheel.lock();
        let key = wheel.insert(deadline_ns, waker);
        // ORDERING: Relaxed. It is written only under the lock, which is held.
        let sooner = deadline_ns < place.next.load(Ordering::Relaxed);
        if sooner {
            place.publish(&mut wheel, deadline_ns);
        }
        drop(wheel);
        if sooner {
            // ORDERING: SeqCst, edge T1, the starter's half: whatever the host loads comes after
            // the store in `publish`, in the one order that all such fences and accesses agree on.
            fence(Ordering::SeqCst);
            self.host.sooner(shard, deadline_ns);
        }
        key
    }

    /// Whether a timer has fired; if not, it will wake the task of `waker`.
    #[inline]
    pub(crate) fn poll_fired(&self, shard: usize, key: Key, waker: &Waker) -> Poll<()> {
        let refreshed = self.shards[shard].wheel.lock().refresh(key, waker);
        match refreshed {
            Refreshed::Fired => Poll::Ready(()),
            Refreshed::Waiting => Poll::Pending,
            Refreshed::Stale => self.replace_waker(shard, key, waker.clone()),
        }
    }

    #[cold]
    fn replace_waker(&self, shard: usize, key: Key, waker: Waker) -> Poll<()> {
        // A binding of its own, so that the lock is free again before a waker is dropped.
        let replaced = self.shards[shard].wheel.lock().replace(key, waker);
        match replaced {
            Ok(_old) => Poll::Pending,
            Err(_unused) => Poll::Ready(()),
        }
    }

    /// Gives a timer that has not fired another deadline; `None` if it has fired.
    pub(crate) fn restart(&self, shard: usize, key: Key, deadline_ns: u64) -> Option<Key> {
        let waker = self.cancel(shard, key)?;
        Some(self.start(shard, deadline_ns, waker))
    }

    /// Takes a timer out and returns its waker; `None` if it has fired.
    #[inline]
    pub(crate) fn cancel(&self, shard: usize, key: Key) -> Option<Waker> {
        let (waker, excess) = {
            let mut wheel = self.shards[shard].wheel.lock();
            (wheel.cancel(key), wheel.take_excess())
        };
        drop(excess);
        waker
    }
}

/// Computes when a shard's first timer is due, and publishes it.
fn exact_next_deadline(shard: &Shard) -> Option<u64> {
    let mut wheel = shard.wheel.lock();
    let deadline = wheel.exact_next_deadline();
    shard.publish(&mut wheel, deadline.unwrap_or(NO_DEADLINE));
    deadline
}

/// Wakes a task, and goes on if that panics.
fn wake(waker: Waker) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        // Dropping the payload could panic once more; the hook has already reported it.
        std::mem::forget(payload);
    }
}

impl fmt::Debug for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timers")
            .field("shards", &self.shards.len())
            .field("clock", &self.clock)
            .field("next_deadline", &self.next_deadline_of_all())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;
    use std::task::Wake;

    use super::*;
    use crate::testing::{self, counting_waker};

    #[test]
    fn the_host_hears_of_sooner_deadlines_only() {
        let (timers, host) = testing::paused_timers(2);
        for deadline in [500, 700, 500, 300] {
            timers.start(1, deadline, Waker::noop().clone());
        }

        assert_eq!(*host.sooner.lock(), [(1, 500), (1, 300)]);
        assert_eq!(timers.next_deadline(0), None);
        assert_eq!(timers.next_deadline(1), Some(300));
        assert_eq!(timers.next_deadline_of_all(), Some(300));
        assert_eq!(timers.len(), 4);
    }

    #[test]
    fn firing_is_bounded_and_publishes_what_is_next() {
        let (timers, _) = testing::paused_timers(1);
        let count = counting_waker();
        for deadline in [10, 20, 30, 4_000] {
            timers.start(0, deadline, count.waker());
        }
        let mut scratch = Vec::new();

        let none = timers.fire_due(0, 9, 64, &mut scratch);
        let some = timers.fire_due(0, 30, 2, &mut scratch);
        let rest = timers.fire_due(0, 30, 64, &mut scratch);

        assert_eq!(
            none,
            Batch {
                fired: 0,
                rest: Fired::Done
            }
        );
        assert_eq!(
            some,
            Batch {
                fired: 2,
                rest: Fired::More
            }
        );
        assert_eq!(
            rest,
            Batch {
                fired: 1,
                rest: Fired::Done
            }
        );
        assert_eq!(timers.next_deadline(0), Some(4_000));
        assert_eq!((count.wakes(), count.alive()), (3, 1));
    }

    /// Panics when woken.
    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("expected by the test: this waker always panics");
        }
    }

    #[test]
    fn a_waker_that_panics_stops_neither_the_others_nor_the_caller() {
        let (timers, _) = testing::paused_timers(1);
        let count = counting_waker();
        timers.start(0, 10, count.waker());
        timers.start(0, 10, Waker::from(Arc::new(Panics)));
        timers.start(0, 10, count.waker());
        let mut scratch = Vec::new();

        let batch = timers.fire_due(0, 10, 64, &mut scratch);

        assert_eq!(
            batch,
            Batch {
                fired: 3,
                rest: Fired::Done
            }
        );
        assert_eq!((count.wakes(), count.alive()), (2, 0));
        assert!(timers.is_empty());
    }

    /// Starts another timer when woken, which would deadlock under the shard's lock.
    struct StartsAnother(Arc<Timers>);

    impl Wake for StartsAnother {
        fn wake(self: Arc<Self>) {
            self.0.start(0, 20, Waker::noop().clone());
        }
    }

    #[test]
    fn a_waker_may_use_the_timers_that_wake_it() {
        let (timers, _) = testing::paused_timers(1);
        timers.start(
            0,
            10,
            Waker::from(Arc::new(StartsAnother(Arc::clone(&timers)))),
        );

        let batch = timers.fire_due(0, 10, 64, &mut Vec::new());

        assert_eq!(batch.fired, 1);
        assert_eq!(timers.next_deadline(0), Some(20));
    }

    #[test]
    fn auto_advance_goes_to_the_earliest_timer_and_not_to_a_cancelled_one() {
        let (timers, host) = testing::paused_timers(3);
        let cancelled = timers.start(0, 100, Waker::noop().clone());
        timers.start(1, 5_000, Waker::noop().clone());
        timers.start(2, 3_000, Waker::noop().clone());
        drop(timers.cancel(0, cancelled));

        assert!(timers.auto_advance());

        assert_eq!(timers.now_ns(), 3_000);
        assert_eq!(host.clock_moves.load(SeqCst), 0);
    }

    #[test]
    fn auto_advance_without_timers_or_on_a_running_clock_does_nothing() {
        let (timers, _) = testing::paused_timers(1);
        assert!(!timers.auto_advance());

        timers.start(0, u64::MAX, Waker::noop().clone());
        timers.clock().resume().unwrap();

        assert!(!timers.auto_advance());
    }

    #[test]
    fn a_deadline_too_far_away_saturates_and_is_still_a_deadline() {
        let (timers, _) = testing::paused_timers(1);
        timers.start(0, u64::MAX, Waker::noop().clone());

        assert_eq!(timers.next_deadline(0), Some(LAST_DEADLINE));
    }
}
