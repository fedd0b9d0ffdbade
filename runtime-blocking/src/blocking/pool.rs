//! The pool for blocking calls: a crew whose growth is watched.

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

/// An elastic pool of threads for calls that block.
///
/// Starts with no thread and grows, up to `max_threads`, when jobs wait behind others that do not end: jobs that wait
/// for each other all get a thread, yet a burst of thousands of short jobs is served by a few. A thread that has had no
/// job for `keep_alive` ends; the last one stays. The thread that became idle last gets the next job.
///
/// Clones share the pool. Dropping the last clone shuts it down without waiting.
///
/// # Examples
///
/// ```
/// use gristmill::executor::{BlockingPool, Executor, Job};
///
/// let pool = BlockingPool::default();
/// let (exists, told) = std::sync::mpsc::channel();
/// pool.execute(Job::new(move || exists.send(std::env::temp_dir().exists()).unwrap()))?;
/// assert!(told.recv()?);
/// assert!(pool.join(None).is_complete());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct BlockingPool {
    /// Shared by all clones; when the last is dropped, the threads are told to end.
    employer: Arc<Employer>,
}

impl BlockingPool {
    /// Makes a pool. Threads are started when jobs come.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if a setting is absurd; see the table at [`PoolConfig`].
    pub fn new(config: PoolConfig) -> io::Result<Self> {
        config.validate()?;
        Ok(Self {
            employer: Arc::new(Employer::new(Crew::new(config, Growth::Watched))),
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

    /// What the pool looks like now. Cheap: takes no lock.
    pub fn metrics(&self) -> PoolMetrics {
        self.employer.crew().metrics()
    }
}

impl Executor for BlockingPool {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        self.employer.crew().execute(job)
    }
}

impl Default for BlockingPool {
    /// A pool with the defaults of [`PoolConfig::blocking`].
    fn default() -> Self {
        Self::new(PoolConfig::blocking()).expect("the defaults are valid")
    }
}

impl fmt::Debug for BlockingPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingPool")
            .field("metrics", &self.metrics())
            .finish_non_exhaustive()
    }
}
