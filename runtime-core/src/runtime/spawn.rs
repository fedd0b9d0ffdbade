//! The free functions: spawn on the runtime of this thread.

use super::{Handle, handle};
use crate::scheduler::context::{self, Inside};
use crate::task::{Id, JoinHandle, Meta};
use runtime_blocking::Executor;
use std::panic::Location;

/// Starts a task on this thread's runtime.
///
/// The task runs whether or not the handle is awaited or kept. What it borrows nothing from may outlive the
/// caller: hence `'static`; any worker may run it: hence `Send`. After the runtime has begun to shut down the task ends
/// as cancelled without being polled.
///
/// # Panics
///
/// If there is no runtime on this thread.
#[doc(alias = "create_task")]
#[doc(alias = "ensure_future")]
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let Inside { house, spares } = &*handle::here();
    house.spawn(future, Meta::new(Location::caller()), Some(spares))
}

/// Runs a closure that may block on the runtime's blocking pool.
///
/// See [`Handle::spawn_blocking`].
///
/// # Panics
///
/// If there is no runtime on this thread.
#[doc(alias = "to_thread")]
#[track_caller]
pub fn spawn_blocking<R, F>(work: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    Handle::current().spawn_blocking(work)
}

/// Runs a closure that computes on the runtime's compute pool.
///
/// See [`Handle::spawn_compute`].
///
/// # Panics
///
/// If there is no runtime on this thread.
#[track_caller]
pub fn spawn_compute<R, F>(work: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    Handle::current().spawn_compute(work)
}

/// Runs a closure on an executor: on `pool`, or on the runtime's blocking pool if that is `None`.
///
/// The handle is that of a task; a job that has not started can be aborted through it. If the executor has no thread
/// for the job the handle says so; if it has shut down the job is cancelled.
///
/// # Panics
///
/// If there is no runtime on this thread.
#[track_caller]
pub fn run_in_executor<R, F>(pool: Option<&dyn Executor>, work: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    Handle::current().run_in_executor(pool, work)
}

/// The id of the task, or of the executor's job, that calls this.
///
/// # Panics
///
/// Outside of tasks and jobs; the future in `block_on` is none. See [`try_id`].
#[track_caller]
pub fn id() -> Id {
    match try_id() {
        Some(id) => id,
        None => panic!(
            "task::id() called outside of a task: use task::try_id() where there may be none"
        ),
    }
}

/// As [`id`], or `None` outside of tasks and jobs.
#[doc(alias = "current_task")]
pub fn try_id() -> Option<Id> {
    context::current_task()
}
