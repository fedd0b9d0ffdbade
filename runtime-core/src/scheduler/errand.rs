//! A job of a runtime on its way through an executor.
//!
//! # Invariants
//!
//! * E2 — A job counts until whoever awaits it was woken, or paused time could advance in between. So does what the reactor thread takes
//!   out of a worker's inbox or list of doubts.

use super::context;
use super::house::House;
use crate::report::shutdown_report::Origin;
use crate::sync::atomic::{Ordering, fence};
use crate::sync::static_atomic::AtomicUsize;
use crate::sync::{Arc, CachePadded, Mutex};
use crate::task::header::TaskRef;
use crate::task::{Id, Runnable};
use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Lists of running jobs: enough that threads seldom meet at one.
const LISTS: usize = 16;

/// The jobs that are running, for the report of a shutdown.
///
/// A thread keeps to one list, so that its lock stays in that thread's cache.
pub(crate) struct RunningJobs([CachePadded<Mutex<Vec<TaskRef>>>; LISTS]);

impl RunningJobs {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| CachePadded(Mutex::new(Vec::new()))))
    }

    /// Those that have not ended.
    pub(crate) fn unfinished(&self) -> Vec<Origin> {
        let jobs: Vec<TaskRef> = self.0.iter().flat_map(|list| list.lock().clone()).collect();
        let unfinished = jobs.iter().filter(|job| !job.is_complete());
        unfinished.map(Origin::of).collect()
    }

    /// Lists a job until the guard is dropped.
    fn begin(&self, job: TaskRef) -> Running<'_> {
        let list = &self.0[list_of_this_thread()];
        let id = job.meta().id;
        list.lock().push(job);
        Running { list, id }
    }
}

/// Which of the lists this thread keeps to.
fn list_of_this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    if OWN.get() == usize::MAX {
        // ORDERING: Relaxed; a number of its own is all that each thread wants.
        OWN.set(NEXT.fetch_add(1, Ordering::Relaxed) % LISTS);
    }
    OWN.get()
}

/// Keeps a job in the list.
struct Running<'a> {
    list: &'a Mutex<Vec<TaskRef>>,
    id: Id,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let job = {
            let mut list = self.list.lock();
            let at = list.iter().rposition(|job| job.meta().id == self.id);
            at.map(|at| list.swap_remove(at))
        };
        // It may be the last reference.
        drop(job);
    }
}

/// What an executor gets: the right to run a closure, and its place among the jobs.
pub(super) struct Errand {
    /// Until it is run.
    runnable: Option<Runnable>,
    /// After the runnable, here and in `run` (E2).
    counted: Option<Counted>,
}

impl Errand {
    pub(super) fn new(runnable: Runnable, house: Option<Arc<House>>) -> Self {
        Self {
            runnable: Some(runnable),
            counted: house.map(Counted::new),
        }
    }

    pub(super) fn run(mut self) {
        let Some(runnable) = self.runnable.take() else {
            unreachable!("taken only here");
        };
        let house = self.counted.as_ref().map(|Counted(house)| house);
        let _inside = house.map(context::enter_as_own);
        let _listed = house.map(|house| house.running_jobs.begin(runnable.task()));
        let _task = context::enter_task(runnable.meta().id);
        runnable.run();
        context::set_unhurried(false);
    }
}

impl Drop for Errand {
    /// Unless it was run the job ends as cancelled, when the runnable is dropped.
    fn drop(&mut self) {
        let (Some(runnable), Some(Counted(house))) = (&self.runnable, &self.counted) else {
            return;
        };
        let engine = &house.engine;
        if engine.is_shutting_down() && !runnable.is_complete() {
            engine.leftovers.cancelled(|| Origin {
                meta: *runnable.meta(),
                name: runnable.name(),
            });
        }
    }
}

/// A closure as a future of one poll.
pub(super) struct Closure<F>(pub(super) Option<F>);

impl<F> Unpin for Closure<F> {}

impl<R, F: FnOnce() -> R> Future for Closure<F> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<R> {
        match self.0.take() {
            Some(work) => Poll::Ready(work()),
            None => unreachable!("a job runs once"),
        }
    }
}

/// Counts a job, or tasks that another thread is about to wake, while it exists.
pub(super) struct Counted(Arc<House>);

impl Counted {
    pub(super) fn new(house: Arc<House>) -> Self {
        // ORDERING: Relaxed; the thread that adds is the one whose future waits for the job.
        house.jobs.fetch_add(1, Ordering::Relaxed);
        Self(house)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Self(house) = self;
        // ORDERING: SeqCst, with the look at the clock after it; pairs with `House::has_jobs`.
        let last = house.jobs.fetch_sub(1, Ordering::SeqCst) == 1;
        fence(Ordering::SeqCst);
        if last && house.engine.timers.clock().is_paused() {
            // The worker may sleep without an end because there were jobs. Only a current-thread runtime can be paused.
            house.engine.unpark(0);
        }
    }
}
