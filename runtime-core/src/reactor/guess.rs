//! Guesses that a new source will be ready before the poller has to be told of it.
//!
//! The peer of a connection is often a task of the same program, or one that answers at once. While this thread has others to poll, whoever
//! finds such a source not ready can as well wait for its next turn and try again: what has come meanwhile needs no system call to
//! register, none to take out, and no event. A wrong guess costs one attempt more. So a source is guessed at twice at most, only while few others
//! wait, and only on threads where guesses have been right of late.

use crate::sync::atomic::{AtomicU8, Ordering};
use crate::sync::thread_local;
use std::cell::Cell;

/// How often a source is guessed at.
const AT_MOST: u8 = 2;

/// The guesses that were made at one source, until it was registered.
#[derive(Debug)]
pub(super) struct Guesses(AtomicU8);

thread_local! {
    static LUCK: Luck = const { Luck::new() };
}

impl Guesses {
    pub(super) fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    /// Whether to try again later; counts it if so. `others_wait` says whether there is something to do until then.
    pub(super) fn may_guess(&self, others_wait: fn() -> bool) -> bool {
        // ORDERING: Relaxed; two tasks that guess at once are one guess too many.
        let made = self.0.load(Ordering::Relaxed);
        if made >= AT_MOST || !others_wait() || !with_luck(Luck::is_tried) {
            return false;
        }
        self.0.store(made + 1, Ordering::Relaxed);
        true
    }

    /// The source has to be registered after all.
    pub(super) fn were_wrong(&self) {
        if self.any() {
            with_luck(Luck::lose);
        }
    }

    /// The source ends, and never had to be registered.
    pub(super) fn were_right(&self) {
        if self.any() {
            with_luck(Luck::win);
        }
    }

    fn any(&self) -> bool {
        // ORDERING: Relaxed; for the statistics.
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// On a thread that is past its destructors nobody guesses any more.
fn with_luck<R: Default>(use_it: impl FnOnce(&Luck) -> R) -> R {
    LUCK.try_with(use_it).unwrap_or_default()
}

/// How guesses have gone on this thread.
#[derive(Debug)]
struct Luck {
    /// What may be lost until guesses count as wrong mostly.
    credit: Cell<u8>,
    /// How many chances are let go by before the next try.
    skips: Cell<u8>,
}

/// A right guess saves about five times what a wrong one costs.
const WON: u8 = 4;
const MOST: u8 = 32;
/// Without credit one chance in so many is tried.
const RARELY: u8 = 64;

impl Luck {
    const fn new() -> Self {
        Self {
            credit: Cell::new(MOST),
            skips: Cell::new(RARELY),
        }
    }

    fn is_tried(&self) -> bool {
        if self.credit.get() > 0 {
            return true;
        }
        let left = self.skips.get() - 1;
        self.skips.set(if left == 0 { RARELY } else { left });
        left == 0
    }

    fn win(&self) {
        self.credit.set(MOST.min(self.credit.get() + WON));
    }

    fn lose(&self) {
        self.credit.set(self.credit.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_guessed_at_twice_and_only_while_others_wait() {
        let guesses = Guesses::new();
        assert!(!guesses.may_guess(|| false));
        assert!(guesses.may_guess(|| true));
        assert!(guesses.may_guess(|| true));
        assert!(!guesses.may_guess(|| true));
    }

    #[test]
    fn where_guesses_are_wrong_they_become_rare_and_where_they_are_right_again_they_come_back() {
        let luck = Luck::new();
        for _ in 0..MOST {
            assert!(luck.is_tried());
            luck.lose();
        }
        let mut tries = 0;
        for _ in 0..u32::from(RARELY) * 10 {
            if luck.is_tried() {
                tries += 1;
                luck.lose();
            }
        }
        assert_eq!(tries, 10);
        while !luck.is_tried() {}
        luck.win();
        assert!((0..WON).all(|_| {
            let is_tried = luck.is_tried();
            luck.lose();
            is_tried
        }));
        assert!(!luck.is_tried());
    }

    #[test]
    fn only_sources_that_were_guessed_at_count() {
        let before = LUCK.with(|luck| luck.credit.get());
        Guesses::new().were_wrong();
        assert_eq!(LUCK.with(|luck| luck.credit.get()), before);
        let guesses = Guesses::new();
        assert!(guesses.may_guess(|| true));
        guesses.were_wrong();
        assert_eq!(LUCK.with(|luck| luck.credit.get()), before - 1);
        guesses.were_right();
        assert_eq!(LUCK.with(|luck| luck.credit.get()), before);
    }
}
