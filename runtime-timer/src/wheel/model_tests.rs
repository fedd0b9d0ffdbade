//! The wheel against a model: a `BTreeMap` of deadlines that does everything the slow way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};

use parking_lot::Mutex;
use proptest::prelude::*;

use super::{Fired, Key, Refreshed, TICK_NS, Wheel};

/// A waker that knows its number and notes it down when woken.
struct Numbered {
    number: usize,
    log: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Numbered {
    fn wake(self: Arc<Self>) {
        self.log.lock().push(self.number);
    }
}

/// One step of a test; times are relative to the time that was reached.
#[derive(Clone, Debug)]
enum Step {
    Insert { delay: u64 },
    InsertLate { by: u64 },
    Cancel { pick: prop::sample::Index },
    Refresh { pick: prop::sample::Index },
    Replace { pick: prop::sample::Index },
    Fire { after: u64, limit: usize },
    FireNext { limit: usize },
    Recount,
}

/// Spans of time from nanoseconds to centuries.
fn span() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..100_u64,
        0..4 * TICK_NS,
        0..2_000_000_u64,
        0..10_000_000_000_u64,
        0..1_u64 << 45,
        0..1_u64 << 58,
        any::<u64>(),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let pick = any::<prop::sample::Index>;
    prop_oneof![
        8 => span().prop_map(|delay| Step::Insert { delay }),
        1 => span().prop_map(|by| Step::InsertLate { by }),
        3 => pick().prop_map(|pick| Step::Cancel { pick }),
        1 => pick().prop_map(|pick| Step::Refresh { pick }),
        1 => pick().prop_map(|pick| Step::Replace { pick }),
        2 => (span(), 0..5_usize).prop_map(|(after, limit)| Step::Fire { after, limit }),
        3 => (0..5_usize).prop_map(|limit| Step::FireNext { limit }),
        1 => Just(Step::Recount),
    ]
}

/// The wheel, and beside it everything that is known about it.
#[derive(Default)]
struct Bench {
    wheel: Wheel,
    now: u64,
    /// Every key that was ever given out, by number.
    keys: Vec<Key>,
    /// What waits: number to deadline.
    waiting: BTreeMap<usize, u64>,
    log: Arc<Mutex<Vec<usize>>>,
    /// Every waker that was ever made.
    made: Vec<Weak<Numbered>>,
}

impl Bench {
    fn waker(&mut self, number: usize) -> Waker {
        let waker = Arc::new(Numbered {
            number,
            log: Arc::clone(&self.log),
        });
        self.made.push(Arc::downgrade(&waker));
        Waker::from(waker)
    }

    fn insert(&mut self, deadline: u64) {
        let number = self.keys.len();
        let waker = self.waker(number);
        self.keys.push(self.wheel.insert(deadline, waker));
        self.waiting.insert(number, deadline);
    }

    fn earliest(&self) -> Option<u64> {
        self.waiting.values().min().copied()
    }

    fn fire(&mut self, limit: usize) {
        let mut due = Vec::new();
        let outcome = self.wheel.fire(self.now, limit, &mut due);
        assert!(due.len() <= limit);
        due.drain(..).for_each(Waker::wake);
        for number in self.log.lock().drain(..) {
            let deadline = self
                .waiting
                .remove(&number)
                .expect("fired twice or after a cancel");
            assert!(
                deadline <= self.now,
                "fired {} ns early",
                deadline.saturating_sub(self.now)
            );
        }
        let left = self.earliest().is_some_and(|earliest| earliest <= self.now);
        assert!(
            outcome == Fired::More || !left,
            "something due was left behind"
        );
        assert!(outcome == Fired::Done || left || limit < self.keys.len());
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Insert { delay } => self.insert(self.now.saturating_add(delay)),
            Step::InsertLate { by } => self.insert(self.now.saturating_sub(by)),
            Step::Fire { after, limit } => {
                self.now = self.now.saturating_add(after);
                self.fire(limit);
            }
            Step::FireNext { limit } => {
                self.now = self.now.max(self.wheel.next_deadline().unwrap_or(0));
                self.fire(limit);
            }
            Step::Recount => assert_eq!(self.wheel.exact_next_deadline(), self.earliest()),
            Step::Cancel { ref pick } => self.pick(pick, |bench, number| {
                let waker = bench.wheel.cancel(bench.keys[number]);
                assert_eq!(waker.is_some(), bench.waiting.remove(&number).is_some());
            }),
            Step::Refresh { ref pick } => self.pick(pick, |bench, number| {
                let found = bench.wheel.refresh(bench.keys[number], Waker::noop());
                let waits = bench.waiting.contains_key(&number);
                assert_eq!(
                    found,
                    if waits {
                        Refreshed::Stale
                    } else {
                        Refreshed::Fired
                    }
                );
            }),
            Step::Replace { ref pick } => self.pick(pick, |bench, number| {
                let waker = bench.waker(number);
                let replaced = bench.wheel.replace(bench.keys[number], waker.clone());
                let waits = bench.waiting.contains_key(&number);
                assert_eq!(replaced.is_ok(), waits);
                if waits {
                    let found = bench.wheel.refresh(bench.keys[number], &waker);
                    assert_eq!(found, Refreshed::Waiting);
                }
            }),
        }
    }

    fn pick(&mut self, pick: &prop::sample::Index, act: impl FnOnce(&mut Self, usize)) {
        if !self.keys.is_empty() {
            act(self, pick.index(self.keys.len()));
        }
    }

    /// What holds after every step.
    fn check(&self) {
        assert_eq!(self.wheel.len(), self.waiting.len());
        assert_eq!(self.wheel.is_empty(), self.waiting.is_empty());
        let (published, earliest) = (self.wheel.next_deadline(), self.earliest());
        assert_eq!(published.is_some(), earliest.is_some());
        assert!(published <= earliest, "the next deadline is late");
        assert_eq!(self.alive(), self.waiting.len());
    }

    fn alive(&self) -> usize {
        self.made
            .iter()
            .filter(|waker| waker.strong_count() > 0)
            .count()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_does_what_the_model_does(steps in prop::collection::vec(step(), 1..150)) {
        let mut bench = Bench::default();
        for step in &steps {
            bench.apply(step);
            bench.check();
        }

        let made = std::mem::take(&mut bench.made);
        drop(bench);
        prop_assert!(made.iter().all(|waker| waker.strong_count() == 0), "a waker leaked");
    }

    #[test]
    fn without_cancels_the_next_deadline_is_exact(
        deadlines in prop::collection::vec(span(), 1..60),
        limit in 1..5_usize,
    ) {
        let mut bench = Bench::default();
        for deadline in deadlines {
            bench.insert(deadline);
        }
        while let Some(next) = bench.wheel.next_deadline() {
            prop_assert_eq!(Some(next), bench.earliest());
            bench.now = next;
            // Interrupted, it may still answer with what has fired; so go to the end.
            while bench.earliest().is_some_and(|earliest| earliest <= next) {
                bench.fire(limit);
            }
            bench.fire(usize::MAX);
        }
        prop_assert!(bench.waiting.is_empty());
    }

    #[test]
    fn earlier_ticks_fire_first_however_far_the_jump(
        deadlines in prop::collection::vec(span(), 1..60),
        now in span(),
        limit in 1..5_usize,
    ) {
        let mut wheel = Wheel::new();
        let log = Arc::new(Mutex::new(Vec::new()));
        for (number, &deadline) in deadlines.iter().enumerate() {
            let log = Arc::clone(&log);
            wheel.insert(deadline, Waker::from(Arc::new(Numbered { number, log })));
        }

        let mut due = Vec::new();
        while wheel.fire(now, limit, &mut due) == Fired::More {}
        due.drain(..).for_each(Waker::wake);

        let ticks: Vec<u64> = log.lock().iter().map(|&n| deadlines[n] / TICK_NS).collect();
        prop_assert!(ticks.is_sorted());
        let expected = deadlines.iter().filter(|&&deadline| deadline <= now).count();
        prop_assert_eq!(ticks.len(), expected);
    }
}

/// A waker that notes that it was dropped.
struct Dropped(Arc<AtomicBool>);

impl Wake for Dropped {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

#[test]
fn a_cancelled_waker_is_dropped_by_the_caller_and_not_before() {
    let mut wheel = Wheel::new();
    let dropped = Arc::new(AtomicBool::new(false));
    let key = wheel.insert(9, Waker::from(Arc::new(Dropped(Arc::clone(&dropped)))));

    let waker = wheel.cancel(key);

    assert!(!dropped.load(SeqCst));
    drop(waker);
    assert!(dropped.load(SeqCst));
}
