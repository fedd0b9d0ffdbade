//! A worker that goes to sleep beside the poller lends its timers to the worker that sleeps in it.
//!
//! Two sleepers who each wake for timers of their own wake twice as often as one would. And what the one wakes for, a message say,
//! wakes the other, who waits for its answer in the poller. So the sleeper in the poller minds the timers of the others as well, and they sleep on.
//!
//! ```text
//!   beside the poller:  1. lend              in the poller:  1. announce until when
//!                       2. look there                        2. look at what is lent; sleep
//!                       3. it wakes in time: sleep longer    3. awake: retract, fire what is due
//!                          else: not                         4. from 1.
//! ```
//!
//! Nobody is woken for it. If the sleeper in the poller wakes later than the first timer that is lent, the lender sleeps until that timer as ever;
//! should the other look again before, both wake for it. If it wakes in time it sees at its next look what is lent (edge ZL), but may by then have
//! something else to do: so the lender does not rely on it for ever, but wakes [`PATIENCE_NS`] after its own time. And whoever has something else to do
//! lets what is lent alone. So that is the most that a timer can be late for being lent.
//!
//! A worker whose timers come in [bunches](super::sleep) that make its rest the longest lends none: it wakes seldom for what it does, and
//! has it in its processor's cache.
//!
//! # Invariants
//!
//! * ZL1 — A lender sleeps past its own deadline only if that is to come, and only after it has seen a wait in the poller that is to end before, or
//!   within the longest [rest](super::sleep) after if it has run nothing since it last did so; and then by no more than [`PATIENCE_NS`].
//! * ZL2 — No timer is started in a shard that is lent: its worker sleeps, and takes the shard back before it runs a task. A waker that
//!   starts one before has a worker that is awake, and looks before it sleeps.
//!
//! # Edges
//!
//! * ZL — what is lent against [`Lease::waits_until`](crate::reactor::lease::Lease::waits_until): who lends does so, SeqCst, before it looks
//!   at the wait; who waits announces the next wait, SeqCst, before it looks at what is lent. So a lender that saw the wait before is seen.

use super::worker::Worker;
use crate::sync::atomic::{AtomicU64, Ordering, fence};

/// How much later than its own time a lender wakes.
const PATIENCE_NS: u64 = 500_000;

/// Lanes in a word.
const WORD: usize = u64::BITS as usize;

/// Whose timers are lent, a bit for each worker.
#[derive(Debug)]
pub(crate) struct Lent(Box<[AtomicU64]>);

impl Lent {
    pub(crate) fn new(workers: usize) -> Self {
        let words = workers.div_ceil(WORD);
        Self((0..words).map(|_| AtomicU64::new(0)).collect())
    }

    pub(crate) fn lend(&self, worker: usize) {
        // ORDERING: Release, so that who sees it sees the deadlines too. SeqCst by the fence, edge ZL, the lender's end: the look at the wait
        // comes after.
        self.0[worker / WORD].fetch_or(1 << (worker % WORD), Ordering::Release);
        fence(Ordering::SeqCst);
    }

    fn take_back(&self, worker: usize) {
        let (word, bit) = (&self.0[worker / WORD], 1 << (worker % WORD));
        // ORDERING: Relaxed; only its worker changes the bit. Who still sees it lent fires for this worker what is due.
        if word.load(Ordering::Relaxed) & bit != 0 {
            word.fetch_and(!bit, Ordering::Relaxed);
        }
    }

    /// Whose they are. Their numbers are those of their shards.
    #[inline]
    pub(crate) fn lanes(&self) -> impl Iterator<Item = usize> {
        // ORDERING: Acquire, with `lend`. Edge ZL, the waiting end: the fence is in the announcement of the wait.
        let words = self.0.iter().map(|word| word.load(Ordering::Acquire));
        words.enumerate().flat_map(|(word, bits)| {
            let next = |bits: &u64| Some(bits & (bits - 1)).filter(|&left| left != 0);
            let left = std::iter::successors(Some(bits).filter(|&bits| bits != 0), next);
            left.map(move |bits| word * WORD + bits.trailing_zeros() as usize)
        })
    }
}

/// What a lender asks of whoever waits in the poller.
struct Loan {
    now: u64,
    /// When the lender would wake by itself.
    deadline: u64,
    /// How long whoever minds it may rest.
    rest: u64,
    /// The lender has run nothing since it last slept on while somebody minded its timers. So that one knows of the loan, unless it looked
    /// while the lender was awake.
    is_known: bool,
}

impl Loan {
    /// Until when the lender may sleep beside a wait until `wait`, if that is in time.
    fn minded_until(&self, wait: Option<u64>) -> Option<u64> {
        // Who knows what is lent, and is to wake later, rests.
        let rest = if self.is_known { self.rest } else { 0 };
        let in_time = self.deadline.saturating_add(rest);
        // Whoever was to wake by now is awake, or does not get a processor.
        let is_in_time = wait.is_some_and(|wait| self.now < wait && wait <= in_time);
        let until = self.deadline.saturating_add(PATIENCE_NS);
        (is_in_time && self.now < self.deadline).then_some(until)
    }
}

impl Worker {
    /// Lends the timers, `now` before a sleep beside the poller that would last until `deadline`; gives until when it may last. `rest` is
    /// how long whoever minds them may rest before it wakes for the next.
    pub(super) fn lend_timers(&self, now: u64, deadline: u64, rest: u64) -> u64 {
        let engine = self.engine();
        if self.index() >= engine.workers || engine.timers.next_deadline(self.index()).is_none() {
            return deadline;
        }
        engine.lent.lend(self.index());
        let before = self.relied_at.replace(None);
        // Only a worker minds them without waking another thread for what they wake.
        if !engine.idle.poller_is_taken() {
            return deadline;
        }
        let polls = self.polls();
        let loan = Loan {
            now,
            deadline,
            rest,
            is_known: before == Some(polls),
        };
        match loan.minded_until(engine.reactor.lease.waits_until()) {
            Some(until) => {
                self.relied_at.set(Some(polls));
                until
            }
            None => deadline,
        }
    }

    /// Awake again, if it slept at all.
    pub(super) fn take_timers_back(&self) {
        if self.index() < self.engine().workers {
            self.engine().lent.take_back(self.index());
        }
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_lent_until_they_are_taken_back() {
        let lent = Lent::new(130);
        assert_eq!(lent.lanes().next(), None);
        for lane in [0, 5, 63, 64, 129, 5] {
            lent.lend(lane);
        }
        assert_eq!(lent.lanes().collect::<Vec<_>>(), [0, 5, 63, 64, 129]);
        lent.take_back(5);
        lent.take_back(64);
        lent.take_back(64);
        assert_eq!(lent.lanes().collect::<Vec<_>>(), [0, 63, 129]);
    }

    #[test]
    fn a_lender_sleeps_on_only_if_somebody_wakes_in_time() {
        let loan = |is_known| Loan {
            now: 900,
            deadline: 1_000,
            rest: 200,
            is_known,
        };
        let longer = Some(1_000 + PATIENCE_NS);
        assert_eq!(loan(false).minded_until(None), None);
        assert_eq!(loan(false).minded_until(Some(1_000)), longer);
        assert_eq!(loan(false).minded_until(Some(1_001)), None);
        assert_eq!(loan(true).minded_until(Some(1_200)), longer);
        assert_eq!(loan(true).minded_until(Some(1_201)), None);
        assert_eq!(loan(true).minded_until(None), None);
    }

    #[test]
    fn a_lender_relies_on_nobody_whose_time_has_come_nor_for_what_is_due() {
        let loan = |now| Loan {
            now,
            deadline: 1_000,
            rest: 200,
            is_known: true,
        };
        assert!(loan(949).minded_until(Some(950)).is_some());
        assert_eq!(loan(950).minded_until(Some(950)), None);
        assert!(loan(999).minded_until(Some(1_100)).is_some());
        assert_eq!(loan(1_000).minded_until(Some(1_100)), None);
    }
}
