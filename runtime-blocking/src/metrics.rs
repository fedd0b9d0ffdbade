//! What a pool tells about itself.

/// What a pool looked like at one moment.
///
/// The numbers are read one after the other while the pool goes on, so they need not add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolMetrics {
    /// Threads that exist, idle ones included.
    pub threads: usize,
    /// Threads that are parked, waiting for a job.
    pub idle: usize,
    /// Jobs that wait for a thread.
    pub queued: usize,
    /// Jobs that have ended since the pool was made, by a panic too.
    pub completed: u64,
    /// Threads that have been started since the pool was made.
    pub threads_started: u64,
    /// The limit on `threads`.
    pub max_threads: usize,
}

/// How the wait for a pool's threads ended.
#[must_use = "says whether threads are still busy"]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    /// Threads that had not ended when the wait did.
    still_busy: usize,
}

impl Joined {
    pub(crate) fn new(still_busy: usize) -> Self {
        Self { still_busy }
    }

    /// How many threads were still busy with a job when the time was up; 0 if all have ended.
    pub fn still_busy(self) -> usize {
        self.still_busy
    }

    /// Whether every thread has ended.
    pub fn is_complete(self) -> bool {
        self.still_busy == 0
    }
}
