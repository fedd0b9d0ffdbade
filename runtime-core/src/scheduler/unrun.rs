//! The jobs that no thread had started when the executors closed. Each is taken out before it is dropped, which runs the user's
//! destructors, so that whoever makes the report finds those behind one that does not return.

use crate::report::Leftovers;
use crate::sync::{Condvar, Mutex, now};
use runtime_blocking::Job;
use std::collections::VecDeque;
use std::time::Instant;

pub(crate) struct Unrun {
    jobs: Mutex<Jobs>,
    /// Signalled when all are dropped.
    done: Condvar,
}

#[derive(Default)]
struct Jobs {
    left: VecDeque<Job>,
    /// How many threads have one in hand, or are about to look for one.
    dropping: usize,
}

impl Jobs {
    fn are_dropped(&self) -> bool {
        self.left.is_empty() && self.dropping == 0
    }
}

impl Unrun {
    pub(super) fn new() -> Self {
        Self {
            jobs: Mutex::new(Jobs::default()),
            done: Condvar::new(),
        }
    }

    pub(super) fn add(&self, jobs: Vec<Job>) {
        self.jobs.lock().left.extend(jobs);
    }

    /// How many nobody has taken in hand.
    pub(crate) fn left(&self) -> usize {
        self.jobs.lock().left.len()
    }

    /// Drops them, on this thread; several may.
    pub(super) fn drop_all(&self, leftovers: &Leftovers) {
        self.jobs.lock().dropping += 1;
        let next = || leftovers.next_job(|| self.jobs.lock().left.pop_front());
        while let Some(job) = next() {
            job.cancel();
        }
        let mut jobs = self.jobs.lock();
        jobs.dropping -= 1;
        if jobs.are_dropped() {
            self.done.notify_all();
        }
    }

    /// Waits until all are dropped, or the deadline.
    pub(crate) fn wait(&self, deadline: Instant) {
        let mut jobs = self.jobs.lock();
        while !jobs.are_dropped() && now() < deadline {
            self.done.wait_until(&mut jobs, deadline);
        }
    }
}
