//! The operating system's priority of a thread, and what a thread of low priority does for the others between two jobs.
//!
//! A low priority alone does not let a thread that serves I/O run at once: a system without a fine timer looks at a busy
//! processor every few milliseconds only, and the processor stays with the computing thread until then. So such a thread
//! offers its processor between two jobs, not more often than every [`OFFER_EVERY`]: each offer that is taken costs two
//! changes of threads. The figures are in `docs/decisions/compute-priority.md`.

use crate::sync::{now, thread};
use std::time::{Duration, Instant};

/// How long a thread of low priority keeps its processor through a series of jobs.
const OFFER_EVERY: Duration = Duration::from_micros(200);

/// When a thread offered its processor last.
pub(super) struct Courtesy {
    /// `None` for a thread of ordinary priority, which does not.
    since: Option<Instant>,
}

impl Courtesy {
    /// At the beginning of a series of jobs.
    pub(super) fn new(low_priority: bool) -> Self {
        Self {
            since: low_priority.then(now),
        }
    }

    /// Between two jobs: offers the processor, if it is time.
    pub(super) fn between_jobs(&mut self) {
        if let Some(since) = &mut self.since
            && since.elapsed() >= OFFER_EVERY
        {
            thread::yield_now();
            *since = now();
        }
    }
}

/// What low priority adds to the nice value that the thread has from its program; 19 is the kindest that there is.
#[cfg(target_os = "linux")]
const KINDER_BY: i32 = 3;

/// Lowers the calling thread's priority; without effect if the system refuses.
#[cfg(target_os = "linux")]
pub(super) fn lower() {
    // On Linux a nice value belongs to a thread, and no process id means the calling one. A refusal is no reason to
    // do without the thread.
    if let Ok(nice) = rustix::process::getpriority_process(None) {
        let _refused = rustix::process::setpriority_process(None, (nice + KINDER_BY).min(19));
    }
}

/// Without effect: this system has no priority of a single thread that the standard means reach.
#[cfg(not(target_os = "linux"))]
pub(super) fn lower() {}
