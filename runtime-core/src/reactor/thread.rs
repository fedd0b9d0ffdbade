//! The reactor thread: makes sure that readiness and timers never wait for busy workers.
//!
//! Most of the time it has nothing to do: a worker that runs dry waits in the poller itself. This thread only
//! keeps watch while workers are awake, and steps in when nobody has looked at the poller since its last tick.
//!
//! ```text
//!   all workers asleep, one of them in the poller,
//!   and no round was made since the last tick ────── park for good, until a worker wakes
//!   all workers asleep, nobody in the poller ─────── take over the poller, without an end
//!   some worker awake ────────────────────────────── wait one tick; then: fire overdue timers, look for stuck
//!                                                    workers; nobody looked at the poller? take it over, a tick
//!                                                    at a time, until a worker wants it back
//! ```
//!
//! A tick starts at 0.5 ms and doubles to 2 ms while there is nothing to do. Two milliseconds bound how late
//! a timer can be while every worker is stuck; 500 looks a second cost a fifth of a percent of one core, and only
//! while the program runs anyway. The poller is taken over when nobody has looked for a millisecond: busy workers look
//! more often than that by themselves, and an event that comes through this thread has to cross to a worker.
//!
//! While workers come and go it keeps its ticks: to be unparked by each that wakes would be dearer, for both.
//!
//! # Invariants
//!
//! * V1 — The thread parks for good only while some worker sleeps in the poller, and is unparked by the first
//!   worker that wakes: it announces itself and then takes the census, a worker changes the census and then
//!   looks for the announcement (edge V).
//!
//! # Edges
//!
//! * V — `Guard::parked` against the counts of idle workers: announce, SeqCst, look, on both sides.

use super::Reactor;
use super::branch::SHARED;
use super::inbox::Anywhere;
use super::lease::{FOREVER, Held};
use super::poller::Events;
use crate::park::{Parker, Unpark};
use crate::sync::atomic::{AtomicBool, Ordering, fence};
use crate::sync::{Arc, now, thread};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;
use std::time::Duration;

pub(crate) const SHORTEST_TICK: Duration = Duration::from_micros(500);
pub(crate) const LONGEST_TICK: Duration = Duration::from_millis(2);
/// The first tick after a long sleep. Most wake-ups of a quiet program are over before it ends.
const FIRST_TICK: Duration = Duration::from_millis(1);
/// When nobody has looked at the poller for so long, it is taken over.
const UNLOOKED: Duration = Duration::from_millis(1);

/// What the reactor thread needs to know of the workers; the scheduler answers.
pub(crate) trait Watch: Send + 'static {
    /// Who is asleep.
    fn census(&self) -> Census;

    /// A number that changes whenever a worker makes a round.
    fn rounds(&self) -> u64;

    /// When the timers of threads that are no workers want to be fired; in the timers' nanoseconds.
    fn outside_deadline(&self) -> Option<u64>;

    /// The timers' time.
    fn now_ns(&self) -> u64;

    /// When the first timer is overdue whose worker is in a poll just now.
    fn overdue_at(&self) -> Option<u64>;

    /// Fires the timers of threads that are no workers, and those that a busy worker is late with. Whether
    /// there were any.
    fn fire_overdue(&mut self, scratch: &mut Vec<Waker>) -> bool;

    /// Sees to events that wait for a worker which does not come: handles them, or lets whoever waits in the poller come to them.
    /// Whether there were any.
    fn hand_on_stranded(&mut self, scratch: &mut Vec<Waker>) -> bool;

    /// Looks for stuck workers and helps out. Whether there was need.
    fn relieve_stuck(&mut self) -> bool;
}

/// Who is asleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Census {
    /// Some worker is awake.
    Awake,
    /// All sleep, one of them in the poller.
    PollerTaken,
    /// All sleep, none in the poller.
    PollerFree,
}

/// The reactor thread's bed, and the way to reach it.
#[derive(Debug)]
pub(crate) struct Guard {
    parker: Parker,
    /// The thread wants to know when a worker wakes.
    parked: AtomicBool,
    stop: AtomicBool,
}

impl Guard {
    pub(crate) fn new() -> Self {
        Self {
            parker: Parker::new(),
            parked: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        }
    }

    /// A worker woke, and the counts of idle workers say so already.
    #[inline]
    pub(crate) fn on_worker_awake(&self) -> Unpark {
        // ORDERING: edge V, the worker's end: the counts changed before this look.
        fence(Ordering::SeqCst);
        if self.parked.load(Ordering::SeqCst) {
            self.unpark()
        } else {
            Unpark::Done
        }
    }

    #[cold]
    fn unpark(&self) -> Unpark {
        // ORDERING: SeqCst; of several workers that wake at once, one goes on.
        if self.parked.swap(false, Ordering::SeqCst) {
            self.parker.unpark()
        } else {
            Unpark::Done
        }
    }

    /// Makes the thread end.
    pub(crate) fn stop(&self) -> Unpark {
        // ORDERING: SeqCst, before the unpark: the thread that wakes sees it.
        self.stop.store(true, Ordering::SeqCst);
        self.parker.unpark()
    }

    /// Sleeps until a worker wakes or the thread is to stop, unless `may_park` says no after the announcement.
    pub(crate) fn park_for_good(&self, may_park: impl FnOnce() -> bool) {
        self.announce();
        if may_park() && !self.is_stopped() {
            self.parker.park(None);
        }
        self.retract();
    }

    fn is_stopped(&self) -> bool {
        // ORDERING: SeqCst, pairs with `stop`.
        self.stop.load(Ordering::SeqCst)
    }

    fn announce(&self) {
        // ORDERING: SeqCst with the fence, edge V, this thread's end: the census comes after.
        self.parked.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    fn retract(&self) {
        // ORDERING: Relaxed; a worker that still sees the announcement unparks for nothing.
        self.parked.store(false, Ordering::Relaxed);
    }
}

/// The reactor thread's own state.
pub(crate) struct ReactorThread<W> {
    reactor: Arc<Reactor>,
    guard: Arc<Guard>,
    watch: W,
    tick: Duration,
    /// [`Lease::looks`](super::lease::Lease::looks) at the last tick.
    looks: u64,
    /// How long that number has not changed.
    unlooked: Duration,
    /// [`Watch::rounds`] at the last tick.
    rounds: u64,
    /// Whether that number had changed.
    is_busy: bool,
    woken: Vec<Waker>,
    /// Room for what grafted branches have.
    fetched: Events,
}

impl<W: Watch> ReactorThread<W> {
    pub(crate) fn new(reactor: Arc<Reactor>, guard: Arc<Guard>, watch: W) -> Self {
        let looks = reactor.lease.looks();
        Self {
            reactor,
            guard,
            watch,
            tick: SHORTEST_TICK,
            looks,
            unlooked: Duration::ZERO,
            rounds: 0,
            is_busy: true,
            woken: Vec::new(),
            fetched: Events::new(),
        }
    }

    /// Keeps watch until stopped.
    pub(crate) fn run(mut self) {
        while !self.guard.is_stopped() {
            match self.watch.census() {
                Census::PollerTaken if self.tick >= LONGEST_TICK && !self.is_busy => {
                    self.park_for_good();
                }
                Census::PollerTaken | Census::Awake => self.wait_a_tick(),
                Census::PollerFree => self.take_over(),
            }
        }
    }

    fn park_for_good(&mut self) {
        self.guard
            .park_for_good(|| self.watch.census() == Census::PollerTaken);
        self.tick = FIRST_TICK;
    }

    fn wait_a_tick(&mut self) {
        let tick = self.next_tick();
        self.guard.parker.park(Some(now() + tick));
        let busy = self.help_out();
        self.count_unlooked(tick);
        let rounds = self.watch.rounds();
        self.is_busy = rounds != self.rounds;
        self.rounds = rounds;
        let is_needed = self.unlooked >= UNLOOKED
            && !self.reactor.registry.is_empty()
            && self.watch.census() == Census::Awake;
        self.tick = if busy {
            SHORTEST_TICK
        } else {
            (self.tick * 2).min(LONGEST_TICK)
        };
        if is_needed {
            self.take_over();
        }
    }

    /// The tick, or less if a timer will be overdue before its end, should its worker not come back from the poll it is in.
    fn next_tick(&self) -> Duration {
        match self.watch.overdue_at() {
            None => self.tick,
            Some(at) => {
                let left = Duration::from_nanos(at.saturating_sub(self.watch.now_ns()));
                left.clamp(SHORTEST_TICK, self.tick)
            }
        }
    }

    /// Adds this tick to the time in which nobody has looked at the poller, or starts anew.
    fn count_unlooked(&mut self, tick: Duration) {
        let looks = self.reactor.lease.looks();
        self.unlooked = if looks == self.looks {
            self.unlooked.saturating_add(tick)
        } else {
            Duration::ZERO
        };
        self.looks = looks;
    }

    fn help_out(&mut self) -> bool {
        let fired = self.watch.fire_overdue(&mut self.woken);
        let handed_on = self.watch.hand_on_stranded(&mut self.woken);
        self.watch.relieve_stuck() || fired || handed_on
    }

    /// Waits in the poller in place of the workers, until one of them wants to. Does nothing if a worker is there.
    fn take_over(&mut self) {
        let reactor = Arc::clone(&self.reactor);
        while !self.guard.is_stopped() {
            let Some(mut held) = reactor.lease.try_take() else {
                return;
            };
            let census = self.wait_in_poller(&mut held);
            reactor
                .registry
                .dispatch(held.events(), &mut Anywhere, &mut self.woken);
            let branches: Vec<usize> = held.branches().collect();
            drop(held);
            branches
                .into_iter()
                .for_each(|worker| self.look_at_branch(worker));
            self.looks = reactor.lease.looks();
            self.unlooked = Duration::ZERO;
            let delivered = !self.woken.is_empty();
            self.woken.drain(..).for_each(wake);
            self.help_out();
            let wanted = reactor.lease.was_wanted();
            if (census == Census::Awake && wanted) || (census != Census::Awake && delivered) {
                // A worker is awake, or was woken just now: the next wait is its own.
                return;
            }
        }
    }

    /// Handles what a grafted branch has.
    #[cold]
    fn look_at_branch(&mut self, worker: usize) {
        let registry = &self.reactor.registry;
        match registry.branches[worker].look_for_worker(&mut self.fetched) {
            Ok(()) => registry.dispatch(self.fetched.iter(), &mut Anywhere, &mut self.woken),
            Err(error) => report_broken_poller(&error),
        }
    }

    /// One wait: a tick long while a worker is awake, without an end otherwise.
    fn wait_in_poller(&mut self, held: &mut Held<'_>) -> Census {
        self.guard.announce();
        let census = self.watch.census();
        let deadline = match census {
            Census::Awake => {
                let tick = self.next_tick().as_nanos() as u64;
                self.watch.now_ns().saturating_add(tick)
            }
            _ => FOREVER,
        };
        if census == Census::Awake {
            self.guard.retract();
        }
        let deadline = announce_wait(held, deadline, || self.watch.outside_deadline());
        if self.guard.parker.enter_poller(SHARED) {
            let timeout = timeout(deadline, self.watch.now_ns());
            if let Err(error) = held.wait(&self.reactor.registry, timeout) {
                report_broken_poller(&error);
            }
            self.guard.parker.leave_poller();
        } else {
            // What the last holder left there has been handled.
            held.clear();
        }
        held.end_wait();
        self.guard.retract();
        census
    }
}

/// Announces a wait until the earlier of `deadline` and what `timers` says, also if that changes meanwhile;
/// gives what was announced last.
pub(crate) fn announce_wait(
    held: &Held<'_>,
    deadline: u64,
    timers: impl Fn() -> Option<u64>,
) -> u64 {
    let mut announced = timers().map_or(deadline, |next| next.min(deadline));
    loop {
        held.announce_wait(announced);
        // Edge Z: the look after the announcement.
        match timers() {
            Some(next) if next < announced => announced = next,
            _ => return announced,
        }
    }
}

/// How long to wait for a deadline; `None` is for ever.
pub(crate) fn timeout(deadline: u64, now: u64) -> Option<Duration> {
    (deadline != FOREVER).then(|| Duration::from_nanos(deadline.saturating_sub(now)))
}

/// The poller's descriptor is broken, as when the program closed it by number. There is no one to hand the
/// error to; the wait becomes a short sleep, so that timers and tasks go on.
#[cold]
pub(crate) fn report_broken_poller(error: &std::io::Error) {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        eprintln!(
            "gristmill: the operating system's poller fails ({error}): sockets will not wake their tasks \
             any more; does the program close descriptors that it does not own?"
        );
    });
    thread::sleep(Duration::from_millis(1));
}

/// Wakes a task; a waker that panics does not take the thread down.
pub(crate) fn wake(waker: Waker) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
        // Dropping the payload could panic again; the panic hook has reported it.
        std::mem::forget(payload);
    }
}
