//! Posting work against going to sleep: edges P1 and P2.

use super::{check, check_bounded};
use crate::park::idle::{Bed, Idle};
use crate::park::{Parker, Retracted, Unpark};
use crate::reactor::lease::Lease;
use loom::sync::atomic::{AtomicUsize, Ordering, fence};
use loom::thread;
use std::sync::Arc;

/// What is broken on purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// The worker does not look after its announcement.
    NoSecondLook,
    /// A searcher that finds work in that look goes on without the duty to wake the next.
    ForgetsDuty,
    /// Who leaves work to a sleeper because it will wake soon does not make it a brief one.
    DoesNotSay,
}

/// Two workers' beds, their list, and a queue that is only a count.
struct Scene {
    idle: Idle,
    beds: [Parker; 2],
    queue: AtomicUsize,
}

impl Scene {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            idle: Idle::new(),
            beds: [Parker::new(), Parker::new()],
            queue: AtomicUsize::new(0),
        })
    }

    /// As `Engine::inject`; the queue itself orders nothing, only the fences do.
    fn post(&self) {
        self.queue.fetch_add(1, Ordering::Relaxed);
        self.notify();
    }

    /// As `Engine::inject` of what is in no hurry.
    fn post_unhurried(&self, fault: Fault) {
        self.queue.fetch_add(1, Ordering::Relaxed);
        if fault == Fault::DoesNotSay && self.idle.poller_is_taken() {
            return;
        }
        if let Some(worker) = self.idle.choose_unhurried(|| true) {
            assert_eq!(self.beds[worker].unpark(), Unpark::Done);
        }
    }

    /// As a sleep in the poller that an event ends; the worker is then busy with that event for good.
    fn sleep_in_poller(&self, worker: usize, bed: Bed, fault: Fault) {
        self.idle.announce(worker, bed, false);
        if self.queue.load(Ordering::Relaxed) > 0 {
            self.idle.retract_to_search(worker);
        } else if self.idle.retract(worker) == Retracted::Withdrawn {
            assert_eq!(bed, Bed::Poller, "a brief sleeper searches");
            return;
        }
        if fault == Fault::ForgetsDuty {
            self.idle.end_search();
        } else {
            self.found();
        }
    }

    fn notify(&self) {
        if let Some(worker) = self.idle.choose() {
            assert_eq!(self.beds[worker].unpark(), Unpark::Done);
        }
    }

    /// As `Searching::found`.
    fn found(&self) {
        if self.idle.end_search() {
            fence(Ordering::SeqCst);
            if self.queue.load(Ordering::Relaxed) > 0 {
                self.notify();
            }
        }
    }

    fn take(&self) -> bool {
        self.queue
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
            .is_ok()
    }

    /// As the worker's loop: takes one piece of work, asleep until there is one.
    fn work_once(&self, worker: usize, fault: Fault) {
        let mut searching = false;
        loop {
            if self.take() {
                if searching {
                    self.found();
                }
                return;
            }
            searching = searching || self.idle.begin_search(1);
            if self.take() {
                if searching {
                    self.found();
                }
                return;
            }
            self.idle.announce(worker, Bed::Condvar, searching);
            let found = fault != Fault::NoSecondLook && self.queue.load(Ordering::Relaxed) > 0;
            if found && fault != Fault::ForgetsDuty {
                self.idle.retract_to_search(worker);
                searching = true;
            } else if found {
                searching = self.idle.retract(worker) == Retracted::Searching;
            } else {
                self.beds[worker].park(None);
                searching = self.idle.retract(worker) == Retracted::Searching;
            }
        }
    }
}

#[test]
fn work_posted_beside_a_worker_that_goes_to_sleep_is_done() {
    check(|| {
        let scene = Scene::new();
        let worker = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.work_once(0, Fault::Nothing))
        };
        scene.post();
        worker.join().expect("no panic");
    });
}

fn two_pieces_for_two_workers(fault: Fault) {
    check_bounded(2, move || {
        let scene = Scene::new();
        let workers: Vec<_> = (0..2)
            .map(|worker| {
                let scene = Arc::clone(&scene);
                thread::spawn(move || scene.work_once(worker, fault))
            })
            .collect();
        scene.post();
        scene.post();
        for worker in workers {
            worker.join().expect("no panic");
        }
    });
}

#[test]
fn two_pieces_of_work_reach_two_workers() {
    two_pieces_for_two_workers(Fault::Nothing);
}

/// The canary: both posters saw a searcher, and it woke nobody for the second piece.
#[test]
#[should_panic(expected = "deadlock")]
fn canary_a_searcher_that_forgets_its_duty_leaves_work_behind() {
    two_pieces_for_two_workers(Fault::ForgetsDuty);
}

/// One worker sleeps in the poller and is then kept by an event; the other is to do what came meanwhile.
fn unhurried_post_beside_a_sleeper(bed: Bed, fault: Fault) {
    check_bounded(2, move || {
        let scene = Scene::new();
        let brief = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.sleep_in_poller(0, bed, fault))
        };
        let other = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.work_once(1, Fault::Nothing))
        };
        scene.post_unhurried(fault);
        brief.join().expect("no panic");
        other.join().expect("no panic");
    });
}

#[test]
fn what_was_left_to_a_brief_sleeper_is_done_although_an_event_keeps_it() {
    unhurried_post_beside_a_sleeper(Bed::PollerBriefly, Fault::Nothing);
}

/// The canary: a brief sleeper that wakes and does not pass on what was left to it.
#[test]
#[should_panic(expected = "deadlock")]
fn canary_a_brief_sleeper_that_forgets_its_duty_leaves_work_behind() {
    unhurried_post_beside_a_sleeper(Bed::PollerBriefly, Fault::ForgetsDuty);
}

#[test]
fn what_was_left_to_a_sleeper_that_wakes_soon_is_done_although_an_event_keeps_it() {
    unhurried_post_beside_a_sleeper(Bed::Poller, Fault::Nothing);
}

/// The canary: who relies on a sleeper does not make it a brief one, so it knows of no duty.
#[test]
#[should_panic(expected = "deadlock")]
fn canary_a_sleeper_that_is_not_told_that_it_is_relied_on_leaves_work_behind() {
    unhurried_post_beside_a_sleeper(Bed::Poller, Fault::DoesNotSay);
}

/// The canary: without the look after the announcement the work is slept over.
#[test]
#[should_panic(expected = "deadlock")]
fn canary_a_worker_that_does_not_look_again_sleeps_over_work() {
    check(|| {
        let scene = Scene::new();
        let worker = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.work_once(0, Fault::NoSecondLook))
        };
        scene.post();
        worker.join().expect("no panic");
    });
}

/// Two workers that both want the place in the poller; each looks, finds work, and gives the place back.
fn two_workers_for_one_poller(retract_first: bool) {
    check(move || {
        let idle = Arc::new(Idle::new());
        let lease = Arc::new(Lease::new());
        let visit = move |idle: &Idle, lease: &Lease, worker: usize| {
            let Some(held) = lease.try_take() else { return };
            idle.announce(worker, Bed::Poller, false);
            if retract_first {
                idle.retract_to_search(worker);
                drop(held);
            } else {
                drop(held);
                idle.retract_to_search(worker);
            }
            assert!(idle.counts().searching() > 0, "not counted");
            idle.end_search();
        };
        let other = {
            let (idle, lease) = (Arc::clone(&idle), Arc::clone(&lease));
            thread::spawn(move || visit(&idle, &lease, 1))
        };
        visit(&idle, &lease, 0);
        other.join().expect("no panic");
        assert_eq!(
            (idle.counts().searching(), idle.counts().parked()),
            (0, 0),
            "miscounted"
        );
    });
}

#[test]
fn workers_that_follow_each_other_into_the_poller_are_counted_right() {
    two_workers_for_one_poller(true);
}

/// The canary: the lease given back before the place on the list.
#[test]
#[should_panic(expected = "counted")]
fn canary_a_lease_given_back_too_early_miscounts() {
    two_workers_for_one_poller(false);
}

/// Several posters, in a hurry and not, beside one sleeper in the poller: what it is relied on for it is told of, and it is counted right.
fn posters_beside_a_sleeper(hurried: bool) {
    check_bounded(2, move || {
        let scene = Scene::new();
        let other = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || {
                if hurried {
                    scene.post();
                } else {
                    scene.post_unhurried(Fault::Nothing);
                }
            })
        };
        let sleeper = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.sleep_in_poller(0, Bed::Poller, Fault::Nothing))
        };
        scene.post_unhurried(Fault::Nothing);
        other.join().expect("no panic");
        sleeper.join().expect("no panic");
        let counts = scene.idle.counts();
        assert_eq!((counts.searching(), counts.parked()), (0, 0), "miscounted");
        assert!(!scene.idle.poller_is_taken() && !counts.has_brief_sleeper());
    });
}

#[test]
fn two_that_leave_work_to_one_sleeper_are_counted_right() {
    posters_beside_a_sleeper(false);
}

#[test]
fn one_in_a_hurry_beside_one_that_is_not_is_counted_right() {
    posters_beside_a_sleeper(true);
}
