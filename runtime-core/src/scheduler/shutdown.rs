//! The way out.
//!
//! ```text
//!   close      no more tasks, jobs, relief workers; every worker is woken
//!   retire     each worker drops the futures that are left, and what its queue holds
//!   finish     once the workers are gone: the rest, the sources' waiters, the reactor thread
//! ```
//!
//! # Invariants
//!
//! * Y1 — Every future that is in an owned set when it closes is dropped: by the worker that polls it then, at the
//!   end of that poll, or by whoever pops it from the set. What comes later is refused by the closed set.

use super::context;
use super::house::House;
use super::worker::Worker;
use crate::reactor::thread::wake;
use crate::task::JoinError;

impl House {
    /// Lets nothing new in, and wakes everybody.
    pub(crate) fn close(&self) {
        self.staff.close();
        self.homes.iter().for_each(|home| home.tasks.close());
        self.blocking.shutdown();
        self.compute.shutdown();
        if let Some(script) = &self.simulation {
            script.close();
        }
        self.engine.begin_shutdown();
    }

    /// Drops the futures that are left, those of home `first` first.
    pub(crate) fn end_tasks(&self, first: usize) {
        let (before, after) = self.homes.split_at(first);
        for home in after.iter().chain(before) {
            while let Some(task) = home.tasks.pop() {
                self.engine.reporter.unfinished(&task);
                task.end(JoinError::shut_down(task.meta().id));
            }
        }
    }

    /// After the workers: ends what they left, and everything that waits for readiness.
    pub(crate) fn finish(&self) {
        self.end_tasks(0);
        self.engine.leave_unattended();
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
            self.house.end_tasks(self.index());
            self.drain();
            // A worker that was stuck may come here last, and its queue may have overflowed meanwhile.
            self.engine().empty_unattended();
        });
    }
}
