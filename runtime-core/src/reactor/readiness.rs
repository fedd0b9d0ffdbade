//! The word that stores what a source is ready for.
//!
//! With edge-triggered registration the operating system says each thing once, so readiness is remembered
//! here until an attempt shows that it is used up.
//!
//! # Invariants
//!
//! * W1 — An attempt that found the source not ready takes readiness back only if no event has come since it
//!   looked: each event raises the generation, and `clear` changes nothing under another generation than
//!   the one that was seen. So an event between the attempt and its `clear` is never lost.
//! * W2 — DOWN, once set, stays: the runtime is gone, and no event will ever come again.
//!
//! # Edges
//!
//! * E1 — `raise` (Release) → `load` (Acquire).

use super::ready::Ready;
use crate::sync::atomic::{AtomicU64, Ordering};

/// The runtime is gone.
const DOWN: u64 = 1 << 8;
/// One generation.
const GENERATION_ONE: u64 = 1 << 16;

/// What a source is ready for, and how many events it took.
#[derive(Debug)]
pub(super) struct Readiness(AtomicU64);

/// What was seen at one moment; needed to take it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen(u64);

impl Seen {
    #[inline]
    pub(crate) fn ready(self) -> Ready {
        Ready::from_bits((self.0 & 0xff) as u8)
    }

    #[inline]
    pub(super) fn is_down(self) -> bool {
        self.0 & DOWN != 0
    }

    const fn generation(self) -> u64 {
        self.0 / GENERATION_ONE
    }
}

impl Readiness {
    pub(super) fn new(initial: Ready) -> Self {
        Self(AtomicU64::new(u64::from(initial.bits())))
    }

    #[inline]
    pub(super) fn load(&self) -> Seen {
        // ORDERING: Acquire, edge E1.
        Seen(self.0.load(Ordering::Acquire))
    }

    /// Adds what an event brought, in a new generation.
    #[inline]
    pub(super) fn raise(&self, ready: Ready) {
        self.update(|seen| Some(seen.0.wrapping_add(GENERATION_ONE) | u64::from(ready.bits())));
    }

    /// Marks the end of the runtime.
    pub(super) fn shut_down(&self) {
        // ORDERING: Release, edge E1.
        self.0.fetch_or(DOWN, Ordering::Release);
    }

    /// Takes `ready` back, if nothing has come since it was `seen` (W1).
    #[inline]
    pub(super) fn clear(&self, seen: Seen, ready: Ready) {
        self.update(|now| {
            (now.generation() == seen.generation()).then_some(now.0 & !u64::from(ready.bits()))
        });
    }

    #[inline]
    fn update(&self, step: impl Fn(Seen) -> Option<u64>) {
        // ORDERING: Relaxed; only a guess for the exchange below, which checks it.
        let mut seen = self.0.load(Ordering::Relaxed);
        while let Some(next) = step(Seen(seen)) {
            // ORDERING: AcqRel, edge E1 at both ends: a chain of events and clears hands on what the
            // first event released.
            match self
                .0
                .compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(actual) => seen = actual,
            }
        }
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn an_event_between_attempt_and_clear_is_kept() {
        let readiness = Readiness::new(Ready::EMPTY);
        readiness.raise(Ready::READABLE);
        let seen = readiness.load();
        readiness.raise(Ready::READABLE);
        readiness.clear(seen, Ready::READABLE);
        assert!(readiness.load().ready().is_readable());
        readiness.clear(readiness.load(), Ready::READABLE);
        assert!(!readiness.load().ready().is_readable());
    }

    #[test]
    fn clearing_one_direction_leaves_the_other() {
        let readiness = Readiness::new(Ready::BOTH);
        readiness.clear(readiness.load(), Ready::READABLE);
        assert_eq!(readiness.load().ready(), Ready::WRITABLE);
    }

    #[test]
    fn the_end_of_the_runtime_survives_everything() {
        let readiness = Readiness::new(Ready::EMPTY);
        readiness.shut_down();
        readiness.raise(Ready::READABLE);
        readiness.clear(readiness.load(), Ready::READABLE);
        assert!(readiness.load().is_down());
    }
}
