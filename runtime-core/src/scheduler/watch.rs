//! What the reactor thread asks about the workers, answered.

use super::engine::Engine;
use super::house::House;
use super::lane::Lane;
use super::neglected::Neglected;
use super::stranded::Stranded;
use crate::reactor::inbox::Anywhere;
use crate::reactor::thread::{Census, SHORTEST_TICK, Watch};
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
    /// At this tick timers were fired in the stead of a worker.
    timers_waited: bool,
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

    /// The first look at a lane that may be stuck.
    fn suspect(&mut self, now: Instant, suspect: &impl Suspect) {
        self.suspected = Some((now, suspect.cpu_wait()));
    }

    /// Whether a lane that has not moved is stuck, and not merely without a processor. One whose thread sleeps is, at once; of one that
    /// could run it takes two looks to know, the first of which comes as early as can be if somebody `waits`.
    fn judge(
        &mut self,
        now: Instant,
        threshold: Duration,
        waits: bool,
        suspect: &impl Suspect,
    ) -> Verdict {
        if self.stuck {
            return Verdict::Stuck;
        }
        let lasted = now.duration_since(self.since);
        if self.suspected.is_none() && (waits || lasted >= threshold) {
            self.suspect(now, suspect);
        }
        let left = match self.suspected {
            _ if lasted < threshold => threshold - lasted,
            // Also if it ran at the first look.
            _ if suspect.is_asleep() => Duration::ZERO,
            Some((since, waited)) if since != now => {
                let waited = suspect.cpu_wait().saturating_sub(waited);
                let ran = now.duration_since(since).saturating_sub(waited);
                threshold.saturating_sub(ran)
            }
            _ => threshold,
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
            looked_after: now(),
            timers_waited: false,
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
        let waits = self.engine().has_more();
        let (mut any, mut soon) = (false, false);
        for (lane, sight) in self.house.engine.lanes.iter().zip(&mut self.sights) {
            let round = lane.stats.rounds.get();
            if round != sight.round || !lane.polled.is_some() {
                *sight = Sight::of(round, now);
                if self.timers_waited && lane.polled.is_some() {
                    // Not a busy worker that is seen in one short poll after the other: this one is late already.
                    sight.suspect(now, lane);
                }
                continue;
            }
            match sight.judge(now, threshold, waits, lane) {
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
        self.timers_waited = false;
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
                let fired = timers.fire_due(shard, now, FIRE_AT_ONCE, scratch).fired > 0;
                any |= fired;
                self.timers_waited |= fired && slack > 0;
            }
        }
        engine.forget_empty();
        any
    }

    fn hand_on_stranded(&mut self, woken: &mut Vec<Waker>) -> bool {
        let engine = &self.house.engine;
        let registry = &engine.reactor.registry;
        let now = now();
        if now.duration_since(self.looked_after) < SHORTEST_TICK {
            // Back from the poller after less than a tick: too soon to say that somebody does not come.
            return false;
        }
        self.looked_after = now;
        let any_neglected = self.neglected.look_after(registry, &engine.lanes, woken);
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
        let found = match self.house.staff.stall_threshold {
            Some(threshold) => self.mark_stuck(threshold),
            None => Verdict::Later,
        };
        // Those who said so beforehand may have been refused their relief.
        let verdict = if self.engine().has_stuck() {
            Verdict::Stuck
        } else {
            found
        };
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
        assert_eq!(
            sight.judge(start + MS / 2, MS, false, &thread),
            Verdict::Soon
        );
        assert_eq!(
            sight.judge(start + 2 * MS, MS, false, &thread),
            Verdict::Soon
        );
        thread.cpu_wait = 3 * MS;
        assert_eq!(
            sight.judge(start + 5 * MS, MS, false, &thread),
            Verdict::Later
        );
        assert_eq!(
            sight.judge(start + 6 * MS, MS, false, &thread),
            Verdict::Stuck
        );
    }

    #[test]
    fn a_lane_whose_thread_sleeps_in_a_poll_is_stuck_after_the_threshold() {
        let start = Instant::now();
        let mut sight = Sight::of(7, start);
        let thread = Thread {
            asleep: true,
            ..Thread::default()
        };
        assert_eq!(
            sight.judge(start + MS / 2, MS, false, &thread),
            Verdict::Soon
        );
        assert_eq!(sight.judge(start + MS, MS, false, &thread), Verdict::Stuck);
        // It wakes and computes, still in the same poll.
        let awake = Thread::default();
        assert_eq!(
            sight.judge(start + 2 * MS, MS, false, &awake),
            Verdict::Stuck
        );
    }

    #[test]
    fn a_lane_that_computes_while_somebody_waits_is_stuck_a_threshold_after_the_first_look() {
        let start = Instant::now();
        let (mut sight, mut thread) = (Sight::of(7, start), Thread::default());
        sight.suspect(start, &thread);
        assert_eq!(
            sight.judge(start + MS / 2, MS, true, &thread),
            Verdict::Soon
        );
        assert_eq!(sight.judge(start + MS, MS, true, &thread), Verdict::Stuck);
        // Without that first look, the one at the next tick serves.
        let mut sight = Sight::of(8, start);
        assert_eq!(
            sight.judge(start + MS / 2, MS, true, &thread),
            Verdict::Soon
        );
        assert_eq!(sight.judge(start + MS, MS, true, &thread), Verdict::Soon);
        assert_eq!(
            sight.judge(start + 3 * MS / 2, MS, true, &thread),
            Verdict::Stuck
        );
        // One without a processor is not stuck, whoever waits.
        let mut sight = Sight::of(9, start);
        sight.suspect(start, &thread);
        thread.cpu_wait = MS;
        assert_ne!(sight.judge(start + MS, MS, true, &thread), Verdict::Stuck);
    }

    #[test]
    fn ticks_are_short_only_when_the_verdict_is_near() {
        let start = Instant::now();
        let (mut sight, thread) = (Sight::of(7, start), Thread::default());
        assert_eq!(
            sight.judge(start + MS, 100 * MS, false, &thread),
            Verdict::Later
        );
        assert_eq!(
            sight.judge(start + 98 * MS, 100 * MS, false, &thread),
            Verdict::Soon
        );
        assert_eq!(
            sight.judge(start + 100 * MS, 100 * MS, false, &thread),
            Verdict::Later
        );
        assert_eq!(
            sight.judge(start + 199 * MS, 100 * MS, false, &thread),
            Verdict::Soon
        );
    }
}
