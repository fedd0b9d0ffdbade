//! What was still alive when a runtime shut down.

use crate::sync::Arc;
use crate::task::header::TaskRef;
use crate::task::{Id, Meta};
use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// Tasks, and jobs, that a report lists one by one.
pub(crate) const LISTED: usize = 1000;

/// What was still alive when a runtime shut down; from [`Runtime::shutdown_timeout`](crate::Runtime::shutdown_timeout).
///
/// It lists at most 1000 tasks and 1000 jobs, those first that have not ended even now, and counts the others. So a million
/// sleeping tasks make no report of a hundred megabytes.
///
/// Its `Display` has one line for the whole, and one for each thing that was left.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// let runtime = gristmill::runtime::Runtime::new()?;
/// drop(runtime.spawn(std::future::pending::<()>()));
/// let report = runtime.shutdown_timeout(Duration::from_secs(10));
/// assert!(!report.is_clean());
/// assert_eq!(report.task_count(), 1);
/// assert_eq!(report.tasks()[0].spawned_at().file(), file!());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ShutdownReport {
    pub(crate) tasks: Vec<UnfinishedTask>,
    /// How many tasks are not listed.
    pub(crate) more_tasks: usize,
    pub(crate) jobs: Vec<UnfinishedJob>,
    /// How many jobs are not listed.
    pub(crate) more_jobs: usize,
    pub(crate) threads: Vec<String>,
    pub(crate) open_descriptors: usize,
    pub(crate) duration: Duration,
}

impl ShutdownReport {
    /// Whether everything had ended by itself: no task, no job, no thread, no descriptor was left.
    pub fn is_clean(&self) -> bool {
        self.task_count() == 0
            && self.job_count() == 0
            && self.threads.is_empty()
            && self.open_descriptors == 0
    }

    /// Tasks that had not ended, up to 1000 of them.
    pub fn tasks(&self) -> &[UnfinishedTask] {
        &self.tasks
    }

    /// How many tasks had not ended.
    pub fn task_count(&self) -> usize {
        self.tasks.len() + self.more_tasks
    }

    /// Jobs of the executors that had not ended, up to 1000 of them.
    pub fn jobs(&self) -> &[UnfinishedJob] {
        &self.jobs
    }

    /// How many jobs had not ended.
    pub fn job_count(&self) -> usize {
        self.jobs.len() + self.more_jobs
    }

    /// The names of the runtime's threads that had not ended when the time was up, but for the calling one. On a current-thread
    /// runtime also that of a thread in `block_on` that has not given up its place.
    pub fn threads(&self) -> &[String] {
        &self.threads
    }

    /// How many sockets, pipes and other descriptors outlive the runtime that they are registered with; from now
    /// on they give errors to whoever has to wait.
    pub fn open_descriptors(&self) -> usize {
        self.open_descriptors
    }

    /// How long the shutdown took.
    pub fn duration(&self) -> Duration {
        self.duration
    }
}

/// Which task or job, and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) meta: Meta,
    pub(crate) name: Option<Arc<str>>,
}

/// A task that had not ended when its runtime shut down.
#[derive(Clone, Debug)]
pub struct UnfinishedTask {
    pub(crate) task: Origin,
    pub(crate) state: UnfinishedTaskState,
    /// Who polls it, or drops its future.
    pub(crate) thread: Option<String>,
}

/// What a task was doing when its runtime shut down, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnfinishedTaskState {
    /// It waited to be woken. Its future was dropped, or will be by a thread that goes on.
    Waiting,
    /// It had been woken or was new, and waited for its turn. Its future was dropped, or will be by a thread that goes on.
    Runnable,
    /// It was being polled. That poll came to its end, but not the task, and its future was dropped.
    Polled,
    /// It was being polled, and still is: its poll blocks or computes. Its future will be dropped at the end of that poll.
    Polling,
    /// Its future is being dropped, and a destructor has not come to its end.
    Dropping,
}

/// A job of an executor that had not ended when its runtime shut down.
#[derive(Clone, Debug)]
pub struct UnfinishedJob {
    pub(crate) job: Origin,
    pub(crate) state: UnfinishedJobState,
}

/// What became of a job when its runtime shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnfinishedJobState {
    /// No thread had started it, and it never will be.
    Cancelled,
    /// It had started, and was still running when the time was up. It goes on.
    Running,
}

impl Origin {
    pub(crate) fn of(task: &TaskRef) -> Self {
        Self {
            meta: *task.meta(),
            name: task.name(),
        }
    }
}

impl UnfinishedTask {
    pub(crate) fn new(task: Origin, state: UnfinishedTaskState) -> Self {
        Self {
            task,
            state,
            thread: None,
        }
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        self.task.meta.id
    }

    /// The name that the task was given, if any.
    pub fn name(&self) -> Option<&str> {
        self.task.name.as_deref()
    }

    /// Where the task was spawned.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.task.meta.site
    }

    /// What it was doing, and what became of it.
    pub fn state(&self) -> UnfinishedTaskState {
        self.state
    }

    /// The name of the thread that still polls the task or drops its future, if that is known.
    pub fn thread(&self) -> Option<&str> {
        self.thread.as_deref()
    }
}

impl UnfinishedJob {
    /// The job's id.
    pub fn id(&self) -> Id {
        self.job.meta.id
    }

    /// The name that the job was given, if any.
    pub fn name(&self) -> Option<&str> {
        self.job.name.as_deref()
    }

    /// Where the job was handed in.
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.job.meta.site
    }

    /// What became of it.
    pub fn state(&self) -> UnfinishedJobState {
        self.state
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = self.duration;
        if self.is_clean() {
            return write!(f, "shut down in {took:.1?}, nothing was left");
        }
        let counts = [
            (self.task_count(), "task"),
            (self.job_count(), "job"),
            (self.threads.len(), "thread"),
            (self.open_descriptors, "descriptor"),
        ];
        write!(f, "shut down in {took:.1?}, left were")?;
        let mut comma = "";
        for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, "{comma} {}", counted(count, what))?;
            comma = ",";
        }
        self.tasks
            .iter()
            .try_for_each(|task| write!(f, "\n  {task}"))?;
        more(f, self.more_tasks, "task")?;
        self.jobs
            .iter()
            .try_for_each(|job| write!(f, "\n  {job}"))?;
        more(f, self.more_jobs, "job")?;
        self.threads
            .iter()
            .try_for_each(|name| write!(f, "\n  thread {name:?} has not ended"))?;
        if self.open_descriptors > 0 {
            let descriptors = counted(self.open_descriptors, "descriptor");
            write!(
                f,
                "\n  {descriptors} of sockets, pipes and the like still open"
            )?;
        }
        Ok(())
    }
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn more(f: &mut fmt::Formatter<'_>, count: usize, what: &str) -> fmt::Result {
    if count > 0 {
        write!(f, "\n  and {} more", counted(count, what))?;
    }
    Ok(())
}

impl fmt::Display for UnfinishedTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} ", self.task)?;
        f.write_str(match self.state {
            UnfinishedTaskState::Waiting => "was waiting, and was dropped",
            UnfinishedTaskState::Runnable => "was about to be polled, and was dropped",
            UnfinishedTaskState::Polled => "was being polled, and was dropped at the end of that",
            UnfinishedTaskState::Polling => "is still being polled",
            UnfinishedTaskState::Dropping => "is still being dropped",
        })?;
        self.thread
            .iter()
            .try_for_each(|name| write!(f, " by thread {name:?}"))
    }
}

impl fmt::Display for UnfinishedJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let did = match self.state {
            UnfinishedJobState::Cancelled => "had not started, and was cancelled",
            UnfinishedJobState::Running => "is still running",
        };
        write!(f, "job {} {did}", self.job)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.meta.id)?;
        self.name
            .iter()
            .try_for_each(|name| write!(f, " {name:?}"))?;
        write!(f, " spawned at {}", self.meta.site)
    }
}
