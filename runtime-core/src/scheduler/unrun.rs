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
    /// How many threads have one in hand, are about to look for one, or to bring some.
    busy: usize,
}

impl Jobs {
    fn are_dropped(&self) -> bool {
        self.left.is_empty() && self.busy == 0
    }
}

impl Unrun {
    pub(super) fn new() -> Self {
        Self {
            jobs: Mutex::new(Jobs::default()),
            done: Condvar::new(),
        }
    }

    /// Takes those in that `close` finds. Meanwhile there may be some.
    pub(super) fn take_in(&self, close: impl FnOnce() -> Vec<Job>) {
        self.jobs.lock().busy += 1;
        let found = close();
        let mut jobs = self.jobs.lock();
        jobs.left.extend(found);
        self.end_business(&mut jobs);
    }

    fn end_business(&self, jobs: &mut Jobs) {
        jobs.busy -= 1;
        if jobs.are_dropped() {
            self.done.notify_all();
        }
    }

    /// Whether all are dropped, as far as is known.
    pub(crate) fn are_dropped(&self) -> bool {
        self.jobs.lock().are_dropped()
    }

    /// How many nobody has taken in hand.
    pub(crate) fn left(&self) -> usize {
        self.jobs.lock().left.len()
    }

    /// Drops them, on this thread; several may.
    pub(super) fn drop_all(&self, leftovers: &Leftovers) {
        self.jobs.lock().busy += 1;
        let next = || leftovers.next_job(|| self.jobs.lock().left.pop_front());
        while let Some(job) = next() {
            job.cancel();
        }
        self.end_business(&mut self.jobs.lock());
    }

    /// Waits until all are dropped, or the deadline; not on a thread that has one in hand, which would wait for itself.
    pub(crate) fn wait(&self, deadline: Instant, leftovers: &Leftovers) {
        if leftovers.has_job_in_hand() {
            return;
        }
        let mut jobs = self.jobs.lock();
        while !jobs.are_dropped() && now() < deadline {
            self.done.wait_until(&mut jobs, deadline);
        }
    }
}
