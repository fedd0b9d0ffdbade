//! What a `TaskGroup` promises: its children end together, whatever happens, and no failure is lost.

mod common;

use common::{Count, CountingWaker, eventually, on_each, silence_panics};
use gristmill::runtime::Runtime;
use gristmill::task::{self, TaskGroup};
use std::future::pending;
use std::task::Poll;

/// Fails unless all tasks end.
fn assert_none_alive(runtime: &Runtime) {
    let metrics = runtime.metrics();
    eventually("all tasks have ended", || {
        // A current-thread runtime needs somebody who runs its tasks.
        runtime.block_on(task::yield_now());
        metrics.num_alive_tasks() == 0
    });
}

/// A child that never ends, and counts its drop.
fn asleep(drops: &Count) -> impl Future<Output = Result<(), &'static str>> + Send + use<> {
    let probe = drops.on_drop();
    async move {
        let _probe = probe;
        pending().await
    }
}

#[test]
fn children_may_give_values_of_different_types() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut group = TaskGroup::<()>::new();
            let number = group.spawn(async { Ok(7) });
            let text = group.spawn(async {
                task::yield_now().await;
                Ok("seven".to_owned())
            });
            assert_eq!(group.join().await.map_err(drop), Ok(()));
            assert!(number.is_finished() && text.is_finished());
            assert_eq!(number.await.expect("joined"), 7);
            assert_eq!(text.await.expect("joined"), "seven");
        });
    });
}

#[test]
fn an_output_can_be_awaited_before_the_group_is_joined() {
    on_each(|runtime| {
        runtime.block_on(async {
            let group = TaskGroup::<()>::new();
            group.spawn(pending::<Result<(), ()>>());
            let value = group.spawn(async {
                task::yield_now().await;
                Ok(1)
            });
            assert_eq!(value.await.expect("it ends by itself"), 1);
            assert!(!group.is_empty());
        });
    });
}

#[test]
fn an_empty_group_joins_at_once() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut group = TaskGroup::<()>::default();
            assert!(group.is_empty());
            assert!(group.join().await.is_ok());
        });
    });
}

#[test]
fn the_first_error_aborts_the_siblings_and_join_awaits_them() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let mut group = TaskGroup::new();
            let siblings: Vec<_> = (0..20).map(|_| group.spawn(asleep(&drops))).collect();
            let failing = group.spawn(async { Err::<(), _>("no") });
            let error = group.join().await.expect_err("a child failed");
            assert_eq!(drops.get(), 20);
            assert_eq!(error.errors().collect::<Vec<_>>(), [&"no"]);
            assert_eq!(error.first().id(), Some(failing.id()));
            assert!(failing.await.expect_err("it failed").is_error());
            for sibling in siblings {
                assert!(sibling.await.expect_err("aborted").is_cancelled());
            }
        });
        assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    });
}

#[test]
fn siblings_are_aborted_though_nobody_awaits_the_group() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let group = TaskGroup::new();
            let sibling = group.spawn(asleep(&drops));
            group.spawn(async { Err::<(), _>("no") });
            assert!(sibling.await.expect_err("aborted").is_cancelled());
            assert_eq!(drops.get(), 1);
        });
    });
}

#[test]
fn a_panic_of_a_child_is_a_failure_with_its_text() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let mut group = TaskGroup::new();
            group.spawn(asleep(&drops));
            let panicking = group.spawn(async {
                task::yield_now().await;
                if true {
                    panic!("expected by the test");
                }
                Ok(())
            });
            let error = group.join().await.expect_err("a child panicked");
            assert!(error.has_panic());
            assert_eq!(error.len(), 1);
            assert!(error.to_string().contains("expected by the test"));
            assert_eq!(error.first().id(), Some(panicking.id()));
            assert!(panicking.await.expect_err("it panicked").is_panic());
            let panic = error.into_first().into_error().expect_err("no error");
            assert!(panic.into_panic().downcast::<&str>().is_ok());
            assert_eq!(drops.get(), 1);
        });
    });
}

/// Panics where it is dropped.
struct PanicOnDrop;

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        panic!("expected in the drop");
    }
}

#[test]
fn a_child_that_is_done_and_panics_in_its_drop_has_failed() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let mut group = TaskGroup::new();
            group.spawn(asleep(&drops));
            let bomb = PanicOnDrop;
            let child = group.spawn(std::future::poll_fn(move |_| {
                let _bomb = &bomb;
                Poll::Ready(Ok(()))
            }));
            let error = group.join().await.expect_err("it panicked");
            assert!(error.to_string().contains("expected in the drop"));
            assert_eq!((error.len(), drops.get()), (1, 1));
            assert!(child.await.expect_err("it panicked").is_panic());
        });
    });
}

#[test]
fn failures_come_in_the_order_in_which_they_happen() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let mut group = TaskGroup::new();
            let (arrived, arrival) = async_channel::bounded::<()>(1);
            group.spawn(async move {
                let _bomb = PanicOnDrop;
                arrived.send(()).await.expect("the test waits");
                pending::<Result<(), _>>().await
            });
            arrival.recv().await.expect("it runs");
            group.spawn(async { Err::<(), _>("cause") });
            let error = group.join().await.expect_err("two failures");
            let texts: Vec<_> = error.iter().map(ToString::to_string).collect();
            assert_eq!(texts.len(), 2, "{texts:?}");
            assert_eq!(texts[0], "cause");
            assert!(texts[1].contains("expected in the drop"));
            assert_eq!(error.to_string(), "cause (and 1 more failure in the group)");
        });
    });
}

#[test]
fn an_aborted_child_is_no_failure() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let mut group = TaskGroup::new();
            let doomed = group.spawn(asleep(&drops));
            let fine = group.spawn(async { Ok(3) });
            doomed.abort();
            assert!(group.join().await.is_ok());
            assert!(doomed.await.expect_err("aborted").is_cancelled());
            assert_eq!(fine.await.expect("not aborted"), 3);
        });
    });
}

#[test]
fn abort_all_ends_everything_without_an_error_and_closes_the_group() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let mut group = TaskGroup::new();
            for _ in 0..20 {
                group.spawn(asleep(&drops));
            }
            assert_eq!(group.len(), 20);
            group.abort_all();
            let polls = Count::default();
            let counted = polls.clone();
            let late = group.spawn(async move {
                counted.add();
                Ok(())
            });
            assert!(group.join().await.is_ok());
            assert_eq!((group.len(), drops.get()), (0, 20));
            assert!(late.await.expect_err("too late").is_cancelled());
            assert_eq!(polls.get(), 0);
        });
    });
}

#[test]
fn dropping_the_group_leaves_nothing_running_even_what_comes_through_handles() {
    on_each(|runtime| {
        let drops = Count::default();
        runtime.block_on(async {
            let group = TaskGroup::new();
            for _ in 0..20 {
                group.spawn(asleep(&drops));
            }
            let handle = group.handle();
            drop(group);
            let late = handle.spawn(asleep(&drops));
            assert!(late.await.expect_err("too late").is_cancelled());
        });
        assert_none_alive(runtime);
        assert_eq!(drops.get(), 21);
    });
}

#[test]
fn children_can_spawn_siblings_while_the_group_is_joined() {
    /// Spawns two siblings, to a depth.
    fn tree(group: task::GroupHandle<()>, depth: usize, leaves: Count) {
        let inside = group.clone();
        group.spawn(async move {
            task::yield_now().await;
            if depth == 0 {
                leaves.add();
            } else {
                tree(inside.clone(), depth - 1, leaves.clone());
                tree(inside, depth - 1, leaves);
            }
            Ok(())
        });
    }
    on_each(|runtime| {
        runtime.block_on(async {
            let leaves = Count::default();
            let mut group = TaskGroup::new();
            tree(group.handle(), 9, leaves.clone());
            assert!(group.join().await.is_ok());
            assert_eq!(leaves.get(), 512);
        });
        assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    });
}

#[test]
fn a_group_without_a_runtime_says_so_and_can_still_be_joined() {
    let mut group = TaskGroup::<()>::new();
    let text = common::panic_text(|| drop(group.spawn(async { Ok(()) })));
    assert!(text.contains("there is no gristmill runtime"), "{text}");
    let joined = CountingWaker::new().poll(&mut Box::pin(group.join()));
    assert!(matches!(joined, Poll::Ready(Ok(()))));
}

#[test]
fn giving_a_join_up_loses_no_failure() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (open, gate) = async_channel::bounded::<()>(1);
            let mut group = TaskGroup::new();
            group.spawn(async move {
                gate.recv().await.expect("opened");
                Err::<(), _>("no")
            });
            let waker = CountingWaker::new();
            for _ in 0..3 {
                assert!(waker.poll(&mut Box::pin(group.join())).is_pending());
            }
            open.send(()).await.expect("the child waits");
            assert_eq!(group.join().await.expect_err("it failed").len(), 1);
        });
    });
}

#[test]
fn the_parent_is_the_task_that_made_the_group() {
    on_each(|runtime| {
        runtime.block_on(async {
            assert_eq!(TaskGroup::<()>::new().parent(), None);
            let parent = gristmill::spawn(async {
                let mut group = TaskGroup::<()>::new();
                let handle = group.handle();
                let seen = group.spawn_with(task::Builder::new().name("child"), async move {
                    Ok(handle.parent())
                });
                assert!(group.join().await.is_ok());
                assert_eq!(group.parent(), task::try_id());
                seen.await.expect("joined")
            });
            let id = parent.id();
            assert_eq!(parent.await.expect("no panic"), Some(id));
        });
    });
}

#[test]
fn a_child_knows_its_name_and_where_it_was_spawned() {
    on_each(|runtime| {
        runtime.block_on(async {
            let group = TaskGroup::<()>::new();
            let named = task::Builder::new().name("collector");
            let children = [
                group.spawn(async { Ok(()) }),
                group.spawn_with(named.clone(), async { Ok(()) }),
                group.handle().spawn(async { Ok(()) }),
                group.handle().spawn_with(named, async { Ok(()) }),
            ];
            for (n, child) in children.iter().enumerate() {
                let text = format!("{child:?}");
                assert!(text.contains("task_group.rs"), "{text}");
                assert_eq!(text.contains("collector"), n % 2 == 1, "{text}");
            }
        });
    });
}

#[test]
fn a_long_lived_group_lets_go_of_children_that_have_ended() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let mut group = TaskGroup::new();
            for n in 0..10_000 {
                group.spawn(async { Ok(()) }).await.expect("it succeeds");
                if n == 5_000 {
                    // An end in between that is not the usual one.
                    group.spawn(asleep(&drops)).abort();
                }
            }
            assert!(group.join().await.is_ok());
            assert_eq!(drops.get(), 1);
        });
    });
}

#[test]
fn a_hundred_thousand_children_and_one_that_fails() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let mut group = TaskGroup::new();
            for _ in 0..100_000 {
                group.spawn(asleep(&drops));
            }
            group.spawn(async { Err::<(), _>("no") });
            let error = group.join().await.expect_err("one failed");
            assert_eq!((error.len(), drops.get()), (1, 100_000));
        });
        assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    });
}
