//! A point in time as tasks see it: the standard library's, except under a paused clock, and never
//! panicking.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::{Duration, Instant as StdInstant};

use crate::context;
use crate::sync::{Ordering, StaticFlag, now};

/// Whether any clock of this process was ever paused. Until then `Instant::now` need not look for a
/// clock.
static ANY_CLOCK_BENT: StaticFlag = StaticFlag::new(false);

/// Called by a clock that stops following real time.
pub(crate) fn note_bent_clock() {
    // ORDERING: Relaxed. A hint: a thread that sees it late reads real time, as if it had asked
    // before the pause.
    ANY_CLOCK_BENT.store(true, Ordering::Relaxed);
}

/// A point in time, for use with [`sleep_until`](crate::sleep_until) and its like.
///
/// It differs from [`std::time::Instant`] in two ways: [`now`](Self::now) follows a clock that a
/// test has [paused](crate::pause()), and arithmetic saturates where the standard library panics, so
/// that `Instant::now() + Duration::MAX` is a usable deadline that never comes.
///
/// ```
/// use gristmill::time::Instant;
/// use std::time::Duration;
///
/// let start = Instant::now();
/// let deadline = start + Duration::from_secs(2);
/// assert_eq!(deadline - start, Duration::from_secs(2));
/// assert!(start + Duration::MAX > deadline);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(StdInstant);

impl Instant {
    /// The present time: that of the runtime's clock if one was paused, else real time.
    ///
    /// Works without a runtime too.
    #[inline]
    #[must_use]
    pub fn now() -> Self {
        // ORDERING: Relaxed, as in `note_bent_clock`.
        if ANY_CLOCK_BENT.load(Ordering::Relaxed) {
            return Self::now_slow();
        }
        Self(now())
    }

    #[cold]
    fn now_slow() -> Self {
        context::with_current(|current| match current {
            Some((timers, _)) => timers.clock().now(),
            None => Self(now()),
        })
    }

    /// Takes over a point in time of the standard library.
    #[inline]
    #[must_use]
    pub const fn from_std(std: StdInstant) -> Self {
        Self(std)
    }

    /// The same point in time for the standard library.
    #[inline]
    #[must_use]
    pub const fn into_std(self) -> StdInstant {
        self.0
    }

    /// Time since this point; zero if it lies in the future.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Self::now().duration_since(*self)
    }

    /// Time from `earlier` to this point; zero if `earlier` is later.
    #[must_use]
    pub fn duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// Time from `earlier` to this point; `None` if `earlier` is later.
    #[must_use]
    pub fn checked_duration_since(&self, earlier: Self) -> Option<Duration> {
        self.0.checked_duration_since(earlier.0)
    }

    /// Time from `earlier` to this point; zero if `earlier` is later.
    #[must_use]
    pub fn saturating_duration_since(&self, earlier: Self) -> Duration {
        self.0.saturating_duration_since(earlier.0)
    }

    /// The point `duration` later; `None` if the platform cannot express it.
    #[must_use]
    pub fn checked_add(&self, duration: Duration) -> Option<Self> {
        self.0.checked_add(duration).map(Self)
    }

    /// The point `duration` earlier; `None` if the platform cannot express it.
    #[must_use]
    pub fn checked_sub(&self, duration: Duration) -> Option<Self> {
        self.0.checked_sub(duration).map(Self)
    }
}

/// Goes as far from `start` as `step` can, halving what it adds each time that it would overflow.
#[cold]
fn furthest(
    start: StdInstant,
    step: impl Fn(&StdInstant, Duration) -> Option<StdInstant>,
) -> Instant {
    let mut reached = start;
    let mut stride = Duration::MAX;
    while !stride.is_zero() {
        match step(&reached, stride) {
            Some(further) => reached = further,
            None => stride /= 2,
        }
    }
    Instant(reached)
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates at the latest point that the platform can express.
    #[inline]
    fn add(self, duration: Duration) -> Self {
        self.checked_add(duration)
            .unwrap_or_else(|| furthest(self.0, StdInstant::checked_add))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    /// Saturates at the earliest point that the platform can express.
    #[inline]
    fn sub(self, duration: Duration) -> Self {
        self.checked_sub(duration)
            .unwrap_or_else(|| furthest(self.0, StdInstant::checked_sub))
    }
}

impl Sub for Instant {
    type Output = Duration;

    /// Zero if `earlier` is later.
    #[inline]
    fn sub(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl From<StdInstant> for Instant {
    fn from(std: StdInstant) -> Self {
        Self(std)
    }
}

impl From<Instant> for StdInstant {
    fn from(instant: Instant) -> Self {
        instant.0
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_small_as_the_standard_one() {
        assert_eq!(size_of::<Instant>(), size_of::<StdInstant>());
    }

    #[test]
    fn addition_saturates_and_keeps_the_order() {
        let now = Instant::now();
        let last = now + Duration::MAX;

        assert!(last > now + Duration::from_secs(u64::from(u32::MAX)));
        assert!(last.checked_add(Duration::from_secs(1)).is_none());
        assert_eq!(last + Duration::MAX, last);
    }

    #[test]
    fn subtraction_saturates() {
        let now = Instant::now();
        let first = now - Duration::MAX;

        assert!(first < now);
        assert!(first.checked_sub(Duration::from_secs(1)).is_none());
        assert_eq!(first - now, Duration::ZERO);
        assert_eq!(first.checked_duration_since(now), None);
    }

    #[test]
    fn it_converts_both_ways() {
        let std = StdInstant::now();

        assert_eq!(StdInstant::from(Instant::from(std)), std);
        assert_eq!(Instant::from_std(std).into_std(), std);
    }

    #[test]
    fn compound_assignment_does_what_the_operators_do() {
        let start = Instant::now();
        let mut moved = start;

        moved += Duration::from_secs(3);
        moved -= Duration::from_secs(1);

        assert_eq!(moved, start + Duration::from_secs(2));
    }
}
