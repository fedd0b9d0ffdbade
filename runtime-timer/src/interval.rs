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
/// [`set_missed_tick_behavior`](Interval::set_missed_tick_behavior); by default they follow in a burst.
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
        "the period of an interval must not be zero"
    );
    Interval {
        sleep: sleep_until(start),
        period,
        behavior: MissedTickBehavior::default(),
    }
}

/// What an [`Interval`] does when a tick was missed, that is: was asked for more than 5 ms late, or more than a period
/// late if the period is shorter than that.
///
/// With a period of 10, a first tick at 0 and a call of `tick` that comes only at 25, the ticks come at:
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

/// Ticks at a fixed rate; made by [`interval`] and [`interval_at`]. Also a [`Stream`] that never ends.
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
