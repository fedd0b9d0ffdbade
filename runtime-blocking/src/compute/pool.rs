//! The pool for computation: a crew that grows at once, to a low bound.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::config::PoolConfig;
use crate::crew::{Crew, Employer, Growth};
use crate::executor::Executor;
use crate::job::Job;
use crate::metrics::{Joined, PoolMetrics};
use crate::rejected::Rejected;

/// A pool of at most as many threads as there are processors, for work that computes.
///
/// Threads are started when jobs come and, by default, stay. They run at a low priority unless told otherwise, so that
/// threads that serve I/O preempt them. The queue is unbounded. If the operating system refuses a thread, the pool goes
/// on with those it has.
///
/// Clones share the pool. Dropping the last clone shuts it down without waiting.
///
/// # Examples
///
/// ```
/// use gristmill::executor::{ComputePool, Executor, Job};
///
/// let pool = ComputePool::default();
/// let (sum, summed) = std::sync::mpsc::channel();
/// pool.execute(Job::new(move || sum.send((1..=100).sum::<u32>()).unwrap()))?;
/// assert_eq!(summed.recv()?, 5050);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ComputePool {
    /// Shared by all clones; when the last is dropped, the threads are told to end.
    employer: Arc<Employer>,
}

impl ComputePool {
    /// Makes a pool. Threads are started when jobs come.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if a setting is absurd; see the table at [`PoolConfig`].
    pub fn new(config: PoolConfig) -> io::Result<Self> {
        config.validate()?;
        Ok(Self {
            employer: Arc::new(Employer::new(Crew::new(config, Growth::Eager))),
        })
    }

    /// Stops the intake and tells the threads to end; does not wait for them.
    ///
    /// Jobs that no thread has started are dropped, which cancels them. Running jobs go on. To shut down twice has no
    /// effect.
    pub fn shutdown(&self) {
        self.employer.crew().shutdown();
    }

    /// As [`shutdown`](Self::shutdown), but gives the jobs that no thread has started to the caller, to be dropped where their
    /// destructors may take their time. Gives none if the pool was shut down before.
    #[must_use = "jobs that are dropped are cancelled, here and now"]
    pub fn close(&self) -> Vec<Job> {
        self.employer.crew().close()
    }

    /// What the threads are called that have not ended, but for the calling one.
    pub fn thread_names(&self) -> Vec<String> {
        self.employer.crew().thread_names()
    }

    /// Shuts down, waits until every thread has ended or `timeout` has passed, and says how many are still busy.
    ///
    /// `None` waits as long as it takes. May be called from one of the pool's own threads, which is then not waited for.
    pub fn join(&self, timeout: Option<Duration>) -> Joined {
        self.employer.crew().join(timeout)
    }

    /// Whether jobs wait although every thread is busy. Cheap: takes no lock.
    pub fn has_backlog(&self) -> bool {
        self.employer.crew().has_backlog()
    }

    /// What the pool looks like now. Cheap: takes no lock.
    pub fn metrics(&self) -> PoolMetrics {
        self.employer.crew().metrics()
    }
}

impl Executor for ComputePool {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        self.employer.crew().execute(job)
    }
}

impl Default for ComputePool {
    /// A pool with the defaults of [`PoolConfig::compute`].
    fn default() -> Self {
        Self::new(PoolConfig::compute()).expect("the defaults are valid")
    }
}

impl fmt::Debug for ComputePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComputePool")
            .field("metrics", &self.metrics())
            .finish_non_exhaustive()
    }
}
