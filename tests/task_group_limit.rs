//! What the limit of a `TaskGroup` promises: no more children run at a time, the others wait in order, and no place is lost.

mod common;

use common::room::Room;
use common::{Count, on_each};
use gristmill::task::{self, TaskGroup};
use std::future::pending;

#[test]
fn no_more_children_run_at_a_time_than_the_limit_allows() {
    on_each(|runtime| {
        runtime.block_on(async {
            let room = Room::new(3);
            let mut group = TaskGroup::<()>::with_limit(3);
            let children: Vec<_> = (0..100)
                .map(|n| {
                    let room = room.clone();
                    group.spawn(async move {
                        let _inside = room.enter(1);
                        task::yield_now().await;
                        Ok(n)
                    })
                })
                .collect();
            // Some are aborted, whether they wait or run: their places go on.
            children.iter().step_by(7).for_each(|child| child.abort());
            assert!(group.join().await.is_ok());
            let most = room.peak();
            assert!((1..=3).contains(&most), "{most} at a time");
            for (n, child) in children.into_iter().enumerate() {
                match child.await {
                    Ok(value) => assert_eq!(value, n),
                    Err(error) => assert!(error.is_cancelled() && n % 7 == 0),
                }
            }
        });
    });
}

#[test]
fn children_behind_the_limit_start_in_order_and_only_when_there_is_room() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (started, starts) = async_channel::unbounded();
            let mut group = TaskGroup::<()>::with_limit(1);
            let gates: Vec<_> = (0..4)
                .map(|n| {
                    let (open, gate) = async_channel::bounded::<()>(1);
                    let started = started.clone();
                    group.spawn(async move {
                        started.send(n).await.expect("the test waits");
                        gate.recv().await.expect("opened");
                        Ok(())
                    });
                    open
                })
                .collect();
            for (n, gate) in gates.iter().enumerate() {
                assert_eq!(starts.recv().await, Ok(n));
                for _ in 0..10 {
                    task::yield_now().await;
                }
                assert!(starts.is_empty(), "no other one has started");
                gate.send(()).await.expect("the child waits");
            }
            assert!(group.join().await.is_ok());
        });
    });
}

#[test]
fn the_place_of_a_child_that_is_aborted_while_it_runs_goes_on() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (started, starts) = async_channel::unbounded();
            let group = TaskGroup::<()>::with_limit(1);
            let children: Vec<_> = (0..4)
                .map(|n| {
                    let started = started.clone();
                    group.spawn(async move {
                        started.send(n).await.expect("the test waits");
                        pending::<Result<(), ()>>().await
                    })
                })
                .collect();
            for (n, child) in children.into_iter().enumerate() {
                assert_eq!(starts.recv().await, Ok(n));
                child.abort();
            }
        });
    });
}

#[test]
fn a_failure_drops_those_that_wait_for_the_limit_without_a_poll() {
    on_each(|runtime| {
        runtime.block_on(async {
            let polls = Count::default();
            let mut group = TaskGroup::with_limit(1);
            let (open, gate) = async_channel::bounded::<()>(1);
            group.spawn(async move {
                gate.recv().await.expect("opened");
                Err::<(), _>("no")
            });
            for _ in 0..10 {
                let polls = polls.clone();
                group.spawn(async move {
                    polls.add();
                    Ok(())
                });
            }
            open.send(()).await.expect("the child waits");
            let error = group.join().await.expect_err("it failed");
            assert_eq!((error.len(), group.len()), (1, 0));
            // The failing child gives its place back only at its end, after the abort of the others.
            assert_eq!(polls.get(), 0);
        });
    });
}

#[test]
#[should_panic(expected = "the limit is at least 1")]
fn a_limit_of_zero_is_refused() {
    drop(TaskGroup::<()>::with_limit(0));
}

#[test]
fn a_hundred_thousand_children_pass_through_a_limit() {
    on_each(|runtime| {
        runtime.block_on(async {
            let ran = Count::default();
            let mut group = TaskGroup::<()>::with_limit(10);
            for _ in 0..100_000 {
                let ran = ran.clone();
                group.spawn(async move {
                    ran.add();
                    Ok(())
                });
            }
            assert!(group.join().await.is_ok());
            assert_eq!(ran.get(), 100_000);
        });
    });
}
