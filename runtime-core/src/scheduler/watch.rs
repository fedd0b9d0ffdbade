//! What the reactor thread asks about the workers, answered.

use super::engine::Engine;
use super::house::House;
use super::lane::Lane;
use super::stranded::Stranded;
use crate::reactor::inbox::Anywhere;
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
    /// One for each lane.
    sights: Vec<Sight>,
    stranded: Stranded,
}

/// What was seen of a lane.
#[derive(Clone, Copy, Debug)]
struct Sight {
    /// Its round when it was last seen to move.
    round: u64,
    /// When that was.
    since: Instant,
    /// Once the lane is under suspicion: when, and how long its thread had waited for a processor by then.
    suspected: Option<(Instant, Duration)>,
}

impl Sight {
    fn of(round: u64, now: Instant) -> Self {
        Self {
            round,
            since: now,
            suspected: None,
        }
    }

    /// Whether a lane that has not moved is stuck, and not merely without a processor.
    fn is_stuck(
        &mut self,
        now: Instant,
        threshold: Duration,
        cpu_wait: impl FnOnce() -> Duration,
    ) -> bool {
        if now.duration_since(self.since) < threshold {
            return false;
        }
        match self.suspected {
            None => {
                self.suspected = Some((now, cpu_wait()));
                false
            }
            Some((since, waited)) => {
                let waited = cpu_wait().saturating_sub(waited);
                now.duration_since(since).saturating_sub(waited) >= threshold
            }
        }
    }
}

impl Watcher {
    pub(super) fn new(house: Arc<House>) -> Self {
        let sights = vec![Sight::of(0, Instant::now()); house.engine.lanes.len()];
        let stranded = Stranded::new(house.engine.lanes.len());
        Self {
            house,
            sights,
            stranded,
        }
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
        for (lane, sight) in self.house.engine.lanes.iter().zip(&mut self.sights) {
            let round = lane.stats.rounds.get();
            if round != sight.round || !lane.polled.is_some() {
                *sight = Sight::of(round, now);
            } else if sight.is_stuck(now, threshold, || lane.cpu_wait()) {
                self.house
                    .engine
                    .notice_stall(lane, round, sight.since, now);
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

    fn hand_on_stranded(&mut self, woken: &mut Vec<Waker>) -> bool {
        let events = self.stranded.take(&self.house.engine.lanes);
        let any = !events.is_empty();
        if any {
            let registry = &self.engine().reactor.registry;
            registry.dispatch(events.into_iter(), &mut Anywhere, woken);
        }
        any
    }

    fn relieve_stuck(&mut self) -> bool {
        if self.house.engine.lanes.iter().any(Lane::owes) {
            self.engine().notify();
        }
        let Some(threshold) = self.house.staff.stall_threshold else {
            return false;
        };
        if !self.mark_stuck(threshold) || !self.engine().has_more() {
            return false;
        }
        let engine = self.engine();
        let counts = engine.idle.counts();
        if counts.searching() > 0 {
            return false;
        }
        if counts.parked() > 0 {
            engine.notify();
        } else if engine.moving() < engine.workers {
            self.house.staff.call_relief(&self.house);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_lane_that_waits_for_a_processor_is_not_stuck() {
        let start = Instant::now();
        let mut sight = Sight::of(7, start);
        assert!(!sight.is_stuck(start + MS / 2, MS, || unreachable!("not asked yet")));
        assert!(!sight.is_stuck(start + 2 * MS, MS, || Duration::ZERO));
        assert!(!sight.is_stuck(start + 5 * MS, MS, || 3 * MS));
        assert!(sight.is_stuck(start + 6 * MS, MS, || 3 * MS));
    }
}
