//! The error of a job that no pool took: it gives the job back and says why.

use std::error::Error;
use std::fmt;
use std::io;

use crate::job::Job;

/// A job that an executor did not take, and the reason.
///
/// # Examples
///
/// ```
/// use gristmill::executor::{BlockingPool, Executor, Job};
///
/// let pool = BlockingPool::default();
/// pool.shutdown();
/// let rejected = pool.execute(Job::new(|| ())).unwrap_err();
/// assert!(rejected.is_shut_down());
/// rejected.into_job().run();
/// ```
pub struct Rejected {
    /// What was handed in, not run.
    job: Job,
    /// Why it was not taken.
    reason: RejectReason,
}

/// Why an executor did not take a job.
///
/// Made by [`shut_down`](Self::shut_down) or [`thread_refused`](Self::thread_refused), for executors outside this crate
/// too.
pub struct RejectReason(Cause);

enum Cause {
    ShutDown,
    ThreadRefused(io::Error),
}

impl RejectReason {
    /// The executor has been shut down and takes no more jobs.
    pub fn shut_down() -> Self {
        Self(Cause::ShutDown)
    }

    /// The operating system refused the thread that the job would have run on, and there was no other.
    pub fn thread_refused(error: io::Error) -> Self {
        Self(Cause::ThreadRefused(error))
    }
}

impl Rejected {
    /// Gives `job` back because of `reason`.
    pub fn new(job: Job, reason: RejectReason) -> Self {
        Self { job, reason }
    }

    /// The job, which has not run.
    pub fn into_job(self) -> Job {
        self.job
    }

    /// Whether the executor has been shut down.
    pub fn is_shut_down(&self) -> bool {
        matches!(self.reason.0, Cause::ShutDown)
    }

    /// Whether the operating system refused a thread; [`io_error`](Self::io_error) then has its error.
    pub fn is_thread_refused(&self) -> bool {
        self.io_error().is_some()
    }

    /// The operating system's error, if it refused a thread.
    pub fn io_error(&self) -> Option<&io::Error> {
        match &self.reason.0 {
            Cause::ShutDown => None,
            Cause::ThreadRefused(error) => Some(error),
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::ShutDown => f.write_str(
                "the executor has been shut down: hand jobs in before the shutdown, or run this one on the calling \
                 thread",
            ),
            Cause::ThreadRefused(error) => write!(
                f,
                "the operating system refused a thread ({error}): lower max_blocking_threads or the thread stack \
                 size, or raise RLIMIT_NPROC or the memory limit",
            ),
        }
    }
}

impl fmt::Debug for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::ShutDown => f.write_str("ShutDown"),
            Cause::ThreadRefused(error) => f.debug_tuple("ThreadRefused").field(error).finish(),
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl fmt::Debug for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl Error for Rejected {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.io_error().map(|error| error as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_of_a_refused_thread_names_the_fix_and_the_cause() {
        let reason = RejectReason::thread_refused(io::Error::other("no room"));
        let text = Rejected::new(Job::new(|| ()), reason).to_string();
        assert!(text.contains("no room"), "{text}");
        assert!(text.contains("lower max_blocking_threads"), "{text}");
        assert!(text.contains("RLIMIT_NPROC"), "{text}");
    }

    #[test]
    fn message_after_shutdown_names_the_fix() {
        let rejected = Rejected::new(Job::new(|| ()), RejectReason::shut_down());
        assert!(rejected.to_string().contains("before the shutdown"));
        assert!(rejected.source().is_none());
    }
}
