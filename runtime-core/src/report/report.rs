//! What can be said.

use super::TaskPanic;
use crate::task::{Id, Meta, PanicLocation};
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

/// What a runtime has noticed: in debug mode, see [`Builder::debug`](crate::runtime::Builder::debug), and stalls also without it, see
/// [`Builder::report_stalls`](crate::runtime::Builder::report_stalls).
///
/// Its `Display` is one line that says what happened and what helps.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Report {
    /// One poll kept its thread for longer than the threshold, so that everything else there had to wait. Time in
    /// `block_in_place` does not count.
    #[non_exhaustive]
    SlowPoll {
        /// Whose poll it was.
        task: ReportedTask,
        /// How long it took.
        duration: Duration,
        /// What the thread did meanwhile.
        cause: SlowPollCause,
    },
    /// A poll keeps its worker for long, or has kept it: what was behind it had to wait or was done by other workers. Polls that say so
    /// beforehand, with `block_in_place`, are none.
    ///
    /// Noticed by a look from outside every 2 ms at the latest, so that what never ends is reported too.
    #[non_exhaustive]
    Stall {
        /// Whose poll it is.
        task: ReportedTask,
        /// How long it has taken. Up to 2 ms at its beginning may be missing.
        duration: Duration,
        /// Whether the poll has not ended: then the duration is what it has lasted so far.
        goes_on: bool,
        /// Whether another worker could run what waited. None is started for the purpose while nothing waits; and a runtime
        /// of one thread has none.
        relieved: bool,
    },
    /// A task panicked, and its handle was dropped without having been awaited to the end.
    #[non_exhaustive]
    UnobservedPanic {
        /// Which task.
        task: ReportedTask,
        /// What the panic said, if that is text.
        message: Option<String>,
        /// Where it was raised, as far as that is known.
        location: Option<PanicLocation>,
    },
    /// A task ended with an error, and its handle was dropped without having been awaited to the end.
    ///
    /// Noticed are outputs of the type `Result<(), E>` where `E` is [`std::io::Error`], `Box<dyn Error + Send>`,
    /// `Box<dyn Error + Send + Sync>` or `JoinError`, and jobs that could not be started.
    #[non_exhaustive]
    UnobservedError {
        /// Which task.
        task: ReportedTask,
        /// The error.
        message: String,
    },
    /// The runtime shut down before the task had ended, and dropped its future.
    #[non_exhaustive]
    UnfinishedTask {
        /// Which task.
        task: ReportedTask,
    },
    /// Sockets, pipes or other descriptors outlive the runtime that they are registered with; from now on they give errors
    /// to whoever has to wait.
    #[non_exhaustive]
    OpenDescriptors {
        /// How many.
        count: usize,
    },
    /// A child process was dropped before its end was known, and without `kill_on_drop`.
    #[non_exhaustive]
    UnwaitedChild {
        /// The number of the process.
        pid: u32,
    },
    /// Reports came faster than they could be said.
    #[non_exhaustive]
    Lost {
        /// How many are missing before this one.
        count: u64,
    },
}

/// Which task a [`Report`] is about.
#[derive(Clone, Debug)]
pub struct ReportedTask {
    pub(crate) id: Option<Id>,
    pub(crate) name: Option<Arc<str>>,
    pub(crate) site: &'static Location<'static>,
}

impl From<TaskPanic> for Report {
    fn from(panic: TaskPanic) -> Self {
        let TaskPanic {
            task,
            message,
            location,
        } = panic;
        Self::UnobservedPanic {
            task,
            message,
            location,
        }
    }
}

impl ReportedTask {
    pub(crate) fn new(meta: &Meta, name: Option<&Arc<str>>) -> Self {
        Self {
            id: Some(meta.id),
            name: name.cloned(),
            site: meta.site,
        }
    }

    /// The future of a `block_on`.
    pub(crate) fn root(site: &'static Location<'static>) -> Self {
        Self {
            id: None,
            name: None,
            site,
        }
    }

    /// The task's id; `None` for the future of `block_on` or `run`, which is no task.
    pub fn id(&self) -> Option<Id> {
        self.id
    }

    /// The name that the task was given, if any.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Where the task was spawned, or where `block_on` was called.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.site
    }
}

/// What the thread did during a long poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SlowPollCause {
    /// It was off the processor most of the time: something blocked, such as a lock, a sleep, or reading a file.
    Blocked,
    /// It was on the processor half of the time or more.
    Computed,
    /// It was off the processor, but perhaps only because others were on it; or the system does not tell.
    Unknown,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SlowPoll {
                task,
                duration,
                cause,
            } => write!(
                f,
                "a poll of {task} {did} for {duration:.1?}: {advice}",
                did = cause.did(),
                advice = cause.advice()
            ),
            Self::Stall {
                task,
                duration,
                goes_on,
                relieved,
            } => write!(
                f,
                "a poll of {task} {kept} for {duration:.1?}, {others}: {advice}",
                kept = if *goes_on {
                    "goes on and has kept its worker"
                } else {
                    "kept its worker"
                },
                others = if *relieved {
                    "and others went on"
                } else {
                    "and no other was there"
                },
                advice = SlowPollCause::Unknown.advice(),
            ),
            Self::UnobservedPanic {
                task,
                message,
                location,
            } => {
                write!(f, "{task} panicked")?;
                location
                    .iter()
                    .try_for_each(|place| write!(f, " at {place}"))?;
                f.write_str(", and nobody awaited its handle")?;
                message.iter().try_for_each(|text| write!(f, ": {text}"))
            }
            Self::UnobservedError { task, message } => {
                write!(f, "{task} failed, and nobody awaited its handle: {message}")
            }
            Self::UnfinishedTask { task } => write!(
                f,
                "{task} had not ended when the runtime shut down, and was dropped"
            ),
            Self::OpenDescriptors { count } => write!(
                f,
                "{count} descriptors (sockets, pipes) are still open after their runtime has shut down"
            ),
            Self::UnwaitedChild { pid } => write!(
                f,
                "child process {pid} was dropped before its end was known: wait for it, or set kill_on_drop"
            ),
            Self::Lost { count } => {
                write!(f, "{count} reports are missing here: they came too fast")
            }
        }
    }
}

impl SlowPollCause {
    fn did(self) -> &'static str {
        match self {
            Self::Blocked => "blocked its thread",
            Self::Computed => "computed",
            Self::Unknown => "kept its thread",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Blocked => "use the async call, or spawn_blocking",
            Self::Computed => "use spawn_compute, or yield_now now and then",
            Self::Unknown => "use spawn_blocking or spawn_compute for what takes long",
        }
    }
}

impl fmt::Display for ReportedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.id, &self.name) {
            (Some(id), Some(name)) => write!(f, "task {id} {name:?} spawned at {}", self.site),
            (Some(id), None) => write!(f, "task {id} spawned at {}", self.site),
            (None, _) => write!(f, "the future of block_on called at {}", self.site),
        }
    }
}
