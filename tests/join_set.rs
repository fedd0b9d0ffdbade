//! What a `JoinSet` promises: outputs in the order of the ends, and no task forgotten.

mod common;

use common::{Count, CountingWaker, on_each, silence_panics};
use gristmill::task::{self, JoinSet};
use std::future::pending;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

#[test]
fn outputs_come_in_the_order_in_which_the_tasks_end() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            let gates: Vec<_> = (0..5)
                .map(|n| {
                    let (open, gate) = async_channel::bounded::<()>(1);
                    set.spawn(async move {
                        gate.recv().await.expect("opened");
                        n
                    });
                    open
                })
                .collect();
            for n in [3, 0, 4, 1, 2] {
                gates[n].send(()).await.expect("the task waits");
                let ended = set.join_next().await.expect("one more");
                assert_eq!(ended.expect("no panic"), n);
            }
            assert!(set.join_next().await.is_none());
        });
    });
}

#[test]
fn an_empty_set_has_nothing_to_wait_for() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::<()>::new();
            assert!(set.is_empty());
            assert!(set.join_next().await.is_none());
            assert!(set.join_next_with_id().await.is_none());
            assert!(set.try_join_next().is_none());
            set.shutdown().await;
            assert_eq!(JoinSet::<()>::default().join_all().await, []);
        });
    });
}

#[test]
fn the_length_counts_what_was_not_awaited() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            for n in 0..10 {
                set.spawn(async move { n });
                assert_eq!(set.len(), n + 1);
            }
            for left in (0..10).rev() {
                set.join_next().await.expect("one more").expect("no panic");
                assert_eq!(set.len(), left);
            }
            assert!(set.is_empty());
        });
    });
}

#[test]
fn ids_tell_which_task_it_was_also_for_errors() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            let good = set.spawn(async { 1 }).id();
            let (id, output) = set
                .join_next_with_id()
                .await
                .expect("one")
                .expect("no panic");
            assert_eq!((id, output), (good, 1));
            let bad = set.spawn(async { panic!("expected by the test") }).id();
            let error = set.join_next_with_id().await.expect("one");
            assert_eq!(error.expect_err("panicked").id(), bad);
        });
    });
}

#[test]
fn an_aborted_member_is_reported_once_and_the_others_go_on() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            set.spawn(async { 1 });
            let doomed = set.spawn(pending());
            doomed.abort();
            let mut cancelled = 0;
            while let Some(ended) = set.join_next().await {
                match ended {
                    Ok(output) => assert_eq!(output, 1),
                    Err(error) => {
                        assert_eq!(error.id(), doomed.id());
                        cancelled += usize::from(error.is_cancelled());
                    }
                }
            }
            assert_eq!(cancelled, 1);
        });
    });
}

#[test]
fn abort_all_leaves_the_members_to_be_awaited() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let mut set = JoinSet::new();
            for _ in 0..20 {
                let probe = drops.on_drop();
                set.spawn(async move {
                    let _probe = probe;
                    pending::<()>().await;
                });
            }
            set.abort_all();
            assert_eq!(set.len(), 20);
            let mut cancelled = 0;
            while let Some(ended) = set.join_next().await {
                cancelled += usize::from(ended.expect_err("aborted").is_cancelled());
            }
            assert_eq!((cancelled, drops.get()), (20, 20));
        });
    });
}

#[test]
fn shutdown_returns_when_every_future_is_gone() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let mut set = JoinSet::new();
            for n in 0..50 {
                let probe = drops.on_drop();
                set.spawn(async move {
                    let _probe = probe;
                    assert!(n % 5 != 0, "expected by the test");
                    pending::<()>().await;
                });
            }
            set.shutdown().await;
            assert!(set.is_empty());
            assert_eq!(drops.get(), 50);
        });
    });
}

#[test]
fn dropping_the_set_aborts_its_members() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let (ended, end) = async_channel::bounded::<()>(1);
            let mut set = JoinSet::new();
            for _ in 0..20 {
                // In this order: whoever sees the end sees the drop.
                let held = (drops.on_drop(), ended.clone());
                set.spawn(async move {
                    let _held = held;
                    pending::<()>().await;
                });
            }
            drop(ended);
            drop(set);
            assert!(end.recv().await.is_err(), "every future is dropped");
            assert_eq!(drops.get(), 20);
        });
    });
}

#[test]
fn detached_members_go_on() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (sender, receiver) = async_channel::unbounded();
            let mut set = JoinSet::new();
            for n in 0..20 {
                let sender = sender.clone();
                set.spawn(async move {
                    task::yield_now().await;
                    sender.send(n).await.expect("a receiver");
                });
            }
            set.detach_all();
            assert!(set.is_empty());
            drop((set, sender));
            let mut sum = 0;
            while let Ok(n) = receiver.recv().await {
                sum += n;
            }
            assert_eq!(sum, 190);
        });
    });
}

#[test]
fn join_all_gives_every_output() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            for n in 0..1_000_u32 {
                set.spawn(async move { n });
            }
            let mut outputs = set.join_all().await;
            outputs.sort_unstable();
            assert_eq!(outputs, (0..1_000).collect::<Vec<_>>());
        });
    });
}

#[test]
fn join_all_passes_a_panic_on_and_aborts_the_others() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let (ended, end) = async_channel::bounded::<()>(1);
            let held = (drops.on_drop(), ended);
            let outer = gristmill::spawn(async move {
                let mut set = JoinSet::new();
                set.spawn(async move {
                    let _held = held;
                    pending::<()>().await;
                });
                set.spawn(async { panic!("expected by the test") });
                set.join_all().await;
            });
            let error = outer.await.expect_err("the panic is passed on");
            assert!(error.to_string().contains("expected by the test"));
            assert!(end.recv().await.is_err(), "the other one is aborted");
            assert_eq!(drops.get(), 1);
        });
    });
}

#[test]
fn try_join_next_gives_all_that_have_ended_however_many() {
    on_each(|runtime| {
        // More than any budget of a poll allows.
        let task = runtime.spawn(async {
            let mut set = JoinSet::new();
            let members: Vec<_> = (0..1_000).map(|n| set.spawn(async move { n })).collect();
            while !members.iter().all(task::AbortHandle::is_finished) {
                task::yield_now().await;
            }
            let mut outputs = 0;
            while let Some(ended) = set.try_join_next() {
                ended.expect("no panic");
                outputs += 1;
            }
            outputs
        });
        assert_eq!(runtime.block_on(task).expect("no panic"), 1_000);
    });
}

#[test]
fn a_look_with_try_join_next_does_not_cost_a_later_join_its_wake_up() {
    on_each(|runtime| {
        runtime.block_on(async {
            for _ in 0..100 {
                let (open, gate) = async_channel::bounded::<()>(1);
                let mut set = JoinSet::new();
                set.spawn(async move { gate.recv().await });
                assert!(set.try_join_next().is_none());
                open.send(()).await.expect("the task waits");
                let ended = set.join_next().await.expect("one");
                assert_eq!(ended.expect("no panic"), Ok(()));
            }
        });
    });
}

#[test]
fn poll_join_next_registers_the_waker_that_polled_last() {
    on_each(|runtime| {
        let (open, gate) = async_channel::bounded::<()>(1);
        let mut set = JoinSet::new();
        set.spawn_on(async move { gate.recv().await }, runtime.handle());
        let (first, last) = (CountingWaker::new(), CountingWaker::new());
        for counting in [&first, &last] {
            let waker = Waker::from(std::sync::Arc::clone(counting));
            let mut cx = Context::from_waker(&waker);
            assert!(set.poll_join_next(&mut cx).is_pending());
        }
        let (early, late_before) = (first.wakes(), last.wakes());
        open.send_blocking(()).expect("the task waits");
        runtime.block_on(async {
            while last.wakes() == late_before {
                task::yield_now().await;
            }
        });
        assert_eq!(first.wakes(), early);
        let mut cx = Context::from_waker(Waker::noop());
        let Poll::Ready(Some(ended)) = set.poll_join_next(&mut cx) else {
            panic!("woken, so ready")
        };
        assert_eq!(ended.expect("no panic"), Ok(()));
    });
}

#[test]
fn blocking_calls_can_be_members() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            let (release, released) = mpsc::channel::<u32>();
            set.spawn_blocking(move || released.recv().expect("a number"));
            set.spawn(async { 1 });
            let first = set.join_next().await.expect("two").expect("no panic");
            assert_eq!(first, 1);
            release.send(2).expect("the job waits");
            assert_eq!(set.join_all().await, [2]);
        });
    });
}

#[test]
fn a_set_may_be_filled_from_one_runtime_and_emptied_on_another() {
    on_each(|runtime| {
        let other = common::Flavour::OneWorker.runtime();
        let mut set = JoinSet::new();
        for n in 0..100_u32 {
            set.spawn_on(async move { n }, other.handle());
        }
        let sum: u32 = runtime.block_on(set.join_all()).into_iter().sum();
        assert_eq!(sum, 4_950);
    });
}

#[test]
fn giving_up_a_join_loses_no_output() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            for n in 0..50_u32 {
                set.spawn(async move {
                    task::yield_now().await;
                    n
                });
            }
            let mut sum = 0;
            while !set.is_empty() {
                // Polled once, and dropped.
                let once = gristmill::time::timeout(std::time::Duration::ZERO, set.join_next());
                if let Ok(Some(ended)) = once.await {
                    sum += ended.expect("no panic");
                }
                task::yield_now().await;
            }
            assert_eq!(sum, 1_225);
        });
    });
}

#[test]
fn futures_can_be_collected_into_a_set_and_added_to_one() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut set: JoinSet<u32> = (0..10).map(async |n| n).collect();
            assert_eq!(set.len(), 10);
            set.extend((10..20).map(async |n| n));
            assert_eq!(set.len(), 20);
            assert_eq!(set.join_all().await.into_iter().sum::<u32>(), 190);
        });
    });
}

#[test]
fn every_way_of_joining_can_tell_the_id() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            let member = set.spawn_blocking_on(|| 1, runtime.handle());
            while !member.is_finished() {
                task::yield_now().await;
            }
            let ended = set.try_join_next_with_id().expect("ended");
            assert_eq!(ended.expect("no panic"), (member.id(), 1));
            assert!(set.try_join_next_with_id().is_none());

            let member = set.spawn(async { 2 });
            let ended = std::future::poll_fn(|cx| set.poll_join_next_with_id(cx)).await;
            assert_eq!(ended.expect("one").expect("no panic"), (member.id(), 2));
        });
    });
}

#[test]
fn a_task_that_runs_already_can_be_taken_into_a_set() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let (ended, end) = async_channel::bounded::<()>(1);
            let held = (drops.on_drop(), ended);
            let handle = task::Builder::new().name("named").spawn(async move {
                let _held = held;
                pending::<()>().await;
            });
            let id = handle.id();
            let mut set = JoinSet::new();
            assert_eq!(set.insert(handle).id(), id);
            drop(set);
            assert!(end.recv().await.is_err(), "aborted with the set");
            assert_eq!(drops.get(), 1);
        });
    });
}
