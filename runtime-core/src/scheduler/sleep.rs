//! How a worker goes to sleep: in the poller if it can have the lease, else on its own bed.
//!
//! Both ways announce, look once more, sleep, and retract (edge P1 of [`park`](crate::park)). A worker whose own branch holds
//! sources sleeps there, in the shared poller too if it can have the lease (J5 of [`branch`](crate::reactor::branch)). A worker on
//! its own bed or in its branch sleeps until the next deadline of its own timers, or [lends](super::lending) them and sleeps a little longer. One
//! in the poller also minds what is lent, the timers of threads that are no workers, and those of lanes that nobody works. While the compute
//! pool has a backlog the sleep in the poller is brief, see `House::compute`.

use super::linger;
use super::search::Searching;
use super::steering::Origin;
use super::worker::Worker;
use crate::park::Retracted;
use crate::park::idle::{BRIEF_SLEEP, Bed};
use crate::reactor::branch::{self, Branch, SHARED};
use crate::reactor::lease::{FOREVER, Held};
use crate::reactor::poller::Poller;
use crate::reactor::thread::{announce_wait, report_broken_poller, timeout};
use crate::sync::{self, now, thread};
use std::time::Duration;

/// For each timer that a worker has just fired it rests so long before it wakes for the next one, if there were several. About twice
/// what a wake-up costs: so a worker rests for as long as timers come faster than that, and where they do not, hardly. Figures
/// in `docs/decisions/timer-bunches.md`.
const REST_PER_TIMER_NS: u64 = 40_000;

/// The longest rest, whatever comes.
const LONGEST_REST_NS: u64 = 250_000;

/// See [`Worker::breather`].
#[derive(Clone, Copy)]
struct Breather {
    now: u64,
    until: u64,
}

impl Breather {
    /// So many timers fired that more would not make it longer.
    fn is_longest(self) -> bool {
        self.until.saturating_sub(self.now) >= LONGEST_REST_NS
    }
}

impl Worker {
    /// Sleeps until there may be work. Comes back searching if it was woken to search.
    #[cold]
    pub(super) fn sleep(&self, searching: Option<Searching>) -> Option<Searching> {
        if self.recheck_all() {
            return searching;
        }
        if self.advance_paused_time() {
            return searching;
        }
        if searching.is_some() && self.linger.is_due() && self.lingers() {
            return searching;
        }
        self.owe_nothing();
        self.steering.borrow_mut().sleep(self.polls());
        // Should it not come to a sleep, there was none.
        self.slept.set(Duration::ZERO);
        let reactor = &self.engine().reactor;
        let chosen = match reactor.lease.try_take() {
            Some(held) => self.sleep_in_poller(held, searching),
            None => {
                reactor.lease.want();
                match self.branch() {
                    Some((branch, poller)) => {
                        let chosen = if branch.watched().enter() {
                            self.sleep_in_branch(branch, poller, searching)
                        } else {
                            self.sleep_on_bed(searching)
                        };
                        branch.watched().leave();
                        chosen
                    }
                    None => self.sleep_on_bed(searching),
                }
            }
        };
        self.take_timers_back();
        let slept = self.slept.get();
        if slept > Duration::ZERO {
            self.linger.slept(slept, chosen.is_some());
        }
        self.fire_due_timers();
        chosen
    }

    /// Looks a little longer, as a searching worker; whether there is something to do now.
    ///
    /// Not beside computing threads: they would not give the processor back for long.
    fn lingers(&self) -> bool {
        let pool = self.house.compute.metrics();
        if pool.threads > pool.idle {
            return false;
        }
        let until = now() + linger::LONGEST;
        loop {
            // Whoever is about to post something may wait for this very processor.
            thread::yield_now();
            self.fire_due_timers();
            self.look_at_pollers();
            if self.must_stay_awake() {
                self.linger.succeeded();
                return true;
            }
            if now() >= until {
                self.linger.failed();
                return false;
            }
        }
    }

    /// With paused time and nothing else to do, the clock jumps to the next deadline.
    fn advance_paused_time(&self) -> bool {
        let timers = &self.engine().timers;
        timers.is_pausable()
            && timers.clock().is_paused()
            // First: a job that has just ended may have woken somebody just before.
            && !self.house.has_jobs()
            && self.engine().injector.is_empty()
            && !self.lane().parker.is_notified()
            && timers.auto_advance()
    }

    fn sleep_on_bed(&self, searching: Option<Searching>) -> Option<Searching> {
        self.announce(Bed::Condvar, searching);
        if self.must_stay_awake() {
            return self.stay_awake();
        }
        let until = self
            .time_left()
            .and_then(|left| sync::now().checked_add(left));
        self.asleep(|| {
            self.lane().parker.park(until);
        });
        self.retract()
    }

    /// The own branch, if there are sources in it.
    fn branch(&self) -> Option<(&Branch, &Poller)> {
        let branch = self.engine().reactor.registry.branches.get(self.index())?;
        Some((branch, branch.in_use()?))
    }

    fn sleep_in_branch(
        &self,
        branch: &Branch,
        poller: &Poller,
        searching: Option<Searching>,
    ) -> Option<Searching> {
        self.announce(Bed::Condvar, searching);
        if self.must_stay_awake() {
            return self.stay_awake();
        }
        let timeout = self.time_left();
        let parker = &self.lane().parker;
        if !parker.enter_poller(branch::number(self.index())) {
            return self.retract();
        }
        self.asleep(|| {
            if let Err(error) = poller.wait(&mut self.fetched.borrow_mut(), timeout) {
                report_broken_poller(&error);
            }
        });
        parker.leave_poller();
        self.lane().stats.looks.add(1);
        branch.watched().leave();
        let chosen = self.retract();
        self.handle_fetched(Origin::Poller);
        chosen
    }

    /// How long to sleep at most, but in the shared poller. By the time that is left: the runtime's clock may be ahead of the
    /// system's, after a pause.
    fn time_left(&self) -> Option<Duration> {
        let breather = self.breather();
        let own = self.deadline(None, breather)?;
        let deadline = if breather.is_longest() {
            own
        } else {
            self.lend_timers(breather.now, own, LONGEST_REST_NS)
        };
        timeout(deadline, self.engine().timers.now_ns())
    }

    fn sleep_in_poller(
        &self,
        mut held: Held<'_>,
        searching: Option<Searching>,
    ) -> Option<Searching> {
        let engine = self.engine();
        let registry = &engine.reactor.registry;
        let brief = self.may_sleep_briefly();
        let bed = if brief {
            Bed::PollerBriefly
        } else {
            Bed::Poller
        };
        self.announce(bed, searching);
        if self.must_stay_awake() {
            // Off the list before the lease goes: the next holder takes the same place on it.
            let searching = self.stay_awake();
            drop(held);
            return searching;
        }
        let breather = self.breather();
        let deadline = announce_wait(&held, FOREVER, || {
            let common = engine.next_common_deadline().into_iter();
            let others = common.chain(engine.next_lent_deadline()).min();
            self.deadline(others, breather)
        });
        let parker = &self.lane().parker;
        if parker.enter_poller(SHARED) {
            let branch = self.branch();
            let mut timeout = timeout(deadline, engine.timers.now_ns());
            if brief {
                timeout = Some(timeout.map_or(BRIEF_SLEEP, |timeout| timeout.min(BRIEF_SLEEP)));
            }
            self.asleep(|| {
                let outcome = match branch {
                    Some((_, branch)) => held.wait_beside(registry, branch, timeout),
                    None => held.wait(registry, timeout),
                };
                if let Err(error) = outcome {
                    report_broken_poller(&error);
                }
            });
            parker.leave_poller();
            held.end_wait();
            let chosen = self.retract();
            self.dispatch(held);
            if branch.is_some() {
                self.look_at_own_branch();
            }
            chosen
        } else {
            held.end_wait();
            let chosen = self.retract();
            drop(held);
            chosen
        }
    }

    /// Whether results of the compute pool come in so fast, with more jobs behind them, that they had better come in bunches.
    /// Not for a relief worker, which looks between its sleeps whether it is needed.
    fn may_sleep_briefly(&self) -> bool {
        let pool = &self.house.compute;
        self.longest_sleep.is_none()
            && pool.has_backlog()
            && self
                .pace
                .is_fast(self.engine().timers.now_ns(), pool.metrics().completed)
    }

    fn announce(&self, bed: Bed, searching: Option<Searching>) {
        self.lane().set_asleep(true);
        let was_searching = searching.is_some();
        self.engine()
            .idle
            .announce(self.index(), bed, was_searching);
        if let Some(searching) = searching {
            searching.give_up();
        }
    }

    /// There is work after all.
    fn stay_awake(&self) -> Option<Searching> {
        let engine = self.engine();
        self.lane().set_asleep(false);
        engine.idle.retract_to_search(self.index());
        engine.complete(engine.guard.on_worker_awake());
        Some(Searching::as_chosen())
    }

    /// Awake again. Searching, if somebody chose this worker to wake or relies on its brief sleep.
    fn retract(&self) -> Option<Searching> {
        let engine = self.engine();
        self.lane().set_asleep(false);
        let retracted = engine.idle.retract(self.index());
        engine.complete(engine.guard.on_worker_awake());
        match retracted {
            Retracted::Searching => Some(Searching::as_chosen()),
            Retracted::Withdrawn => None,
        }
    }

    /// The look after the announcement: whether anything anywhere could be run.
    fn must_stay_awake(&self) -> bool {
        let engine = self.engine();
        let own = self.index();
        engine.is_shutting_down()
            || !engine.injector.is_empty()
            || !self.queue().is_empty(&self.lane().queue)
            || self.lane().parker.take_notification()
            || engine.lanes.iter().enumerate().any(|(index, lane)| {
                if index == own {
                    !lane.inbox.is_empty() || !lane.rechecks.is_empty()
                } else {
                    lane.has_more()
                }
            })
    }

    /// Before when not to wake for a timer that is not due yet, if there is such a time; and what time it is.
    ///
    /// Where timers are few microseconds apart, each wake-up would cost more than what it is for; a bunch of them
    /// costs one. A timer that comes alone is not touched.
    fn breather(&self) -> Breather {
        let now = self.engine().timers.now_ns();
        let fired = self.fired.replace(0) as u64;
        let rest = match fired {
            0 | 1 => 0,
            several => LONGEST_REST_NS.min(several.saturating_mul(REST_PER_TIMER_NS)),
        };
        Breather {
            now,
            until: now.saturating_add(rest),
        }
    }

    /// When to wake at the latest: the next deadline of this worker's timers, or another one, unless that is to come
    /// but within the breather. None while time stands still.
    fn deadline(&self, other: Option<u64>, breather: Breather) -> Option<u64> {
        let timers = &self.engine().timers;
        if timers.clock().is_paused() {
            return None;
        }
        let own = timers.next_deadline(self.index());
        let longest = self
            .longest_sleep
            .map(|time| breather.now.saturating_add(nanoseconds(time)));
        let next = [own, other, longest].into_iter().flatten().min()?;
        Some(if next > breather.now {
            next.max(breather.until)
        } else {
            next
        })
    }

    /// Runs `f`, which sleeps, and counts the time before it as busy.
    fn asleep(&self, f: impl FnOnce()) {
        let stats = &self.lane().stats;
        let begin = now();
        let busy = begin.duration_since(self.awake_since.get());
        stats.busy_ns.add(nanoseconds(busy));
        stats.parks.add(1);
        f();
        let end = now();
        self.awake_since.set(end);
        self.slept.set(end.duration_since(begin));
    }
}

fn nanoseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
