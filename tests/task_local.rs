//! What task-local values promise: they belong to their task, wherever it runs.

mod common;

use common::{OnDrop, in_own_process, on_each, panic_text, silence_panics};
use gristmill::task::{self, JoinSet};
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

gristmill::task_local! {
    /// A number.
    static NUMBER: u32;
    static NAME: String;
    static PLACE: RefCell<Vec<u32>>;
}

#[test]
fn each_task_sees_its_own_value_across_yields_and_workers() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            for n in 0..200 {
                set.spawn(NUMBER.scope(n, async move {
                    for _ in 0..50 {
                        assert_eq!(NUMBER.get(), n);
                        task::yield_now().await;
                    }
                }));
            }
            assert_eq!(set.join_all().await.len(), 200);
        });
    });
}

#[test]
fn scopes_nest_and_the_outer_value_comes_back() {
    on_each(|runtime| {
        runtime.block_on(NUMBER.scope(1, async {
            NUMBER
                .scope(2, async {
                    assert_eq!(NUMBER.get(), 2);
                    task::yield_now().await;
                    NUMBER.sync_scope(3, || assert_eq!(NUMBER.get(), 3));
                    assert_eq!(NUMBER.get(), 2);
                })
                .await;
            assert_eq!(NUMBER.get(), 1);
        }));
    });
}

#[test]
fn keys_do_not_mix() {
    on_each(|runtime| {
        let both = NAME.scope(
            "miller".to_owned(),
            NUMBER.scope(7, async {
                task::yield_now().await;
                (NAME.get(), NUMBER.get())
            }),
        );
        assert_eq!(runtime.block_on(both), ("miller".to_owned(), 7));
    });
}

#[test]
fn a_spawned_task_does_not_inherit_the_value() {
    on_each(|runtime| {
        runtime.block_on(NUMBER.scope(1, async {
            let child = gristmill::spawn(async { NUMBER.try_with(|n| *n).is_err() });
            assert!(child.await.expect("no panic"));
            let job = gristmill::spawn_blocking(|| NUMBER.try_with(|n| *n).is_err());
            assert!(job.await.expect("no panic"));
        }));
    });
}

#[test]
fn outside_of_a_scope_the_error_names_the_fix() {
    silence_panics();
    let error = NUMBER.try_with(|n| *n).expect_err("no scope");
    assert!(error.to_string().contains("scope"), "{error}");
    let text = panic_text(|| {
        NUMBER.get();
    });
    assert!(text.contains("LocalKey::scope"), "{text}");
}

#[test]
fn a_future_sees_its_value_while_it_is_dropped() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (seen, see) = mpsc::channel();
            let guarded = |n: u32| {
                let seen = seen.clone();
                NUMBER.scope(n, async move {
                    let _on_drop = OnDrop::new(move || {
                        seen.send(NUMBER.try_with(|n| *n)).expect("a receiver");
                    });
                    pending::<()>().await;
                })
            };
            // Aborted after a poll.
            let task = gristmill::spawn(guarded(1));
            task::yield_now().await;
            task.abort();
            assert!(task.await.expect_err("aborted").is_cancelled());
            // Dropped by hand.
            let mut future = Box::pin(guarded(2));
            assert!(common::CountingWaker::new().poll(&mut future).is_pending());
            drop(future);
            assert!(NUMBER.try_with(|n| *n).is_err(), "nothing stays behind");
            // An abort may come before the first poll, and then there is nothing to see.
            let seen: Vec<_> = see.try_iter().collect();
            assert_eq!(seen.last(), Some(&Ok(2)));
            assert!(seen.len() == 1 || seen[0] == Ok(1), "{seen:?}");
        });
    });
}

#[test]
fn a_panic_takes_the_value_back() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let bad = gristmill::spawn(NUMBER.scope(1, async { panic!("expected by the test") }));
            assert!(bad.await.expect_err("panicked").is_panic());
            let clean = gristmill::spawn(async { NUMBER.try_with(|n| *n).is_err() });
            assert!(clean.await.expect("no panic"));
        });
        let caught = catch_unwind(|| NUMBER.sync_scope(1, || panic!("expected by the test")));
        assert!(caught.is_err());
        assert!(NUMBER.try_with(|n| *n).is_err());
    });
}

#[test]
fn the_value_may_change_from_inside() {
    on_each(|runtime| {
        let total = runtime.block_on(PLACE.scope(RefCell::new(Vec::new()), async {
            for n in 0..10 {
                PLACE.with(|place| place.borrow_mut().push(n));
                task::yield_now().await;
            }
            PLACE.with(|place| place.borrow().iter().sum::<u32>())
        }));
        assert_eq!(total, 45);
    });
}

#[test]
fn a_value_that_need_not_be_sync_travels_with_its_task() {
    gristmill::task_local! { static CELL: Cell<u32> }
    on_each(|runtime| {
        let task = runtime.spawn(CELL.scope(Cell::new(0), async {
            for _ in 0..100 {
                CELL.with(|cell| cell.set(cell.get() + 1));
                task::yield_now().await;
            }
            CELL.with(Cell::get)
        }));
        assert_eq!(runtime.block_on(task).expect("no panic"), 100);
    });
}

#[test]
fn a_scope_inside_of_with_does_not_abort_the_process() {
    // An abort would take the other tests along.
    in_own_process("a_scope_inside_of_with_does_not_abort_the_process", || {
        NUMBER.sync_scope(1, || {
            // Whether it panics or works is open.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                NUMBER.with(|outer| {
                    NUMBER.sync_scope(outer + 1, || assert_eq!(NUMBER.get(), 2));
                });
            }));
            assert_eq!(NUMBER.get(), 1);
        });
        assert!(NUMBER.try_with(|n| *n).is_err());
    });
}
