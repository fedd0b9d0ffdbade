//! The lease on the poller: one holder, and no deadline slept through (edge Z).

use super::check;
use crate::reactor::lease::{FOREVER, Lease};
use crate::reactor::thread::announce_wait;
use crate::scheduler::lending::Lent;
use crate::scheduler::unminded::Unminded;
use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use loom::thread;
use std::sync::Arc;

/// The timers' published next deadline.
struct Timers(AtomicU64);

impl Timers {
    fn next(&self) -> Option<u64> {
        Some(self.0.load(Ordering::SeqCst)).filter(|&next| next != FOREVER)
    }
}

#[test]
fn a_deadline_that_becomes_earlier_is_not_slept_through() {
    check(|| {
        let lease = Arc::new(Lease::new());
        let timers = Arc::new(Timers(AtomicU64::new(FOREVER)));
        let told = Arc::new(AtomicBool::new(false));
        let starter = {
            let (lease, timers, told) = (lease.clone(), timers.clone(), told.clone());
            thread::spawn(move || {
                timers.0.store(5, Ordering::SeqCst);
                if lease.sleeps_past(5) {
                    told.store(true, Ordering::SeqCst);
                }
            })
        };
        let held = lease.try_take().expect("nobody else takes it");
        let until = announce_wait(&held, FOREVER, || timers.next());
        starter.join().expect("no panic");
        // Asleep now, until `until` or until told.
        assert!(until <= 5 || told.load(Ordering::SeqCst), "slept through");
        held.end_wait();
    });
}

#[test]
fn of_a_worker_and_the_reactor_thread_one_holds_the_lease() {
    check(|| {
        let lease = Arc::new(Lease::new());
        let holders = Arc::new(AtomicUsize::new(0));
        let hold = |lease: &Lease, holders: &AtomicUsize| match lease.try_take() {
            Some(held) => {
                assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two holders");
                holders.fetch_sub(1, Ordering::SeqCst);
                drop(held);
                true
            }
            None => false,
        };
        let reactor = {
            let (lease, holders) = (lease.clone(), holders.clone());
            thread::spawn(move || hold(&lease, &holders))
        };
        let worker = hold(&lease, &holders);
        let reactor = reactor.join().expect("no panic");
        assert!(
            worker || reactor,
            "a refused thread knows that somebody holds it"
        );
        assert!(lease.try_take().is_some(), "given back");
    });
}

/// The canary: a deadline computed before the announcement, and no look after it.
#[test]
#[should_panic(expected = "slept through")]
fn canary_a_waiter_that_does_not_look_again_sleeps_through() {
    check(|| {
        let lease = Arc::new(Lease::new());
        let timers = Arc::new(Timers(AtomicU64::new(FOREVER)));
        let told = Arc::new(AtomicBool::new(false));
        let starter = {
            let (lease, timers, told) = (lease.clone(), timers.clone(), told.clone());
            thread::spawn(move || {
                timers.0.store(5, Ordering::SeqCst);
                if lease.sleeps_past(5) {
                    told.store(true, Ordering::SeqCst);
                }
            })
        };
        let held = lease.try_take().expect("nobody else takes it");
        let until = timers.next().unwrap_or(FOREVER);
        held.announce_wait(until);
        starter.join().expect("no panic");
        assert!(until <= 5 || told.load(Ordering::SeqCst), "slept through");
    });
}

/// When a worker that goes looks at the waiter whom it leaves its timers to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Afterwards,
    Before,
}

/// A relief worker goes while somebody is about to wait, and a timer is left in its shard.
fn timers_are_left_beside_a_waiter(look: Look) {
    check(move || {
        let lease = Arc::new(Lease::new());
        let unminded = Arc::new(Unminded::new(1));
        let told = Arc::new(AtomicBool::new(false));
        let leaver = {
            let (lease, unminded, told) = (lease.clone(), unminded.clone(), told.clone());
            thread::spawn(move || {
                let tell = || {
                    if lease.sleeps_past(5) {
                        told.store(true, Ordering::SeqCst);
                    }
                };
                if look == Look::Before {
                    tell();
                }
                unminded.leave(0);
                if look == Look::Afterwards {
                    tell();
                }
            })
        };
        let held = lease.try_take().expect("nobody else takes it");
        let until = announce_wait(&held, FOREVER, || unminded.lanes().next().map(|_| 5));
        leaver.join().expect("no panic");
        assert!(until <= 5 || told.load(Ordering::SeqCst), "slept through");
        held.end_wait();
    });
}

#[test]
fn a_timer_that_a_relief_worker_leaves_behind_is_not_slept_through() {
    timers_are_left_beside_a_waiter(Look::Afterwards);
}

#[test]
#[should_panic(expected = "slept through")]
fn canary_a_worker_that_looks_at_the_waiter_before_it_leaves_is_not_noticed() {
    timers_are_left_beside_a_waiter(Look::Before);
}

/// A worker lends its timers beside one that waits in the poller, and sleeps longer if that wait ends in time. Then whoever waits sees
/// the loan when it looks the next time.
fn timers_are_lent_beside_a_waiter(look: Look) {
    check(move || {
        let lease = Arc::new(Lease::new());
        let lent = Arc::new(Lent::new(1));
        let lender = {
            let (lease, lent) = (lease.clone(), lent.clone());
            thread::spawn(move || {
                let before = lease.waits_until();
                lent.lend(0);
                let until = match look {
                    Look::Before => before,
                    Look::Afterwards => lease.waits_until(),
                };
                // On the second wait it would rely until that one is over.
                until == Some(5)
            })
        };
        let held = lease.try_take().expect("nobody else takes it");
        held.announce_wait(5);
        held.end_wait();
        held.announce_wait(7);
        let is_seen = lent.lanes().next().is_some();
        let relies = lender.join().expect("no panic");
        held.end_wait();
        assert!(is_seen || !relies, "not seen");
    });
}

#[test]
fn a_waiter_that_a_lender_relies_on_sees_what_is_lent() {
    timers_are_lent_beside_a_waiter(Look::Afterwards);
}

#[test]
#[should_panic(expected = "not seen")]
fn canary_a_lender_that_looks_at_the_waiter_before_it_lends_is_not_seen() {
    timers_are_lent_beside_a_waiter(Look::Before);
}
