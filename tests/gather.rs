//! What `gather` and `try_gather` promise: order, every error or the first, and no task left behind.

mod common;

use common::{Count, CountingWaker, eventually, on_each, silence_panics};
use gristmill::runtime::Runtime;
use gristmill::task::{self, gather, try_gather};
use gristmill::time::{Duration, timeout};
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

#[test]
fn outputs_come_in_the_order_of_the_futures_whatever_order_they_end_in() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (gates, outputs): (Vec<_>, Vec<_>) = (0..5)
                .map(|n| {
                    let (open, gate) = async_channel::bounded::<()>(1);
                    let output = async move {
                        gate.recv().await.expect("opened");
                        n
                    };
                    (open, output)
                })
                .unzip();
            let all = gather(outputs);
            for n in [3, 0, 4, 1, 2] {
                gates[n].send(()).await.expect("the task waits");
            }
            let values: Vec<_> = all
                .await
                .into_iter()
                .map(|n| n.expect("no panic"))
                .collect();
            assert_eq!(values, [0, 1, 2, 3, 4]);
        });
    });
}

#[test]
fn the_tasks_start_before_the_first_await() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (sender, receiver) = async_channel::bounded(1);
            let all = gather([async move { sender.send(7).await }]);
            assert_eq!(receiver.recv().await, Ok(7));
            assert_eq!(all.await.len(), 1);
        });
    });
}

#[test]
fn nothing_to_gather_is_ready_at_once() {
    on_each(|runtime| {
        runtime.block_on(async {
            let none = std::iter::empty::<std::future::Ready<u8>>();
            assert!(gather(none).await.is_empty());
            let none = std::iter::empty::<std::future::Ready<Result<u8, ()>>>();
            assert_eq!(try_gather(none).await, Ok(vec![]));
        });
    });
}

#[test]
fn every_error_takes_the_place_of_its_output() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let outputs = gather((0..10).map(async |n| {
                assert!(n % 3 != 0, "expected by the test");
                n
            }))
            .await;
            for (n, output) in outputs.into_iter().enumerate() {
                match output {
                    Ok(value) => assert_eq!(value, n),
                    Err(error) => assert!(n % 3 == 0 && error.is_panic(), "{n}: {error}"),
                }
            }
        });
    });
}

#[test]
fn aborting_the_gathering_keeps_what_was_done() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (done, wait) = async_channel::bounded(1);
            let mut all = gather([0, 1, 2].map(|n| {
                let done = done.clone();
                async move {
                    if n == 1 {
                        // The last thing that the task does.
                        return done.send(n).await.map(|()| n);
                    }
                    pending().await
                }
            }));
            wait.recv().await.expect("a task sends");
            // The first is pending, so this gets nowhere, but it may look.
            let early = timeout(Duration::ZERO, &mut all).await;
            assert!(early.is_err());
            all.abort_all();
            let outputs = all.await;
            assert!(
                outputs[0]
                    .as_ref()
                    .is_err_and(task::JoinError::is_cancelled)
            );
            assert!(
                outputs[2]
                    .as_ref()
                    .is_err_and(task::JoinError::is_cancelled)
            );
            // Its last poll may have been going on.
            assert!(
                outputs[1]
                    .as_ref()
                    .map_or_else(|e| e.is_cancelled(), |n| *n == Ok(1))
            );
        });
    });
}

#[test]
fn an_aborted_task_inside_is_an_error_of_its_own_and_the_others_go_on() {
    on_each(|runtime| {
        runtime.block_on(async {
            let doomed = gristmill::spawn(pending::<u32>());
            let abort = doomed.abort_handle();
            let fine = gristmill::spawn(async { 1 });
            let all = gather([doomed, fine]);
            abort.abort();
            let outputs: Vec<_> = all
                .await
                .into_iter()
                .map(|n| n.expect("no panic"))
                .collect();
            assert!(
                outputs[0]
                    .as_ref()
                    .is_err_and(task::JoinError::is_cancelled)
            );
            assert_eq!(outputs[1].as_ref().ok(), Some(&1));
        });
    });
}

#[test]
fn the_first_error_aborts_the_others_and_awaits_their_end() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let result = try_gather((0..50).map(|n| {
                let probe = drops.on_drop();
                async move {
                    let _probe = probe;
                    if n == 25 {
                        return Err("no");
                    }
                    pending::<Result<u32, _>>().await
                }
            }))
            .await;
            assert_eq!(result, Err("no"));
            assert_eq!(
                drops.get(),
                50,
                "every future is gone when the error is given"
            );
        });
        assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    });
}

#[test]
fn values_come_in_order_if_none_fails() {
    on_each(|runtime| {
        runtime.block_on(async {
            let all = try_gather((0..1_000).map(async |n| {
                if n % 7 == 0 {
                    task::yield_now().await;
                }
                Ok::<_, ()>(n)
            }));
            assert_eq!(all.await, Ok((0..1_000).collect::<Vec<_>>()));
        });
    });
}

#[test]
fn a_panic_goes_on_in_the_awaiter_after_the_others_are_gone() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let all = try_gather((0..10).map(|n| {
                let probe = drops.on_drop();
                async move {
                    let _probe = probe;
                    assert!(n != 5, "expected by the test");
                    pending::<Result<u32, ()>>().await
                }
            }));
            let error = gristmill::spawn(all).await.expect_err("it panics");
            assert!(error.to_string().contains("expected by the test"));
            assert_eq!(drops.get(), 10);
        });
    });
}

#[test]
fn dropping_after_any_number_of_polls_leaves_no_task() {
    on_each(|runtime| {
        let drops = Count::default();
        let mut made = 0;
        for polls in 0..6 {
            for all_succeed in [true, false] {
                let mut future = {
                    let _inside = runtime.enter();
                    let futures: Vec<_> = (0..4_usize)
                        .map(|n| {
                            made += 1;
                            let probe = drops.on_drop();
                            async move {
                                let _probe = probe;
                                for _ in 0..n {
                                    task::yield_now().await;
                                }
                                if n == 3 {
                                    pending::<()>().await;
                                }
                                Ok::<_, ()>(n)
                            }
                        })
                        .collect();
                    let gathered = async move {
                        if all_succeed {
                            drop(gather(futures).await);
                        } else {
                            drop(try_gather(futures).await);
                        }
                    };
                    Box::pin(gathered)
                };
                let _inside = runtime.enter();
                let waker = CountingWaker::new();
                for _ in 0..polls {
                    assert_eq!(waker.poll(&mut future), Poll::Pending);
                }
                drop(future);
            }
        }
        assert_none_alive(runtime);
        assert_eq!(drops.get(), made);
    });
}

#[test]
fn aborting_the_awaiter_reaches_tasks_nested_three_deep() {
    on_each(|runtime| {
        let drops = Count::default();
        let probe = drops.on_drop();
        let (arrived, arrival) = async_channel::bounded::<()>(1);
        let innermost = async move {
            let _probe = probe;
            arrived.send(()).await.expect("the test waits");
            pending::<Result<(), ()>>().await
        };
        let middle = async { drop(gather([innermost]).await) };
        let outer = async {
            let in_time = timeout(
                Duration::from_secs(3600),
                try_gather([async {
                    middle.await;
                    Ok::<_, ()>(())
                }]),
            );
            drop(in_time.await);
        };
        let task = runtime.spawn(async { drop(gather([outer]).await) });
        runtime.block_on(arrival.recv()).expect("it runs");
        task.abort();
        assert!(runtime.block_on(task).is_err_and(|e| e.is_cancelled()));
        assert_none_alive(runtime);
        assert_eq!(drops.get(), 1);
    });
}

#[test]
fn a_hundred_thousand_futures_can_be_gathered() {
    on_each(|runtime| {
        runtime.block_on(async {
            let numbers = gather((0..100_000_u64).map(async |n| n)).await;
            let sum: u64 = numbers.into_iter().map(|n| n.expect("no panic")).sum();
            assert_eq!(sum, 4_999_950_000);
            let numbers = try_gather((0..100_000_u64).map(async |n| Ok::<_, ()>(n))).await;
            assert_eq!(
                numbers.map(|numbers| numbers.into_iter().sum()),
                Ok(4_999_950_000_u64)
            );
        });
    });
}
