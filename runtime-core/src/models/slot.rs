//! The LIFO slot: its owner against a thief.

use super::{List, check};
use crate::queue::slot::LifoSlot;
use crate::task::{Meta, Runnable, allocate};
use loom::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use loom::thread;
use std::panic::Location;
use std::sync::Arc;

fn runnable(polls: &Arc<AtomicUsize>) -> Runnable {
    let polls = Arc::clone(polls);
    let future = async move {
        polls.fetch_add(1, Ordering::SeqCst);
    };
    let (runnable, handle, _) = allocate(future, List::new(), Meta::new(Location::caller()), false);
    drop(handle);
    runnable
}

#[test]
fn owner_and_thief_get_each_runnable_once() {
    check(|| {
        let polls = Arc::new(AtomicUsize::new(0));
        let slot = Arc::new(LifoSlot::new());
        assert!(slot.put(runnable(&polls)).is_none());
        let thief = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || slot.take().into_iter().for_each(Runnable::run))
        };
        if let Some(displaced) = slot.put(runnable(&polls)) {
            displaced.run();
        }
        if let Some(own) = slot.take() {
            own.run();
        }
        thief.join().expect("no panic");
        assert_eq!(polls.load(Ordering::SeqCst), 2);
    });
}

/// The canary: looking and clearing in two steps gives one pointer to both.
#[test]
#[should_panic(expected = "twice")]
fn canary_a_slot_without_a_swap_gives_a_runnable_twice() {
    check(|| {
        let value = Box::into_raw(Box::new(0_u8));
        let slot = Arc::new(AtomicPtr::new(value));
        let take = |slot: &AtomicPtr<u8>| {
            let taken = slot.load(Ordering::SeqCst);
            slot.store(std::ptr::null_mut(), Ordering::SeqCst);
            !taken.is_null()
        };
        let thief = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || take(&slot))
        };
        let own = take(&slot);
        let stolen = thief.join().expect("no panic");
        assert!(!(own && stolen), "twice");
    });
}
