//! The reactor thread going to sleep for good against a worker that wakes, without an alarm and with one: edge V.

use super::check;
use crate::park::Unpark;
use crate::park::idle::{Bed, Idle};
use crate::reactor::thread::Guard;
use loom::sync::atomic::{AtomicBool, Ordering, fence};
use loom::thread;
use std::sync::Arc;

#[test]
fn a_worker_that_wakes_finds_the_reactor_thread_awake_or_wakes_it() {
    check(|| {
        let guard = Arc::new(Guard::new());
        let idle = Arc::new(Idle::new());
        idle.announce(0, Bed::Poller, false);
        let worker = {
            let (guard, idle) = (guard.clone(), idle.clone());
            thread::spawn(move || {
                let _ = idle.retract(0);
                assert_eq!(guard.on_worker_awake(|| true), Unpark::Done);
            })
        };
        // A sleep from which nobody wakes it is a deadlock, which the checker reports.
        guard.park_for_good(|| idle.counts().parked() == 1);
        worker.join().expect("no panic");
    });
}

#[test]
fn a_stop_ends_the_sleep() {
    check(|| {
        let guard = Arc::new(Guard::new());
        let stopping = {
            let guard = guard.clone();
            thread::spawn(move || assert_eq!(guard.stop(), Unpark::Done))
        };
        guard.park_for_good(|| true);
        stopping.join().expect("no panic");
    });
}

/// The canary: a census taken before the announcement.
#[test]
#[should_panic(expected = "deadlock")]
fn canary_a_census_before_the_announcement_is_out_of_date() {
    check(|| {
        let guard = Arc::new(Guard::new());
        let idle = Arc::new(Idle::new());
        idle.announce(0, Bed::Poller, false);
        let worker = {
            let (guard, idle) = (guard.clone(), idle.clone());
            thread::spawn(move || {
                let _ = idle.retract(0);
                let _ = guard.on_worker_awake(|| true);
            })
        };
        let all_asleep = idle.counts().parked() == 1;
        guard.park_for_good(|| all_asleep);
        worker.join().expect("no panic");
    });
}

/// When the thread takes the census.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Census {
    Disarmed,
    BeforeThat,
}

/// An alarm rings, which was set by a worker that is asleep again, while another worker wakes. The alarm itself is a flag here: whether
/// it will ring once more.
fn an_alarm_beside_a_worker_that_wakes(when: Census) {
    check(move || {
        let guard = Arc::new(Guard::new());
        let idle = Arc::new(Idle::new());
        let will_ring = Arc::new(AtomicBool::new(false));
        idle.announce(0, Bed::Poller, false);
        guard.announce();
        assert!(guard.is_to_arm(|| false), "nobody has set it");
        let worker = {
            let (guard, idle, will_ring) = (guard.clone(), idle.clone(), will_ring.clone());
            thread::spawn(move || {
                let _ = idle.retract(0);
                // As `on_worker_awake`.
                fence(Ordering::SeqCst);
                if guard.is_to_arm(|| false) {
                    will_ring.store(true, Ordering::SeqCst);
                }
            })
        };
        // It has rung.
        let all_asleep = || idle.counts().parked() == 1;
        let before = when == Census::BeforeThat && all_asleep();
        guard.disarm();
        let sleeps_on = before || (when == Census::Disarmed && all_asleep());
        worker.join().expect("no panic");
        assert!(
            !sleeps_on || will_ring.load(Ordering::SeqCst),
            "nobody watches"
        );
    });
}

#[test]
fn a_worker_that_wakes_beside_an_alarm_is_seen_or_sets_it_again() {
    an_alarm_beside_a_worker_that_wakes(Census::Disarmed);
}

#[test]
#[should_panic(expected = "nobody watches")]
fn canary_a_census_before_the_alarm_is_disarmed_is_out_of_date() {
    an_alarm_beside_a_worker_that_wakes(Census::BeforeThat);
}
