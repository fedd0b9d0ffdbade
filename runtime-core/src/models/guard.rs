//! The reactor thread going to sleep for good against a worker that wakes: edge V.

use super::check;
use crate::park::Unpark;
use crate::park::idle::{Bed, Idle};
use crate::reactor::thread::Guard;
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
                assert_eq!(guard.on_worker_awake(), Unpark::Done);
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
                let _ = guard.on_worker_awake();
            })
        };
        let all_asleep = idle.counts().parked() == 1;
        guard.park_for_good(|| all_asleep);
        worker.join().expect("no panic");
    });
}
