//! Whether a source that has just filled a reader's buffer is worth being taken for drained, see [`recheck`](super::recheck).
//!
//! It is once some attempts in a row that followed such reads have found nothing, and where something was written since the read before: who answers
//! each message mostly has a peer that waits for that. Each sixteenth time it is tried all the same, since an event of the next message hides what
//! the one before has left behind.
//!
//! Where no event came in time for it, or there was more all the time, it takes more such attempts from then on: a few more where one was only
//! put off, many where a message was. And what a worker learns with one source holds for all: where one message in a thousand has another
//! behind it, nothing is taken for drained.

use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::thread_local;
use std::cell::Cell;

/// Attempts in vain, in a row, before the first time.
const FIRST: u16 = 16;
/// The same at the most where attempts were put off in vain. Then as many system calls are spared as made.
const MOST_FOR_NOTHING: u16 = 128;
/// The same at the least where a message was: no more than one in a thousand is to wait for that.
const LEAST_FOR_A_MESSAGE: u16 = 1_024;
/// The same at the very most.
const MOST: u16 = 1 << 15;
/// A source is taken for drained so often in a row.
const TAKEN_IN_A_ROW: u8 = 15;

/// What a message that has another behind it costs this thread's credit, in messages without.
const LOST: i32 = 1_024;
/// The credit is at most so many messages, and so many below nothing at the least.
const MOST_CREDIT: i32 = 4 * LOST;

thread_local! {
    /// How it has gone with all sources on this thread.
    static CREDIT: Cell<i32> = const { Cell::new(0) };
}

#[inline]
fn count(change: i32) {
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
    /// How many are wanted after the next disappointment. A power of two.
    price: u16,
    /// Runs in a row at whose end there was nothing.
    well: u16,
    /// Times in a row that it was taken for drained.
    run: u8,
    /// What the next attempt is to show.
    open: Open,
    /// Something was written since the last read that filled its buffer.
    answered: bool,
}

/// What is to be learnt from the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
            well: 0,
            run: 0,
            open: Open::Settled,
            answered: false,
        };
        Self(AtomicU64::new(state.pack()))
    }

    /// A read has filled its buffer: whether to take the source for drained.
    #[inline]
    pub(super) fn may_take(&self) -> bool {
        let state = self.load();
        state.open == Open::Settled
            && state.wanted == 0
            && state.answered
            && state.run < TAKEN_IN_A_ROW
            && has_credit()
    }

    /// A read has filled its buffer, and the source was taken for drained.
    #[inline]
    pub(super) fn on_taken(&self) {
        let mut state = self.load();
        state.run += 1;
        state.answered = false;
        self.store(state);
    }

    /// A read has filled its buffer, and the next attempt will show what is behind it.
    #[inline]
    pub(super) fn on_full_read(&self) {
        let mut state = self.load();
        state.find_more();
        state.open = Open::Behind;
        if !state.answered {
            // It would not be taken for drained, so what is behind it counts for nobody else.
            state.wanted = state.wanted.max(1);
        }
        state.answered = false;
        self.store(state);
    }

    /// An attempt to read has found something else than a buffer full.
    #[inline]
    pub(super) fn on_more(&self) {
        self.settle(State::find_more);
    }

    /// An attempt to read has found nothing.
    #[inline]
    pub(super) fn on_nothing(&self) {
        self.settle(State::find_nothing);
    }

    /// An event has come: what the next attempt finds may be new, so it tells nothing. After the last of a run each read is tried until one
    /// tells.
    #[inline]
    pub(super) fn on_event(&self) {
        self.settle(|state| state.open = Open::Settled);
    }

    /// Something was written.
    #[inline]
    pub(super) fn on_write(&self) {
        let mut state = self.load();
        if !state.answered {
            state.answered = true;
            self.store(state);
        }
    }

    /// The source was taken for drained, and no event came in time for who waits.
    #[cold]
    pub(super) fn on_miss(&self) {
        let mut state = self.load();
        state.open = Open::BehindLate;
        self.store(state);
    }

    /// Answers the question that is open, if one is.
    #[inline]
    fn settle(&self, answer: impl FnOnce(&mut State)) {
        let mut state = self.load();
        if state.open != Open::Settled {
            answer(&mut state);
            self.store(state);
        }
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
        if self.open == Open::Settled {
            return;
        }
        if self.run > 0 {
            // It has waited since the last event, or for several.
            self.price = LEAST_FOR_A_MESSAGE.max(self.price.saturating_mul(2).min(MOST));
        }
        if self.run > 0 || self.wanted == 0 {
            count(-LOST);
        }
        self.begin_anew();
    }

    #[inline]
    fn find_nothing(&mut self) {
        if self.open == Open::BehindLate {
            if self.price < MOST_FOR_NOTHING {
                self.price *= 2;
            }
            self.begin_anew();
            return;
        }
        self.open = Open::Settled;
        if self.wanted > 0 {
            self.wanted -= 1;
            return;
        }
        count(1 + i32::from(self.run));
        self.run = 0;
        self.well = self.well.saturating_add(1);
        if self.price > FIRST && self.well >= self.price {
            self.price /= 2;
            self.well = 0;
        }
    }

    fn begin_anew(&mut self) {
        self.wanted = self.price;
        self.well = 0;
        self.run = 0;
        self.open = Open::Settled;
    }

    #[inline]
    fn pack(self) -> u64 {
        u64::from(self.wanted)
            | u64::from(self.price) << 16
            | u64::from(self.well) << 32
            | u64::from(self.run) << 48
            | (self.open as u64) << 56
            | u64::from(self.answered) << 63
    }

    #[inline]
    fn unpack(word: u64) -> Self {
        Self {
            wanted: word as u16,
            price: (word >> 16) as u16,
            well: (word >> 32) as u16,
            run: (word >> 48) as u8,
            open: match (word >> 56) & 3 {
                0 => Open::Settled,
                1 => Open::Behind,
                _ => Open::BehindLate,
            },
            answered: word >> 63 != 0,
        }
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;

    /// A message that fills the buffer comes, and is answered. Whether the source is taken for drained.
    fn message(odds: &Odds) -> bool {
        let is_taken = odds.may_take();
        if is_taken {
            odds.on_taken();
        } else {
            odds.on_full_read();
        }
        odds.on_write();
        is_taken
    }

    /// Messages that have nothing behind them, until the source is taken for drained: how many there were before.
    fn attempts(odds: &Odds) -> u32 {
        let mut count = 0;
        while !message(odds) {
            odds.on_nothing();
            count += 1;
        }
        count
    }

    /// No event came in time, and the attempt that was put off finds nothing.
    fn miss_nothing(odds: &Odds) {
        odds.on_miss();
        odds.on_nothing();
    }

    /// Lets the thread's credit be as after `messages` without another behind them.
    fn credit_of(messages: i32) {
        CREDIT.with(|credit| credit.set(messages.min(MOST_CREDIT)));
    }

    #[test]
    fn a_source_is_taken_for_drained_after_some_attempts_in_vain_and_from_then_on_fifteen_times_of_sixteen()
     {
        let odds = Odds::new();
        assert_eq!(attempts(&odds), u32::from(FIRST));
        for _ in 0..100 {
            for _ in 1..TAKEN_IN_A_ROW {
                assert_eq!(attempts(&odds), 0);
            }
            assert_eq!(attempts(&odds), 1);
        }
    }

    #[test]
    fn a_source_that_nobody_writes_to_is_never_taken_for_drained() {
        let odds = Odds::new();
        for _ in 0..1_000 {
            assert!(!odds.may_take());
            odds.on_full_read();
            odds.on_nothing();
        }
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
        for price in [1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 32_768] {
            odds.on_miss();
            odds.on_more();
            credit_of(LOST);
            assert_eq!(attempts(&odds), price);
        }
        miss_nothing(&odds);
        assert_eq!(attempts(&odds), 32_768);
    }

    #[test]
    fn what_each_event_has_left_behind_is_found_by_the_sixteenth_and_makes_it_far_rarer() {
        let odds = Odds::new();
        let _ = attempts(&odds);
        // Each event is of two messages, and one is read.
        let taken = (1..100).find(|_| !message(&odds)).expect("a check");
        assert_eq!(taken, i32::from(TAKEN_IN_A_ROW));
        for _ in 0..taken {
            assert!(!message(&odds));
        }
        odds.on_nothing();
        credit_of(LOST);
        assert_eq!(attempts(&odds), 1_023);
    }

    #[test]
    fn what_goes_well_for_long_is_forgiven_step_by_step() {
        let odds = Odds::new();
        let _ = attempts(&odds);
        for _ in 0..3 {
            miss_nothing(&odds);
            let _ = attempts(&odds);
        }
        for _ in 0..128 * u32::from(TAKEN_IN_A_ROW) {
            let _ = attempts(&odds);
        }
        miss_nothing(&odds);
        assert_eq!(attempts(&odds), 128, "half, and twice that");
    }

    #[test]
    fn a_message_that_comes_before_the_attempt_had_not_to_wait() {
        let odds = Odds::new();
        let _ = attempts(&odds);
        odds.on_miss();
        odds.on_event();
        for _ in 1..TAKEN_IN_A_ROW {
            assert!(message(&odds));
        }
        for _ in 0..100 {
            assert!(!message(&odds), "nothing has told yet");
            odds.on_event();
        }
        assert!(!message(&odds));
        odds.on_nothing();
        assert!(message(&odds));
    }

    #[test]
    fn a_stream_that_nobody_answers_says_nothing_about_others() {
        let stream = Odds::new();
        for _ in 0..100 {
            for _ in 0..FIRST {
                stream.on_full_read();
                stream.on_nothing();
            }
            stream.on_full_read();
            stream.on_more();
        }
        assert!(has_credit());
    }

    #[test]
    fn a_message_that_had_to_wait_counts_for_all_sources_of_the_thread() {
        let unlucky = Odds::new();
        let _ = attempts(&unlucky);
        unlucky.on_miss();
        unlucky.on_more();
        // A thousand of another's have nothing behind them, beyond those that it wants to see anyway.
        let other = Odds::new();
        let seen = attempts(&other);
        assert_eq!(seen, u32::from(FIRST) + LOST as u32);
        assert_eq!(attempts(&other), 0);
    }

    #[test]
    fn where_one_message_in_a_hundred_has_another_behind_it_few_have_to_wait() {
        let mut waited = 0;
        for _source in 0..1_000 {
            let odds = Odds::new();
            for number in 1..=200 {
                let has_more = number % 100 == 0;
                match (message(&odds), has_more) {
                    (true, true) => {
                        waited += 1;
                        odds.on_miss();
                        odds.on_more();
                    }
                    (true, false) => {}
                    (false, true) => odds.on_more(),
                    (false, false) => odds.on_nothing(),
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
            assert!(!message(&odds));
            assert!(!message(&odds));
            odds.on_nothing();
        }
        // A buffer full, and the rest.
        for _ in 0..1_000 {
            assert!(!message(&odds));
            odds.on_more();
            odds.on_nothing();
        }
    }
}
