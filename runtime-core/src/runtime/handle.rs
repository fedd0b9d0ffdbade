//! How to reach a runtime from anywhere.

use super::RuntimeMetrics;
use super::block_on::{self, Blocking};
use crate::scheduler::House;
use crate::scheduler::context::{self, Inside};
use crate::sync::Arc;
use crate::task::{JoinHandle, Meta};
use runtime_blocking::{BlockingPool, ComputePool, Executor};
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::rc::Rc;

/// Reaches a runtime from any thread; cheap to clone.
///
/// A handle does not keep the runtime running: once its [`Runtime`](super::Runtime) is dropped, tasks spawned here end as
/// cancelled.
#[derive(Clone)]
pub struct Handle {
    pub(crate) house: Arc<House>,
}

/// What this thread has of its runtime.
///
/// # Panics
///
/// As [`Handle::current`].
#[inline]
#[track_caller]
pub(super) fn here() -> Rc<Inside> {
    match context::inside() {
        Some(inside) => inside,
        None => panic!("{}", TryCurrentError(())),
    }
}

impl Handle {
    /// The runtime of this thread.
    ///
    /// # Panics
    ///
    /// If there is none; see [`try_current`](Self::try_current).
    #[doc(alias = "get_running_loop")]
    #[track_caller]
    pub fn current() -> Self {
        match Self::try_current() {
            Ok(handle) => handle,
            Err(error) => panic!("{error}"),
        }
    }

    /// The runtime of this thread.
    ///
    /// # Errors
    ///
    /// If there is none: the thread is neither a worker, nor in `block_on`, nor a thread of an executor running a job, nor
    /// inside [`enter`](Self::enter).
    pub fn try_current() -> Result<Self, TryCurrentError> {
        context::house()
            .map(|house| Self { house })
            .ok_or(TryCurrentError(()))
    }

    /// Starts a task; see [`spawn`](super::spawn).
    #[doc(alias = "run_coroutine_threadsafe")]
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let meta = Meta::new(Location::caller());
        context::with_spares_of(&self.house, |spares| self.house.spawn(future, meta, spares))
    }

    /// Runs a closure that may block on the runtime's blocking pool, whose threads come and go as needed.
    ///
    /// A closure that has started cannot be aborted; one that waits for a thread can. If the operating system has no
    /// thread for it the handle gives an error that says so.
    #[track_caller]
    pub fn spawn_blocking<R, F>(&self, work: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.house
            .run_on(&self.house.blocking, work, Meta::new(Location::caller()))
    }

    /// Runs a closure that computes on the runtime's compute pool, which has one thread a core, at a lower priority than
    /// the workers.
    ///
    /// While more jobs wait than there are threads, whoever awaits one that has ended is told within 0.4 ms, and not at
    /// once: results then reach the workers in bunches.
    #[track_caller]
    pub fn spawn_compute<R, F>(&self, work: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.house.compute(work, Meta::new(Location::caller()))
    }

    /// Runs a closure on an executor; see [`run_in_executor`](super::run_in_executor).
    #[track_caller]
    pub fn run_in_executor<R, F>(&self, pool: Option<&dyn Executor>, work: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let pool = pool.unwrap_or(&self.house.blocking);
        self.house.run_on(pool, work, Meta::new(Location::caller()))
    }

    /// The runtime's own pool for blocking calls.
    pub fn blocking_pool(&self) -> &BlockingPool {
        &self.house.blocking
    }

    /// The runtime's own pool for computation.
    pub fn compute_pool(&self) -> &ComputePool {
        &self.house.compute
    }

    /// Runs a future to its end on this thread.
    ///
    /// On a multi-thread runtime the workers run the tasks meanwhile. On a current-thread runtime this thread does, unless
    /// another one is in `block_on` already and does.
    ///
    /// # Panics
    ///
    /// Inside of async code, which this would block: use `.await` there, or
    /// [`block_in_place`](crate::block_in_place) around it. And if the future panics.
    #[doc(alias = "run_until_complete")]
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        block_on::block_on(&self.house, future, Blocking::BlockOn)
    }

    /// Makes this the runtime of this thread until the guard is dropped, so that [`spawn`](super::spawn), sockets and
    /// timers find it.
    ///
    /// Guards nest, and have to be dropped in reverse order.
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard {
            _entered: context::enter(&self.house),
            _handle: PhantomData,
        }
    }

    /// What can be measured of the runtime.
    pub fn metrics(&self) -> RuntimeMetrics {
        RuntimeMetrics::new(Arc::clone(&self.house))
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("flavor", &self.house.flavor)
            .finish_non_exhaustive()
    }
}

/// Keeps a thread inside a runtime; made by [`Handle::enter`].
#[must_use = "the thread leaves the runtime when the guard is dropped"]
pub struct EnterGuard<'a> {
    _entered: context::Entered,
    _handle: PhantomData<&'a Handle>,
}

impl fmt::Debug for EnterGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterGuard").finish_non_exhaustive()
    }
}

/// There is no runtime on this thread.
#[derive(Debug)]
pub struct TryCurrentError(());

impl fmt::Display for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::NO_RUNTIME)
    }
}

impl std::error::Error for TryCurrentError {}
