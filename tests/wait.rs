//! What `wait`, `try_wait`, `as_completed` and `shield` promise: nothing is aborted, and nothing is lost.

mod common;

use common::{Count, CountingWaker, Flavour, eventually, on_each, silence_panics};
use gristmill::stream::StreamExt;
use gristmill::task::{self, JoinHandle, WaitFor, as_completed, shield, try_wait, wait};
use gristmill::time::{Duration, Instant, sleep, timeout};
use std::future::{pending, ready};

/// A task that gives its number when its gate is opened.
fn gated(n: u32) -> (async_channel::Sender<()>, JoinHandle<u32>) {
    let (open, gate) = async_channel::bounded::<()>(1);
    let task = gristmill::spawn(async move {
        gate.recv().await.expect("opened");
        n
    });
    (open, task)
}

#[test]
fn the_first_completed_ends_the_wait_and_the_others_go_on() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (gates, handles): (Vec<_>, Vec<_>) = (0..5).map(gated).unzip();
            let ids: Vec<_> = handles.iter().map(JoinHandle::id).collect();
            gates[3].send(()).await.expect("it waits");
            let (done, pending) = wait(handles, WaitFor::FirstCompleted).await;
            let [(id, output)] = &done[..] else {
                panic!("{done:?}")
            };
            assert_eq!((*id, output.as_ref().ok()), (ids[3], Some(&3)));
            let left: Vec<_> = pending.iter().map(JoinHandle::id).collect();
            assert_eq!(left, [ids[0], ids[1], ids[2], ids[4]]);
            for gate in [0, 1, 2, 4] {
                gates[gate].send(()).await.expect("it waits");
            }
            for (handle, n) in pending.into_iter().zip([0, 1, 2, 4]) {
                assert_eq!(handle.await.expect("not aborted"), n);
            }
        });
    });
}

#[test]
fn all_that_has_ended_is_done_in_the_order_given() {
    on_each(|runtime| {
        let task = runtime.spawn(async {
            // More than any budget of a poll allows.
            let handles: Vec<_> = (0..1_000)
                .map(|n| gristmill::spawn(async move { n }))
                .collect();
            while !handles.iter().all(JoinHandle::is_finished) {
                task::yield_now().await;
            }
            let (done, pending) = wait(handles, WaitFor::FirstCompleted).await;
            assert!(pending.is_empty());
            let numbers: Vec<_> = done
                .into_iter()
                .map(|(_, n)| n.expect("no panic"))
                .collect();
            assert_eq!(numbers, (0..1_000).collect::<Vec<_>>());
        });
        runtime.block_on(task).expect("no panic");
    });
}

#[test]
fn all_waits_for_all_whatever_fails() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let (open, late) = gated(2);
            let panicking = gristmill::spawn(async { panic!("expected by the test") });
            let mut waiting = wait([panicking, late], WaitFor::All);
            let early = timeout(Duration::from_millis(1), &mut waiting).await;
            assert!(early.is_err());
            open.send(()).await.expect("it waits");
            let (done, pending) = waiting.await;
            assert!(pending.is_empty());
            assert!(done[0].1.as_ref().is_err_and(task::JoinError::is_panic));
            assert_eq!(done[1].1.as_ref().ok(), Some(&2));
        });
    });
}

#[test]
fn the_first_error_is_a_panic_or_an_abort_and_for_try_wait_an_err() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            type Output = Result<u32, &'static str>;
            let sleeper = || gristmill::spawn(pending::<Output>());
            let fine = || gristmill::spawn(ready(Output::Ok(1)));
            let err = || gristmill::spawn(ready(Output::Err("no")));

            let (done, left) = try_wait([fine(), sleeper(), err()], WaitFor::FirstError).await;
            assert_eq!(left.len(), 3 - done.len());
            assert!(
                done.iter()
                    .any(|(_, output)| matches!(output, Ok(Err("no"))))
            );
            left.into_iter().for_each(|task| task.abort());

            // For `wait` that is a value like any other.
            let (done, left) = wait([fine(), err()], WaitFor::FirstError).await;
            assert_eq!((done.len(), left.len()), (2, 0));

            let aborted = sleeper();
            aborted.abort();
            let (done, left) = wait([sleeper(), aborted], WaitFor::FirstError).await;
            assert!(done[0].1.as_ref().is_err_and(task::JoinError::is_cancelled));
            left.into_iter().for_each(|task| task.abort());

            let panicking = gristmill::spawn(async {
                if true {
                    panic!("expected by the test");
                }
                Output::Ok(1)
            });
            let (done, left) = try_wait([panicking, sleeper()], WaitFor::FirstError).await;
            assert!(done[0].1.as_ref().is_err_and(task::JoinError::is_panic));
            left.into_iter().for_each(|task| task.abort());
        });
    });
}

#[test]
fn without_handles_there_is_nothing_to_wait_for() {
    on_each(|runtime| {
        runtime.block_on(async {
            for until in [WaitFor::FirstCompleted, WaitFor::FirstError, WaitFor::All] {
                let (done, pending) = wait(Vec::<JoinHandle<()>>::new(), until).await;
                assert!(done.is_empty() && pending.is_empty());
            }
        });
    });
}

#[test]
fn when_the_time_is_up_what_is_pending_is_given_back_running() {
    let runtime = Flavour::CurrentThread.builder().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let handles = [1, 3, 2].map(|hours| {
            gristmill::spawn(async move {
                sleep(Duration::from_secs(3600 * hours)).await;
                hours
            })
        });
        let start = Instant::now();
        let bounded = wait(handles, WaitFor::All).timeout(Duration::from_secs(9000));
        let (done, mut late) = bounded.await;
        assert_eq!(start.elapsed().as_secs(), 9000);
        let done: Vec<_> = done
            .into_iter()
            .map(|(_, hours)| hours.expect("no panic"))
            .collect();
        assert_eq!(done, [1, 2]);
        assert_eq!(late.len(), 1);
        assert_eq!(late.remove(0).await.expect("not aborted"), 3);
    });
}

#[test]
fn dropping_a_wait_after_any_number_of_polls_leaves_the_tasks_running() {
    on_each(|runtime| {
        for polls in 0..3 {
            let ended = Count::default();
            let (done, wait_for) = async_channel::bounded::<()>(3);
            let (open, gate) = async_channel::bounded::<()>(3);
            let handles: Vec<_> = (0..3)
                .map(|_| {
                    let (ended, done, gate) = (ended.clone(), done.clone(), gate.clone());
                    runtime.spawn(async move {
                        gate.recv().await.expect("opened");
                        ended.add();
                        done.send(()).await.expect("the test waits");
                    })
                })
                .collect();
            let mut waiting = wait(handles, WaitFor::All);
            for _ in 0..polls {
                assert!(CountingWaker::new().poll(&mut waiting).is_pending());
            }
            drop(waiting);
            runtime.block_on(async {
                for _ in 0..3 {
                    open.send(()).await.expect("they wait");
                    wait_for.recv().await.expect("they go on");
                }
            });
            assert_eq!(ended.get(), 3);
        }
    });
}

#[test]
fn as_completed_gives_tasks_in_the_order_in_which_they_end() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (gates, handles): (Vec<_>, Vec<_>) = (0..5).map(gated).unzip();
            let mut ended = as_completed(handles);
            for n in [3, 0, 4, 1, 2] {
                gates[n as usize].send(()).await.expect("it waits");
                let output = ended.next().await.expect("one more");
                assert_eq!(output.expect("no panic"), n);
            }
            assert!(ended.next().await.is_none());
        });
    });
}

#[test]
fn as_completed_polls_plain_futures_in_place_and_drops_them_with_it() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let own = String::from("own");
            let futures = (0..10).map(|n| {
                let (probe, own) = (drops.on_drop(), &own);
                async move {
                    let _probe = probe;
                    if n % 2 == 0 {
                        pending::<()>().await;
                    }
                    (n, own.len())
                }
            });
            let mut ended = as_completed(futures);
            let mut odd = Vec::new();
            for _ in 0..5 {
                odd.push(ended.next().await.expect("five are ready"));
            }
            odd.sort_unstable();
            assert_eq!(odd, [1, 3, 5, 7, 9].map(|n| (n, 3)));
            assert_eq!(drops.get(), 5);
            drop(ended);
            assert_eq!(drops.get(), 10);
        });
    });
}

#[test]
fn a_shielded_future_goes_on_when_its_awaiter_is_aborted_or_late() {
    on_each(|runtime| {
        let (open, gate) = async_channel::bounded::<()>(1);
        let (done, end) = async_channel::bounded::<u32>(1);
        let (started, start) = async_channel::bounded::<()>(1);
        let awaiter = runtime.spawn(async move {
            let inner = shield(async move {
                started.send(()).await.expect("the test waits");
                gate.recv().await.expect("opened");
                done.send(7).await.expect("the test waits");
            });
            inner.await
        });
        runtime.block_on(async {
            start.recv().await.expect("it starts");
            awaiter.abort();
            assert!(awaiter.await.is_err_and(|error| error.is_cancelled()));
            open.send(()).await.expect("the inner one waits");
            assert_eq!(end.recv().await, Ok(7));

            let late = timeout(Duration::ZERO, shield(pending::<()>())).await;
            assert!(late.is_err());
        });
        // The one that never ends.
        let metrics = runtime.metrics();
        eventually("the others have ended", || metrics.num_alive_tasks() == 1);
    });
}

#[test]
fn a_hundred_thousand_tasks_can_be_waited_for() {
    on_each(|runtime| {
        runtime.block_on(async {
            let tasks = |count| (0..count).map(|n: u64| gristmill::spawn(async move { n }));
            let (done, pending) = wait(tasks(100_000), WaitFor::All).await;
            assert_eq!((done.len(), pending.len()), (100_000, 0));
            let sum = as_completed(tasks(100_000)).fold(0, |sum, n| sum + n.expect("no panic"));
            assert_eq!(sum.await, 4_999_950_000);
        });
    });
}
