//! How fast the compute pool ends jobs, as a worker sees it from sleep to sleep.
//!
//! A brief sleep pays if several results come within it. If jobs take long it would be a timer that finds nothing, again and
//! again; then the worker sleeps as usual, and each result wakes it.

use crate::park::idle::BRIEF_SLEEP;
use std::cell::Cell;

/// So many results have to come within a brief sleep.
const RESULTS: u64 = 2;

/// The pace of a pool.
pub(super) struct Pace {
    /// When the count began, in nanoseconds.
    since: Cell<u64>,
    /// How many jobs had ended by then.
    ended: Cell<u64>,
    fast: Cell<bool>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            since: Cell::new(0),
            ended: Cell::new(0),
            fast: Cell::new(false),
        }
    }

    /// Whether results come fast. Counts anew whenever the length of a brief sleep has passed.
    pub(super) fn is_fast(&self, now_ns: u64, ended: u64) -> bool {
        let passed = u128::from(now_ns.saturating_sub(self.since.get()));
        if passed >= BRIEF_SLEEP.as_nanos() {
            let came = u128::from(ended.saturating_sub(self.ended.get()));
            self.fast
                .set(came * BRIEF_SLEEP.as_nanos() >= passed * u128::from(RESULTS));
            self.since.set(now_ns);
            self.ended.set(ended);
        }
        self.fast.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRIEF: u64 = BRIEF_SLEEP.as_nanos() as u64;

    #[test]
    fn several_results_within_a_brief_sleep_are_fast() {
        let pace = Pace::new();
        for n in 1..10 {
            assert!(pace.is_fast(n * BRIEF, n * RESULTS), "{n}");
        }
    }

    #[test]
    fn a_pool_whose_jobs_take_long_is_slow_at_the_next_look() {
        let pace = Pace::new();
        assert!(pace.is_fast(BRIEF, 10));
        assert!(pace.is_fast(BRIEF + 1, 10), "too soon to tell");
        assert!(!pace.is_fast(2 * BRIEF, 10));
        assert!(!pace.is_fast(4 * BRIEF, 11));
    }

    #[test]
    fn what_ended_long_ago_does_not_count_as_fast() {
        let pace = Pace::new();
        assert!(!pace.is_fast(1_000_000 * BRIEF, 1_000));
    }
}
