//! The clock that timers go by: nanoseconds since its origin, real until somebody pauses it.
//!
//! | state | `now_ns` | left by |
//! |---|---|---|
//! | never paused | time since the origin | `pause` |
//! | paused | the frozen value | `resume`; `advance` adds to it |
//! | resumed | the frozen value + the time since | `pause` |
//!
//! The value never goes back. It knows neither timers nor who waits for them.

use std::fmt;
use std::time::{Duration, Instant as StdInstant};

use crate::Instant;
use crate::sync::{AtomicBool, Mutex, Ordering, now};

/// A clock in nanoseconds since its own origin, which tests can pause and advance.
pub struct Clock {
    /// When the clock was made: its zero.
    origin: StdInstant,
    /// Whether `course` holds the time; written once, from false to true, with `course` locked.
    bent: AtomicBool,
    course: Mutex<Course>,
}

/// How the time runs since the clock was first paused.
#[derive(Clone, Copy, Debug)]
struct Course {
    /// The time at which it was paused or resumed last, with what was advanced since.
    base_ns: u64,
    /// When it was resumed; `None` while paused. Means nothing before the first pause.
    running_since: Option<StdInstant>,
}

/// A call that the state of the clock does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The clock is paused already.
    Paused,
    /// The clock is not paused.
    Running,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// A clock that starts at zero and runs.
    #[must_use]
    pub fn new() -> Self {
        let origin = now();
        let course = Mutex::new(Course {
            base_ns: 0,
            running_since: Some(origin),
        });
        Self {
            origin,
            bent: AtomicBool::new(false),
            course,
        }
    }

    /// A clock that is paused at zero.
    #[must_use]
    pub fn new_paused() -> Self {
        let clock = Self::new();
        clock.bend(
            &mut clock.course.lock(),
            Course {
                base_ns: 0,
                running_since: None,
            },
        );
        clock
    }

    /// Nanoseconds since the origin; saturates after 584 years.
    #[inline]
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        // ORDERING: Relaxed. The course itself is read under its lock; a thread that sees an old
        // `false` reads real time a moment longer, as if it had asked before the pause.
        if self.bent.load(Ordering::Relaxed) {
            return self.bent_now_ns();
        }
        nanos(now().saturating_duration_since(self.origin))
    }

    #[cold]
    fn bent_now_ns(&self) -> u64 {
        self.course.lock().now_ns()
    }

    /// The time of this clock as an [`Instant`].
    #[must_use]
    pub fn now(&self) -> Instant {
        self.instant_at(self.now_ns())
    }

    /// The instant that lies `ns` nanoseconds after the origin.
    #[must_use]
    pub fn instant_at(&self, ns: u64) -> Instant {
        Instant::from_std(self.origin) + Duration::from_nanos(ns)
    }

    /// Nanoseconds from the origin to `instant`: zero if it lies before it, saturating if it is too
    /// far away.
    #[inline]
    #[must_use]
    pub fn ns_at(&self, instant: Instant) -> u64 {
        nanos(instant.into_std().saturating_duration_since(self.origin))
    }

    /// Whether the time stands still.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        // ORDERING: Relaxed, as in `now_ns`.
        self.bent.load(Ordering::Relaxed) && self.course.lock().running_since.is_none()
    }

    /// Freezes the time at its present value.
    pub(crate) fn pause(&self) -> Result<(), Refused> {
        let mut course = self.course.lock();
        // ORDERING: Relaxed. It is written only with the lock held, which is held here.
        let base_ns = if self.bent.load(Ordering::Relaxed) {
            if course.running_since.is_none() {
                return Err(Refused::Paused);
            }
            course.now_ns()
        } else {
            nanos(now().saturating_duration_since(self.origin))
        };
        self.bend(
            &mut course,
            Course {
                base_ns,
                running_since: None,
            },
        );
        Ok(())
    }

    /// Lets the time run on from the value at which it stands.
    pub(crate) fn resume(&self) -> Result<(), Refused> {
        let mut course = self.course.lock();
        if course.running_since.is_some() {
            return Err(Refused::Running);
        }
        course.running_since = Some(now());
        Ok(())
    }

    /// Moves the frozen time forward by `step`; saturates.
    pub(crate) fn advance(&self, step: Duration) -> Result<(), Refused> {
        let mut course = self.course.lock();
        if course.running_since.is_some() {
            return Err(Refused::Running);
        }
        course.base_ns = course.base_ns.saturating_add(nanos(step));
        Ok(())
    }

    /// Moves the frozen time forward to `ns`, or leaves it if it is there already.
    pub(crate) fn advance_to(&self, ns: u64) -> Result<(), Refused> {
        let mut course = self.course.lock();
        if course.running_since.is_some() {
            return Err(Refused::Running);
        }
        course.base_ns = course.base_ns.max(ns);
        Ok(())
    }

    /// Sets the course; the borrow is the proof that its lock is held.
    fn bend(&self, course: &mut Course, new: Course) {
        *course = new;
        // ORDERING: Relaxed, as in `now_ns`.
        self.bent.store(true, Ordering::Relaxed);
        crate::instant::note_bent_clock();
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock")
            .field("now_ns", &self.now_ns())
            .field("paused", &self.is_paused())
            .finish_non_exhaustive()
    }
}

impl Course {
    fn now_ns(self) -> u64 {
        match self.running_since {
            Some(since) => self
                .base_ns
                .saturating_add(nanos(now().saturating_duration_since(since))),
            None => self.base_ns,
        }
    }
}

/// A duration in nanoseconds; saturates after 584 years.
#[inline]
fn nanos(duration: Duration) -> u64 {
    let whole = duration.as_secs().saturating_mul(1_000_000_000);
    whole.saturating_add(u64::from(duration.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_clock_moves_only_when_advanced() {
        let clock = Clock::new_paused();
        assert_eq!(clock.now_ns(), 0);

        clock.advance(Duration::from_micros(3)).unwrap();

        assert_eq!(clock.now_ns(), 3_000);
        assert_eq!(clock.ns_at(clock.now()), 3_000);
    }

    #[test]
    fn a_resumed_clock_goes_on_from_the_frozen_value() {
        let clock = Clock::new_paused();
        let century = Duration::from_secs(100 * 365 * 86_400);
        clock.advance(century).unwrap();

        clock.resume().unwrap();

        let resumed = clock.now_ns();
        assert!(resumed >= nanos(century));
        assert_eq!(clock.advance(century), Err(Refused::Running));
        clock.pause().unwrap();
        assert!(clock.now_ns() >= resumed);
        assert_eq!(clock.pause(), Err(Refused::Paused));
    }

    #[test]
    fn advancing_to_the_past_changes_nothing() {
        let clock = Clock::new_paused();
        clock.advance_to(500).unwrap();

        clock.advance_to(400).unwrap();

        assert_eq!(clock.now_ns(), 500);
    }

    #[test]
    fn advancing_too_far_saturates() {
        let clock = Clock::new_paused();

        clock.advance(Duration::MAX).unwrap();
        clock.advance(Duration::MAX).unwrap();

        assert_eq!(clock.now_ns(), u64::MAX);
    }

    #[test]
    fn instants_before_the_origin_are_time_zero() {
        let before = Instant::from_std(StdInstant::now());
        let clock = Clock::new();

        assert_eq!(clock.ns_at(before), 0);
    }
}
