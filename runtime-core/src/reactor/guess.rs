//! Guesses that a new source will be ready before the poller has to be told of it.
//!
//! The peer of a connection is often a task of the same program, or one that answers at once. While this thread has others to poll, whoever
//! finds such a source not ready can as well wait for its next turn and try again: what has come meanwhile needs no system call to
//! register, none to take out, and no event. A wrong guess costs one attempt more. So a source is guessed at twice at most, only while a few others
//! wait, and mostly on threads where guesses have been right of late.

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
        // ORDERING: Relaxed; two tasks that guess at once are a guess or two too many.
        let made = self.0.load(Ordering::Relaxed);
        if made >= AT_MOST || !others_wait() {
            return false;
        }
        // The second guess is what the first one was made for.
        if made == 0 && !with_luck(Luck::is_tried) {
            return false;
        }
        // ORDERING: Relaxed, as above.
        self.0.store(made + 1, Ordering::Relaxed);
        with_luck(Luck::pay);
        true
    }

    /// The source ends, and never had to be registered.
    pub(super) fn were_right(&self) {
        // ORDERING: Relaxed; for the statistics.
        if self.0.load(Ordering::Relaxed) > 0 {
            with_luck(Luck::win);
        }
    }
}

/// On a thread that is past its destructors nobody guesses any more.
fn with_luck<R: Default>(use_it: impl FnOnce(&Luck) -> R) -> R {
    LUCK.try_with(use_it).unwrap_or_default()
}

/// How guesses have gone on this thread.
#[derive(Debug)]
struct Luck {
    /// How many more guesses there may be without a right one.
    credit: Cell<u8>,
    /// How many chances are let go by before the next try.
    skips: Cell<u8>,
}

/// What comes back where a source never had to be registered: that saves about as much as six guesses cost.
const WON: u8 = 6;
const MOST: u8 = 64;
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

    fn pay(&self) {
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
        let wrong = || {
            let guesses = Guesses::new();
            let is_guessed = guesses.may_guess(|| true);
            assert!(!is_guessed || guesses.may_guess(|| true), "two or none");
            is_guessed
        };
        for _ in 0..MOST / 2 {
            assert!(wrong());
        }
        let tries = (0..u32::from(RARELY) * 10).filter(|_| wrong()).count();
        assert_eq!(tries, 10);
        // One that is right pays for itself and two that are wrong.
        let right = loop {
            let guesses = Guesses::new();
            if guesses.may_guess(|| true) {
                break guesses;
            }
        };
        right.were_right();
        assert!(wrong() && wrong() && wrong() && !wrong());
    }

    #[test]
    fn only_sources_that_were_guessed_at_count() {
        let credit = || with_luck(|luck| luck.credit.get());
        Guesses::new().were_right();
        assert_eq!(credit(), MOST);
        let guesses = Guesses::new();
        assert!(guesses.may_guess(|| true));
        assert_eq!(credit(), MOST - 1);
        guesses.were_right();
        assert_eq!(credit(), MOST);
    }
}
