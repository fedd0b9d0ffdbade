//! Counts what is noticed, and takes it off the thread that noticed it.
//!
//! Reports are said on a thread of their own, which only debug mode has: standard error may be a pipe that nobody reads,
//! and a hook may take its time. The channel to it is bounded; what does not fit is counted, and the next report that
//! gets through says how many are missing. A hook that causes reports itself so fills the channel, and never recurses.
//!
//! # Invariants
//!
//! * R1 — Handing a report in never waits for the outlet while the runtime lives, and never panics.
//! * R2 — Every report is said, or counted as lost.

use super::outlet::{Hook, Outlet};
use super::{Report, ReportedTask, SlowPollCause, TaskPanic, UnhandledPanic};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::{Arc, Mutex};
use crate::task::Unobserved;
use crate::task::header::TaskRef;
use std::cell::Cell;
use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Reports on their way at most.
const ROOM: usize = 1024;

/// How often to look whether the thread has ended, when the shutdown waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(1);

thread_local! {
    /// This thread is saying a report.
    static SAYING: Cell<bool> = const { Cell::new(false) };
}

/// What is to be reported, and how.
#[derive(Clone)]
pub(crate) struct Reporting {
    /// The threshold of slow polls; `None` without debug mode.
    pub(crate) debug: Option<Duration>,
    /// From which length on stalls are said; `None` if they are not.
    pub(crate) stalls: Option<Duration>,
    pub(crate) hook: Option<Hook>,
    /// What is done about panics.
    pub(crate) policy: UnhandledPanic,
    /// Of the thread that says reports.
    pub(crate) thread_name: String,
}

/// Counts, and passes on.
pub(crate) struct Reporter {
    /// The threshold of slow polls; `None` without debug mode.
    threshold: Option<Duration>,
    /// From which length on stalls are said; `None` if they are not.
    stalls: Option<Duration>,
    desk: Arc<Desk>,
    line: Mutex<Option<Line>>,
    /// What is done about panics.
    policy: UnhandledPanic,
    pub(crate) counts: Counts,
}

/// What was noticed so far.
pub(crate) struct Counts {
    pub(crate) slow_polls: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) errors: AtomicU64,
    pub(crate) unfinished: AtomicU64,
    pub(crate) stalls: AtomicU64,
    /// In nanoseconds.
    pub(crate) longest_poll: AtomicU64,
}

/// What is shared with the thread.
struct Desk {
    outlet: Outlet,
    /// Reports that were not said.
    lost: AtomicU64,
}

/// The way to the thread.
struct Line {
    sender: SyncSender<Report>,
    thread: thread::JoinHandle<()>,
}

impl Reporter {
    /// A reporter that reports if it is told how, and otherwise counts, and says panics if the policy is to.
    ///
    /// # Errors
    ///
    /// If the operating system refuses the thread.
    pub(crate) fn new(reporting: Reporting) -> io::Result<Self> {
        let Reporting {
            debug,
            stalls,
            hook,
            policy,
            thread_name,
        } = reporting;
        let desk = Arc::new(Desk {
            outlet: Outlet::new(hook),
            lost: AtomicU64::new(0),
        });
        let line = (debug.is_some() || stalls.is_some())
            .then(|| Line::new(thread_name, Arc::clone(&desk)))
            .transpose()?;
        Ok(Self {
            threshold: debug,
            stalls,
            desk,
            line: Mutex::new(line),
            policy,
            counts: Counts {
                slow_polls: AtomicU64::new(0),
                panics: AtomicU64::new(0),
                errors: AtomicU64::new(0),
                unfinished: AtomicU64::new(0),
                stalls: AtomicU64::new(0),
                longest_poll: AtomicU64::new(0),
            },
        })
    }

    /// The threshold of slow polls; `None` without debug mode.
    #[inline]
    pub(crate) fn threshold(&self) -> Option<Duration> {
        self.threshold
    }

    /// From which length on stalls are said; `None` if they are not.
    pub(crate) fn stalls_from(&self) -> Option<Duration> {
        self.stalls
    }

    /// Whether debug mode is on.
    pub(crate) fn is_on(&self) -> bool {
        self.threshold.is_some()
    }

    /// A task's output is about to be dropped, and is a failure.
    #[cold]
    pub(crate) fn unobserved(&self, task: ReportedTask, failure: Unobserved<'_>) {
        // ORDERING: Relaxed, here and below; statistics order nothing.
        match failure {
            Unobserved::Panic(error) => {
                self.counts.panics.fetch_add(1, Ordering::Relaxed);
                self.unseen_panic(TaskPanic::new(task, error));
            }
            Unobserved::Error(error) => {
                self.counts.errors.fetch_add(1, Ordering::Relaxed);
                self.report(|| Report::UnobservedError {
                    task,
                    message: error.to_string(),
                });
            }
        }
    }

    /// Nobody will see that a task panicked.
    fn unseen_panic(&self, panic: TaskPanic) {
        if self.is_on() || matches!(self.policy, UnhandledPanic::Log) {
            self.say(panic.clone().into());
        }
        if let UnhandledPanic::Handler(handler) = &self.policy {
            handler.call(&panic);
        }
    }

    /// What is done about panics.
    pub(crate) fn policy(&self) -> &UnhandledPanic {
        &self.policy
    }

    /// A poll took longer than the threshold.
    #[cold]
    pub(crate) fn slow_poll(&self, task: ReportedTask, duration: Duration, cause: SlowPollCause) {
        self.counts.slow_polls.fetch_add(1, Ordering::Relaxed);
        self.has_lasted(duration);
        self.report(|| Report::SlowPoll {
            task,
            duration,
            cause,
        });
    }

    /// A worker was found to be in one poll for too long.
    pub(crate) fn count_stall(&self) {
        self.counts.stalls.fetch_add(1, Ordering::Relaxed);
    }

    /// A poll has lasted so long by now.
    pub(crate) fn has_lasted(&self, time: Duration) {
        let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.counts.longest_poll.fetch_max(ns, Ordering::Relaxed);
    }

    /// A poll keeps its worker, and has lasted so long that this is worth saying.
    /// The caller holds a lock that the worker wants, so no code of the user's runs here: after the shutdown it is not said.
    pub(crate) fn stall_goes_on(&self, task: ReportedTask, duration: Duration, relieved: bool) {
        let _ = self.hand_in(Report::Stall {
            task,
            duration,
            goes_on: true,
            relieved,
        });
    }

    /// A worker is back from a poll for which it was marked.
    pub(crate) fn stall_is_over(&self, task: ReportedTask, duration: Duration, relieved: bool) {
        self.has_lasted(duration);
        let is_long = |threshold: Duration| duration > threshold;
        // Debug mode says the same as a slow poll, and why.
        if self.stalls.is_some_and(is_long) && !self.threshold.is_some_and(is_long) {
            self.say(Report::Stall {
                task,
                duration,
                goes_on: false,
                relieved,
            });
        }
    }

    /// The runtime shuts down while a task lives.
    pub(crate) fn unfinished(&self, task: &TaskRef) {
        if task.is_complete() {
            return;
        }
        self.counts.unfinished.fetch_add(1, Ordering::Relaxed);
        self.report(|| Report::UnfinishedTask {
            task: ReportedTask::new(task.meta(), task.name().as_ref()),
        });
    }

    /// So many descriptors are registered when the runtime has shut down.
    pub(crate) fn open_descriptors(&self, count: usize) {
        if count > 0 {
            self.report(|| Report::OpenDescriptors { count });
        }
    }

    /// Reports in debug mode.
    pub(crate) fn report(&self, report: impl FnOnce() -> Report) {
        if self.is_on() {
            self.say(report());
        }
    }

    /// Hands a report to the thread that says it, or says it here where there is none.
    fn say(&self, report: Report) {
        // After the shutdown there is no worker left to hold up. Before, only a panic is said here, which the panic hook has said on
        // this thread too.
        if let Err(report) = self.hand_in(report) {
            self.desk.say(&report);
        }
    }

    /// Hands a report to the thread that says it; gives it back where there is none.
    fn hand_in(&self, report: Report) -> Result<(), Report> {
        let line = self.line.lock();
        let Some(line) = &*line else {
            return Err(report);
        };
        if line.sender.try_send(report).is_err() {
            self.desk.lose(1);
        }
        Ok(())
    }

    /// How many reports were not said.
    pub(crate) fn lost(&self) -> u64 {
        // ORDERING: Relaxed; statistics order nothing.
        self.desk.lost.load(Ordering::Relaxed)
    }

    /// The shutdown: waits, up to the deadline, until what was handed in is said. Gives the name of the thread if it has not
    /// ended then, unless that is the calling one.
    pub(crate) fn close(&self, deadline: Option<Instant>) -> Option<String> {
        let Line { sender, thread } = self.line.lock().take()?;
        drop(sender);
        if thread.thread().id() == thread::current().id() {
            return None;
        }
        while !thread.is_finished() {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return thread.thread().name().map(str::to_owned);
            }
            thread::sleep(LOOK_EVERY);
        }
        // Its panics are contained.
        let _ = thread.join();
        None
    }
}

impl Line {
    fn new(name: String, desk: Arc<Desk>) -> io::Result<Self> {
        let (sender, reports) = sync_channel(ROOM);
        let builder = thread::Builder::new().name(name);
        let thread = builder.spawn(move || desk.say_all(&reports));
        let thread = thread.map_err(|error| refused(&error))?;
        Ok(Self { sender, thread })
    }
}

#[cold]
fn refused(error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!(
            "the operating system refused the thread of debug mode's reports: {error}; turn debug mode off, or raise \
             RLIMIT_NPROC"
        ),
    )
}

impl Desk {
    /// The body of the thread.
    fn say_all(&self, reports: &Receiver<Report>) {
        let mut told = 0;
        for report in reports {
            self.say(&report);
            // ORDERING: Relaxed; what is lost after this look is told after the next report.
            let lost = self.lost.load(Ordering::Relaxed);
            if lost > told {
                self.say(&Report::Lost { count: lost - told });
                told = lost;
            }
        }
    }

    /// Says a report on this thread, unless that is what caused it.
    fn say(&self, report: &Report) {
        // A thread that is past its destructors says nothing any more.
        let is_free = SAYING
            .try_with(|saying| !saying.replace(true))
            .unwrap_or(false);
        if !is_free {
            self.lose(1);
            return;
        }
        if !self.outlet.say(report) {
            self.lose(1);
        }
        SAYING.set(false);
    }

    fn lose(&self, count: u64) {
        // ORDERING: Relaxed; statistics order nothing.
        self.lost.fetch_add(count, Ordering::Relaxed);
    }
}
