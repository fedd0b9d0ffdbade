//! Which lanes have left timers behind that nobody minds as their own.
//!
//! A worker minds the timers of its own shard. A relief worker goes when it is not needed any more, and may leave some that are far
//! away. From then on they are minded like those of threads that are no workers: by whoever waits in the poller, every worker that
//! looks for timers, and the reactor thread.
//!
//! ```text
//!   relief worker: goes   1. the lane is unminded             waiter in the poller   1. announce until when
//!                         2. fence (SeqCst)        edge Z                            2. fence (SeqCst)
//!                         3. look at the waiter    ◀────────▶                        3. look: outside, unminded lanes
//!                         4. it sleeps past them: tell it
//! ```
//!
//! # Invariants
//!
//! * U1 — No timer is started in the shard of an unminded lane: timers are started in the shard of the worker that polls, and nobody
//!   works the lane. So their next deadline becomes later only, and waiters need to be told once: when the lane becomes unminded.
//!
//! # Edges
//!
//! * Z — of [`lease`](crate::reactor::lease): that a lane has become unminded is a deadline that has become earlier.

use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The lanes whose timers are everybody's.
#[derive(Debug)]
pub(crate) struct Unminded {
    /// How often each lane was left and taken back: odd while it is left. So who forgets one that has no timers left does not forget
    /// it when it was taken back and left once more meanwhile.
    lanes: Box<[AtomicU64]>,
    /// How many are left, or about to be.
    count: AtomicUsize,
}

/// A lane that was left, as it was when it was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) lane: usize,
    times: u64,
}

impl Unminded {
    pub(crate) fn new(lanes: usize) -> Self {
        Self {
            lanes: (0..lanes).map(|_| AtomicU64::new(0)).collect(),
            count: AtomicUsize::new(0),
        }
    }

    /// Nobody works the lane any more. Only for its worker, which looks at the waiter in the poller afterwards, behind a fence.
    pub(crate) fn leave(&self, lane: usize) {
        // ORDERING: SeqCst, twice, edge Z, the registering end: both come before the look at the waiter. The count first: whoever
        // sees the lane and takes it back finds it counted.
        self.count.fetch_add(1, Ordering::SeqCst);
        self.lanes[lane].fetch_add(1, Ordering::SeqCst);
    }

    /// The lane has a worker again.
    pub(crate) fn take_back(&self, lane: usize) {
        // ORDERING: SeqCst as above. It fails if somebody has just forgotten the lane.
        let times = self.lanes[lane].load(Ordering::SeqCst);
        self.forget(Left { lane, times });
    }

    /// It has no timer left. Not if it was taken back since it was seen.
    pub(crate) fn forget(&self, left: Left) {
        let Left { lane, times } = left;
        let lane = &self.lanes[lane];
        // ORDERING: SeqCst as above. Of several that see the last timer go, one counts.
        let exchange =
            || lane.compare_exchange(times, times + 1, Ordering::SeqCst, Ordering::SeqCst);
        if is_left(times) && exchange().is_ok() {
            self.count.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Whether there are any.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        // ORDERING: SeqCst, edge Z, the waiting end: comes after the announcement of the wait.
        self.count.load(Ordering::SeqCst) > 0
    }

    /// Whether nobody works the lane, and it has left timers.
    pub(crate) fn is(&self, lane: usize) -> bool {
        // ORDERING: SeqCst as `any`.
        let times = |lane: &AtomicU64| lane.load(Ordering::SeqCst);
        self.any() && self.lanes.get(lane).map(times).is_some_and(is_left)
    }

    /// Which they are. Their numbers are those of their shards.
    #[inline]
    pub(crate) fn lanes(&self) -> impl Iterator<Item = Left> {
        let all = if self.any() { &self.lanes[..] } else { &[] };
        // ORDERING: SeqCst as `any`.
        let seen = |(lane, times): (usize, &AtomicU64)| Left {
            lane,
            times: times.load(Ordering::SeqCst),
        };
        let lanes = all.iter().enumerate().map(seen);
        lanes.filter(|seen| is_left(seen.times))
    }
}

const fn is_left(times: u64) -> bool {
    times % 2 == 1
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_unminded_from_its_leave_until_it_is_taken_back() {
        let unminded = Unminded::new(3);
        assert!(!unminded.any() && unminded.lanes().next().is_none());
        unminded.leave(2);
        assert!(unminded.any() && unminded.is(2) && !unminded.is(1));
        assert!(!unminded.is(3), "the shard of all others");
        let seen: Vec<_> = unminded.lanes().collect();
        assert_eq!(seen.iter().map(|seen| seen.lane).collect::<Vec<_>>(), [2]);
        unminded.take_back(2);
        unminded.take_back(2);
        unminded.take_back(0);
        assert!(!unminded.any() && !unminded.is(2));
        unminded.leave(2);
        unminded.forget(seen[0]);
        assert!(unminded.is(2), "what was seen is another time");
        let seen = unminded.lanes().next().expect("left");
        unminded.forget(seen);
        unminded.forget(seen);
        assert!(!unminded.any() && !unminded.is(2));
    }
}
