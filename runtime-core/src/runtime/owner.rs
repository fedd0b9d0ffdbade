//! Who owns a runtime, and shuts it down.

use super::block_on::{self, Blocking};
use super::shut_down;
use super::{Builder, EnterGuard, Handle, RuntimeMetrics};
use crate::report::ShutdownReport;
use crate::scheduler::House;
use crate::scheduler::house::Flavor;
use crate::scheduler::worker::Core;
use crate::task::JoinHandle;
use runtime_blocking::Executor;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

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
/// seconds at most, as `asyncio.run` does; threads that are busy even then are left alone and end when their job does, and
/// standard error is told who they are. Use [`shutdown_timeout`](Self::shutdown_timeout) for another bound, and to be told what
/// was left. Dropped on one of its own threads, the runtime shuts down without waiting.
///
/// A current-thread runtime that is dropped drops its futures, and jobs that have not started, right there, as long as their
/// destructors take.
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

    /// Shuts down as a drop does, but waits for `timeout` at most; tells what was still alive.
    ///
    /// Whatever is stuck, this comes back: tasks whose poll does not end, jobs, and destructors that block; in time but for what the next
    /// paragraph says. What is left is dropped by the workers or by a thread of the runtime's own, never by the calling thread, unless the system has no
    /// thread to give. What is busy when the time is up goes on, and ends when it can.
    ///
    /// Before anything else, and whatever the timeout, it waits until the jobs are dropped that no thread has started, up to five
    /// seconds: a file's last write may be among them, and is done then. So the destructor of such a job, if it blocks, can keep this for longer
    /// than `timeout`.
    ///
    /// Called on one of the runtime's own threads, as in a task or a job, or with a timeout of zero, it does not wait; the report
    /// is what there is at that moment, with what has not had the time to end, and may miss what ends just then.
    ///
    /// A thread that is in [`block_on`](Self::block_on) goes on with its future. What that awaits of the runtime ends: tasks and jobs
    /// as cancelled, sockets with an error, and timers with a panic that says so.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = gristmill::runtime::Runtime::new()?;
    /// runtime.block_on(async { /* … */ });
    /// let report = runtime.shutdown_timeout(Duration::from_secs(10));
    /// if !report.is_clean() {
    ///     eprintln!("{report}");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn shutdown_timeout(mut self, timeout: Duration) -> ShutdownReport {
        self.done = true;
        shut_down::within(&self.handle.house, timeout)
    }

    /// Shuts down without waiting for anything.
    ///
    /// Futures that are not being polled are dropped by the workers or by a thread of the runtime's own, the others when their
    /// poll ends. The process may end before that is done. A current-thread runtime drops them right here, as when it is dropped.
    pub fn shutdown_background(mut self) {
        self.done = true;
        shut_down::in_background(&self.handle.house);
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if !self.done {
            shut_down::on_drop(&self.handle.house);
        }
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
