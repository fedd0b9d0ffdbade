//! The worker: owns a local queue, and runs one runnable after the other.
//!
//! ```text
//!   each round:   between rounds (shutdown? root future?)
//!                 every 61st: look around at poller, timers, injector, behind stuck workers, so that a long local queue
//!                 starves nobody
//!                 next: slot, local queue, injector, due timers, poller, other workers (see `search`)
//!                 run it, or sleep (see `sleep`)
//! ```
//!
//! # Invariants
//!
//! * A1 — All fields are touched by the worker's own thread only; wakers that run on it reach them through
//!   [`context`](super::context). No borrow is held across user code.
//! * A2 — While the worker dispatches events or fires timers, what becomes runnable goes to the back of the local
//!   queue, and siblings are told once, at the end.

use super::context;
use super::engine::Engine;
use super::gather::Gather;
use super::house::House;
use super::lane::{Lane, Moving};
use super::linger::Linger;
use super::pace::Pace;
use super::poll_watch::PollWatch;
use super::rechecking::Rechecking;
use super::search::Searching;
use super::steering::Steering;
use crate::queue::LocalQueue;
use crate::reactor::inbox::Event;
use crate::reactor::poller::Events;
use crate::report::ReportedTask;
use crate::sync::{Arc, now};
use crate::task::{Cause, Runnable, budget};
use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::panic::Location;
use std::task::Waker;
use std::time::{Duration, Instant};

/// Once in so many rounds a worker with a long queue looks at everything else. A prime, so that it does not
/// beat with periodic workloads.
const LOOK_AROUND_EVERY: u32 = 61;

/// How long a worker runs a bunch of timers alone. As late as a timer may be before the reactor thread steps in: two wake-ups of a sibling,
/// and what it takes to bring the work to it.
const OWED_NS: u64 = 200_000;

/// What a worker owns wherever it runs: it can be put down on one thread and taken up on another.
pub(crate) struct Core {
    index: usize,
    queue: LocalQueue,
}

/// A worker on its thread.
pub(crate) struct Worker {
    pub(super) house: Arc<House>,
    core: Core,
    /// Rounds until the next look around.
    until_look: Cell<u32>,
    /// Events are being dispatched or timers fired (A2).
    deferring: Cell<bool>,
    /// Runnables that came in meanwhile.
    deferred: Cell<usize>,
    /// Room for what comes from a branch.
    pub(super) fetched: RefCell<Events>,
    /// Looks at the own branch until the shared poller has its turn.
    pub(super) until_shared: Cell<u32>,
    /// Whether to let more gather in the injector, and where to steal.
    pub(super) injected: Gather,
    pub(super) stolen: Gather,
    /// From whom this worker has stolen last since it looked around.
    pub(super) last_victim: Cell<Option<usize>>,
    /// The next look around is that of a worker which has been in a long poll.
    came_back: Cell<bool>,
    /// Room for events on their way out of an inbox.
    pub(super) events: RefCell<Vec<Event>>,
    /// Room for wakers on their way from the reactor to their tasks.
    pub(super) wakers: RefCell<Vec<Waker>>,
    pub(super) steering: RefCell<Steering>,
    pub(super) rechecking: Rechecking,
    /// Siblings were not told of fired timers at once; in the timers' nanoseconds, when they are to be told after all.
    owed_at: Cell<Option<u64>>,
    /// Timers fired since the worker slept last.
    pub(super) fired: Cell<usize>,
    /// Whether results come so fast that a sleep may be brief.
    pub(super) pace: Pace,
    /// Whether to look longer before a sleep.
    pub(super) linger: Linger,
    /// The polls that it had made when it last slept past its own timers, because another minds them.
    pub(super) relied_at: Cell<Option<u64>>,
    /// How long the worker slept the last time.
    pub(super) slept: Cell<Duration>,
    /// Since when the worker is awake.
    pub(super) awake_since: Cell<Instant>,
    /// How long the worker sleeps at most; a relief worker looks then whether it is still needed.
    pub(super) longest_sleep: Option<Duration>,
    /// Only in debug mode.
    watch: Option<PollWatch>,
}

impl Core {
    pub(crate) fn new(index: usize, queue: LocalQueue) -> Self {
        Self { index, queue }
    }

    pub(crate) fn index(&self) -> usize {
        self.index
    }
}

impl Worker {
    pub(crate) fn new(house: Arc<House>, core: Core) -> Self {
        house.engine.lanes[core.index].set_thread();
        let workers = house.engine.workers;
        let watch = PollWatch::new(&house.engine.reporter);
        Self {
            house,
            core,
            until_look: Cell::new(LOOK_AROUND_EVERY),
            injected: Gather::new(),
            stolen: Gather::new(),
            last_victim: Cell::new(None),
            came_back: Cell::new(false),
            deferring: Cell::new(false),
            deferred: Cell::new(0),
            fetched: RefCell::new(Events::new()),
            until_shared: Cell::new(0),
            events: RefCell::new(Vec::new()),
            wakers: RefCell::new(Vec::new()),
            steering: RefCell::new(Steering::new(workers)),
            rechecking: Rechecking::new(),
            owed_at: Cell::new(None),
            fired: Cell::new(0),
            pace: Pace::new(),
            linger: Linger::new(),
            relied_at: Cell::new(None),
            slept: Cell::new(Duration::ZERO),
            awake_since: Cell::new(now()),
            longest_sleep: None,
            watch,
        }
    }

    /// Limits each sleep.
    pub(crate) fn with_longest_sleep(mut self, time: Duration) -> Self {
        self.longest_sleep = Some(time);
        self
    }

    /// Gives the core back, for another thread.
    pub(crate) fn into_core(self) -> Core {
        // What it would have told of is in its queue, for whoever takes the core up, or with the others.
        self.owe_nothing();
        self.core
    }

    #[inline]
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.house.engine
    }

    #[inline]
    pub(crate) fn index(&self) -> usize {
        self.core.index
    }

    #[inline]
    pub(super) fn lane(&self) -> &Lane {
        &self.engine().lanes[self.core.index]
    }

    #[inline]
    pub(super) fn queue(&self) -> &LocalQueue {
        &self.core.queue
    }

    /// Runs until `between_rounds` says otherwise. It is asked before each round, and after each sleep.
    pub(crate) fn run(&self, between_rounds: impl FnMut(&Self) -> Step) {
        self.run_with_duty(None, between_rounds);
    }

    /// As [`run`](Self::run), for a worker that was started because there is work.
    pub(super) fn run_searching(&self, between_rounds: impl FnMut(&Self) -> Step) {
        self.run_with_duty(Some(Searching::as_chosen()), between_rounds);
    }

    fn run_with_duty(
        &self,
        searching: Option<Searching>,
        mut between_rounds: impl FnMut(&Self) -> Step,
    ) {
        self.lane().set_asleep(false);
        context::scope_worker(self, || {
            let mut duty = Duty {
                engine: self.engine(),
                searching,
            };
            let _last = LastLook(self);
            loop {
                match between_rounds(self) {
                    Step::Stop => break,
                    Step::StopUnlessChosen if duty.searching.is_none() => break,
                    Step::StopUnlessChosen | Step::GoOn => {}
                }
                self.begin_round();
                match self.next_runnable(duty.searching.take()) {
                    ControlFlow::Break(runnable) => self.execute(runnable),
                    ControlFlow::Continue(unsuccessful) => {
                        duty.searching = self.sleep(unsuccessful);
                    }
                }
            }
            // Also if there is none yet: whoever is about to set it finds, under the lock, that the poll is over.
            let _ = self.engine().clear_mark(self.lane());
        });
    }

    /// Clears the mark that the reactor thread has put on this worker's lane, if there is one. Then it has asked for a look around, or
    /// there is reason for one: in rounds of long polls the usual one would come late.
    #[inline]
    fn heed_mark(&self, lane: &Lane) {
        if lane.is_marked() {
            match self.engine().clear_mark(lane) {
                Moving::Already => return,
                Moving::Asked => {}
                Moving::Again => self.came_back.set(true),
            }
            self.until_look.set(1);
        }
    }

    #[inline]
    fn begin_round(&self) {
        let lane = self.lane();
        if !lane.inbox.is_empty() {
            self.open_inbox();
        }
        self.heed_mark(lane);
        lane.stats.rounds.add(1);
        if let Some(owed_at) = self.owed_at.get() {
            self.tell_if_due(owed_at);
        }
    }

    /// Tells siblings of a bunch of timers that takes long to run.
    fn tell_if_due(&self, owed_at: u64) {
        if !self.lane().queue.has_stealable() {
            self.set_owed_at(None);
        } else if self.engine().timers.now_ns() >= owed_at {
            self.set_owed_at(None);
            self.engine().notify();
        }
    }

    fn set_owed_at(&self, owed_at: Option<u64>) {
        self.owed_at.set(owed_at);
        self.lane().set_owes(owed_at.is_some());
    }

    /// Goes to sleep: nothing is left that a sibling could be told of.
    pub(super) fn owe_nothing(&self) {
        if self.owed_at.get().is_some() {
            self.set_owed_at(None);
        }
    }

    /// The next runnable, from wherever; or the search that found none.
    #[inline]
    fn next_runnable(
        &self,
        searching: Option<Searching>,
    ) -> ControlFlow<Runnable, Option<Searching>> {
        let left = self.until_look.get() - 1;
        self.until_look.set(left);
        let local = if left == 0 {
            self.look_around()
        } else {
            self.queue().pop(&self.lane().queue)
        };
        match local {
            Some(runnable) => {
                if let Some(searching) = searching {
                    searching.found(self.engine());
                }
                ControlFlow::Break(runnable)
            }
            None => self.find(searching),
        }
    }

    /// Looks at everything but the local queue first.
    #[cold]
    fn look_around(&self) -> Option<Runnable> {
        self.until_look.set(LOOK_AROUND_EVERY);
        self.fire_due_timers();
        self.look_at_own_branch();
        self.look_at_shared_poller();
        self.turn_if_due();
        let last_victim = self.last_victim.take();
        // Workers that come back from long polls in turn would take the same tasks from each other again and again, to the back of
        // their queues each time.
        if !self.came_back.take() && self.engine().has_stuck() {
            self.take_from_stuck(last_victim);
        }
        self.take_from_injector()
            .or_else(|| self.queue().pop(&self.lane().queue))
    }

    /// Takes a batch from the injector. While the batch moves it is in neither queue, so a sleeper's look can miss it:
    /// if more came than this worker runs next, a sibling is told.
    pub(super) fn take_from_injector(&self) -> Option<Runnable> {
        let first = self.queue().take_from(&self.engine().injector)?;
        if self.lane().queue.has_stealable() {
            self.engine().notify();
        }
        Some(first)
    }

    #[inline]
    pub(super) fn execute(&self, runnable: Runnable) {
        match &self.watch {
            None => self.execute_now(runnable),
            Some(watch) => self.execute_watched(watch, runnable),
        }
    }

    #[cold]
    fn execute_watched(&self, watch: &PollWatch, runnable: Runnable) {
        // The task may be gone after its poll.
        let task = ReportedTask::new(runnable.meta(), runnable.name().as_ref());
        watch.watch(&self.engine().reporter, task, || self.execute_now(runnable));
    }

    /// Polls a future that is no task, as [`execute`](Self::execute) does a task.
    #[inline]
    pub(crate) fn poll_root<R>(
        &self,
        site: &'static Location<'static>,
        poll: impl FnOnce() -> R,
    ) -> R {
        let _root = RootPoll::begin(self, site);
        match &self.watch {
            None => poll(),
            Some(watch) => watch.watch(&self.engine().reporter, ReportedTask::root(site), poll),
        }
    }

    #[inline]
    fn execute_now(&self, runnable: Runnable) {
        let lane = self.lane();
        let meta = runnable.meta();
        lane.polled.begin(meta);
        let task = context::enter_task(meta.id);
        budget::with_fresh(|| runnable.run());
        drop(task);
        lane.polled.end();
        lane.stats.polls.add(1);
    }

    /// Takes a runnable that became so on this thread.
    #[inline]
    pub(crate) fn accept(&self, runnable: Runnable, cause: Cause) {
        if self.deferring.get() {
            self.deferred.set(self.deferred.get() + 1);
            self.queue().push_back(runnable);
        } else if cause == Cause::Yielded {
            let is_next = self.queue().is_empty(&self.lane().queue);
            self.queue().push_back(runnable);
            if !is_next {
                // Something else runs first, and may do so for long.
                self.engine().notify();
            }
        } else if self.queue().push_first(&self.lane().queue, runnable) {
            self.engine().notify();
        }
    }

    /// Runs `f`, which wakes tasks; tells siblings once if there is more than this worker runs next.
    pub(super) fn deferring(&self, f: impl FnOnce()) {
        if self.collect(f) {
            self.engine().notify();
        }
    }

    /// As [`deferring`](Self::deferring) for timers that were due at `now`: siblings are told if the worker has not run them
    /// all soon after, by itself or, if it does not come back from a poll, by the reactor thread at its next tick. Most
    /// timers are done with in less time than it takes a sibling to wake.
    pub(super) fn deferring_timers(&self, now: u64, f: impl FnOnce()) {
        if self.collect(f) && self.owed_at.get().is_none() {
            self.set_owed_at(Some(now.saturating_add(OWED_NS)));
        }
    }

    /// Runs `f`, which wakes tasks; whether there is more than this worker runs next.
    fn collect(&self, f: impl FnOnce()) -> bool {
        let had_work = !self.queue().is_empty(&self.lane().queue);
        let outer = self.deferring.replace(true);
        f();
        self.deferring.set(outer);
        let came = self.deferred.replace(0);
        came + usize::from(had_work) > 1 && came > 0
    }

    /// How many tasks this worker has polled.
    pub(super) fn polls(&self) -> u64 {
        self.lane().stats.polls.get()
    }

    /// Leaves everything to the others: this worker goes, and the runtime goes on.
    pub(super) fn hand_over(&self) {
        let engine = self.engine();
        engine.inject_all(std::iter::from_fn(|| self.queue().pop(&self.lane().queue)));
        engine.leave_timers(self.index());
    }

    /// Ends every runnable that is left in this worker's queue, at shutdown.
    pub(super) fn drain(&self) {
        let mut sweep = self.engine().leftovers.sweep();
        while let Some(runnable) = self.queue().pop(&self.lane().queue) {
            sweep.end(runnable);
        }
    }
}

/// A poll of a future that is no task, as the reactor thread sees it. It is over also if it panics.
struct RootPoll<'a>(&'a Worker);

impl<'a> RootPoll<'a> {
    #[inline]
    fn begin(worker: &'a Worker, site: &'static Location<'static>) -> Self {
        let lane = worker.lane();
        // The round of the task before is over, though the next has not begun.
        lane.stats.rounds.add(1);
        lane.polled.begin_root(site);
        Self(worker)
    }
}

impl Drop for RootPoll<'_> {
    #[inline]
    fn drop(&mut self) {
        let lane = self.0.lane();
        lane.polled.end();
        self.0.heed_mark(lane);
    }
}

/// The loop ends, maybe by a panic of the root future: nobody will look any more at what this worker took for drained (K3).
struct LastLook<'a>(&'a Worker);

impl Drop for LastLook<'_> {
    fn drop(&mut self) {
        self.0.look_no_more();
    }
}

/// A worker's duty to search, between two rounds. It goes on to another worker if the loop ends, also if `between_rounds`
/// panics with the root future that it polls.
struct Duty<'a> {
    engine: &'a Engine,
    searching: Option<Searching>,
}

impl Drop for Duty<'_> {
    fn drop(&mut self) {
        if let Some(searching) = self.searching.take() {
            searching.found(self.engine);
        }
    }
}

/// Whether the loop goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Step {
    GoOn,
    Stop,
    /// Stop, but not with the duty to search: whoever chose this worker to wake relies on it.
    StopUnlessChosen,
}
