//! Whether a source that has just filled a reader's buffer is worth being taken for drained, see [`recheck`](super::recheck).
//!
//! It is once some attempts in a row that followed such reads have found nothing. Where no event came in time for it, or there was more all the
//! time, it takes more of them from then on: a few more where an attempt was only put off, many where a message was. And what a worker learns with
//! one source holds for all: where one message in a thousand has another behind it, nothing is taken for drained.

use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::thread_local;
use std::cell::Cell;

/// Attempts in vain, in a row, before the first time.
const FIRST: u16 = 16;
/// The same at the most where attempts were put off in vain. Then as many system calls are spared as made.
const MOST_FOR_NOTHING: u16 = 128;
/// The same at the least where a message was: no more than one in a thousand is to wait for that.
const LEAST_FOR_A_MESSAGE: u16 = 1_024;
/// After so many times as many that went well as it takes attempts, it takes half of them.
const FORGIVEN_AFTER: u16 = 16;

/// What a message that has another behind it costs this thread's credit, in messages without.
const LOST: i32 = 1_024;
/// The credit is at most so many messages, and so many below nothing at the least.
const MOST_CREDIT: i32 = 4 * LOST;

thread_local! {
    /// How it has gone with all sources on this thread.
    static CREDIT: Cell<i32> = const { Cell::new(0) };
}

/// A message had none behind it, or had one.
#[inline]
fn count(has_more: bool) {
    let change = if has_more { -LOST } else { 1 };
    // A thread that is past its destructors learns nothing.
    let _ = CREDIT.try_with(|credit| {
        credit.set((credit.get() + change).clamp(-MOST_CREDIT, MOST_CREDIT));
    });
}

#[inline]
fn has_credit() -> bool {
    CREDIT
        .try_with(|credit| credit.get() >= 0)
        .unwrap_or_default()
}

/// How it has gone with one source. Any value is right, so who changes it at the same time as another may be forgotten.
#[derive(Debug)]
pub(super) struct Odds(AtomicU64);

#[derive(Clone, Copy)]
struct State {
    /// Attempts in vain that are still wanted.
    wanted: u16,
    /// How many are wanted after the next disappointment.
    price: u16,
    /// Times in a row that went well.
    run: u16,
    /// What the next attempt is to show.
    open: Open,
}

/// What is to be learnt from the next attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// Nothing.
    Settled,
    /// Whether there is more behind a read that has filled its buffer.
    Behind,
    /// The same of one where that was left open, and no event came in time.
    BehindLate,
}

impl Odds {
    pub(super) fn new() -> Self {
        let state = State {
            wanted: FIRST,
            price: FIRST,
            run: 0,
            open: Open::Settled,
        };
        Self(AtomicU64::new(state.pack()))
    }

    /// A read has filled its buffer: whether to take the source for drained.
    #[inline]
    pub(super) fn on_full_read(&self) -> bool {
        let mut state = self.load();
        let is_drained = state.open == Open::Settled && state.wanted == 0 && has_credit();
        if is_drained {
            count(false);
            state.go_well();
        } else {
            state.find_more();
            state.open = Open::Behind;
        }
        self.store(state);
        is_drained
    }

    /// A read has got less than it had room for.
    #[inline]
    pub(super) fn on_short_read(&self) {
        let mut state = self.load();
        if state.open != Open::Settled {
            state.find_more();
            self.store(state);
        }
    }

    /// An attempt has found nothing.
    #[inline]
    pub(super) fn on_nothing(&self) {
        let mut state = self.load();
        match state.open {
            Open::Settled => return,
            Open::Behind if state.wanted == 0 => count(false),
            Open::Behind => state.wanted -= 1,
            Open::BehindLate => {
                if state.price < MOST_FOR_NOTHING {
                    state.price *= 2;
                }
                state.wanted = state.price;
            }
        }
        state.open = Open::Settled;
        self.store(state);
    }

    /// The source was taken for drained, and no event came in time.
    #[cold]
    pub(super) fn on_miss(&self) {
        let mut state = self.load();
        state.open = Open::BehindLate;
        state.run = 0;
        self.store(state);
    }

    #[inline]
    fn load(&self) -> State {
        // ORDERING: Relaxed, here and below; statistics for a decision that is right in any case.
        State::unpack(self.0.load(Ordering::Relaxed))
    }

    #[inline]
    fn store(&self, state: State) {
        // ORDERING: Relaxed, as above.
        self.0.store(state.pack(), Ordering::Relaxed);
    }
}

impl State {
    /// There was more behind a read, if that was a question.
    #[inline]
    fn find_more(&mut self) {
        match self.open {
            Open::Settled => return,
            Open::Behind if self.wanted == 0 => count(true),
            Open::Behind => {}
            Open::BehindLate => {
                count(true);
                self.price = LEAST_FOR_A_MESSAGE.max(self.price.saturating_mul(2));
            }
        }
        self.wanted = self.price;
        self.open = Open::Settled;
    }

    /// The source is taken for drained once more.
    #[inline]
    fn go_well(&mut self) {
        self.run = self.run.saturating_add(1);
        if self.price > FIRST && self.run >= self.price.saturating_mul(FORGIVEN_AFTER) {
            self.price /= 2;
            self.run = 0;
        }
    }

    #[inline]
    fn pack(self) -> u64 {
        let words = [self.wanted, self.price, self.run, self.open as u16];
        words
            .iter()
            .rev()
            .fold(0, |word, &part| word << 16 | u64::from(part))
    }

    #[inline]
    fn unpack(word: u64) -> Self {
        let part = |at: u32| (word >> (16 * at)) as u16;
        Self {
            wanted: part(0),
            price: part(1),
            run: part(2),
            open: match part(3) {
                0 => Open::Settled,
                1 => Open::Behind,
                _ => Open::BehindLate,
            },
        }
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;

    /// Full reads and attempts in vain by turns, until the source is taken for drained: how many of each there were before.
    fn attempts(odds: &Odds) -> u32 {
        let mut count = 0;
        while !odds.on_full_read() {
            odds.on_nothing();
            count += 1;
        }
        count
    }

    #[test]
    fn a_source_is_taken_for_drained_after_a_few_attempts_in_vain_and_from_then_on() {
        let odds = Odds::new();
        assert_eq!(attempts(&odds), u32::from(FIRST));
        for _ in 0..1_000 {
            assert_eq!(attempts(&odds), 0);
        }
    }

    /// Lets the thread's credit be as after `messages` without another behind them.
    fn credit_of(messages: i32) {
        CREDIT.with(|credit| credit.set(messages.min(MOST_CREDIT)));
    }

    /// No event came in time, and the attempt that was put off finds nothing.
    fn miss_nothing(odds: &Odds) {
        odds.on_miss();
        odds.on_nothing();
    }

    #[test]
    fn attempts_that_were_put_off_in_vain_make_it_rarer_up_to_a_bound() {
        let odds = Odds::new();
        let _ = attempts(&odds);
        for price in [32, 64, 128, 128] {
            miss_nothing(&odds);
            assert_eq!(attempts(&odds), price);
        }
    }

    #[test]
    fn a_message_that_had_to_wait_makes_it_far_rarer() {
        let odds = Odds::new();
        let _ = attempts(&odds);
        odds.on_miss();
        assert!(!odds.on_full_read(), "there was a message, and maybe more");
        odds.on_nothing();
        credit_of(LOST);
        assert_eq!(attempts(&odds), 1_023);
        for price in [2_048, 4_096, 8_192, 16_384, 32_768, 65_535, 65_535] {
            odds.on_miss();
            odds.on_short_read();
            credit_of(LOST);
            assert_eq!(attempts(&odds), price);
        }
        miss_nothing(&odds);
        assert_eq!(attempts(&odds), 65_535);
    }

    #[test]
    fn what_goes_well_for_long_is_forgiven_step_by_step() {
        let odds = Odds::new();
        let _ = attempts(&odds);
        for _ in 0..3 {
            miss_nothing(&odds);
            let _ = attempts(&odds);
        }
        for _ in 0..16 * 128 {
            assert_eq!(attempts(&odds), 0);
        }
        miss_nothing(&odds);
        assert_eq!(attempts(&odds), 128, "half, and twice that");
        for _ in 0..2 * 16 * 128 {
            assert_eq!(attempts(&odds), 0);
        }
        miss_nothing(&odds);
        assert_eq!(attempts(&odds), 32, "as after the first");
    }

    #[test]
    fn a_message_that_had_to_wait_counts_for_all_sources_of_the_thread() {
        let unlucky = Odds::new();
        let _ = attempts(&unlucky);
        unlucky.on_miss();
        unlucky.on_short_read();
        // A thousand of another's have nothing behind them, the first of which it wants to see anyway.
        let other = Odds::new();
        let seen = attempts(&other);
        assert!((1_000..1_100).contains(&seen), "{seen}");
        assert_eq!(attempts(&other), 0);
    }

    #[test]
    fn where_one_message_in_a_hundred_has_another_behind_it_few_have_to_wait() {
        let mut waited = 0;
        for _source in 0..1_000 {
            let odds = Odds::new();
            for message in 1..=200 {
                let has_more = message % 100 == 0;
                if odds.on_full_read() {
                    if has_more {
                        waited += 1;
                        odds.on_miss();
                        odds.on_short_read();
                    }
                } else if has_more {
                    odds.on_short_read();
                } else {
                    odds.on_nothing();
                }
            }
        }
        // Of two thousand.
        assert!((1..20).contains(&waited), "{waited}");
    }

    #[test]
    fn where_there_is_more_behind_a_full_read_nothing_is_taken_for_drained() {
        let odds = Odds::new();
        // A header and a body, each read to the byte.
        for _ in 0..1_000 {
            assert!(!odds.on_full_read());
            assert!(!odds.on_full_read());
            odds.on_nothing();
        }
        // A buffer full, and the rest.
        for _ in 0..1_000 {
            assert!(!odds.on_full_read());
            odds.on_short_read();
            odds.on_nothing();
        }
    }
}
