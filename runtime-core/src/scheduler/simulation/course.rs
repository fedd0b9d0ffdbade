//! The course of a simulation: what is drawn from the seed, and what has run so far.
//!
//! Tasks have numbers here, in the order in which they turn up. The ids of tasks are no use: the process shares them.

use crate::report::ReportedTask;
use crate::task::Id;
use fastrand::Rng;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::task::Waker;

/// The number of every root future; tasks and jobs have others.
pub(super) const ROOT: u64 = 0;

/// How long a job takes, in nanoseconds of virtual time: 1 µs to 10 ms.
const LATENCY_NS: RangeInclusive<u64> = 1_000..=10_000_000;

/// What is drawn, and what has run.
pub(super) struct Course {
    rng: Rng,
    /// The last number that was given away.
    last: u64,
    /// The tasks that have turned up and not ended.
    tasks: BTreeMap<Id, Known>,
    /// Of the numbers of all that has run, and when.
    digest: u64,
}

struct Known {
    number: u64,
    task: ReportedTask,
}

impl Course {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(scatter(seed)),
            last: ROOT,
            tasks: BTreeMap::new(),
            digest: 0,
        }
    }

    /// A seed for draws that are not this course's own.
    pub(super) fn fork(&mut self) -> u64 {
        self.rng.u64(..)
    }

    /// One of `count`.
    pub(super) fn draw(&mut self, count: usize) -> usize {
        self.rng.usize(..count)
    }

    /// Any order.
    pub(super) fn arrange(&mut self, wakers: &mut [Waker]) {
        self.rng.shuffle(wakers);
    }

    /// How long a job takes, in nanoseconds.
    pub(super) fn latency_ns(&mut self) -> u64 {
        self.rng.u64(LATENCY_NS)
    }

    /// The next number.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// A task has turned up, maybe not for the first time.
    pub(super) fn meet(&mut self, id: Id, task: impl FnOnce() -> ReportedTask) {
        if !self.tasks.contains_key(&id) {
            let number = self.number();
            let task = task();
            self.tasks.insert(id, Known { number, task });
        }
    }

    /// The number of a task that has turned up.
    pub(super) fn number_of(&self, id: Id) -> u64 {
        self.tasks.get(&id).map_or(ROOT, |known| known.number)
    }

    /// A task has ended.
    pub(super) fn forget(&mut self, id: Id) {
        self.tasks.remove(&id);
    }

    /// Something of this number runs at this time.
    pub(super) fn note(&mut self, number: u64, now_ns: u64) {
        for value in [number, now_ns] {
            self.digest = scatter(self.digest.rotate_left(1) ^ value);
        }
    }

    /// Of everything that was noted, in its order.
    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    /// The tasks that have not ended, by their numbers.
    pub(super) fn waiting(&self) -> Vec<(u64, ReportedTask)> {
        let known = self.tasks.values();
        let mut waiting: Vec<_> = known
            .map(|known| (known.number, known.task.clone()))
            .collect();
        waiting.sort_by_key(|(number, _)| *number);
        waiting
    }
}

/// Spreads numbers that lie together, as seeds often do. One to one, and zero is not itself.
fn scatter(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(all(test, not(gristmill_loom)))]
mod tests {
    use super::*;
    use std::panic::Location;

    fn task() -> ReportedTask {
        ReportedTask::root(Location::caller())
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        let drawn = |seed| {
            let mut course = Course::new(seed);
            let picks: Vec<_> = (2..50).map(|count| course.draw(count)).collect();
            (picks, course.latency_ns(), course.fork())
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn neighbouring_seeds_begin_with_draws_of_their_own() {
        let first = |seed| Course::new(seed).draw(2);
        let ones: usize = (0..1_000).map(first).sum();
        assert!((400..600).contains(&ones), "{ones}");
    }

    #[test]
    fn latencies_keep_to_their_range() {
        let mut course = Course::new(1);
        for _ in 0..1_000 {
            assert!(LATENCY_NS.contains(&course.latency_ns()));
        }
    }

    #[test]
    fn numbers_go_by_the_order_of_turning_up_and_are_never_given_twice() {
        let mut course = Course::new(1);
        let ids: Vec<_> = (0..3).map(|_| Id::next()).collect();
        for id in [ids[2], ids[0], ids[2]] {
            course.meet(id, task);
        }
        assert_eq!([ids[2], ids[0]].map(|id| course.number_of(id)), [1, 2]);
        course.forget(ids[2]);
        course.meet(ids[1], task);
        let waiting: Vec<_> = course.waiting().iter().map(|(number, _)| *number).collect();
        assert_eq!(waiting, [2, 3]);
    }

    #[test]
    fn the_digest_tells_orders_and_times_apart() {
        let digest = |notes: &[(u64, u64)]| {
            let mut course = Course::new(1);
            notes
                .iter()
                .for_each(|&(number, now)| course.note(number, now));
            course.digest()
        };
        let all = [
            digest(&[]),
            digest(&[(0, 0)]),
            digest(&[(0, 0), (0, 0)]),
            digest(&[(1, 0), (2, 0)]),
            digest(&[(2, 0), (1, 0)]),
            digest(&[(1, 0), (2, 5)]),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
