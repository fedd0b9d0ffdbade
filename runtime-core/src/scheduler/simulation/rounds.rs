//! The worker's loop in a simulation.
//!
//! The local queue and the injector are only where runnables arrive: each round lays them out, and draws one. Time stands
//! still while anything can run, so that a schedule is exact. But for programs that are never idle: to them a poll
//! costs a tenth of a microsecond, charged in steps, or whoever yields until something later has happened would do so for ever.

use super::outside::Patience;
use super::script::{Next, Script};
use crate::scheduler::context;
use crate::scheduler::worker::{Step, Worker};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::task::Runnable;
use std::panic::Location;

/// So many steps at one instant, and time moves although more could run.
const STEPS_AT_ONCE: u32 = 10_000;

/// By so much, in nanoseconds, or to the next timer or job if that is sooner.
const CHARGE_NS: u64 = 1_000_000;

/// How often a busy worker looks at the poller, in rounds.
const LOOK_EVERY: u32 = 61;

/// The future in `block_on`.
pub(crate) struct Root<'a, P> {
    /// Somebody woke it.
    pub(crate) woken: &'a AtomicBool,
    /// Polls it; says whether to go on.
    pub(crate) poll: P,
    /// Where `block_on` was called.
    pub(crate) site: &'static Location<'static>,
}

/// The runnables that were laid out. They go back into the worker's queue when it stops, also by a panic.
struct Table<'a> {
    worker: &'a Worker,
    tasks: Vec<Runnable>,
}

impl Worker {
    /// Runs as the script says, until the root future stops it or the runtime shuts down.
    pub(crate) fn simulate<P>(&self, script: &Script, root: Root<'_, P>)
    where
        P: FnMut() -> Step,
    {
        context::scope_worker(self, || self.play(script, root));
    }

    fn play<P: FnMut() -> Step>(&self, script: &Script, mut root: Root<'_, P>) {
        let mut table = Table {
            worker: self,
            tasks: Vec::new(),
        };
        let mut pace = Pace::default();
        let mut patience = Patience::default();
        while !self.engine().is_shutting_down() {
            if pace.begins_round() {
                self.look_at_shared_poller();
            }
            self.fire_arranged(script);
            table.lay_out(script);
            // ORDERING: Acquire, pairs with the Release of whoever woke the root future.
            let is_root_woken = root.woken.load(Ordering::Acquire);
            let now_ns = self.engine().timers.now_ns();
            let Some(next) = script.draw(table.tasks.len(), is_root_woken, now_ns) else {
                self.look_at_shared_poller();
                if self.has_arrivals() {
                    continue;
                }
                if !self.jump(script) {
                    self.wait_for_outside(script, root.woken, &mut patience, root.site);
                }
                pace.time_moved();
                continue;
            };
            patience = Patience::default();
            match next {
                Next::Task(at) => self.act(script, table.tasks.swap_remove(at), now_ns),
                Next::Job(job) => job.run(),
                Next::Root => {
                    // ORDERING: Acquire, as above.
                    root.woken.swap(false, Ordering::Acquire);
                    if (root.poll)() != Step::GoOn {
                        return;
                    }
                }
            }
            if pace.is_time_due() {
                self.charge(script);
                pace.time_moved();
            }
        }
    }

    /// Polls a task.
    fn act(&self, script: &Script, runnable: Runnable, now_ns: u64) {
        script.note(&runnable, now_ns);
        let task = runnable.task();
        self.execute(runnable);
        if task.is_complete() {
            script.forget(task.meta().id);
        }
    }

    /// Whether something became runnable.
    fn has_arrivals(&self) -> bool {
        !self.queue().is_empty(&self.lane().queue) || !self.engine().injector.is_empty()
    }

    fn fire_arranged(&self, script: &Script) {
        let mut wakers = self.wakers.take();
        self.deferring(|| {
            let timers = &self.engine().timers;
            timers.fire_arranged(&mut wakers, |due| script.arrange(due));
        });
        self.wakers.replace(wakers);
    }

    /// When the next timer or job wants its turn.
    fn next_moment(&self, script: &Script) -> Option<u64> {
        let timer = self.engine().timers.exact_next_deadline();
        [timer, script.next_job()].into_iter().flatten().min()
    }

    /// Moves the clock to the next timer or job; false if there is none.
    fn jump(&self, script: &Script) -> bool {
        let Some(moment) = self.next_moment(script) else {
            return false;
        };
        self.engine().timers.advance_to(moment);
        true
    }

    /// Moves the clock a little although there is more to run.
    #[cold]
    fn charge(&self, script: &Script) {
        let timers = &self.engine().timers;
        let charged = timers.now_ns().saturating_add(CHARGE_NS);
        let moment = self.next_moment(script);
        timers.advance_to(moment.map_or(charged, |moment| moment.min(charged)));
    }
}

impl Table<'_> {
    /// Lays out what has arrived.
    fn lay_out(&mut self, script: &Script) {
        let worker = self.worker;
        let arrivals = || {
            let local = worker.queue().pop(&worker.lane().queue);
            local.or_else(|| worker.engine().injector.take())
        };
        for runnable in std::iter::from_fn(arrivals) {
            script.meet(&runnable);
            self.tasks.push(runnable);
        }
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        let queue = self.worker.queue();
        self.tasks.drain(..).for_each(|task| queue.push_back(task));
    }
}

/// Counts rounds and steps.
#[derive(Default)]
struct Pace {
    rounds: u32,
    /// Since time moved last.
    steps: u32,
}

impl Pace {
    /// Counts a round; whether it is one to look at the poller in.
    fn begins_round(&mut self) -> bool {
        self.rounds = self.rounds.wrapping_add(1);
        self.rounds.is_multiple_of(LOOK_EVERY)
    }

    /// Counts a step; whether there were too many at this instant.
    fn is_time_due(&mut self) -> bool {
        self.steps += 1;
        self.steps >= STEPS_AT_ONCE
    }

    fn time_moved(&mut self) {
        self.steps = 0;
    }
}
