//! Who borrows a guarded value: invariants B1 and B2, edge B4.
//!
//! The value is the checker's own cell, which reports two threads in it at once, or one after the other without an edge between.

use super::check;
use crate::guarded::{Alone, Guarded, Many};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::sync::Arc;

/// Tries to have the value alone, and touches it.
fn write<S>(cell: &Guarded<UnsafeCell<u32>, S>) {
    if let Some(value) = cell.try_exclusive() {
        value.with_mut(|_| ());
    }
}

/// Tries to share the value, and looks at it.
fn read(cell: &Guarded<UnsafeCell<u32>, Many>) {
    if let Some(value) = cell.try_shared() {
        value.with(|_| ());
    }
}

#[test]
fn of_two_that_want_the_value_alone_each_has_it_after_the_other() {
    check(|| {
        let cell = Arc::new(Guarded::<_, Alone>::new(UnsafeCell::new(0)));
        let other = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || write(&cell))
        };
        write(&cell);
        other.join().expect("no panic");
        assert!(cell.try_exclusive().is_some(), "nobody has it any more");
    });
}

#[test]
fn who_shares_the_value_never_meets_who_has_it_alone() {
    check(|| {
        let cell = Arc::new(Guarded::<_, Many>::new(UnsafeCell::new(0)));
        let others = [read, write].map(|act| {
            let cell = Arc::clone(&cell);
            thread::spawn(move || act(&cell))
        });
        read(&cell);
        for other in others {
            other.join().expect("no panic");
        }
        assert!(cell.try_exclusive().is_some(), "nobody has it any more");
    });
}

/// As `Guarded`, without edge B4.
struct Unordered {
    borrows: AtomicUsize,
    value: UnsafeCell<u32>,
}

impl Unordered {
    fn write(&self) {
        let marked = self
            .borrows
            .compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed);
        if marked.is_ok() {
            self.value.with_mut(|_| ());
            self.borrows.store(0, Ordering::Relaxed);
        }
    }
}

#[test]
#[should_panic(expected = "Causality violation")]
fn canary_borrows_without_an_edge_between_them_are_seen() {
    check(|| {
        let cell = Arc::new(Unordered {
            borrows: AtomicUsize::new(0),
            value: UnsafeCell::new(0),
        });
        let other = {
            let cell = Arc::clone(&cell);
            thread::spawn(move || cell.write())
        };
        cell.write();
        other.join().expect("no panic");
    });
}
