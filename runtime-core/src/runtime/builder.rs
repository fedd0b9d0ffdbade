//! How to make a runtime.

use super::Runtime;
use super::limits::MAX_WORKERS;
use crate::report::reporter::Reporting;
use crate::report::{self, Reporter, UnhandledPanic};
use crate::scheduler::engine::TimeSource;
use crate::scheduler::house::Flavor;
use crate::scheduler::staff::{Hook, Staff, ThreadConfig};
use crate::scheduler::worker::Core;
use crate::scheduler::{Engine, House};
use crate::task::panic_place;
use runtime_blocking::{BlockingPool, ComputePool, PoolConfig};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// The settings of a [`Runtime`].
///
/// | setting | default | limits |
/// |---|---|---|
/// | `worker_threads` | the processors that this process may use | 1 to 1024; always 1 with `new_current_thread` |
/// | `max_blocking_threads` | 512 | 1 to 32,767 |
/// | `compute_threads` | the processors that this process may use | 1 to 32,767 |
/// | `thread_name` | `gristmill`; threads are called `gristmill-w0`, `-io`, `-blocking-0` and so on | no NUL byte |
/// | `thread_stack_size` | the standard library's (2 MiB) | more than 0 |
/// | `thread_keep_alive` | 10 s, for idle threads of the blocking pool | |
/// | `on_thread_start`, `on_thread_stop` | none | |
/// | `stall_threshold` | 1 ms | `None` turns stall rescue off |
/// | `max_relief_threads` | 8; none with `new_current_thread` | 0 to 1024 |
/// | `debug` | what the environment variable `GRISTMILL_DEBUG` says: on if it is set, not empty and not `0` | |
/// | `slow_poll_threshold` | 100 ms, in debug mode | |
/// | `report_stalls` | no; in debug mode what goes on after ten times `slow_poll_threshold` | needs a `stall_threshold` |
/// | `on_report` | the report is printed | |
/// | `unhandled_panic` | `Ignore`: a panic of a task is for its handle | |
/// | `start_paused` | no; always with `new_simulated` | only with `new_current_thread` |
///
/// # Examples
///
/// ```
/// let runtime = gristmill::runtime::Builder::new().worker_threads(2).thread_name("mill").build()?;
/// let answer = runtime.block_on(async { 6 * 7 });
/// assert_eq!(answer, 42);
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "a builder starts nothing until `build` is called"]
#[derive(Clone)]
pub struct Builder {
    pub(super) flavor: Flavor,
    pub(super) workers: Option<usize>,
    pub(super) max_blocking: usize,
    pub(super) compute: Option<usize>,
    pub(super) name: String,
    pub(super) stack_size: Option<usize>,
    keep_alive: Duration,
    on_start: Option<Hook>,
    on_stop: Option<Hook>,
    pub(super) stall_threshold: Option<Duration>,
    pub(super) max_relief: Option<usize>,
    debug: Option<bool>,
    slow_poll_threshold: Duration,
    pub(super) report_stalls: Option<Duration>,
    on_report: Option<report::Hook>,
    unhandled_panic: UnhandledPanic,
    pub(super) start_paused: bool,
    /// Of a simulated runtime.
    pub(super) seed: Option<u64>,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    pub(super) fn with_flavor(flavor: Flavor) -> Self {
        Self {
            flavor,
            workers: None,
            max_blocking: 512,
            compute: None,
            name: "gristmill".to_owned(),
            stack_size: None,
            keep_alive: Duration::from_secs(10),
            on_start: None,
            on_stop: None,
            stall_threshold: Some(Duration::from_millis(1)),
            max_relief: None,
            debug: None,
            slow_poll_threshold: Duration::from_millis(100),
            report_stalls: None,
            on_report: None,
            unhandled_panic: UnhandledPanic::Ignore,
            start_paused: false,
            seed: None,
        }
    }

    /// The settings of a runtime whose tasks run on several threads.
    pub fn new() -> Self {
        Self::with_flavor(Flavor::MultiThread)
    }

    /// The same as [`new`](Self::new), under the name that other runtimes use.
    pub fn new_multi_thread() -> Self {
        Self::new()
    }

    /// The settings of a runtime whose tasks run on the thread that calls [`Runtime::block_on`], and only meanwhile.
    ///
    /// Its reactor and its executors have threads of their own all the same.
    pub fn new_current_thread() -> Self {
        Self::with_flavor(Flavor::CurrentThread)
    }

    /// Sets how many threads run tasks.
    pub fn worker_threads(mut self, threads: usize) -> Self {
        self.workers = Some(threads);
        self
    }

    /// Limits the threads of the blocking pool.
    pub fn max_blocking_threads(mut self, threads: usize) -> Self {
        self.max_blocking = threads;
        self
    }

    /// Sets how many threads compute.
    pub fn compute_threads(mut self, threads: usize) -> Self {
        self.compute = Some(threads);
        self
    }

    /// Names the threads: this, a dash, and what the thread is for. Linux shows the first 15 bytes.
    pub fn thread_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the stack size of every thread, in bytes.
    pub fn thread_stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Sets how long an idle thread of the blocking pool stays.
    pub fn thread_keep_alive(mut self, time: Duration) -> Self {
        self.keep_alive = time;
        self
    }

    /// Calls `hook` on each thread when it starts, but for one that only drops what a shutdown finds left. A panic of the hook is
    /// caught.
    pub fn on_thread_start(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_start = Some(Arc::new(hook));
        self
    }

    /// Calls `hook` on each thread before it ends. A panic of the hook is caught.
    pub fn on_thread_stop(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.on_stop = Some(Arc::new(hook));
        self
    }

    /// Sets how long one poll may take before its worker counts as stuck and gets help; `None` never helps.
    ///
    /// A thread of its own looks every 0.5 to 2 ms while tasks run, so polls cost nothing more for it. The first look notes a
    /// poll, and the first that finds it there `time` later helps, if work waits that no other worker is free to do; time
    /// without a processor does not count, where the system tells (Linux). Such polls are counted in
    /// [`stalls`](crate::RuntimeMetrics::stalls), and said if [`report_stalls`](Self::report_stalls) is set.
    ///
    /// On a current-thread runtime they are counted and said only: it has no second thread that could help.
    pub fn stall_threshold(mut self, time: Option<Duration>) -> Self {
        self.stall_threshold = time;
        self
    }

    /// Limits the workers that stand in for stuck ones, [`block_in_place`](crate::block_in_place) included.
    pub fn max_relief_threads(mut self, threads: usize) -> Self {
        self.max_relief = Some(threads);
        self
    }

    /// Turns debug mode on or off, whatever the environment variable `GRISTMILL_DEBUG` says.
    ///
    /// In debug mode the runtime reports:
    ///
    /// * polls that keep their thread for longer than [`slow_poll_threshold`](Self::slow_poll_threshold), and whether the thread
    ///   blocked or computed meanwhile (on Linux)
    /// * tasks that ended with a panic or, where it can be known, an error, and whose handle was dropped unawaited
    /// * polls that have gone on for ten times as long, and a hundred times, and so on, without an end in sight
    /// * tasks that had not ended at the shutdown, and descriptors that are still registered then
    /// * child processes that were dropped before their end was known
    ///
    /// A report is a [`Report`](crate::Report). It goes to the hook of [`on_report`](Self::on_report); without one to `tracing`
    /// (with the feature `tracing`, if a subscriber is set), as an event of the target `gristmill`; otherwise to standard error,
    /// one line each. That happens on a thread of its own, which the shutdown waits for, so that no worker is held up. At most 1024
    /// reports wait for it; what comes on top is counted, in [`lost_reports`](crate::RuntimeMetrics::lost_reports).
    ///
    /// Debug mode costs some system calls for each poll. Without it nothing is measured.
    ///
    /// # Examples
    ///
    /// ```
    /// use gristmill::runtime::{Builder, Report};
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    ///
    /// let (sender, reports) = mpsc::channel();
    /// let runtime = Builder::new()
    ///     .debug(true)
    ///     .slow_poll_threshold(Duration::from_millis(5))
    ///     .on_report(move |report| drop(sender.send(report.clone())))
    ///     .build()?;
    /// runtime.block_on(async { std::thread::sleep(Duration::from_millis(10)) });
    /// drop(runtime);
    /// assert!(reports.iter().any(|report| matches!(report, Report::SlowPoll { .. })));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "set_debug")]
    #[doc(alias = "PYTHONASYNCIODEBUG")]
    pub fn debug(mut self, on: bool) -> Self {
        self.debug = Some(on);
        self
    }

    /// Sets how long a poll may take before debug mode reports it. Without debug mode nothing comes of it.
    #[doc(alias = "slow_callback_duration")]
    pub fn slow_poll_threshold(mut self, time: Duration) -> Self {
        self.slow_poll_threshold = time;
        self
    }

    /// Reports each poll that keeps its worker for longer than `time`, also without debug mode, and at no cost for polls that do not.
    ///
    /// A [`Report::Stall`](crate::Report::Stall) names the task and says how long its poll took when it is over, and while it goes on
    /// each time that it has taken ten times as long: at 10 × `time` (10 ms at the least), 100 × `time`, and so on. In debug mode the
    /// end is said as a [`Report::SlowPoll`](crate::Report::SlowPoll) if it is one. Reports go where those of debug mode go, on a thread
    /// of their own.
    ///
    /// What is shorter than two looks of the watch (see [`stall_threshold`](Self::stall_threshold)), 4 ms by default, may go unnoticed,
    /// however small `time` is.
    ///
    /// # Examples
    ///
    /// ```
    /// use gristmill::runtime::{Builder, Report};
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    ///
    /// let (sender, reports) = mpsc::channel();
    /// let (release, released) = mpsc::channel::<()>();
    /// let runtime = Builder::new()
    ///     .report_stalls(Duration::from_millis(5))
    ///     .on_report(move |report| drop(sender.send(report.clone())))
    ///     .build()?;
    /// let stuck = runtime.spawn(async move { released.recv().is_err() });
    /// // Said while the task is still stuck.
    /// let Ok(Report::Stall { task, goes_on: true, .. }) = reports.recv() else { panic!() };
    /// assert_eq!(task.id(), Some(stuck.id()));
    /// drop(release);
    /// assert!(matches!(reports.recv(), Ok(Report::Stall { goes_on: false, .. })));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn report_stalls(mut self, time: Duration) -> Self {
        self.report_stalls = Some(time);
        self
    }

    /// Calls `hook` with each report, and with each panic that [`UnhandledPanic::Log`] says, instead of printing it. A panic of the
    /// hook is caught, and its report counts as lost.
    #[doc(alias = "set_exception_handler")]
    pub fn on_report(mut self, hook: impl Fn(&report::Report) + Send + Sync + 'static) -> Self {
        self.on_report = Some(Arc::new(hook));
        self
    }

    /// Chooses what is done about a panic of a task or job, besides telling its handle.
    ///
    /// A panic always ends its own task alone and reaches the handle, as [`JoinError`](crate::JoinError). *Unhandled* is, for
    /// [`Log`](UnhandledPanic::Log) and [`Handler`](UnhandledPanic::handler), a panic whose handle was dropped before it gave the
    /// error; [`Shutdown`](UnhandledPanic::Shutdown) and [`Abort`](UnhandledPanic::Abort) do not wait to see whether
    /// somebody looks, and act on every panic of a task or job at once.
    ///
    /// This is about panics that end a task or job: of its polls, of its closure, or of the drop of its future. Others are kept from the
    /// runtime's threads and pass the panic hook only: those in wakers, in the drop of an output that nobody took, in hooks of threads
    /// and reports. A panic of the future of `block_on` goes on there.
    ///
    /// A simulated runtime acts in the same way. `Shutdown` prints its seed, as whatever ends its `block_on` by a panic; `Abort` ends the
    /// process without.
    ///
    /// # Examples
    ///
    /// ```
    /// use gristmill::runtime::{Builder, UnhandledPanic};
    /// use gristmill::spawn;
    /// use std::panic::{AssertUnwindSafe, catch_unwind};
    ///
    /// let runtime = Builder::new().unhandled_panic(UnhandledPanic::Shutdown).build()?;
    /// let never = async {
    ///     let _task = spawn(async { panic!("out of grist") });
    ///     std::future::pending::<()>().await;
    /// };
    /// let end = catch_unwind(AssertUnwindSafe(|| runtime.block_on(never)));
    /// assert!(end.is_err(), "it does not wait for ever");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[doc(alias = "set_exception_handler")]
    pub fn unhandled_panic(mut self, policy: UnhandledPanic) -> Self {
        self.unhandled_panic = policy;
        self
    }

    /// Starts with the clock paused: time then advances by itself whenever nothing can be run, or by hand with
    /// `time::advance`. For tests.
    pub fn start_paused(mut self, paused: bool) -> Self {
        self.start_paused = paused;
        self
    }

    /// Starts the runtime.
    ///
    /// The first one of a process puts a panic hook before the one that is there ([`std::panic::set_hook`]), so that errors can say
    /// [where](crate::JoinError::panicked_at) a task panicked: it notes the place of a panic in a task or job and calls the hook that
    /// was there. A program that sets a hook of its own afterwards keeps the places by calling the one that
    /// [`std::panic::take_hook`] gave it.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if a setting is out of its limits: the message names it and the fix. Otherwise what the operating
    /// system refused: a thread, or the poller's descriptors; threads that were started have ended then.
    pub fn build(self) -> io::Result<Runtime> {
        self.validate()?;
        panic_place::install();
        let workers = match self.flavor {
            Flavor::CurrentThread => 1,
            Flavor::MultiThread => self
                .workers
                .unwrap_or_else(|| num_cpus::get().clamp(1, MAX_WORKERS)),
        };
        let relief = match self.flavor {
            Flavor::CurrentThread => 0,
            Flavor::MultiThread => self.max_relief.unwrap_or(8),
        };
        let blocking = BlockingPool::new(
            self.pool(PoolConfig::blocking(), "blocking")
                .max_threads(self.max_blocking)
                .keep_alive(Some(self.keep_alive)),
        )?;
        let compute = self.pool(PoolConfig::compute(), "compute");
        let compute = ComputePool::new(match self.compute {
            Some(threads) => compute.max_threads(threads),
            None => compute,
        })?;
        let reporter = Reporter::new(self.reporting())?;
        let (engine, queues) = Engine::new(workers, relief, self.time_source(), reporter)?;
        let mut cores: Vec<Core> = queues
            .into_iter()
            .enumerate()
            .map(|(i, queue)| Core::new(i, queue))
            .collect();
        let mut bench = cores.split_off(workers);
        bench.reverse();
        let staff = Staff::new(self.threads(), self.stall_threshold, bench);
        let house = House::new(engine, blocking, compute, self.flavor, staff, self.seed);
        Runtime::start(house, cores)
    }

    fn time_source(&self) -> TimeSource {
        if self.seed.is_some() {
            return TimeSource::Virtual;
        }
        match (self.flavor, self.start_paused) {
            (Flavor::MultiThread, _) => TimeSource::Real,
            (Flavor::CurrentThread, false) => TimeSource::Pausable,
            (Flavor::CurrentThread, true) => TimeSource::Paused,
        }
    }

    fn reporting(&self) -> Reporting {
        let debug = self
            .debug
            .unwrap_or_else(debug_by_environment)
            .then_some(self.slow_poll_threshold);
        Reporting {
            debug,
            // Without the watch there is nothing to say.
            stalls: self.stall_threshold.and(self.report_stalls.or(debug)),
            hook: self.on_report.clone(),
            policy: self.unhandled_panic.clone(),
            thread_name: format!("{}-report", self.name),
        }
    }

    fn threads(&self) -> ThreadConfig {
        ThreadConfig {
            name: self.name.clone(),
            stack_size: self.stack_size,
            on_start: self.on_start.clone(),
            on_stop: self.on_stop.clone(),
        }
    }

    fn pool(&self, config: PoolConfig, suffix: &str) -> PoolConfig {
        let mut config = config
            .thread_name(format!("{}-{suffix}", self.name))
            .stack_size(self.stack_size);
        if let Some(hook) = self.on_start.clone() {
            config = config.on_thread_start(move || hook());
        }
        if let Some(hook) = self.on_stop.clone() {
            config = config.on_thread_stop(move || hook());
        }
        config
    }
}

/// What builders that do not say go by.
fn debug_by_environment() -> bool {
    std::env::var_os("GRISTMILL_DEBUG").is_some_and(|value| !value.is_empty() && value != "0")
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("flavor", &self.flavor)
            .field("worker_threads", &self.workers)
            .field("max_blocking_threads", &self.max_blocking)
            .field("compute_threads", &self.compute)
            .field("thread_name", &self.name)
            .field("thread_stack_size", &self.stack_size)
            .field("thread_keep_alive", &self.keep_alive)
            .field("stall_threshold", &self.stall_threshold)
            .field("max_relief_threads", &self.max_relief)
            .field("debug", &self.debug)
            .field("slow_poll_threshold", &self.slow_poll_threshold)
            .field("report_stalls", &self.report_stalls)
            .field("unhandled_panic", &self.unhandled_panic)
            .field("start_paused", &self.start_paused)
            .finish_non_exhaustive()
    }
}
