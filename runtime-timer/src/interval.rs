//! Ticks at a fixed rate, and what to do about those that were missed.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;

use crate::{Instant, Sleep, sleep_until};

/// A tick counts as missed if it is later than this, or than a period if that is shorter.
const TOLERANCE: Duration = Duration::from_millis(5);

/// Ticks at once, and then every `period`. How ticks that were missed are made up for is set by
/// [`set_missed_tick_behavior`](Interval::set_missed_tick_behavior); by default they follow in a
/// burst.
///
/// # Panics
/// If `period` is zero.
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Ticks at `start`, and then every `period`. In all else like [`interval`].
///
/// # Panics
/// If `period` is zero.
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(
        !period.is_zero(),
        "the period of an interval must not be zero: use yield_now in a loop for work without a pause"
    );
    Interval {
        sleep: sleep_until(start),
        period,
        behavior: MissedTickBehavior::default(),
    }
}

/// What an [`Interval`] does when a tick was missed, that is: was asked for more than 5 ms late, or
/// more than a period late if the period is shorter than that.
///
/// With a period of 10, a first tick at 0 and a call of `tick` that comes only at 25, the ticks
/// come at:
///
/// | behavior | | then |
/// |---|---|---|
/// | `Burst` | 0, 25, 25 | 30, 40, 50 |
/// | `Delay` | 0, 25 | 35, 45, 55 |
/// | `Skip` | 0, 25 | 30, 40, 50 |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTickBehavior {
    /// Missed ticks follow one another at once, until the schedule is caught up with. The default.
    #[default]
    Burst,
    /// The schedule starts anew: the next tick is one period after the late one.
    Delay,
    /// Missed ticks are left out: the next tick is the next one of the original schedule.
    Skip,
}

impl MissedTickBehavior {
    /// When to tick next, if the tick of `due` is taken at `now` and was missed.
    fn next(self, due: Instant, now: Instant, period: Duration) -> Instant {
        match self {
            Self::Burst => due + period,
            Self::Delay => now + period,
            Self::Skip => now + (period - remainder(now - due, period)),
        }
    }
}

/// What is left of `time` after as many whole periods as it has.
fn remainder(time: Duration, period: Duration) -> Duration {
    const NANOS: u128 = 1_000_000_000;
    let left = time.as_nanos() % period.as_nanos();
    // Both fit: the remainder is smaller than a period, which is a `Duration`.
    Duration::new((left / NANOS) as u64, (left % NANOS) as u32)
}

/// Ticks at a fixed rate; made by [`interval`] and [`interval_at`]. Also a [`Stream`] that never
/// ends.
#[derive(Debug)]
pub struct Interval {
    /// Until the next tick.
    sleep: Sleep,
    /// Never zero.
    period: Duration,
    behavior: MissedTickBehavior,
}

impl Interval {
    /// Waits for the next tick, and returns when it was due.
    ///
    /// # Panics
    /// The future panics when it is polled where there is no gristmill runtime.
    ///
    /// # Cancel safety
    /// A tick is taken only by a future that is ready, so dropping one loses nothing.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// Looks for the next tick; if it is not due, the task of `cx` will be woken when it is.
    ///
    /// # Panics
    /// If there is no gristmill runtime on this thread.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(Pin::new(&mut self.sleep).poll(cx));
        let due = self.sleep.deadline();
        let now = Instant::now();
        let missed = now > due + self.period.min(TOLERANCE);
        let next = if missed {
            self.behavior.next(due, now, self.period)
        } else {
            due + self.period
        };
        self.sleep.set_deadline(next);
        Poll::Ready(due)
    }

    /// Lets the next tick come one period from now.
    pub fn reset(&mut self) {
        self.reset_after(self.period);
    }

    /// Lets the next tick come at once.
    pub fn reset_immediately(&mut self) {
        self.reset_at(Instant::now());
    }

    /// Lets the next tick come after `duration`, and further ones a period apart from there.
    pub fn reset_after(&mut self, duration: Duration) {
        self.reset_at(Instant::now() + duration);
    }

    /// Lets the next tick come at `deadline`, and further ones a period apart from there.
    pub fn reset_at(&mut self, deadline: Instant) {
        self.sleep.set_deadline(deadline);
    }

    /// The time between two ticks.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }

    /// What happens when a tick was missed.
    #[must_use]
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.behavior
    }

    /// Sets what happens when a tick was missed, from the next one on.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.behavior = behavior;
    }
}

impl Stream for Interval {
    type Item = Instant;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Instant>> {
        self.get_mut().poll_tick(cx).map(Some)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CountingWaker, Scene, counting_waker};

    /// The unit of these tests; 10 of them are a period.
    const UNIT: Duration = Duration::from_millis(10);

    struct Ticking {
        scene: Scene,
        task: CountingWaker,
        start: Instant,
        interval: Interval,
    }

    fn ticking(behavior: MissedTickBehavior) -> Ticking {
        let scene = Scene::new();
        let mut interval = interval(10 * UNIT);
        interval.set_missed_tick_behavior(behavior);
        Ticking {
            scene,
            task: counting_waker(),
            start: Instant::now(),
            interval,
        }
    }

    impl Ticking {
        /// The due time of the tick that is ready, in units since the start.
        fn tick(&mut self) -> Option<u128> {
            let context = &mut Context::from_waker(std::task::Waker::noop());
            match self.interval.poll_tick(context) {
                Poll::Ready(due) => Some((due - self.start).as_nanos() / UNIT.as_nanos()),
                Poll::Pending => None,
            }
        }

        /// Lets the time pass unit by unit and collects when ticks are ready.
        fn ready_at(&mut self, units: std::ops::RangeInclusive<u32>) -> Vec<u32> {
            let mut ready = Vec::new();
            for unit in units {
                let now = self.start + unit * UNIT;
                self.scene.advance(now - Instant::now());
                while self.tick().is_some() {
                    ready.push(unit);
                }
            }
            ready
        }

        fn skip_to(&mut self, unit: u32) {
            self.scene
                .advance(self.start + unit * UNIT - Instant::now());
        }
    }

    #[test]
    fn the_first_tick_is_at_once_and_the_others_a_period_apart() {
        let mut ticking = ticking(MissedTickBehavior::Burst);

        assert_eq!(ticking.ready_at(0..=40), [0, 10, 20, 30, 40]);
    }

    #[test]
    fn a_burst_catches_up_with_the_schedule() {
        let mut ticking = ticking(MissedTickBehavior::Burst);
        assert_eq!(ticking.tick(), Some(0));
        ticking.skip_to(25);

        assert_eq!(
            (ticking.tick(), ticking.tick(), ticking.tick()),
            (Some(10), Some(20), None)
        );
        assert_eq!(ticking.ready_at(26..=50), [30, 40, 50]);
    }

    #[test]
    fn delay_starts_the_schedule_anew() {
        let mut ticking = ticking(MissedTickBehavior::Delay);
        assert_eq!(ticking.tick(), Some(0));
        ticking.skip_to(25);

        assert_eq!((ticking.tick(), ticking.tick()), (Some(10), None));
        assert_eq!(ticking.ready_at(26..=55), [35, 45, 55]);
    }

    #[test]
    fn skip_leaves_out_what_was_missed() {
        let mut ticking = ticking(MissedTickBehavior::Skip);
        assert_eq!(ticking.tick(), Some(0));
        ticking.skip_to(25);

        assert_eq!((ticking.tick(), ticking.tick()), (Some(10), None));
        assert_eq!(ticking.ready_at(26..=50), [30, 40, 50]);
    }

    #[test]
    fn a_tick_within_the_tolerance_is_not_missed() {
        let mut ticking = ticking(MissedTickBehavior::Delay);
        assert_eq!(ticking.tick(), Some(0));
        ticking.skip_to(10);
        ticking.scene.advance(TOLERANCE);

        assert_eq!(ticking.tick(), Some(10));

        assert_eq!(ticking.ready_at(11..=30), [20, 30]);
    }

    #[test]
    fn resets_set_when_the_next_tick_comes() {
        let mut ticking = ticking(MissedTickBehavior::Burst);
        assert_eq!(ticking.ready_at(0..=5), [0]);

        ticking.interval.reset();
        assert_eq!(ticking.ready_at(6..=16), [15]);
        ticking.interval.reset_immediately();
        assert_eq!(ticking.ready_at(16..=26), [16, 26]);
        ticking.interval.reset_after(3 * UNIT);
        assert_eq!(ticking.ready_at(27..=39), [29, 39]);
        let at = ticking.start + 41 * UNIT;
        ticking.interval.reset_at(at);
        assert_eq!(ticking.ready_at(40..=51), [41, 51]);
    }

    #[test]
    fn a_tick_wakes_the_task_that_waits_and_a_dropped_one_loses_nothing() {
        let mut ticking = ticking(MissedTickBehavior::Burst);
        assert_eq!(ticking.tick(), Some(0));
        {
            let mut tick = Box::pin(ticking.interval.tick());
            assert!(ticking.task.poll(&mut tick).is_pending());
            ticking.scene.advance(10 * UNIT);
            assert_eq!(ticking.task.wakes(), 1);
        }

        assert_eq!(ticking.tick(), Some(10));
    }

    #[test]
    fn as_a_stream_it_gives_the_same_ticks() {
        let Ticking {
            scene: _scene,
            start,
            mut interval,
            ..
        } = ticking(MissedTickBehavior::Burst);
        let context = &mut Context::from_waker(std::task::Waker::noop());

        assert_eq!(
            Pin::new(&mut interval).poll_next(context),
            Poll::Ready(Some(start))
        );
        assert_eq!(Pin::new(&mut interval).poll_next(context), Poll::Pending);
        assert_eq!(interval.size_hint(), (usize::MAX, None));
    }

    #[test]
    fn the_longest_of_periods_saturates() {
        let mut ticking = ticking(MissedTickBehavior::Burst);
        ticking.interval = interval(Duration::MAX);

        assert_eq!(ticking.tick(), Some(0));
        assert_eq!(ticking.tick(), None);
    }

    #[test]
    #[should_panic(expected = "the period of an interval must not be zero")]
    fn a_period_of_zero_is_refused() {
        let _ = interval(Duration::ZERO);
    }
}
