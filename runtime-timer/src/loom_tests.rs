//! The races of the timers, modelled by loom. One race a test, and a canary that loom must catch.
//!
//! `RUSTFLAGS="--cfg gristmill_loom" cargo test --release -p runtime-timer --lib loom_tests`

use std::task::{Context, Poll, Waker};

use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use loom::thread;

use crate::sync::Arc;
use crate::wheel::Fired;
use crate::{Batch, Clock, Host, Timers};

/// A host with one sleeper, which announces that it sleeps by a flag.
struct Sleeper {
    /// The sleeper is about to sleep without a deadline.
    announced: AtomicBool,
    /// Somebody has unparked it.
    unparked: AtomicBool,
}

impl Sleeper {
    fn new() -> Self {
        Self {
            announced: AtomicBool::new(false),
            unparked: AtomicBool::new(false),
        }
    }
}

impl Host for Sleeper {
    fn sooner(&self, _shard: usize, _deadline_ns: u64) {
        if self.announced.load(Ordering::Relaxed) {
            self.unparked.store(true, Ordering::Relaxed);
        }
    }

    fn poll_proceed(&self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn clock_moved(&self) {}
}

fn timers(host: &Arc<Sleeper>) -> Arc<Timers> {
    Arc::new(Timers::new(
        1,
        Clock::new(),
        Arc::clone(host) as Arc<dyn Host>,
    ))
}

fn noop() -> Waker {
    Waker::noop().clone()
}

/// Runs a starter against a sleeper; `falls_asleep` says whether the sleeper saw no deadline.
fn start_against(falls_asleep: fn(&Sleeper, &Timers) -> bool) {
    loom::model(move || {
        let host = Arc::new(Sleeper::new());
        let timers = timers(&host);
        let starter = thread::spawn({
            let timers = Arc::clone(&timers);
            move || timers.start(0, 10, noop())
        });

        let asleep = falls_asleep(&host, &timers);

        starter.join().unwrap();
        let unparked = host.unparked.load(Ordering::Relaxed);
        assert!(!asleep || unparked, "the sleeper sleeps past a timer");
    });
}

#[test]
fn a_sleeper_sees_a_new_timer_or_its_starter_sees_the_sleeper() {
    start_against(|host, timers| {
        host.announced.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        timers.next_deadline(0).is_none()
    });
}

#[test]
#[should_panic(expected = "the sleeper sleeps past a timer")]
fn canary_a_sleeper_that_looks_before_it_announces_is_caught() {
    start_against(|host, timers| {
        let asleep = timers.next_deadline(0).is_none();
        host.announced.store(true, Ordering::Relaxed);
        asleep
    });
}

#[test]
fn a_timer_is_either_fired_or_cancelled() {
    loom::model(|| {
        let timers = timers(&Arc::new(Sleeper::new()));
        let key = timers.start(0, 10, noop());
        let fired = Arc::new(AtomicUsize::new(0));
        let firing = thread::spawn({
            let (timers, fired) = (Arc::clone(&timers), Arc::clone(&fired));
            move || {
                let batch = timers.fire_due(0, 10, 8, &mut Vec::new());
                fired.store(batch.fired, Ordering::Relaxed);
            }
        });

        let cancelled = timers.cancel(0, key).is_some();

        firing.join().unwrap();
        assert_eq!(fired.load(Ordering::Relaxed) + usize::from(cancelled), 1);
        assert_eq!(timers.len(), 0);
    });
}

#[test]
fn a_timer_started_while_others_fire_is_published() {
    loom::model(|| {
        let timers = timers(&Arc::new(Sleeper::new()));
        timers.start(0, 10, noop());
        let firing = thread::spawn({
            let timers = Arc::clone(&timers);
            move || timers.fire_due(0, 10, 8, &mut Vec::new())
        });

        timers.start(0, 20, noop());

        assert_eq!(
            firing.join().unwrap(),
            Batch {
                fired: 1,
                rest: Fired::Done
            }
        );
        assert_eq!(timers.next_deadline(0), Some(20));
    });
}

#[test]
fn a_poll_that_races_with_firing_is_ready_or_its_waker_is_woken() {
    loom::model(|| {
        let timers = timers(&Arc::new(Sleeper::new()));
        let key = timers.start(0, 10, noop());
        let task = crate::testing::counting_waker();
        let firing = thread::spawn({
            let timers = Arc::clone(&timers);
            move || timers.fire_due(0, 10, 8, &mut Vec::new())
        });

        let polled = timers.poll_fired(0, key, &task.waker());

        assert_eq!(firing.join().unwrap().fired, 1);
        assert!(polled.is_ready() || task.wakes() == 1);
    });
}
