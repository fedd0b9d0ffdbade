//! Who owns a runtime, and shuts it down.

use super::block_on::{self, Blocking};
use super::current_thread;
use super::{Builder, EnterGuard, Handle, RuntimeMetrics};
use crate::scheduler::house::Flavor;
use crate::scheduler::worker::Core;
use crate::scheduler::{House, context};
use crate::task::JoinHandle;
use runtime_blocking::Executor;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a drop waits for threads that are busy with user code; the same as `asyncio.run` waits for its executor.
const DROP_WAITS: Duration = Duration::from_secs(300);

/// Makes a multi-thread runtime with the default settings, runs the future on it, and shuts it down.
///
/// This is the whole `main` of most programs. Tasks that are left when the future is done are dropped. See
/// [`Builder`] for other settings.
///
/// # Panics
///
/// Inside of async code; if the operating system refuses the runtime's threads or descriptors (use
/// [`Builder::build`] to handle that); and if the future panics.
#[track_caller]
pub fn run<F: Future>(future: F) -> F::Output {
    block_on::refuse_in_async(Blocking::Run);
    match Builder::new().build() {
        Ok(runtime) => runtime.block_on(future),
        Err(error) => panic!("cannot start the gristmill runtime: {error}"),
    }
}

/// A runtime: workers, reactor, timers and executors. Dropping it shuts it down.
///
/// # Shutdown
///
/// Dropping a runtime takes no more tasks and jobs, drops every future that is left (on a worker), cancels jobs that have
/// not started, waits for running jobs and for polls that are going on, and joins every thread. It waits for 300
/// seconds at most, as `asyncio.run` does; threads that are busy even then are left alone and end when their job does. Use
/// [`shutdown_timeout`](Self::shutdown_timeout) for another bound. Dropped on one of its own threads, the runtime shuts down
/// without waiting.
pub struct Runtime {
    handle: Handle,
    /// The shutdown is over, or is somebody else's.
    done: bool,
}

impl Runtime {
    /// A multi-thread runtime with the default settings.
    ///
    /// # Errors
    ///
    /// If the operating system refuses threads or descriptors.
    pub fn new() -> io::Result<Self> {
        Builder::new().build()
    }

    /// Starts the threads.
    pub(super) fn start(house: Arc<House>, cores: Vec<Core>) -> io::Result<Self> {
        // From here on a failure drops the runtime, which ends the threads that were started.
        let runtime = Self {
            handle: Handle {
                house: Arc::clone(&house),
            },
            done: false,
        };
        let count = cores.len();
        for (number, core) in cores.into_iter().enumerate() {
            match house.flavor {
                Flavor::CurrentThread => house.core_shelf.put(core),
                Flavor::MultiThread => house.staff.start_worker(&house, core).map_err(|error| {
                    refused(&error, &format!("worker {} of {count}", number + 1))
                })?,
            }
        }
        // In a simulation no other thread may have a say. The worker looks at the poller and at all timers by itself.
        if house.simulation.is_none() {
            house
                .staff
                .start_reactor(&house)
                .map_err(|error| refused(&error, "the reactor"))?;
        }
        Ok(runtime)
    }

    /// Runs a future to its end on this thread; see [`Handle::block_on`].
    ///
    /// # Panics
    ///
    /// Inside of async code, and if the future panics.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.handle.block_on(future)
    }

    /// Starts a task; see [`spawn`](super::spawn).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Runs a closure that may block; see [`Handle::spawn_blocking`].
    #[track_caller]
    pub fn spawn_blocking<R, F>(&self, work: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn_blocking(work)
    }

    /// Runs a closure that computes; see [`Handle::spawn_compute`].
    #[track_caller]
    pub fn spawn_compute<R, F>(&self, work: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn_compute(work)
    }

    /// Runs a closure on an executor; see [`run_in_executor`](super::run_in_executor).
    #[track_caller]
    pub fn run_in_executor<R, F>(&self, pool: Option<&dyn Executor>, work: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.run_in_executor(pool, work)
    }

    /// A handle, for other threads.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Makes this the runtime of this thread until the guard is dropped; see [`Handle::enter`].
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// What can be measured of the runtime.
    pub fn metrics(&self) -> RuntimeMetrics {
        self.handle.metrics()
    }

    /// Shuts down as a drop does, but waits for `timeout` at most.
    pub fn shutdown_timeout(mut self, timeout: Duration) {
        self.shut_down(timeout);
    }

    /// Shuts down without waiting for anything.
    ///
    /// Futures that are not being polled are dropped by this thread or by the workers, the others when their poll ends.
    pub fn shutdown_background(self) {
        self.shutdown_timeout(Duration::ZERO);
    }

    fn shut_down(&mut self, patience: Duration) {
        if std::mem::replace(&mut self.done, true) {
            return;
        }
        let house = &self.handle.house;
        let deadline = Instant::now().checked_add(patience);
        house.close();
        if house.flavor == Flavor::CurrentThread {
            current_thread::retire(house);
        }
        // A thread of this runtime would wait for itself.
        let own = context::is_own(house);
        let patient = !own && !patience.is_zero();
        // All but the reactor thread, which still has to hand out what wakes the last polls. If it never started, as when
        // the system refused a thread, one worker may still be about to end; the wait below is for all.
        let workers_gone = patient && house.staff.wait_for_end(1, deadline);
        {
            // What is left is dropped here, and may want its runtime.
            let _inside = context::enter(house);
            house.finish();
        }
        let reporter = &house.engine.reporter;
        if !patient {
            reporter.close(Some(Instant::now()));
            return;
        }
        let all_gone = workers_gone && house.staff.wait_for_end(0, deadline);
        house.staff.join(all_gone);
        let left = || deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let _ = house.blocking.join(left());
        let _ = house.compute.join(left());
        reporter.close(deadline);
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.shut_down(DROP_WAITS);
    }
}

#[cold]
fn refused(error: &io::Error, who: &str) -> io::Error {
    io::Error::new(
        error.kind(),
        format!(
            "the operating system refused the thread of {who}: {error}; lower worker_threads or \
             thread_stack_size, or raise RLIMIT_NPROC"
        ),
    )
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}
