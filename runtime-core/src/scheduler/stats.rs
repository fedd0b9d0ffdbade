//! Counters of one worker.
//!
//! Each counter has one writer, the worker's thread, which makes an addition a plain load and store; others read
//! whenever they like.

use crate::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A counter with one writer.
#[derive(Debug)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Only for the writer.
    #[inline]
    pub(crate) fn add(&self, amount: u64) {
        // ORDERING: Relaxed, twice; statistics order nothing, and there is one writer.
        let value = self.0.load(Ordering::Relaxed);
        self.0.store(value.wrapping_add(amount), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn get(&self) -> u64 {
        // ORDERING: Relaxed; statistics order nothing.
        self.0.load(Ordering::Relaxed)
    }
}

/// What a worker counts.
#[derive(Debug)]
pub(crate) struct Stats {
    /// Trips of the loop; the reactor thread sees by it that a worker is stuck.
    pub(crate) rounds: Counter,
    /// Looks at the pollers; the reactor thread sees by it that what waits for one is not attended to.
    pub(crate) looks: Counter,
    /// Tasks polled.
    pub(crate) polls: Counter,
    /// Successful steals; a batch counts once.
    pub(crate) steals: Counter,
    /// Times gone to sleep.
    pub(crate) parks: Counter,
    /// Nanoseconds awake, up to the last time it went to sleep.
    pub(crate) busy_ns: Counter,
}

impl Stats {
    pub(crate) fn new() -> Self {
        Self {
            rounds: Counter::new(),
            looks: Counter::new(),
            polls: Counter::new(),
            steals: Counter::new(),
            parks: Counter::new(),
            busy_ns: Counter::new(),
        }
    }

    pub(crate) fn busy(&self) -> Duration {
        Duration::from_nanos(self.busy_ns.get())
    }
}
