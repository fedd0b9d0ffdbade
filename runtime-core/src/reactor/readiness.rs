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
//! * W3 — DOUBTFUL stands for a readiness to read that was taken back without an attempt that found nothing. It is settled by an event of
//!   any kind, which makes it readable if it does not say so itself; by an attempt that found nothing; or by the note of it, which
//!   makes it readable, see [`recheck`](super::recheck).
//!
//! # Edges
//!
//! * E1 — `raise` (Release) → `load` (Acquire).

use super::ready::Ready;
use crate::sync::atomic::{AtomicU64, Ordering};

/// The runtime is gone.
const DOWN: u64 = 1 << 8;
/// Taken for drained, and nobody has asked.
const DOUBTFUL: u64 = 1 << 9;
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

    /// Whether the source was taken for drained and may not be.
    #[inline]
    pub(super) fn is_doubtful(self) -> bool {
        self.0 & DOUBTFUL != 0
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

    /// Adds what an event brought, in a new generation. Gives what it came to: with a doubt that it settles (W3).
    #[inline]
    pub(super) fn raise(&self, ready: Ready) -> Ready {
        let with_doubt = |seen: Seen| match seen.is_doubtful() {
            true => ready | Ready::READABLE,
            false => ready,
        };
        let before = self.update(|seen| {
            let next = (seen.0 & !DOUBTFUL).wrapping_add(GENERATION_ONE);
            Some(next | u64::from(with_doubt(seen).bits()))
        });
        before.map_or(ready, with_doubt)
    }

    /// Marks the end of the runtime.
    pub(super) fn shut_down(&self) {
        // ORDERING: Release, edge E1.
        self.0.fetch_or(DOWN, Ordering::Release);
    }

    /// Takes `ready` back, if nothing has come since it was `seen` (W1).
    #[inline]
    pub(super) fn clear(&self, seen: Seen, ready: Ready) {
        let mut bits = u64::from(ready.bits());
        if ready.is_readable() {
            bits |= DOUBTFUL;
        }
        self.update(|now| (now.generation() == seen.generation()).then_some(now.0 & !bits));
    }

    /// Takes the source for drained, if nothing has come since it was `seen` (W3). Whether it is doubtful now by this call.
    #[inline]
    pub(super) fn doubt(&self, seen: Seen) -> bool {
        let readable = u64::from(Ready::READABLE.bits());
        let before = self.update(|now| {
            let is_up_to_date = now.generation() == seen.generation() && now.0 & readable != 0;
            is_up_to_date.then_some(now.0 & !readable | DOUBTFUL)
        });
        before.is_some()
    }

    /// Makes it readable after all, in a new generation, if the doubt of when it was `seen` is not settled. Whether it did.
    pub(super) fn recheck(&self, seen: Seen) -> bool {
        let before = self.update(|now| {
            let is_open = now.generation() == seen.generation() && now.is_doubtful();
            let next = (now.0 & !DOUBTFUL).wrapping_add(GENERATION_ONE);
            is_open.then_some(next | u64::from(Ready::READABLE.bits()))
        });
        before.is_some()
    }

    /// Changes the word as `step` says; what it was before, or nothing if `step` leaves it.
    #[inline]
    fn update(&self, step: impl Fn(Seen) -> Option<u64>) -> Option<Seen> {
        // ORDERING: Relaxed; only a guess for the exchange below, which checks it.
        let mut seen = self.0.load(Ordering::Relaxed);
        while let Some(next) = step(Seen(seen)) {
            // ORDERING: AcqRel, edge E1 at both ends: a chain of events and clears hands on what the
            // first event released.
            match self
                .0
                .compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(before) => return Some(Seen(before)),
                Err(actual) => seen = actual,
            }
        }
        None
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

    /// Read until the buffer was full, and taken for drained.
    fn doubtful() -> (Readiness, Seen) {
        let readiness = Readiness::new(Ready::BOTH);
        let seen = readiness.load();
        assert!(readiness.doubt(seen));
        assert_eq!(readiness.load().ready(), Ready::WRITABLE);
        (readiness, seen)
    }

    #[test]
    fn a_doubt_that_nothing_settles_ends_in_an_attempt() {
        let (readiness, seen) = doubtful();
        assert!(readiness.recheck(seen));
        assert_eq!(readiness.load().ready(), Ready::BOTH);
        assert!(!readiness.recheck(seen), "once");
    }

    #[test]
    fn an_event_settles_a_doubt_for_the_reader_too() {
        for event in [Ready::READABLE, Ready::WRITABLE, Ready::READ_CLOSED] {
            let (readiness, seen) = doubtful();
            assert_eq!(readiness.raise(event), event | Ready::READABLE);
            assert!(readiness.load().ready().is_readable());
            assert!(!readiness.load().is_doubtful());
            assert!(!readiness.recheck(seen));
        }
    }

    #[test]
    fn an_attempt_that_finds_nothing_settles_a_doubt_and_one_to_write_does_not() {
        let (readiness, seen) = doubtful();
        readiness.clear(readiness.load(), Ready::WRITABLE);
        assert!(readiness.load().is_doubtful());
        readiness.clear(readiness.load(), Ready::READABLE);
        assert!(!readiness.recheck(seen));
    }

    #[test]
    fn a_note_of_an_old_doubt_leaves_the_new_one() {
        let (readiness, old) = doubtful();
        readiness.raise(Ready::READABLE);
        let new = readiness.load();
        assert!(!readiness.doubt(old), "an event has come since");
        assert!(readiness.doubt(new));
        assert!(!readiness.recheck(old));
        assert!(readiness.recheck(new));
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
