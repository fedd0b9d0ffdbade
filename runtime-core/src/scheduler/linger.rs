//! Whether a worker that finds nothing looks a little longer before it goes to sleep.
//!
//! To sleep and be woken by another thread costs both sides a system call, and up to twenty microseconds for the processor to
//! come back. Where tasks take turns with a foreign thread (a channel to it, a job on a pool that is awaited at once), the next wake-up
//! comes sooner than that. So a worker that was woken several times in a row shortly after it had gone to sleep stays awake for a
//! while, and gives its processor to whoever wants it between two looks. It does so as a searching worker, so nobody who posts work has
//! to wake it: there is no protocol of its own.
//!
//! This file knows when to try, from what came of it before; the looks are the worker's. Figures in
//! `docs/decisions/linger.md`.

use std::cell::Cell;
use std::time::Duration;

/// How long a worker looks at most. Twice what a wake-up between two processors takes: the other thread may have to wake first.
pub(super) const LONGEST: Duration = Duration::from_micros(60);

/// A sleep that was ended sooner by a post had better not begun.
const SHORT_SLEEP: Duration = Duration::from_micros(120);

/// So many short sleeps in a row make a pattern.
const PATTERN: u8 = 4;

/// After how many sleeps a worker that looked in vain, again and again, tries once more at the latest.
const LONGEST_PAUSE: u32 = 1024;

/// What a worker has learned.
pub(super) struct Linger {
    /// Short sleeps in a row, up to [`PATTERN`].
    short_sleeps: Cell<u8>,
    /// Chances to let pass, because of failures.
    pause: Cell<u32>,
    /// How many to let pass after the next failure.
    next_pause: Cell<u32>,
}

impl Linger {
    pub(super) fn new() -> Self {
        Self {
            short_sleeps: Cell::new(0),
            pause: Cell::new(0),
            next_pause: Cell::new(1),
        }
    }

    /// Whether to look longer this time.
    pub(super) fn is_due(&self) -> bool {
        if self.short_sleeps.get() < PATTERN {
            return false;
        }
        let pause = self.pause.get();
        self.pause.set(pause.saturating_sub(1));
        pause == 0
    }

    /// The worker has slept for so long; `chosen` if it was woken because of a post.
    pub(super) fn slept(&self, time: Duration, chosen: bool) {
        self.short_sleeps.set(if chosen && time < SHORT_SLEEP {
            PATTERN.min(self.short_sleeps.get() + 1)
        } else {
            0
        });
    }

    /// The longer look found something.
    pub(super) fn succeeded(&self) {
        self.next_pause.set(1);
    }

    /// It did not: each failure in a row doubles the time until the next try.
    pub(super) fn failed(&self) {
        let pause = self.next_pause.get();
        self.pause.set(pause);
        self.next_pause.set(LONGEST_PAUSE.min(pause * 2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(20);

    fn with_pattern() -> Linger {
        let linger = Linger::new();
        (0..PATTERN).for_each(|_| linger.slept(SHORT, true));
        linger
    }

    #[test]
    fn only_a_row_of_short_sleeps_is_a_pattern() {
        let linger = Linger::new();
        for _ in 1..PATTERN {
            linger.slept(SHORT, true);
            assert!(!linger.is_due());
        }
        linger.slept(SHORT, true);
        assert!(linger.is_due());
    }

    #[test]
    fn a_long_sleep_or_one_that_an_event_ended_breaks_the_row() {
        for (time, chosen) in [(SHORT_SLEEP, true), (SHORT, false)] {
            let linger = with_pattern();
            linger.slept(time, chosen);
            assert!(!linger.is_due());
        }
    }

    #[test]
    fn who_looks_in_vain_tries_ever_more_rarely_but_never_stops() {
        let linger = with_pattern();
        let mut expected = 1;
        for _ in 0..20 {
            assert!(linger.is_due());
            linger.failed();
            let passed = (0..).take_while(|_| !linger.is_due()).count();
            assert_eq!(passed, expected);
            expected = (expected * 2).min(LONGEST_PAUSE as usize);
            linger.pause.set(0);
        }
    }

    #[test]
    fn a_success_makes_the_next_failure_cheap_again() {
        let linger = with_pattern();
        (0..5).for_each(|_| linger.failed());
        linger.succeeded();
        linger.failed();
        assert!(!linger.is_due());
        assert!(linger.is_due());
    }
}
