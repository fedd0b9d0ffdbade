//! Jobs of executors in a simulation: each waits for its virtual moment, and is then one step of the schedule.

use runtime_blocking::Job;
use std::collections::BTreeMap;

/// When a job's turn may come first, in nanoseconds of virtual time, and its number.
type Place = (u64, u64);

/// The jobs that have not begun.
#[derive(Default)]
pub(super) struct Jobs {
    waiting: BTreeMap<Place, Job>,
}

impl Jobs {
    /// Takes a job, for the given moment. Numbers are different.
    pub(super) fn add(&mut self, at_ns: u64, number: u64, job: Job) {
        self.waiting.insert((at_ns, number), job);
    }

    /// The moment of the earliest job.
    pub(super) fn next(&self) -> Option<u64> {
        self.waiting.keys().next().map(|&(at_ns, _)| at_ns)
    }

    /// How many jobs may run at this time.
    pub(super) fn due(&self, now_ns: u64) -> usize {
        self.waiting.range(..=(now_ns, u64::MAX)).count()
    }

    /// Takes out the `index`th of the jobs, by their moments; and its number.
    pub(super) fn take(&mut self, index: usize) -> Option<(u64, Job)> {
        let place = *self.waiting.keys().nth(index)?;
        let job = self.waiting.remove(&place)?;
        Some((place.1, job))
    }

    /// Takes out all.
    pub(super) fn take_all(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }
}

#[cfg(all(test, not(gristmill_loom)))]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_due_from_their_moment_on() {
        let mut jobs = Jobs::default();
        assert_eq!((jobs.next(), jobs.due(u64::MAX)), (None, 0));
        for (number, at) in [(1, 30), (2, 10), (3, 10)] {
            jobs.add(at, number, Job::new(|| ()));
        }
        assert_eq!(jobs.next(), Some(10));
        assert_eq!([9, 10, 29, 30].map(|now| jobs.due(now)), [0, 2, 2, 3]);
        assert_eq!(jobs.take(1).map(|(number, _)| number), Some(3));
        assert_eq!(jobs.take(1).map(|(number, _)| number), Some(1));
        assert!(jobs.take(1).is_none());
        assert_eq!(jobs.take_all().len(), 1);
    }
}
