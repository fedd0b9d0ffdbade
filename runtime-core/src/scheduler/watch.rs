//! What the reactor thread asks about the workers, answered.

use super::engine::Engine;
use super::errand::Counted;
use super::house::House;
use super::lane::Lane;
use super::neglected::Neglected;
use super::sight::{Sight, Verdict};
use super::stranded::Stranded;
use crate::reactor::inbox::Anywhere;
use crate::reactor::thread::{Census, SHORTEST_TICK, Watch, wake};
use crate::sync::atomic::{Ordering, fence};
use crate::sync::{Arc, now};
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
    neglected: Neglected,
    /// When inboxes and branches were last looked after.
    looked_after: Instant,
}

impl Watcher {
    pub(super) fn new(house: Arc<House>) -> Self {
        let sights = vec![Sight::of(0, now(), None::<&Lane>); house.engine.lanes.len()];
        let stranded = Stranded::new(house.engine.lanes.len());
        let neglected = Neglected::new(&house.engine.reactor.registry);
        Self {
            house,
            sights,
            stranded,
            neglected,
            looked_after: now(),
        }
    }

    pub(super) fn house(&self) -> Arc<House> {
        Arc::clone(&self.house)
    }

    fn engine(&self) -> &Engine {
        &self.house.engine
    }

    /// Marks the lanes that have been in one poll for too long. The gravest verdict.
    fn mark_stuck(&mut self, threshold: Duration) -> Verdict {
        let now = now();
        let mut gravest = Verdict::Later;
        for (lane, sight) in self.house.engine.lanes.iter().zip(&mut self.sights) {
            let round = lane.stats.rounds.get();
            let in_poll = lane.polled.is_some().then_some(lane);
            if !sight.is_of(round) || in_poll.is_none() {
                *sight = Sight::of(round, now, in_poll);
                continue;
            }
            let verdict = sight.judge(now, threshold, lane);
            if let Verdict::Stuck(kind) = verdict {
                let engine = &self.house.engine;
                engine.notice_stall(lane, (round, kind), sight.since(), now);
            }
            gravest = gravest.max(verdict);
        }
        gravest
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

    fn rounds(&self) -> u64 {
        let lanes = self.engine().lanes.iter();
        lanes.fold(0, |sum, lane| sum.wrapping_add(lane.stats.rounds.get()))
    }

    fn outside_deadline(&self) -> Option<u64> {
        let engine = self.engine();
        if engine.timers.clock().is_paused() {
            None
        } else {
            engine.next_common_deadline()
        }
    }

    fn now_ns(&self) -> u64 {
        self.engine().timers.now_ns()
    }

    fn overdue_at(&self) -> Option<u64> {
        let engine = self.engine();
        if engine.timers.clock().is_paused() {
            return None;
        }
        let lanes = engine.lanes.iter().enumerate();
        lanes
            .filter(|(_, lane)| lane.polled.is_some())
            .filter_map(|(shard, _)| engine.timers.next_deadline(shard))
            .min()
            .map(|deadline| deadline.saturating_add(OVERDUE_NS))
    }

    fn fire_overdue(&mut self, scratch: &mut Vec<Waker>) -> bool {
        let engine = &self.house.engine;
        let timers = &engine.timers;
        if timers.clock().is_paused() || timers.next_deadline_of_all().is_none() {
            return false;
        }
        let now = timers.now_ns();
        let mut any = false;
        for shard in 0..timers.shards() {
            let slack = if shard == timers.outside() || engine.unminded.is(shard) {
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
        engine.forget_empty();
        any
    }

    fn hand_on_stranded(&mut self, scratch: &mut Vec<Waker>) -> bool {
        let now = now();
        if now.duration_since(self.looked_after) < SHORTEST_TICK {
            // Back from the poller after less than a tick: too soon to say that somebody does not come.
            return false;
        }
        self.looked_after = now;
        let engine = &self.house.engine;
        let registry = &engine.reactor.registry;
        let any_neglected = self.neglected.look_after(registry, &engine.lanes, scratch);

        // E2: who finds its inbox and its list empty jumps no clock before those are woken who were meant.
        let waits = |lane: &Lane| !(lane.inbox.is_empty() && lane.rechecks.is_empty());
        let any_waits = engine.lanes.iter().any(waits);
        let _counted = any_waits.then(|| Counted::new(Arc::clone(&self.house)));
        // ORDERING: SeqCst, before the inbox and the list change; pairs with the fence in `House::has_jobs`, after a look at those.
        fence(Ordering::SeqCst);
        let events = self.stranded.take_events(&engine.lanes);
        let any_events = !events.is_empty();
        if any_events {
            registry.dispatch(events.into_iter(), &mut Anywhere, scratch);
        }
        let notes = self.stranded.take_notes(&engine.lanes);
        let before = scratch.len();
        registry.recheck(&notes, scratch);
        let any_doubts = scratch.len() > before;
        scratch.drain(..).for_each(wake);
        any_neglected || any_events || any_doubts
    }

    fn relieve_stuck(&mut self) -> bool {
        if self.house.engine.lanes.iter().any(Lane::owes) {
            self.engine().notify();
        }
        if !self.engine().injector.is_empty() {
            // Those who move look there once in so many rounds, and a round can be long.
            self.engine().ask_all();
        }
        let found = match self.house.staff.stall_threshold {
            Some(threshold) => self.mark_stuck(threshold),
            None => Verdict::Later,
        };
        // Those who said so beforehand may have been refused their relief.
        let is_stuck = self.engine().has_stuck() || matches!(found, Verdict::Stuck(_));
        if (found == Verdict::Later && !is_stuck) || !self.engine().has_more() {
            return false;
        }
        if !is_stuck {
            // No help yet, but somebody waits for it: the next tick is a short one.
            return true;
        }
        self.house.staff.find_stand_in(&self.house)
    }
}
