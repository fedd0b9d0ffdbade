//! The timers of one runtime: a clock, a host, and wheels in shards.
//!
//! What happens under a shard's lock is in [`shard`](crate::shard); here is what happens outside it:
//! wakers are woken and the host is called. It starts no thread: whoever owns the timers decides when
//! they are fired.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Poll, Waker};

use crate::clock::Clock;
use crate::host::Host;
use crate::shard::{Shard, Started};
use crate::sync::{Arc, AtomicBool, Ordering};
use crate::wheel::{Fired, Key};

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
    /// Nobody fires timers any more.
    closed: AtomicBool,
}

/// Whether the clock may be paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pausing {
    /// More than one thread runs tasks, so there is no moment at which time could stand still.
    Refused,
    Allowed,
    /// It is paused for good: there is no real time to go back to.
    ForGood,
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
            closed: AtomicBool::new(false),
        }
    }

    /// Lets tasks [pause](crate::pause()) the clock; for runtimes that run tasks on one thread.
    #[must_use]
    pub fn allow_pausing(self) -> Self {
        Self {
            pausing: Pausing::Allowed,
            ..self
        }
    }

    /// Pauses the clock for good: nobody can let it run.
    #[must_use]
    pub fn pause_for_good(self) -> Self {
        // It may be paused already.
        let _ = self.clock.pause();
        Self {
            pausing: Pausing::ForGood,
            ..self
        }
    }

    /// Whether tasks may pause the clock.
    #[must_use]
    pub fn is_pausable(&self) -> bool {
        self.pausing != Pausing::Refused
    }

    /// Whether the clock is paused for good.
    pub(crate) fn is_paused_for_good(&self) -> bool {
        self.pausing == Pausing::ForGood
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
        self.shards.iter().map(Shard::len).sum()
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
        self.shards[shard].next_deadline()
    }

    /// The earliest [`next_deadline`](Self::next_deadline) of all shards. One atomic load a shard.
    #[must_use]
    pub fn next_deadline_of_all(&self) -> Option<u64> {
        self.shards.iter().filter_map(Shard::next_deadline).min()
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
        debug_assert!(
            scratch.is_empty(),
            "what is in `scratch` would be woken and counted"
        );
        let shard = &self.shards[shard];
        if shard
            .next_deadline()
            .is_none_or(|deadline| deadline > now_ns)
        {
            return Batch {
                fired: 0,
                rest: Fired::Done,
            };
        }
        let rest = shard.take_due(now_ns, limit, scratch);
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

    /// Fires everything that is due, in every shard, and tells how many timers that were. `arrange` puts those
    /// whose turn it is in an order of its own. For a scheduler that decides the order of everything.
    ///
    /// `scratch` as for [`fire_due`](Self::fire_due).
    pub fn fire_arranged(
        &self,
        scratch: &mut Vec<Waker>,
        arrange: impl FnOnce(&mut [Waker]),
    ) -> usize {
        let now_ns = self.now_ns();
        for shard in &self.shards {
            let is_due = |shard: &Shard| shard.next_deadline().is_some_and(|next| next <= now_ns);
            while is_due(shard) && shard.take_due(now_ns, usize::MAX, scratch) == Fired::More {}
        }
        let fired = scratch.len();
        arrange(scratch);
        scratch.drain(..).for_each(wake);
        fired
    }

    /// Ends the timers: wakes every task that waits for one. Sleeps that are not over panic when they are
    /// polled from now on, for nobody would ever wake them.
    ///
    /// For a scheduler that shuts down.
    pub fn close(&self) {
        const BATCH: usize = 64;
        // ORDERING: SeqCst, and the locks of the shards after it: a sleep that registers later than
        // its shard was emptied sees this, see `Sleep::poll_elapsed`.
        self.closed.store(true, Ordering::SeqCst);
        let mut scratch = Vec::new();
        for shard in 0..self.shards.len() {
            while self.fire_due(shard, u64::MAX - 1, BATCH, &mut scratch).rest == Fired::More {}
        }
    }

    /// Whether the timers have ended.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        // ORDERING: SeqCst, see `close`.
        self.closed.load(Ordering::SeqCst)
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
        self.exact_next_deadline()
            .is_some_and(|deadline| self.clock.advance_to(deadline).is_ok())
    }

    /// When the earliest timer of all shards is due, cancels taken into account. It locks every shard in turn.
    #[must_use]
    pub fn exact_next_deadline(&self) -> Option<u64> {
        let shards = self.shards.iter();
        shards.filter_map(Shard::exact_next_deadline).min()
    }

    /// If the clock is paused, moves it forward to `ns`, unless it is past that. Fires nothing, and tells the host
    /// nothing: for the host itself.
    pub fn advance_to(&self, ns: u64) {
        // A clock that runs gets there by itself.
        let _ = self.clock.advance_to(ns);
    }

    /// Starts a timer in `shard`, and tells the host if it is now the shard's first.
    #[inline]
    pub(crate) fn start(&self, shard: usize, deadline_ns: u64, waker: Waker) -> Key {
        match self.shards[shard].start(deadline_ns, waker) {
            Started::Behind(key) => key,
            Started::First(key, deadline_ns) => {
                self.host.sooner(shard, deadline_ns);
                key
            }
        }
    }

    /// Whether a timer has fired; if not, it will wake the task of `waker`.
    #[inline]
    pub(crate) fn poll_fired(&self, shard: usize, key: Key, waker: &Waker) -> Poll<()> {
        self.shards[shard].poll_fired(key, waker)
    }

    /// Takes a timer out and returns its waker; `None` if it has fired.
    #[inline]
    pub(crate) fn cancel(&self, shard: usize, key: Key) -> Option<Waker> {
        self.shards[shard].cancel(key)
    }
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
    use crate::shard::LAST_DEADLINE;
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
    fn what_is_due_in_all_shards_fires_in_the_order_that_is_asked_for() {
        /// Writes its number down.
        struct Says(usize, Arc<crate::sync::Mutex<Vec<usize>>>);
        impl Wake for Says {
            fn wake(self: Arc<Self>) {
                self.1.lock().push(self.0);
            }
        }
        let (timers, _) = testing::paused_timers(2);
        let said = Arc::new(crate::sync::Mutex::new(Vec::new()));
        for number in 0..6 {
            let waker = Waker::from(Arc::new(Says(number, Arc::clone(&said))));
            timers.start(number % 2, if number < 4 { 10 } else { 11 }, waker);
        }
        timers.advance_to(10);

        let fired = timers.fire_arranged(&mut Vec::new(), <[Waker]>::reverse);

        assert_eq!(fired, 4);
        assert_eq!(*said.lock(), [3, 1, 2, 0]);
        assert_eq!(timers.exact_next_deadline(), Some(11));
    }

    #[test]
    fn a_deadline_too_far_away_saturates_and_is_still_a_deadline() {
        let (timers, _) = testing::paused_timers(1);
        timers.start(0, u64::MAX, Waker::noop().clone());

        assert_eq!(timers.next_deadline(0), Some(LAST_DEADLINE));
    }
}
