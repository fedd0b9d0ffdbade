//! The way out.
//!
//! ```text
//!   close      no more tasks, jobs, relief workers; every worker is woken
//!   retire     each worker drops the futures that are left, and what its queue holds
//!   sweep      the rest, and the jobs that no thread had started: by the thread that ends the runtime where nothing is
//!              left, else by a thread of its own, so that a destructor that never returns holds up nobody else
//!   finish     once the workers are gone: the sources' waiters, the timers, the reactor thread
//! ```
//!
//! # Invariants
//!
//! * Y1 — Every future that is in an owned set when it closes is dropped: by the worker that polls it then, at the
//!   end of that poll, by whoever pops it from the set, or by whoever finds its runnable in a queue. What comes later is refused by the
//!   closed set.
//! * Y2 — Every job that was queued when the pools closed is run or cancelled: whoever closed them puts it where those who sweep find
//!   it, and sweeps.

use super::context;
use super::house::House;
use super::worker::Worker;
use crate::reactor::thread::wake;
use crate::report::leftovers::Listing;
use crate::report::shutdown_report::LISTED;
use crate::sync::Arc;
use crate::task::header::TaskRef;

impl House {
    /// Lets nothing new in, and wakes everybody. Whoever calls this sees to the jobs that no thread has started ([`House::unrun`]).
    pub(crate) fn close(&self) {
        self.staff.close();
        self.homes.iter().for_each(|home| home.tasks.close());
        // Before the jobs are taken out: one that is dropped from here on is one that the shutdown cancels.
        self.engine.begin_shutdown();
        self.unrun.take_in(|| {
            let mut jobs = self.blocking.close();
            jobs.append(&mut self.compute.close());
            if let Some(script) = &self.simulation {
                jobs.append(&mut script.close());
            }
            jobs
        });
    }

    /// Drops the futures that are left, those of home `first` first.
    pub(crate) fn end_tasks(&self, first: usize) {
        let mut sweep = self.engine.leftovers.sweep();
        let look = |task: &TaskRef| self.engine.reporter.unfinished(task);
        let (before, after) = self.homes.split_at(first);
        for home in after.iter().chain(before) {
            while sweep.end_next(|| home.tasks.pop(), look, Listing::Here) {}
        }
        let set_aside = || self.set_aside.lock().pop();
        while sweep.end_next(set_aside, look, Listing::Done) {}
    }

    /// How many tasks nobody has come to, or told of.
    pub(crate) fn unreached_tasks(&self) -> usize {
        self.homes.iter().map(|home| home.tasks.len()).sum()
    }

    /// Has the report tell of tasks that are left, as they are now, up to as many as it lists. Whoever calls this sweeps afterwards,
    /// or has somebody do it.
    pub(super) fn tell_of_tasks(&self) {
        let left = self.homes.iter();
        let left = left.flat_map(|home| std::iter::from_fn(|| home.tasks.pop()));
        for task in left.take(LISTED) {
            self.engine.leftovers.expect(&task);
            self.set_aside.lock().push(task);
        }
    }

    /// The worker's part of the shutdown of a current-thread runtime, by whoever finds the core: the thread that worked, or one
    /// that sweeps.
    pub(crate) fn retire_core(self: &Arc<Self>) {
        if let Some(core) = self.core_shelf.take() {
            let _inside = context::enter_as_worker(self, core.index());
            Worker::new(Arc::clone(self), core).retire();
        }
    }

    /// After the workers, or beside them: wakes everything that waits for readiness or timers, and ends the reactor thread.
    pub(crate) fn finish(&self) {
        let mut woken = Vec::new();
        self.engine.reactor.registry.shut_down(&mut woken);
        woken.drain(..).for_each(wake);
        self.engine
            .reporter
            .open_descriptors(self.engine.reactor.registry.len());
        self.engine.timers.close();
        self.engine.complete(self.engine.guard.stop());
    }
}

impl Worker {
    /// This worker's part of the shutdown.
    pub(crate) fn retire(&self) {
        context::scope_worker(self, || {
            self.leave_events();
            self.house.end_tasks(self.index());
            self.drain();
            // A worker that was stuck may come here last, and its queue may have overflowed meanwhile.
            self.engine().empty_unattended();
        });
    }
}
