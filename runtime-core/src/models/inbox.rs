//! Putting an event into a worker's inbox against that worker's going to sleep, and against a thief: invariants J1 and J2.

use super::check;
use crate::park::idle::{Bed, Idle};
use crate::park::{Parker, Retracted, Unpark};
use crate::reactor::inbox::Inbox;
use loom::thread;
use std::sync::Arc;

/// What is broken on purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// Whoever puts an event in does not notify.
    NotNotified,
    /// The worker does not look into its inbox after its announcement.
    NoSecondLook,
}

/// A worker's inbox and bed.
struct Scene {
    idle: Idle,
    bed: Parker,
    inbox: Inbox,
}

impl Scene {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            idle: Idle::new(),
            bed: Parker::new(),
            inbox: Inbox::new(),
        })
    }

    /// As the end of `Worker::dispatch`.
    fn deliver(&self, key: usize, fault: Fault) {
        self.inbox.put(&mut vec![Inbox::event(key)]);
        if fault != Fault::NotNotified
            && let Some(worker) = self.idle.choose()
        {
            assert_eq!(worker, 0);
            assert_eq!(self.bed.unpark(), Unpark::Done);
        }
    }

    /// As the worker's loop: asleep until its inbox has something; gives what it took.
    fn await_event(&self, fault: Fault) -> usize {
        loop {
            let mut taken = Vec::new();
            if !self.inbox.is_empty() {
                self.inbox.take_all(&mut taken);
            }
            if !taken.is_empty() {
                return taken.len();
            }
            self.idle.announce(0, Bed::Condvar, false);
            if fault != Fault::NoSecondLook && !self.inbox.is_empty() {
                self.idle.retract_to_search(0);
                self.idle.end_search();
                continue;
            }
            self.bed.park(None);
            if self.idle.retract(0) == Retracted::Searching {
                self.idle.end_search();
            }
        }
    }
}

fn an_event_beside_a_worker_that_goes_to_sleep(fault: Fault) {
    check(move || {
        let scene = Scene::new();
        let worker = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.await_event(fault))
        };
        scene.deliver(1, fault);
        assert_eq!(worker.join().expect("no panic"), 1);
    });
}

#[test]
fn an_event_put_beside_a_worker_that_goes_to_sleep_is_handled() {
    an_event_beside_a_worker_that_goes_to_sleep(Fault::Nothing);
}

#[test]
#[should_panic(expected = "deadlock")]
fn canary_an_event_without_a_notification_is_slept_through() {
    an_event_beside_a_worker_that_goes_to_sleep(Fault::NotNotified);
}

#[test]
#[should_panic(expected = "deadlock")]
fn canary_a_worker_that_does_not_look_again_sleeps_through_an_event() {
    an_event_beside_a_worker_that_goes_to_sleep(Fault::NoSecondLook);
}

#[test]
fn an_event_is_taken_once_by_its_owner_or_a_thief_and_the_flag_tells_of_the_rest() {
    check(|| {
        let scene = Scene::new();
        scene.deliver(1, Fault::Nothing);
        scene.deliver(2, Fault::Nothing);
        let thief = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || {
                let mut stolen = Vec::new();
                scene.inbox.take_half(&mut stolen);
                stolen.len()
            })
        };
        let mut taken = Vec::new();
        scene.inbox.take_all(&mut taken);
        let total = taken.len() + thief.join().expect("no panic");
        assert_eq!(total, 2);
        assert!(scene.inbox.is_empty());
    });
}
