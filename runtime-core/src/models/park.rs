//! One bed: its owner against whoever unparks it.

use super::check;
use crate::park::{Parker, Unpark};
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::sync::Arc;

#[test]
fn an_unpark_ends_the_sleep_whenever_it_comes() {
    check(|| {
        let parker = Arc::new(Parker::new());
        let data = Arc::new(AtomicBool::new(false));
        let other = {
            let (parker, data) = (Arc::clone(&parker), Arc::clone(&data));
            thread::spawn(move || {
                data.store(true, Ordering::Relaxed);
                assert_eq!(parker.unpark(), Unpark::Done);
            })
        };
        // A lost unpark is a deadlock, which the checker reports.
        parker.park(None);
        assert!(
            data.load(Ordering::Relaxed),
            "edge K hands over what was written before"
        );
        other.join().expect("no panic");
    });
}

#[test]
fn two_unparks_between_two_sleeps_are_one_and_a_later_one_counts_anew() {
    check(|| {
        let parker = Arc::new(Parker::new());
        let others: Vec<_> = (0..2)
            .map(|_| {
                let parker = Arc::clone(&parker);
                thread::spawn(move || assert_eq!(parker.unpark(), Unpark::Done))
            })
            .collect();
        parker.park(None);
        for other in others {
            other.join().expect("no panic");
        }
        let _ = parker.unpark();
        parker.park(None);
    });
}

#[test]
fn a_sleeper_in_the_poller_is_told_or_does_not_go() {
    check(|| {
        let parker = Arc::new(Parker::new());
        let poller = Arc::new(AtomicBool::new(false));
        let other = {
            let (parker, poller) = (Arc::clone(&parker), Arc::clone(&poller));
            thread::spawn(move || {
                if parker.unpark() == Unpark::TellPoller(7) {
                    poller.store(true, Ordering::SeqCst);
                }
            })
        };
        let entered = parker.enter_poller(7);
        other.join().expect("no panic");
        if entered {
            // Asleep in the poller: the only way out is that it was told.
            assert!(poller.load(Ordering::SeqCst));
            assert!(parker.leave_poller());
        }
        assert!(!parker.take_notification(), "used up");
    });
}

#[test]
fn who_leaves_the_poller_notified_sees_what_came_before_the_unpark() {
    check(|| {
        let parker = Arc::new(Parker::new());
        let data = Arc::new(AtomicBool::new(false));
        let other = {
            let (parker, data) = (Arc::clone(&parker), Arc::clone(&data));
            thread::spawn(move || {
                data.store(true, Ordering::Relaxed);
                let _ = parker.unpark();
            })
        };
        let is_notified = !parker.enter_poller(7) || parker.leave_poller();
        if is_notified {
            assert!(
                data.load(Ordering::Relaxed),
                "edge K hands over what was written before"
            );
        }
        other.join().expect("no panic");
    });
}

/// The canary: a signal sent without the lock can fall between the sleeper's look and its wait.
#[test]
#[should_panic(expected = "deadlock")]
fn canary_a_signal_without_the_lock_is_lost() {
    check(|| {
        let flag = Arc::new(AtomicBool::new(false));
        let bed = Arc::new((Mutex::new(()), Condvar::new()));
        let other = {
            let (flag, bed) = (Arc::clone(&flag), Arc::clone(&bed));
            thread::spawn(move || {
                flag.store(true, Ordering::SeqCst);
                bed.1.notify_one();
            })
        };
        let guard = bed.0.lock().expect("not poisoned");
        if !flag.load(Ordering::SeqCst) {
            drop(bed.1.wait(guard).expect("not poisoned"));
        }
        other.join().expect("no panic");
    });
}
