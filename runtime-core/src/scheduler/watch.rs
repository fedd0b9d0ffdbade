//! What the reactor thread asks about the workers, answered.

use super::engine::Engine;
use super::house::House;
use super::lane::Lane;
use super::neglected::Neglected;
use super::stranded::Stranded;
use crate::reactor::inbox::Anywhere;
use crate::reactor::thread::{Census, LONGEST_TICK, SHORTEST_TICK, Watch};
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

/// How long before a verdict the ticks become short: no long one goes by in vain.
const VERDICT_NEAR: Duration = LONGEST_TICK;

/// What was seen of a lane.
#[derive(Clone, Copy, Debug)]
struct Sight {
    /// Its round when it was last seen to move.
    round: u64,
    /// When that was.
    since: Instant,
    /// How long its thread had run by then, if that is known.
    ran_by_then: Option<Duration>,
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

/// What there is to know of a thread that does not move. Whether it sleeps is dear to know, so that is asked only when it matters.
trait Suspect {
    /// Whether it waits for something else than a processor.
    fn is_asleep(&self) -> bool;

    /// How long it has run since it began, if that is known.
    fn cpu_time(&self) -> Option<Duration>;
}

impl Suspect for Lane {
    fn is_asleep(&self) -> bool {
        Self::is_asleep(self)
    }

    fn cpu_time(&self) -> Option<Duration> {
        Self::cpu_time(self)
    }
}

impl Sight {
    /// A lane in a round in which it was not seen before. In a poll it may be stuck, when it is seen again.
    fn of(round: u64, now: Instant, in_poll: Option<&impl Suspect>) -> Self {
        Self {
            round,
            since: now,
            ran_by_then: in_poll.and_then(Suspect::cpu_time),
            stuck: false,
        }
    }

    /// Whether a lane that has not moved is stuck, and not merely without a processor: its thread has run for the threshold since, or
    /// sleeps.
    fn judge(&mut self, now: Instant, threshold: Duration, suspect: &impl Suspect) -> Verdict {
        if self.stuck {
            return Verdict::Stuck;
        }
        let lasted = now.duration_since(self.since);
        let ran = match (self.ran_by_then, suspect.cpu_time()) {
            (_, None) => lasted,
            (Some(before), Some(ran)) if ran >= before => (ran - before).min(lasted),
            (_, Some(ran)) => {
                // It was between two polls at the first look, or another thread works the lane now: this is the first look that tells.
                (self.since, self.ran_by_then) = (now, Some(ran));
                return Self::not_yet(Duration::ZERO, threshold, threshold);
            }
        };
        let left = threshold.saturating_sub(ran);
        self.stuck = left.is_zero() || (lasted >= threshold && suspect.is_asleep());
        match self.stuck {
            true => Verdict::Stuck,
            false => Self::not_yet(lasted, threshold, left),
        }
    }

    /// Whether to look again soon at a lane that is not stuck, which has `left` to run until it is.
    fn not_yet(lasted: Duration, threshold: Duration, left: Duration) -> Verdict {
        // A thread that has to wait for a processor again and again keeps nobody in a hurry.
        let is_new = lasted < threshold.saturating_mul(2).saturating_add(VERDICT_NEAR);
        match is_new && left <= VERDICT_NEAR {
            true => Verdict::Soon,
            false => Verdict::Later,
        }
    }
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
        let (mut any, mut soon) = (false, false);
        for (lane, sight) in self.house.engine.lanes.iter().zip(&mut self.sights) {
            let round = lane.stats.rounds.get();
            let in_poll = lane.polled.is_some().then_some(lane);
            if round != sight.round || in_poll.is_none() {
                *sight = Sight::of(round, now, in_poll);
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
        /// How long it has run.
        ran: Option<Duration>,
    }

    impl Thread {
        fn that_ran(time: Duration) -> Self {
            Self {
                asleep: false,
                ran: Some(time),
            }
        }
    }

    impl Suspect for Thread {
        fn is_asleep(&self) -> bool {
            self.asleep
        }

        fn cpu_time(&self) -> Option<Duration> {
            self.ran
        }
    }

    /// Judges a lane, first seen at `start`, whose thread has run for `ran` by `at`.
    fn judged(sight: &mut Sight, at: Instant, ran: Duration) -> Verdict {
        sight.judge(at, MS, &Thread::that_ran(10 * MS + ran))
    }

    fn sight(start: Instant) -> Sight {
        Sight::of(7, start, Some(&Thread::that_ran(10 * MS)))
    }

    #[test]
    fn a_lane_is_stuck_once_its_thread_has_run_for_the_threshold_since_it_was_seen() {
        let start = Instant::now();
        let mut sight = sight(start);
        assert_eq!(judged(&mut sight, start + MS / 2, MS / 2), Verdict::Soon);
        assert_eq!(judged(&mut sight, start + MS, MS), Verdict::Stuck);
        // For the rest of the poll.
        assert_eq!(judged(&mut sight, start + 2 * MS, MS), Verdict::Stuck);
    }

    #[test]
    fn a_lane_that_waits_for_a_processor_is_not_stuck() {
        let start = Instant::now();
        let mut sight = sight(start);
        assert_eq!(judged(&mut sight, start + 2 * MS, MS / 2), Verdict::Soon);
        assert_eq!(judged(&mut sight, start + 5 * MS, MS / 2), Verdict::Later);
        assert_eq!(
            judged(&mut sight, start + 6 * MS, 3 * MS / 2),
            Verdict::Stuck
        );
    }

    #[test]
    fn a_lane_whose_thread_sleeps_in_a_poll_is_stuck_after_the_threshold() {
        let start = Instant::now();
        let mut sight = sight(start);
        let mut thread = Thread::that_ran(10 * MS);
        thread.asleep = true;
        assert_eq!(sight.judge(start + MS / 2, MS, &thread), Verdict::Soon);
        assert_eq!(sight.judge(start + MS, MS, &thread), Verdict::Stuck);
        // It wakes and computes, still in the same poll.
        assert_eq!(judged(&mut sight, start + 2 * MS, MS / 2), Verdict::Stuck);
    }

    #[test]
    fn where_nobody_tells_how_long_a_thread_runs_it_runs_all_the_time() {
        let start = Instant::now();
        let mut sight = Sight::of(7, start, Some(&Thread::default()));
        let thread = Thread::default();
        assert_eq!(sight.judge(start + MS / 2, MS, &thread), Verdict::Soon);
        assert_eq!(sight.judge(start + MS, MS, &thread), Verdict::Stuck);
    }

    #[test]
    fn a_lane_that_is_first_seen_between_two_polls_or_changes_hands_is_judged_from_the_next_look_on()
     {
        let start = Instant::now();
        let mut sight = Sight::of(7, start, None::<&Thread>);
        // It has been preempted since the poll began.
        assert_eq!(judged(&mut sight, start + 5 * MS, MS / 8), Verdict::Soon);
        assert_eq!(judged(&mut sight, start + 9 * MS, MS / 4), Verdict::Later);
        assert_eq!(
            judged(&mut sight, start + 11 * MS, 9 * MS / 8),
            Verdict::Stuck
        );
        // A thread that has just begun.
        let mut sight = self::sight(start);
        let young = Thread::that_ran(MS / 8);
        assert_eq!(sight.judge(start + 5 * MS, MS, &young), Verdict::Soon);
        let older = Thread::that_ran(9 * MS / 8);
        assert_eq!(sight.judge(start + 7 * MS, MS, &older), Verdict::Stuck);
    }

    #[test]
    fn a_threshold_of_for_ever_is_one() {
        let start = Instant::now();
        let mut sight = sight(start);
        let thread = Thread::that_ran(20 * MS);
        let verdict = sight.judge(start + 10 * MS, Duration::MAX, &thread);
        assert_eq!(verdict, Verdict::Later);
    }

    #[test]
    fn ticks_are_short_only_when_the_verdict_is_near() {
        let start = Instant::now();
        let (mut sight, threshold) = (sight(start), 100 * MS);
        let mut judge = |after: Duration, ran: Duration| {
            sight.judge(start + after, threshold, &Thread::that_ran(10 * MS + ran))
        };
        assert_eq!(judge(MS, MS), Verdict::Later);
        assert_eq!(judge(98 * MS, 98 * MS), Verdict::Soon);
        assert_eq!(judge(150 * MS, 90 * MS), Verdict::Later);
        assert_eq!(judge(199 * MS, 98 * MS), Verdict::Soon);
        assert_eq!(judge(300 * MS, 99 * MS), Verdict::Later);
    }
}
