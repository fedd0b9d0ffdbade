//! The two water marks between which writing is paused and resumed. Knows sizes only.
//!
//! ```text
//!   size ──── over high ───▶ paused ──── at most low ───▶ free
//! ```
//!
//! # Invariants
//!
//! * M1 — `low <= high`.
//! * M2 — Every time that the size passes the high mark is told to the protocol, even if it has fallen again when the protocol
//!   can be told: a writer that was answered `Full` waits for the call that says go on.

/// 64 KiB, as asyncio has it.
const HIGH: usize = 64 * 1024;
/// A quarter of it, as asyncio has it.
const LOW: usize = HIGH / 4;

/// How many bytes wait to be sent, and what that means for writers.
#[derive(Debug)]
pub(super) struct Pressure {
    size: usize,
    high: usize,
    low: usize,
    is_paused: bool,
    /// Paused since the last look (M2).
    was_paused: bool,
}

/// Whether writers may go on now that could not before.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relief {
    Eased,
    Unchanged,
}

impl Pressure {
    pub(super) const fn new() -> Self {
        Self {
            size: 0,
            high: HIGH,
            low: LOW,
            is_paused: false,
            was_paused: false,
        }
    }

    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// The low mark and the high one.
    pub(super) const fn marks(&self) -> (usize, usize) {
        (self.low, self.high)
    }

    pub(super) const fn is_paused(&self) -> bool {
        self.is_paused
    }

    pub(super) const fn add(&mut self, bytes: usize) {
        self.size = self.size.saturating_add(bytes);
        self.pause_if_over();
    }

    pub(super) const fn remove(&mut self, bytes: usize) -> Relief {
        self.size = self.size.saturating_sub(bytes);
        self.ease()
    }

    /// M1 is up to the caller.
    pub(super) const fn set_marks(&mut self, high: usize, low: usize) -> Relief {
        (self.high, self.low) = (high, low);
        self.pause_if_over();
        self.ease()
    }

    /// Whether writing is or has been paused since the last look.
    pub(super) const fn take_paused(&mut self) -> bool {
        std::mem::replace(&mut self.was_paused, false) || self.is_paused
    }

    const fn pause_if_over(&mut self) {
        if self.size > self.high {
            self.is_paused = true;
            self.was_paused = true;
        }
    }

    const fn ease(&mut self) -> Relief {
        if self.is_paused && self.size <= self.low {
            self.is_paused = false;
            return Relief::Eased;
        }
        Relief::Unchanged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_and_pair_of_marks_pauses_above_high_and_eases_at_low() {
        for high in 0..5 {
            for low in 0..=high {
                let mut pressure = Pressure::new();
                let _ = pressure.set_marks(high, low);
                for size in 1..10 {
                    pressure.add(1);
                    assert_eq!(pressure.is_paused(), size > high, "{size} of {low}..{high}");
                }
                for size in (0..9).rev() {
                    let eased = pressure.remove(1) == Relief::Eased;
                    assert_eq!(eased, size == low, "{size} of {low}..{high}");
                    assert_eq!(pressure.is_paused(), size > low);
                }
            }
        }
    }

    #[test]
    fn a_pause_that_is_over_is_still_told_once() {
        let mut pressure = Pressure::new();
        pressure.add(HIGH + 1);
        assert_eq!(pressure.remove(HIGH + 1), Relief::Eased);
        assert!(pressure.take_paused());
        assert!(!pressure.take_paused());
    }

    #[test]
    fn new_marks_count_at_once() {
        let mut pressure = Pressure::new();
        pressure.add(10);
        assert_eq!(pressure.set_marks(5, 1), Relief::Unchanged);
        assert!(pressure.is_paused());
        assert_eq!(pressure.set_marks(20, 10), Relief::Eased);
        assert!(!pressure.is_paused());
    }
}
