//! A worker that sleeps in its branch against whoever notifies it, and whoever looks at the branch in its place.
//!
//! The kernel's part is a cell: an edge that one look takes, and that ends a sleep in the branch.

use crate::park::{Parker, Unpark};
use crate::reactor::branch::Watched;
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::sync::Arc;

const NUMBER: u32 = 1;

/// An edge-triggered notification in the branch.
struct Edge {
    is_there: Mutex<bool>,
    came: Condvar,
}

struct Place {
    parker: Parker,
    watched: Watched,
    edge: Edge,
}

impl Edge {
    fn make(&self) {
        *self.is_there.lock().expect("not poisoned") = true;
        self.came.notify_one();
    }

    fn take(&self) -> bool {
        std::mem::take(&mut *self.is_there.lock().expect("not poisoned"))
    }

    /// A wait without an end.
    fn wait(&self) {
        let mut is_there = self.is_there.lock().expect("not poisoned");
        while !*is_there {
            is_there = self.came.wait(is_there).expect("not poisoned");
        }
        *is_there = false;
    }
}

impl Place {
    fn new() -> Arc<Self> {
        let (is_there, came) = (Mutex::new(false), Condvar::new());
        Arc::new(Self {
            parker: Parker::new(),
            watched: Watched::new(),
            edge: Edge { is_there, came },
        })
    }

    /// As `Worker::sleep` does it where it cannot have the lease.
    fn sleep(&self) {
        if self.watched.enter() {
            if self.parker.enter_poller(NUMBER) {
                self.edge.wait();
                assert!(self.parker.leave_poller(), "nothing else makes an edge");
            }
        } else {
            self.parker.park(None);
        }
        self.watched.leave();
    }

    fn wake(&self) {
        match self.parker.unpark() {
            Unpark::TellPoller(NUMBER) => self.edge.make(),
            other => assert_eq!(other, Unpark::Done),
        }
    }
}

/// A sleeper beside another who looks in its branch as often as it may; the system grafts it, or refuses. A lost notification is a
/// deadlock, which the checker reports.
fn a_sleeper_beside_one_who_looks(can_graft: bool) {
    loom::model(move || {
        let place = Place::new();
        let waker = {
            let place = Arc::clone(&place);
            thread::spawn(move || place.wake())
        };
        let other = {
            let place = Arc::clone(&place);
            thread::spawn(move || {
                let _ = place.watched.graft(|| can_graft);
                place.watched.look(|| place.edge.take());
                place.watched.prune(|| true);
                // What it saw before the pruning is no reason to look any more.
                place.watched.look(|| place.edge.take());
            })
        };
        place.sleep();
        waker.join().expect("no panic");
        other.join().expect("no panic");
    });
}

#[test]
fn a_sleeper_in_its_branch_is_woken_whoever_looks_there() {
    a_sleeper_beside_one_who_looks(true);
}

#[test]
fn a_sleeper_in_a_branch_that_the_system_does_not_graft_is_woken_too() {
    a_sleeper_beside_one_who_looks(false);
}

#[test]
fn a_branch_that_a_sleeper_left_to_others_is_not_pruned() {
    loom::model(|| {
        let watched = Arc::new(Watched::new());
        let reactor_thread = {
            let watched = Arc::clone(&watched);
            thread::spawn(move || {
                let _ = watched.graft(|| true);
                watched.prune(|| true);
            })
        };
        let sleeps_there = watched.enter();
        let others_look = watched.look(|| ()).is_some();
        assert!(sleeps_there != others_look, "one of the two sees to it");
        watched.leave();
        reactor_thread.join().expect("no panic");
    });
}

/// The canary: a look that does not ask whether it may takes the edge that was meant for the sleeper.
#[test]
#[should_panic(expected = "deadlock")]
fn canary_a_look_without_asking_takes_the_notification() {
    loom::model(|| {
        let place = Place::new();
        let waker = {
            let place = Arc::clone(&place);
            thread::spawn(move || place.wake())
        };
        let other = {
            let place = Arc::clone(&place);
            thread::spawn(move || place.edge.take())
        };
        place.sleep();
        waker.join().expect("no panic");
        other.join().expect("no panic");
    });
}
