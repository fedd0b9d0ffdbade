//! What the reactor thread has seen of a worker, and what it makes of it.
//!
//! A worker that is seen in the same poll again is *stuck* once its thread has run for the threshold since it was first seen there, or
//! sleeps there after that time. One that merely lacks a processor is not.
//!
//! What a stuck one does decides who stands in for it, so that is looked at again at each tick. Its clock tells at once that a thread
//! runs for most of the time. One that does not either sleeps or lacks a processor; to tell them apart a file has to be read, which takes
//! twenty times as long, and a descriptor for that moment. A sleeper is taken to sleep on until its clock moves. Of one that lacked a
//! processor the file is read each time: where the clock is a coarse one it may have run, and gone to sleep, and nothing shows.

use super::lane::Lane;
use super::stall::Kind;
use crate::reactor::thread::LONGEST_TICK;
use std::time::{Duration, Instant};

/// How long before a verdict the ticks become short: no long one goes by in vain.
const VERDICT_NEAR: Duration = LONGEST_TICK;

/// What was seen of a lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    /// Its round when it was last seen to move.
    round: u64,
    /// When that was.
    since: Instant,
    /// How long its thread had run by then, if that is known.
    ran_by_then: Option<Duration>,
    /// When it was last looked at.
    looked_at: Instant,
    /// How long its thread had run then.
    ran_by_look: Option<Duration>,
    /// How long its thread had run when the system said that it sleeps.
    slept_at: Option<Duration>,
    /// The verdict has been spoken; it holds for the rest of the poll.
    stuck: bool,
}

/// What there is to be said of a lane that has not moved since the last tick. The later ones are graver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    /// Nothing, for a while.
    Later,
    /// It is about to be known.
    Soon,
    Stuck(Kind),
}

/// What there is to know of a thread that does not move. Whether it sleeps is dear to know, so that is asked only when it matters.
pub(super) trait Suspect {
    /// Whether it waits for something else than a processor, if that is known.
    fn is_asleep(&self) -> Option<bool>;

    /// How long it has run since it began, if that is known.
    fn cpu_time(&self) -> Option<Duration>;
}

impl Suspect for Lane {
    fn is_asleep(&self) -> Option<bool> {
        Self::is_asleep(self)
    }

    fn cpu_time(&self) -> Option<Duration> {
        Self::cpu_time(self)
    }
}

impl Sight {
    /// A lane in a round in which it was not seen before. In a poll it may be stuck, when it is seen again.
    pub(super) fn of(round: u64, now: Instant, in_poll: Option<&impl Suspect>) -> Self {
        let ran = in_poll.and_then(Suspect::cpu_time);
        Self {
            round,
            since: now,
            ran_by_then: ran,
            looked_at: now,
            ran_by_look: ran,
            slept_at: None,
            stuck: false,
        }
    }

    pub(super) fn is_of(&self, round: u64) -> bool {
        self.round == round
    }

    /// When it was first seen in its round.
    pub(super) fn since(&self) -> Instant {
        self.since
    }

    /// Whether a lane that has not moved is stuck, and not merely without a processor: its thread has run for the threshold since, or
    /// sleeps.
    pub(super) fn judge(
        &mut self,
        now: Instant,
        threshold: Duration,
        suspect: &impl Suspect,
    ) -> Verdict {
        let ran = suspect.cpu_time();
        if self.is_first_to_tell(ran) {
            (self.since, self.ran_by_then) = (now, ran);
            (self.looked_at, self.ran_by_look) = (now, ran);
            self.slept_at = None;
        }
        let lasted = now.duration_since(self.since);
        let left = match (self.ran_by_then, ran) {
            (Some(before), Some(ran)) => {
                threshold.saturating_sub(ran.saturating_sub(before).min(lasted))
            }
            _ => threshold.saturating_sub(lasted),
        };
        let mut verdict = Self::not_yet(lasted, threshold, left);
        if self.stuck || lasted >= threshold {
            let kind = self.kind(now, ran, suspect);
            self.stuck |= left.is_zero() || kind == Kind::Blocking;
            if self.stuck {
                verdict = Verdict::Stuck(kind);
            }
        }
        (self.looked_at, self.ran_by_look) = (now, ran);
        verdict
    }

    /// Whether no clock was known at the first look, since the lane was between two polls then, or another thread works it now.
    fn is_first_to_tell(&self, ran: Option<Duration>) -> bool {
        !self.stuck && ran.is_some_and(|ran| self.ran_by_then.is_none_or(|before| ran < before))
    }

    /// What the thread does. Where nobody tells, it blocks: to believe so of one that computes costs a thread, the other way round a wait.
    fn kind(&mut self, now: Instant, ran: Option<Duration>, suspect: &impl Suspect) -> Kind {
        let recently = ran.zip(self.ran_by_look);
        let recently = recently.map_or(Duration::ZERO, |(ran, before)| ran.saturating_sub(before));
        if !recently.is_zero() && recently >= now.duration_since(self.looked_at) / 2 {
            return Kind::Computing;
        }
        if ran.is_some() && ran == self.slept_at {
            return Kind::Blocking;
        }
        let is_asleep = suspect.is_asleep();
        self.slept_at = ran.filter(|_| is_asleep == Some(true));
        match is_asleep {
            Some(true) | None => Kind::Blocking,
            Some(false) => Kind::Computing,
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    const MS: Duration = Duration::from_millis(1);

    const BLOCKS: Verdict = Verdict::Stuck(Kind::Blocking);
    const COMPUTES: Verdict = Verdict::Stuck(Kind::Computing);

    /// A thread as the tests want it.
    #[derive(Default)]
    struct Thread {
        asleep: Option<bool>,
        /// How long it has run.
        ran: Option<Duration>,
        /// How often somebody asked whether it sleeps.
        asked: Cell<u32>,
    }

    impl Thread {
        fn that_ran(time: Duration) -> Self {
            Self {
                asleep: Some(false),
                ran: Some(time),
                asked: Cell::new(0),
            }
        }
    }

    impl Suspect for Thread {
        fn is_asleep(&self) -> Option<bool> {
            self.asked.set(self.asked.get() + 1);
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
        assert_eq!(judged(&mut sight, start + MS, MS), COMPUTES);
        // For the rest of the poll.
        assert_eq!(judged(&mut sight, start + 2 * MS, MS), COMPUTES);
    }

    #[test]
    fn a_lane_that_waits_for_a_processor_is_not_stuck() {
        let start = Instant::now();
        let mut sight = sight(start);
        assert_eq!(judged(&mut sight, start + 2 * MS, MS / 2), Verdict::Soon);
        assert_eq!(judged(&mut sight, start + 5 * MS, MS / 2), Verdict::Later);
        assert_eq!(judged(&mut sight, start + 6 * MS, 3 * MS / 2), COMPUTES);
    }

    #[test]
    fn a_lane_whose_thread_sleeps_in_a_poll_is_stuck_after_the_threshold() {
        let start = Instant::now();
        let mut sight = sight(start);
        let mut thread = Thread::that_ran(10 * MS);
        thread.asleep = Some(true);
        assert_eq!(sight.judge(start + MS / 2, MS, &thread), Verdict::Soon);
        assert_eq!(sight.judge(start + MS, MS, &thread), BLOCKS);
        // It wakes and computes, still in the same poll.
        assert_eq!(judged(&mut sight, start + 2 * MS, MS / 2), COMPUTES);
        thread.ran = Some(10 * MS + MS / 2);
        assert_eq!(sight.judge(start + 3 * MS, MS, &thread), BLOCKS);
    }

    #[test]
    fn whether_a_sleeper_sleeps_is_asked_once_until_its_clock_moves() {
        let start = Instant::now();
        let mut sight = sight(start);
        let mut thread = Thread::that_ran(10 * MS);
        thread.asleep = Some(true);
        for tick in 1..10 {
            assert_eq!(sight.judge(start + tick * MS, MS, &thread), BLOCKS);
        }
        assert_eq!(thread.asked.get(), 1);
        // It was woken, and waits for a processor.
        thread.asleep = Some(false);
        assert_eq!(sight.judge(start + 10 * MS, MS, &thread), BLOCKS);
        thread.ran = Some(10 * MS + MS / 4);
        assert_eq!(sight.judge(start + 11 * MS, MS, &thread), COMPUTES);
        assert_eq!(thread.asked.get(), 2);
        // The clock may be too coarse to tell that it has run, and sleeps again.
        thread.asleep = Some(true);
        assert_eq!(sight.judge(start + 12 * MS, MS, &thread), BLOCKS);
        assert_eq!(sight.judge(start + 13 * MS, MS, &thread), BLOCKS);
        assert_eq!(thread.asked.get(), 3);
    }

    #[test]
    fn of_a_thread_that_runs_most_of_the_time_nothing_is_asked() {
        let start = Instant::now();
        let mut sight = sight(start);
        let mut thread = Thread::that_ran(10 * MS);
        for tick in 1..10 {
            thread.ran = Some(10 * MS + tick * MS * 3 / 4);
            let verdict = sight.judge(start + tick * MS, MS, &thread);
            assert_eq!(verdict == COMPUTES, tick > 1, "{tick}: {verdict:?}");
        }
        assert_eq!(thread.asked.get(), 0);
    }

    #[test]
    fn a_thread_that_stands_still_blocks_where_nobody_tells() {
        let start = Instant::now();
        let mut sight = sight(start);
        let mut thread = Thread::that_ran(10 * MS);
        // No descriptor to ask with, for a while.
        thread.asleep = None;
        assert_eq!(sight.judge(start + MS / 2, MS, &thread), Verdict::Soon);
        assert_eq!(sight.judge(start + MS, MS, &thread), BLOCKS);
        thread.asleep = Some(false);
        assert_eq!(sight.judge(start + 2 * MS, MS, &thread), COMPUTES);
    }

    #[test]
    fn where_nobody_tells_how_long_a_thread_runs_the_time_since_it_was_seen_counts() {
        let start = Instant::now();
        let mut sight = Sight::of(7, start, Some(&Thread::default()));
        let thread = Thread::default();
        assert_eq!(sight.judge(start + MS / 2, MS, &thread), Verdict::Soon);
        assert_eq!(sight.judge(start + MS, MS, &thread), BLOCKS);
    }

    #[test]
    fn a_lane_that_is_first_seen_between_two_polls_or_changes_hands_is_judged_from_the_next_look_on()
     {
        let start = Instant::now();
        let mut sight = Sight::of(7, start, None::<&Thread>);
        // It has been preempted since the poll began.
        assert_eq!(judged(&mut sight, start + 5 * MS, MS / 8), Verdict::Soon);
        assert_eq!(judged(&mut sight, start + 9 * MS, MS / 4), Verdict::Later);
        assert_eq!(judged(&mut sight, start + 11 * MS, 9 * MS / 8), COMPUTES);
        // A thread that has just begun.
        let mut sight = self::sight(start);
        let young = Thread::that_ran(MS / 8);
        assert_eq!(sight.judge(start + 5 * MS, MS, &young), Verdict::Soon);
        let older = Thread::that_ran(9 * MS / 8);
        assert_eq!(sight.judge(start + 7 * MS, MS, &older), COMPUTES);
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
