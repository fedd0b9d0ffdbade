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

use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The lanes whose timers are everybody's.
#[derive(Debug)]
pub(crate) struct Unminded {
    lanes: Box<[AtomicBool]>,
    /// How many of them there are.
    count: AtomicUsize,
}

impl Unminded {
    pub(crate) fn new(lanes: usize) -> Self {
        Self {
            lanes: (0..lanes).map(|_| AtomicBool::new(false)).collect(),
            count: AtomicUsize::new(0),
        }
    }

    /// Nobody works the lane any more. The caller looks at the waiter in the poller afterwards, behind a fence.
    pub(crate) fn leave(&self, lane: usize) {
        // ORDERING: SeqCst, twice, edge Z, the registering end: both come before the look at the waiter. The count first: whoever
        // sees the lane and takes it back finds it counted.
        self.count.fetch_add(1, Ordering::SeqCst);
        self.lanes[lane].store(true, Ordering::SeqCst);
    }

    /// The lane has a worker again, or no timer is left.
    pub(crate) fn take_back(&self, lane: usize) {
        // ORDERING: SeqCst as above. Of several that see the last timer go, one counts.
        if self.lanes[lane].swap(false, Ordering::SeqCst) {
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
        self.any()
            && self
                .lanes
                .get(lane)
                .is_some_and(|lane| lane.load(Ordering::SeqCst))
    }

    /// Which they are; which shards, that is.
    pub(crate) fn lanes(&self) -> impl Iterator<Item = usize> {
        let all = if self.any() { &self.lanes[..] } else { &[] };
        // ORDERING: SeqCst as `any`.
        let left = |(_, lane): &(usize, &AtomicBool)| lane.load(Ordering::SeqCst);
        all.iter().enumerate().filter(left).map(|(lane, _)| lane)
    }
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
        assert_eq!(unminded.lanes().collect::<Vec<_>>(), [2]);
        unminded.take_back(2);
        unminded.take_back(2);
        unminded.take_back(0);
        assert!(!unminded.any() && !unminded.is(2));
    }
}
