//! When jobs that wait deserve one more thread. Pure: it is told what was seen and says how many to call in.
//!
//! A queued job is not a reason to start a thread: thousands of short jobs are served best by a few threads that go on
//! and on. A reason is a thread that does not come back. So a crew with *watched* growth keeps, while jobs wait, one
//! thread without a job, the lookout. It looks at short intervals at how many jobs have ended, and calls in one thread
//! for each busy one that cannot have ended any. While nobody comes back this doubles the crew with each look, so that
//! hundreds of stuck jobs have their threads within about ten looks.
//!
//! # Rejected
//!
//! - One thread for each queued job, until the limit: a burst of ten thousand short jobs starts 512 threads.
//! - Each started thread starts the next while the queue is not empty: the same burst starts as many as fit into its
//!   duration, and 200 stuck jobs wait for 200 thread starts in a row.
//! - The age of the oldest queued job: a deep queue of short jobs is old too; what matters is whether it moves.

use std::time::{Duration, Instant};

/// How a crew gets more threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Growth {
    /// Each thread that leaves jobs in the queue calls in the next.
    Eager,
    /// A lookout calls in threads when jobs wait behind stuck ones.
    Watched,
}

/// How long the lookout waits before its first look, and after each that called somebody in.
pub(super) const FIRST_PATIENCE: Duration = Duration::from_micros(50);

/// What its patience grows to, fourfold each time, while the busy threads need no help.
pub(super) const LAST_PATIENCE: Duration = Duration::from_millis(1);

/// From when on, and from which number of ended jobs, the lookout counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since {
    pub(super) at: Instant,
    pub(super) completed: u64,
}

/// What the lookout saw.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Jobs in the queue.
    pub(super) queued: usize,
    /// Threads that run a job.
    pub(super) busy: usize,
    /// Threads that are on their way to a job already.
    pub(super) searching: usize,
    /// Jobs that have ended since the last look.
    pub(super) completed: u64,
    /// Processors of this process.
    pub(super) cores: usize,
}

/// How many threads to call in.
pub(super) fn reinforcements(look: Look) -> usize {
    let completed = usize::try_from(look.completed).unwrap_or(usize::MAX);
    // So many of the busy threads, at least, have ended no job.
    let stuck = look.busy.saturating_sub(completed);
    // All go on, but another interval would not empty the queue, and there are processors without a thread.
    let slow = if look.queued > completed && look.busy < look.cores {
        look.busy.max(1).min(look.cores - look.busy)
    } else {
        0
    };
    stuck
        .max(slow)
        .min(look.queued.saturating_sub(look.searching))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Look = Look {
        queued: 0,
        busy: 0,
        searching: 0,
        completed: 0,
        cores: 2,
    };

    #[test]
    fn stuck_threads_are_replaced_one_for_one() {
        for busy in [2, 3, 64, 300] {
            let look = Look {
                queued: 1000,
                busy,
                ..CALM
            };
            assert_eq!(reinforcements(look), busy);
        }
    }

    #[test]
    fn never_more_than_the_jobs_that_wait() {
        assert_eq!(
            reinforcements(Look {
                queued: 3,
                busy: 64,
                ..CALM
            }),
            3
        );
        assert_eq!(
            reinforcements(Look {
                queued: 3,
                busy: 64,
                searching: 2,
                ..CALM
            }),
            1
        );
        assert_eq!(
            reinforcements(Look {
                queued: 3,
                busy: 64,
                searching: 5,
                ..CALM
            }),
            0
        );
    }

    #[test]
    fn deep_queue_that_moves_needs_nobody() {
        let look = Look {
            queued: 10_000,
            busy: 2,
            completed: 500,
            ..CALM
        };
        assert_eq!(reinforcements(look), 0);
    }

    #[test]
    fn deep_queue_gets_the_processors_that_are_free() {
        let look = Look {
            queued: 10_000,
            busy: 2,
            completed: 500,
            cores: 8,
            ..CALM
        };
        assert_eq!(reinforcements(look), 2);
        assert_eq!(reinforcements(Look { busy: 6, ..look }), 2);
    }

    #[test]
    fn some_job_that_waits_behind_nobody_who_ends_always_gets_a_thread() {
        for queued in 1..50 {
            for busy in 0..50 {
                assert!(
                    reinforcements(Look {
                        queued,
                        busy,
                        ..CALM
                    }) > 0,
                    "{queued} {busy}"
                );
            }
        }
    }
}
