//! The link from a task to its engine and its owned set.
//!
//! Every worker has a home, and one more is for tasks spawned elsewhere. A task is in the owned set of the home where
//! it was spawned, so workers that spawn do not write to one shared set.

use super::context;
use super::engine::Engine;
use crate::report::ReportedTask;
use crate::report::shutdown_report::Origin;
use crate::sync::Arc;
use crate::task::header::Header;
use crate::task::{Aborts, Cause, JoinError, Meta, OwnedSet, Runnable, Schedule, Unobserved};
use std::ops::Deref;

/// An owned set, and the engine that its tasks run on.
#[repr(align(64))]
pub(crate) struct Home {
    pub(crate) engine: Arc<Engine>,
    pub(crate) tasks: OwnedSet,
    aborts: Aborts,
}

impl Home {
    pub(crate) fn new(engine: Arc<Engine>) -> Arc<Self> {
        Arc::new(Self {
            engine,
            tasks: OwnedSet::new(),
            aborts: Aborts::new(),
        })
    }
}

/// A task's reference to its home; back to the [spare ones](super::spares) of the thread on which the task ends.
pub(crate) struct HomeRef(Option<Arc<Home>>);

impl HomeRef {
    pub(crate) fn new(home: Arc<Home>) -> Self {
        Self(Some(home))
    }
}

impl Deref for HomeRef {
    type Target = Home;

    #[inline]
    fn deref(&self) -> &Home {
        match &self.0 {
            Some(home) => home,
            None => unreachable!("only the drop takes it out"),
        }
    }
}

impl Drop for HomeRef {
    #[inline]
    fn drop(&mut self) {
        if let Some(home) = self.0.take() {
            context::let_go(home);
        }
    }
}

impl Schedule for HomeRef {
    const CLAIM_ON_ABORT: bool = false;

    type Address = Address;

    #[inline]
    fn address(&self) -> Address {
        context::with_worker_of(&self.engine, |worker| match worker {
            Some(_) => Address::ThisWorker,
            None => Address::Engine(Arc::clone(&self.engine)),
        })
    }

    #[inline]
    fn send(address: Address, runnable: Runnable, cause: Cause) {
        match address {
            Address::Engine(engine) => engine.inject(runnable),
            Address::ThisWorker => context::with_worker(|worker| match worker {
                Some(worker) => worker.accept(runnable, cause),
                None => unreachable!("nothing runs between the look-up and the sending"),
            }),
        }
    }

    #[inline]
    fn release(&self, task: &Header) -> bool {
        self.tasks.remove(task)
    }

    fn panicked(&self, meta: &Meta, name: Option<&Arc<str>>, error: &JoinError) {
        let task = ReportedTask::new(meta, name);
        self.engine.task_panicked(task, error);
    }

    fn unobserved(&self, meta: &Meta, name: Option<&Arc<str>>, failure: Unobserved<'_>) {
        let task = ReportedTask::new(meta, name);
        self.engine.reporter.unobserved(task, failure);
    }

    fn aborts(&self) -> Option<&Aborts> {
        Some(&self.aborts)
    }

    fn cut_off(&self, meta: &Meta, name: Option<&Arc<str>>) {
        if self.engine.is_shutting_down() {
            self.engine.leftovers.cut_off(|| Origin {
                meta: *meta,
                name: name.cloned(),
            });
        }
    }
}

/// Where a task's runnable goes.
pub(crate) enum Address {
    /// To the worker on this thread, which keeps the engine alive.
    ThisWorker,
    /// To any worker, through the injector.
    Engine(Arc<Engine>),
}

/// Where executor jobs are at home: nowhere. A job's one runnable goes to its executor at once.
pub(crate) struct Homeless {
    /// Whose job it is, for reports.
    pub(super) engine: Arc<Engine>,
}

impl Schedule for Homeless {
    /// Nobody knows when an executor gets to a queued job, so its abort does not wait for that.
    const CLAIM_ON_ABORT: bool = true;

    type Address = ();

    fn address(&self) {}

    /// A job is ready after one poll; nothing wakes it.
    fn send((): (), runnable: Runnable, _cause: Cause) {
        drop(runnable);
    }

    fn release(&self, _task: &Header) -> bool {
        false
    }

    fn panicked(&self, meta: &Meta, name: Option<&Arc<str>>, error: &JoinError) {
        let task = ReportedTask::new(meta, name);
        self.engine.task_panicked(task, error);
    }

    fn unobserved(&self, meta: &Meta, name: Option<&Arc<str>>, failure: Unobserved<'_>) {
        let task = ReportedTask::new(meta, name);
        self.engine.reporter.unobserved(task, failure);
    }
}
