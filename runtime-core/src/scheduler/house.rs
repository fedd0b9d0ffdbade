//! An engine with its owned sets and executors: all that a handle reaches.
//!
//! # Invariants
//!
//! * M1 — Ownership points one way: house → homes → engine. Tasks own their home, never the house. The engine knows the house
//!   that it is of, and does not own it.

use super::context;
use super::engine::Engine;
use super::errand::{Closure, Errand, RunningJobs};
use super::home::{Home, HomeRef, Homeless};
use super::shelf::CoreShelf;
use super::simulation::Script;
use super::spares::HomeSpares;
use super::staff::Staff;
use super::unrun::Unrun;
use crate::sync::atomic::{AtomicUsize, Ordering, fence};
use crate::sync::{Arc, Mutex};
use crate::task::header::TaskRef;
use crate::task::named::Listed;
use crate::task::{Cause, JoinHandle, Meta, Named, Schedule, allocate};
use runtime_blocking::{BlockingPool, ComputePool, Executor, Job, Rejected};
use std::io;
use std::sync::Weak;

/// All that a handle reaches.
pub(crate) struct House {
    pub(crate) engine: Arc<Engine>,
    /// One for each lane, and the last for tasks spawned by other threads.
    pub(crate) homes: Box<[Arc<Home>]>,
    pub(crate) blocking: BlockingPool,
    pub(crate) compute: ComputePool,
    pub(crate) flavor: Flavor,
    pub(crate) staff: Staff,
    /// Where the core of a current-thread runtime lies while nobody works.
    pub(crate) core_shelf: CoreShelf,
    /// What a simulated runtime goes by. It stands in for every executor.
    pub(crate) simulation: Option<Script>,
    /// Executor jobs that have not ended, and deliveries of the reactor thread; paused time does not advance by itself while there are any.
    pub(super) jobs: AtomicUsize,
    /// Tasks that a shutdown has taken out of their sets to tell of them, and that whoever sweeps is to end.
    pub(super) set_aside: Mutex<Vec<TaskRef>>,
    pub(crate) running_jobs: RunningJobs,
    /// What the executors had not started when they closed.
    pub(crate) unrun: Unrun,
    /// The house itself, for threads that it starts.
    pub(crate) this: Weak<House>,
}

/// Which threads run tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavor {
    /// Threads of the runtime's own.
    MultiThread,
    /// The thread in `block_on`.
    CurrentThread,
}

impl House {
    pub(crate) fn new(
        engine: Arc<Engine>,
        blocking: BlockingPool,
        compute: ComputePool,
        flavor: Flavor,
        staff: Staff,
        seed: Option<u64>,
    ) -> Arc<Self> {
        let homes = (0..=engine.lanes.len())
            .map(|_| Home::new(Arc::clone(&engine)))
            .collect();
        let simulation = seed.map(|seed| Script::new(seed, Arc::clone(&engine)));
        let house = Arc::new_cyclic(|this| Self {
            engine,
            homes,
            blocking,
            compute,
            flavor,
            staff,
            core_shelf: CoreShelf::new(),
            simulation,
            jobs: AtomicUsize::new(0),
            set_aside: Mutex::new(Vec::new()),
            running_jobs: RunningJobs::new(),
            unrun: Unrun::new(),
            this: Weak::clone(this),
        });
        house.engine.fatal.belongs_to(Weak::clone(&house.this));
        house
    }

    /// Starts a task, whose reference to its home comes from `spares`.
    #[inline]
    pub(crate) fn spawn<F>(
        &self,
        future: F,
        meta: Meta,
        spares: Option<&HomeSpares>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_with(future, meta, spares, |home| home)
    }

    /// Starts a task with a name; see [`spawn`](Self::spawn).
    pub(crate) fn spawn_named<F>(
        &self,
        future: F,
        meta: Meta,
        spares: Option<&HomeSpares>,
        name: Arc<str>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let says_stalls = self.engine.reporter.stalls_from().is_some();
        let listed = says_stalls.then(|| Listed::new(meta.id, &name));
        self.spawn_with(future, meta, spares, |scheduler| Named {
            scheduler,
            name,
            listed,
        })
    }

    #[inline]
    fn spawn_with<F, S: Schedule>(
        &self,
        future: F,
        meta: Meta,
        spares: Option<&HomeSpares>,
        scheduler: impl FnOnce(HomeRef) -> S,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        context::with_worker_of(&self.engine, |worker| {
            let home = &self.homes[worker.map_or(self.homes.len() - 1, |worker| worker.index())];
            let reference = spares.map_or_else(|| Arc::clone(home), |spares| spares.take(home));
            let scheduler = scheduler(HomeRef::new(reference));
            let (runnable, handle, member) = allocate(future, scheduler, meta, true);
            let refused = member.and_then(|member| home.tasks.insert(member).err());
            match (refused, worker) {
                // Too late: the runtime is shutting down. The future is dropped on this thread.
                (Some(member), _) => {
                    handle.refuse_late();
                    drop(runnable);
                    drop(member);
                }
                (None, Some(worker)) => worker.accept(runnable, Cause::Spawned),
                (None, None) => self.engine.inject(runnable),
            }
            handle
        })
    }

    /// Hands a closure to the compute pool.
    ///
    /// While more jobs wait there than it has threads, the end of one is in no hurry: its awaiter is told when a worker
    /// looks next, and a worker that goes to sleep then sleeps briefly.
    pub(crate) fn compute<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> R + Send + 'static,
        meta: Meta,
    ) -> JoinHandle<R> {
        let work = move || {
            let output = work();
            let house = context::house();
            context::set_unhurried(house.is_some_and(|house| house.compute.has_backlog()));
            output
        };
        self.run_on(&self.compute, work, meta)
    }

    /// Hands a closure to an executor.
    pub(crate) fn run_on<R: Send + 'static>(
        &self,
        executor: &dyn Executor,
        work: impl FnOnce() -> R + Send + 'static,
        meta: Meta,
    ) -> JoinHandle<R> {
        self.run_with(executor, work, meta, self.homeless())
    }

    /// Hands a closure with a name to an executor.
    pub(crate) fn run_named<R: Send + 'static>(
        &self,
        executor: &dyn Executor,
        work: impl FnOnce() -> R + Send + 'static,
        meta: Meta,
        name: Arc<str>,
    ) -> JoinHandle<R> {
        let scheduler = Named {
            scheduler: self.homeless(),
            name,
            // No worker polls it.
            listed: None,
        };
        self.run_with(executor, work, meta, scheduler)
    }

    fn homeless(&self) -> Homeless {
        Homeless {
            engine: Arc::clone(&self.engine),
        }
    }

    fn run_with<R: Send + 'static>(
        &self,
        executor: &dyn Executor,
        work: impl FnOnce() -> R + Send + 'static,
        meta: Meta,
        scheduler: impl Schedule,
    ) -> JoinHandle<R> {
        let (runnable, handle, _) = allocate(Closure(Some(work)), scheduler, meta, false);
        let errand = Errand::new(runnable, self.this.upgrade());
        let job = Job::new(move || errand.run());
        let executed = match &self.simulation {
            None => executor.execute(job),
            Some(script) => script.execute(job),
        };
        if let Err(rejected) = executed {
            // A job after the shutdown is cancelled, as a task would be. One without a thread tells why.
            match refusal(&rejected) {
                Some(error) => handle.refuse(error),
                None => handle.refuse_late(),
            }
            drop(rejected);
        }
        handle
    }

    /// Whether executor jobs are queued or running. Whoever goes to sleep because there are is unparked by the last.
    pub(crate) fn has_jobs(&self) -> bool {
        // ORDERING: SeqCst, pairs with `Counted::drop`: either this sees that the last job has ended, and so whom it
        // woke before, or that job sees that the time is paused.
        fence(Ordering::SeqCst);
        self.jobs.load(Ordering::SeqCst) > 0
    }

    /// How many tasks have not ended.
    pub(crate) fn alive_tasks(&self) -> usize {
        self.unreached_tasks() + self.set_aside.lock().len()
    }
}

fn refusal(rejected: &Rejected) -> Option<io::Error> {
    let error = rejected.io_error()?;
    Some(io::Error::new(error.kind(), rejected.to_string()))
}
