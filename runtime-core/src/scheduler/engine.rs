//! What all threads of a runtime share.
//!
//! # Invariants
//!
//! * N1 — Whoever makes a runnable visible to other workers calls `notify` afterwards, or hands the duty to a
//!   thread that will (edge P1 of [`park`](crate::park)). A worker that runs a bunch of timers alone marks its lane, and the
//!   reactor thread, which ticks while any worker is awake, tells of marked lanes.
//! * N2 — Nothing here owns a task for good: the engine must not keep tasks alive that keep it alive; the leftovers' references
//!   go when the shutdown makes its report. What
//!   is left in the injector is drained at shutdown, and what comes later by whoever put it there.

use super::context;
use super::fatal::Fatal;
use super::lane::Lane;
use super::lending::Lent;
use super::stall::Stuck;
use super::unminded::Unminded;
use crate::park::idle::BRIEF_SLEEP;
use crate::park::{Idle, Unpark};
use crate::queue::{Injector, LocalQueue};
use crate::reactor::branch::SHARED;
use crate::reactor::lease::FOREVER;
use crate::reactor::thread::Guard;
use crate::reactor::{Here, Reactor};
use crate::report::{Leftovers, Reporter};
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use crate::sync::{Arc, CachePadded};
use crate::task::Runnable;
use runtime_timer::{Clock, Host, Timers};
use std::io;
use std::sync::Weak;
use std::task::{Context, Poll};

/// What all threads of a runtime share.
pub(crate) struct Engine {
    pub(crate) injector: CachePadded<Injector>,
    pub(crate) idle: CachePadded<Idle>,
    /// Workers first, then the places of relief workers.
    pub(crate) lanes: Box<[Lane]>,
    pub(crate) reactor: Arc<Reactor>,
    pub(crate) guard: Arc<Guard>,
    pub(crate) timers: Arc<Timers>,
    /// Lanes that have left timers behind.
    pub(crate) unminded: Unminded,
    /// Workers that sleep beside the poller, and let the one in it mind their timers.
    pub(super) lent: Lent,
    pub(crate) reporter: Reporter,
    /// The panic that ended the runtime, if one did.
    pub(crate) fatal: Fatal,
    /// What the shutdown finds unfinished.
    pub(crate) leftovers: Leftovers,
    /// How many of the lanes are ordinary workers'.
    pub(crate) workers: usize,
    /// At most so many search at a time.
    pub(crate) search_limit: usize,
    /// How many lanes are worked by a thread.
    staffed: AtomicUsize,
    /// How many of them are marked as stuck in a poll, and have been.
    pub(super) stuck: Stuck,
    shutting_down: AtomicBool,
    /// The workers are gone, and nobody will look at the injector again.
    unattended: AtomicBool,
}

/// Where a runtime's time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeSource {
    /// The operating system's monotonic clock.
    Real,
    /// The same, and tasks may pause it.
    Pausable,
    /// Paused from the start.
    Paused,
    /// Paused for good: it only ever moves when the scheduler says so.
    Virtual,
}

impl Engine {
    /// An engine with `workers` workers and room for `relief` more; and the owners' ends of their queues.
    pub(crate) fn new(
        workers: usize,
        relief: usize,
        time: TimeSource,
        reporter: Reporter,
    ) -> io::Result<(Arc<Self>, Vec<LocalQueue>)> {
        let (queues, lanes): (Vec<_>, Vec<_>) = (0..workers + relief)
            .map(|_| {
                let (queue, shared) = LocalQueue::new();
                (queue, Lane::new(shared))
            })
            .unzip();
        let here = Here {
            others_wait: context::few_others_wait,
            with_rechecks: context::with_rechecks,
        };
        let reactor = Reactor::new(workers, here)?;
        let guard = Arc::new(Guard::new());
        let engine = Arc::new_cyclic(|engine| Self {
            injector: CachePadded(Injector::new()),
            idle: CachePadded(Idle::new()),
            timers: make_timers(lanes.len() + 1, time, &reactor, engine),
            unminded: Unminded::new(lanes.len()),
            lent: Lent::new(workers),
            lanes: lanes.into(),
            reporter,
            fatal: Fatal::new(),
            leftovers: Leftovers::new(),
            reactor,
            guard,
            workers,
            search_limit: workers.div_ceil(2),
            staffed: AtomicUsize::new(0),
            stuck: Stuck::new(),
            shutting_down: AtomicBool::new(false),
            unattended: AtomicBool::new(false),
        });
        Ok((engine, queues))
    }

    /// Takes a runnable from a thread that is no worker of this engine.
    pub(crate) fn inject(&self, runnable: Runnable) {
        self.injector.push(runnable);
        if context::is_unhurried() {
            self.notify_unhurried();
        } else {
            self.notify();
        }
        self.empty_unattended();
    }

    /// After posting what is in no hurry: as [`notify`](Self::notify), unless a worker looks soon by itself.
    #[cold]
    fn notify_unhurried(&self) {
        if let Some(worker) = self.idle.choose_unhurried(|| self.looks_soon()) {
            self.unpark(worker);
        }
    }

    /// Whether the wait in the poller is nearly over.
    fn looks_soon(&self) -> bool {
        let until = self.reactor.lease.waits_until();
        let brief = BRIEF_SLEEP.as_nanos() as u64;
        // A clock that is paused can be at its end.
        let soon = || self.timers.now_ns().saturating_add(brief);
        until.is_some_and(|until| until != FOREVER && until <= soon())
    }

    /// After posting work: wakes a worker if one sleeps and none searches.
    #[inline]
    pub(crate) fn notify(&self) {
        if let Some(worker) = self.idle.choose() {
            self.unpark(worker);
        }
    }

    /// Whether something waits that one more worker could run.
    pub(crate) fn has_more(&self) -> bool {
        !self.injector.is_empty() || self.lanes.iter().any(Lane::has_more)
    }

    /// Ends a worker's sleep, or its next.
    pub(crate) fn unpark(&self, worker: usize) {
        self.complete(self.lanes[worker].parker.unpark());
    }

    /// Does what an unpark has left to do.
    pub(crate) fn complete(&self, unpark: Unpark) {
        match unpark {
            Unpark::Done => {}
            Unpark::TellPoller(number) => self.reactor.registry.notify(number),
        }
    }

    /// A thread is about to work a lane.
    pub(crate) fn staff_lane(&self) {
        // ORDERING: SeqCst with the census of the reactor thread: a worker counts before it can be awake.
        self.staffed.fetch_add(1, Ordering::SeqCst);
        self.complete(self.guard.on_worker_awake());
    }

    /// No thread works the lane any more.
    pub(crate) fn vacate_lane(&self) {
        // ORDERING: SeqCst as above.
        self.staffed.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many lanes are worked.
    pub(crate) fn staffed(&self) -> usize {
        // ORDERING: SeqCst as above.
        self.staffed.load(Ordering::SeqCst)
    }

    /// How many of them are not stuck in a poll.
    pub(crate) fn moving(&self) -> usize {
        self.staffed().saturating_sub(self.stuck.now())
    }

    /// A worker leaves its lane, and whatever timers it has, to whoever comes.
    pub(super) fn leave_timers(&self, lane: usize) {
        let Some(next) = self.timers.next_deadline(lane) else {
            return;
        };
        self.unminded.leave(lane);
        // Edge Z, the registering end.
        if self.reactor.lease.sleeps_past(next) {
            self.reactor.registry.notify(SHARED);
        }
    }

    /// When the first timer is due that no worker minds as its own.
    pub(super) fn next_common_deadline(&self) -> Option<u64> {
        let outside = self.timers.next_deadline(self.timers.outside());
        let left = self.unminded.lanes();
        left.filter_map(|left| self.timers.next_deadline(left.lane))
            .chain(outside)
            .min()
    }

    /// When the first timer is due that is lent to whoever sleeps in the poller.
    pub(super) fn next_lent_deadline(&self) -> Option<u64> {
        let lanes = self.lent.lanes();
        lanes
            .filter_map(|lane| self.timers.next_deadline(lane))
            .min()
    }

    /// After firing timers of unminded lanes: those that have none left need nobody.
    pub(super) fn forget_empty(&self) {
        for left in self.unminded.lanes() {
            if self.timers.next_deadline(left.lane).is_none() {
                self.unminded.forget(left);
            }
        }
    }

    /// Takes several runnables whose worker leaves.
    pub(super) fn inject_all(&self, runnables: impl Iterator<Item = Runnable>) {
        let mut any = false;
        for runnable in runnables {
            self.injector.push(runnable);
            any = true;
        }
        if any {
            self.notify();
            self.empty_unattended();
        }
    }

    /// Lets every worker see that the runtime ends.
    pub(crate) fn begin_shutdown(&self) {
        // ORDERING: SeqCst, before the unparks: a worker that wakes, or looks before it sleeps, sees it.
        self.shutting_down.store(true, Ordering::SeqCst);
        (0..self.lanes.len()).for_each(|worker| self.unpark(worker));
    }

    /// The workers are gone: ends every runnable that is left, and from now on each that comes.
    pub(crate) fn leave_unattended(&self) {
        // ORDERING: SeqCst with the fence: the drain below comes after, as the look in `empty_unattended` comes after a
        // push. One of the two sees the other.
        self.unattended.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.empty_unattended();
    }

    /// After a push: ends what no worker will look at any more.
    #[inline]
    pub(crate) fn empty_unattended(&self) {
        // ORDERING: SeqCst, see `leave_unattended`; on the pusher's side the fence is in `notify`.
        if self.unattended.load(Ordering::SeqCst) {
            let mut sweep = self.leftovers.sweep();
            while let Some(runnable) = self.injector.take() {
                sweep.end(runnable);
            }
        }
    }

    #[inline]
    pub(crate) fn is_shutting_down(&self) -> bool {
        // ORDERING: Acquire, pairs with `begin_shutdown`; a sleeper's last look has a fence before it.
        self.shutting_down.load(Ordering::Acquire)
    }
}

fn make_timers(
    shards: usize,
    time: TimeSource,
    reactor: &Arc<Reactor>,
    engine: &Weak<Engine>,
) -> Arc<Timers> {
    let outside = shards - 1;
    let host = Arc::new(TimerHost {
        reactor: Arc::clone(reactor),
        engine: Weak::clone(engine),
        outside,
    });
    let clock = match time {
        TimeSource::Real | TimeSource::Pausable => Clock::new(),
        TimeSource::Paused | TimeSource::Virtual => Clock::new_paused(),
    };
    let timers = Timers::new(shards, clock, host);
    Arc::new(match time {
        TimeSource::Real => timers,
        TimeSource::Pausable | TimeSource::Paused => timers.allow_pausing(),
        TimeSource::Virtual => timers.pause_for_good(),
    })
}

#[cfg(all(
    test,
    any(gristmill_loom, all(target_os = "linux", not(gristmill_shuttle)))
))]
impl Engine {
    /// An engine that reports nothing, with so many workers and places for relief workers. Nobody works there but the test.
    pub(crate) fn unmanned(workers: usize, relief: usize) -> Arc<Self> {
        use crate::report::UnhandledPanic;
        use crate::report::reporter::Reporting;
        let silent = Reporting {
            debug: None,
            stalls: None,
            hook: None,
            policy: UnhandledPanic::Ignore,
            thread_name: String::new(),
        };
        let reporter = Reporter::new(silent).expect("no thread of its own");
        let engine = Self::new(workers, relief, TimeSource::Real, reporter);
        engine.expect("descriptors to spare").0
    }
}

/// What timers want of the scheduler.
struct TimerHost {
    reactor: Arc<Reactor>,
    /// For what is rare; not counted, since the timers are a part of the engine.
    engine: Weak<Engine>,
    /// The shard of threads that are no workers.
    outside: usize,
}

impl Host for TimerHost {
    /// A worker looks at its own shard before it sleeps, and the reactor thread's tick looks at all while
    /// workers are awake. So only a deadline of another thread must be told to who waits in the poller.
    fn sooner(&self, shard: usize, deadline_ns: u64) {
        if shard == self.outside && self.reactor.lease.sleeps_past(deadline_ns) {
            self.reactor.registry.notify(SHARED);
        }
    }

    fn poll_proceed(&self, cx: &mut Context<'_>) -> Poll<()> {
        crate::task::budget::poll_proceed(cx).map(|spent| spent.made_progress())
    }

    /// Whoever sleeps until a deadline has to compute it anew: the reactor thread in the poller, and the one worker that
    /// a runtime whose clock can be moved has, on whichever bed.
    fn clock_moved(&self) {
        self.reactor.registry.notify(SHARED);
        if let Some(engine) = self.engine.upgrade() {
            engine.unpark(0);
        }
    }
}
