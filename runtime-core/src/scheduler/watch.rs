//! What the reactor thread asks about the workers, answered.

use super::engine::Engine;
use super::house::House;
use super::lane::Lane;
use super::neglected::Neglected;
use super::stranded::Stranded;
use crate::reactor::inbox::Anywhere;
use crate::reactor::thread::{Census, Watch};
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
}

/// How long before a verdict the ticks become short. As long as the longest tick, so that no tick goes by in vain.
const VERDICT_NEAR: Duration = Duration::from_millis(2);

/// What was seen of a lane.
#[derive(Clone, Copy, Debug)]
struct Sight {
    /// Its round when it was last seen to move.
    round: u64,
    /// When that was.
    since: Instant,
    /// Once the lane is under suspicion: when, and how long its thread had waited for a processor by then.
    suspected: Option<(Instant, Duration)>,
    /// The verdict has been spoken; it holds for the rest of the poll.
    stuck: bool,
}

/// What there is to be said of a lane that has not moved since the last tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing, for a while.
    Later,
    /// It is about to be known.
    Soon,
    Stuck,
}

/// What there is to know of a thread that does not move; asked for only when it matters.
trait Suspect {
    /// Whether it waits for something else than a processor.
    fn is_asleep(&self) -> bool;

    /// How long it has waited for a processor since it began.
    fn cpu_wait(&self) -> Duration;
}

impl Suspect for Lane {
    fn is_asleep(&self) -> bool {
        Self::is_asleep(self)
    }

    fn cpu_wait(&self) -> Duration {
        Self::cpu_wait(self)
    }
}

impl Sight {
    fn of(round: u64, now: Instant) -> Self {
        Self {
            round,
            since: now,
            suspected: None,
            stuck: false,
        }
    }

    /// Whether a lane that has not moved is stuck, and not merely without a processor. One whose thread sleeps is, at once;
    /// of one that could run it takes a second look to know.
    fn judge(&mut self, now: Instant, threshold: Duration, suspect: &impl Suspect) -> Verdict {
        if self.stuck {
            return Verdict::Stuck;
        }
        let lasted = now.duration_since(self.since);
        let left = match self.suspected {
            None if lasted < threshold => threshold - lasted,
            None if suspect.is_asleep() => Duration::ZERO,
            None => {
                self.suspected = Some((now, suspect.cpu_wait()));
                threshold
            }
            Some((since, waited)) => {
                let waited = suspect.cpu_wait().saturating_sub(waited);
                let ran = now.duration_since(since).saturating_sub(waited);
                threshold.saturating_sub(ran)
            }
        };
        self.stuck = left.is_zero();
        // A thread that has to wait for a processor again and again keeps nobody in a hurry.
        let is_new = lasted < threshold.saturating_mul(2) + VERDICT_NEAR;
        match self.stuck {
            true => Verdict::Stuck,
            false if is_new && left <= VERDICT_NEAR => Verdict::Soon,
            false => Verdict::Later,
        }
    }
}

impl Watcher {
    pub(super) fn new(house: Arc<House>) -> Self {
        let sights = vec![Sight::of(0, now()); house.engine.lanes.len()];
        let stranded = Stranded::new(house.engine.lanes.len());
        let neglected = Neglected::new(&house.engine.reactor.registry);
        Self {
            house,
            sights,
            stranded,
            neglected,
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
        let (mut any, mut soon) = (false, false);
        for (lane, sight) in self.house.engine.lanes.iter().zip(&mut self.sights) {
            let round = lane.stats.rounds.get();
            if round != sight.round || !lane.polled.is_some() {
                *sight = Sight::of(round, now);
                continue;
            }
            match sight.judge(now, threshold, lane) {
                Verdict::Later => {}
                Verdict::Soon => soon = true,
                Verdict::Stuck => {
                    self.house
                        .engine
                        .notice_stall(lane, round, sight.since, now);
                    any = true;
                }
            }
        }
        match (any, soon) {
            (true, _) => Verdict::Stuck,
            (false, true) => Verdict::Soon,
            (false, false) => Verdict::Later,
        }
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
        let engine = &self.house.engine;
        let registry = &engine.reactor.registry;
        let any_neglected = self.neglected.look_after(registry, &engine.lanes);
        let events = self.stranded.take(&engine.lanes);
        let any_events = !events.is_empty();
        if any_events {
            registry.dispatch(events.into_iter(), &mut Anywhere, woken);
        }
        any_events || any_neglected
    }

    fn relieve_stuck(&mut self) -> bool {
        if self.house.engine.lanes.iter().any(Lane::owes) {
            self.engine().notify();
        }
        let Some(threshold) = self.house.staff.stall_threshold else {
            return false;
        };
        let verdict = self.mark_stuck(threshold);
        if verdict == Verdict::Later || !self.engine().has_more() {
            return false;
        }
        if verdict == Verdict::Soon {
            // No help yet, but somebody waits for it: the next tick is a short one.
            return true;
        }
        self.house.staff.find_stand_in(&self.house)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// A thread as the tests want it.
    #[derive(Default)]
    struct Thread {
        asleep: bool,
        cpu_wait: Duration,
    }

    impl Suspect for Thread {
        fn is_asleep(&self) -> bool {
            self.asleep
        }

        fn cpu_wait(&self) -> Duration {
            self.cpu_wait
        }
    }

    #[test]
    fn a_lane_that_waits_for_a_processor_is_not_stuck() {
        let start = Instant::now();
        let mut sight = Sight::of(7, start);
        let mut thread = Thread::default();
        assert_eq!(sight.judge(start + MS / 2, MS, &thread), Verdict::Soon);
        assert_eq!(sight.judge(start + 2 * MS, MS, &thread), Verdict::Soon);
        thread.cpu_wait = 3 * MS;
        assert_eq!(sight.judge(start + 5 * MS, MS, &thread), Verdict::Later);
        assert_eq!(sight.judge(start + 6 * MS, MS, &thread), Verdict::Stuck);
    }

    #[test]
    fn a_lane_whose_thread_sleeps_in_a_poll_is_stuck_after_the_threshold() {
        let start = Instant::now();
        let mut sight = Sight::of(7, start);
        let thread = Thread {
            asleep: true,
            ..Thread::default()
        };
        assert_eq!(sight.judge(start + MS / 2, MS, &thread), Verdict::Soon);
        assert_eq!(sight.judge(start + MS, MS, &thread), Verdict::Stuck);
        // It wakes and computes, still in the same poll.
        let awake = Thread::default();
        assert_eq!(sight.judge(start + 2 * MS, MS, &awake), Verdict::Stuck);
    }

    #[test]
    fn ticks_are_short_only_when_the_verdict_is_near() {
        let start = Instant::now();
        let (mut sight, thread) = (Sight::of(7, start), Thread::default());
        assert_eq!(sight.judge(start + MS, 100 * MS, &thread), Verdict::Later);
        assert_eq!(
            sight.judge(start + 98 * MS, 100 * MS, &thread),
            Verdict::Soon
        );
        assert_eq!(
            sight.judge(start + 100 * MS, 100 * MS, &thread),
            Verdict::Later
        );
        assert_eq!(
            sight.judge(start + 199 * MS, 100 * MS, &thread),
            Verdict::Soon
        );
    }
}
