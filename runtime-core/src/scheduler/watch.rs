//! What the reactor thread asks about the workers, answered.

use super::engine::Engine;
use super::house::House;
use crate::reactor::thread::{Census, Watch};
use crate::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

/// A worker's timer that is later than this is fired by the reactor thread. Less would take timers from workers
/// that are about to fire them.
const OVERDUE_NS: u64 = 200_000;

/// Timers fired at a time.
const FIRE_AT_ONCE: usize = 256;

/// The eyes of the reactor thread.
pub(super) struct Watcher {
    house: Arc<House>,
    /// For each lane, its round when it was last seen to move, and when that was.
    seen: Vec<(u64, Instant)>,
}

impl Watcher {
    pub(super) fn new(house: Arc<House>) -> Self {
        let seen = vec![(0, Instant::now()); house.engine.lanes.len()];
        Self { house, seen }
    }

    pub(super) fn house(&self) -> Arc<House> {
        Arc::clone(&self.house)
    }

    fn engine(&self) -> &Engine {
        &self.house.engine
    }

    /// Marks the lanes that have been in one poll for too long. Whether there are any.
    fn mark_stuck(&mut self, threshold: Duration) -> bool {
        let now = Instant::now();
        let mut any = false;
        for (lane, seen) in self.house.engine.lanes.iter().zip(&mut self.seen) {
            let rounds = lane.stats.rounds.get();
            if rounds != seen.0 || !lane.is_polling() {
                *seen = (rounds, now);
            } else if now.duration_since(seen.1) >= threshold {
                lane.set_stuck(true);
                any = true;
            }
        }
        any
    }
}

impl Watch for Watcher {
    fn census(&self) -> Census {
        let engine = self.engine();
        if engine.idle.counts().parked() < engine.staffed() {
            Census::Awake
        } else if engine.idle.poller_is_taken() {
            Census::PollerTaken
        } else {
            Census::PollerFree
        }
    }

    fn outside_deadline(&self) -> Option<u64> {
        let timers = &self.engine().timers;
        if timers.clock().is_paused() {
            None
        } else {
            timers.next_deadline(timers.outside())
        }
    }

    fn now_ns(&self) -> u64 {
        self.engine().timers.now_ns()
    }

    fn fire_overdue(&self, scratch: &mut Vec<Waker>) -> bool {
        let timers = &self.engine().timers;
        if timers.clock().is_paused() || timers.next_deadline_of_all().is_none() {
            return false;
        }
        let now = timers.now_ns();
        let mut any = false;
        for shard in 0..timers.shards() {
            let slack = if shard == timers.outside() {
                0
            } else {
                OVERDUE_NS
            };
            let Some(next) = timers.next_deadline(shard) else {
                continue;
            };
            if next.saturating_add(slack) <= now {
                any |= timers.fire_due(shard, now, FIRE_AT_ONCE, scratch).fired > 0;
            }
        }
        any
    }

    fn relieve_stuck(&mut self) -> bool {
        let Some(threshold) = self.house.staff.stall_threshold else {
            return false;
        };
        if !self.mark_stuck(threshold) || !self.engine().has_more() {
            return false;
        }
        let counts = self.engine().idle.counts();
        if counts.searching() > 0 {
            return false;
        }
        if counts.parked() > 0 {
            self.engine().notify();
        } else {
            self.house.staff.call_relief(&self.house);
        }
        true
    }
}
