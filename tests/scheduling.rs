//! Who runs when: nobody starves, and idle workers are told.

mod common;

use common::Flavour;
use common::{Count, eventually, on_each, silence_panics, within};
use gristmill::runtime::{Builder, Runtime};
use gristmill::task::{self, JoinSet};
use gristmill::time::{Duration, sleep, timeout};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

/// Runs `busy` as a task for as long as another task, spawned after it, has not run a few times.
fn lets_others_run<F>(runtime: &Runtime, busy: impl FnOnce(Arc<AtomicBool>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let stop = Arc::new(AtomicBool::new(false));
    let busy = runtime.spawn(busy(Arc::clone(&stop)));
    let other = runtime.spawn(async move {
        for _ in 0..10 {
            task::yield_now().await;
        }
        stop.store(true, Ordering::SeqCst);
    });
    runtime.block_on(async {
        other.await.expect("no panic");
        busy.await.expect("no panic");
    });
}

#[test]
fn a_task_that_always_yields_does_not_starve_another() {
    on_each(|runtime| {
        lets_others_run(runtime, |stop| async move {
            while !stop.load(Ordering::SeqCst) {
                task::yield_now().await;
            }
        });
    });
}

#[test]
fn a_task_that_joins_ended_tasks_lets_others_run() {
    on_each(|runtime| {
        lets_others_run(runtime, |stop| async move {
            while !stop.load(Ordering::SeqCst) {
                let handle = gristmill::spawn(async {});
                while !handle.is_finished() {
                    task::yield_now().await;
                }
                handle.await.expect("no panic");
            }
        });
    });
}

#[test]
fn a_task_that_loops_over_sleeps_of_no_time_lets_others_run() {
    on_each(|runtime| {
        lets_others_run(runtime, |stop| async move {
            while !stop.load(Ordering::SeqCst) {
                sleep(Duration::ZERO).await;
            }
        });
    });
}

#[test]
fn a_task_that_loops_over_timeouts_that_elapse_at_once_lets_others_run() {
    on_each(|runtime| {
        lets_others_run(runtime, |stop| async move {
            while !stop.load(Ordering::SeqCst) {
                let _ = timeout(Duration::ZERO, std::future::pending::<()>()).await;
            }
        });
    });
}

#[test]
fn a_task_that_consumes_budget_lets_others_run() {
    on_each(|runtime| {
        lets_others_run(runtime, |stop| async move {
            while !stop.load(Ordering::SeqCst) {
                task::consume_budget().await;
            }
        });
    });
}

#[test]
fn a_join_set_of_ended_tasks_lets_others_run() {
    // On one worker, and without a relief worker that could hide the starvation.
    within("join set", || {
        let builder = Builder::new().worker_threads(1).max_relief_threads(0);
        let runtime = builder.build().expect("a runtime");
        runtime
            .block_on(runtime.spawn(async {
                let mut set = JoinSet::new();
                let members: Vec<_> = (0..10_000).map(|_| set.spawn(async {})).collect();
                while !members.iter().all(task::AbortHandle::is_finished) {
                    task::yield_now().await;
                }
                let ran = Arc::new(AtomicBool::new(false));
                let told = Arc::clone(&ran);
                drop(gristmill::spawn(async move {
                    told.store(true, Ordering::SeqCst)
                }));
                let mut left = 10_000;
                while !ran.load(Ordering::SeqCst) {
                    let ended = set.join_next().await;
                    ended
                        .expect("the other runs before the last")
                        .expect("no panic");
                    left -= 1;
                }
                assert!(left > 0);
            }))
            .expect("no panic");
    });
}

#[test]
fn an_unconstrained_task_is_not_made_to_yield() {
    within("unconstrained", || {
        let builder = Builder::new().worker_threads(1).max_relief_threads(0);
        let runtime = builder.build().expect("a runtime");
        let task = runtime.spawn(async {
            let ran = Arc::new(AtomicBool::new(false));
            let told = Arc::clone(&ran);
            let other = gristmill::spawn(async move { told.store(true, Ordering::SeqCst) });
            task::unconstrained(async {
                for _ in 0..10_000 {
                    task::consume_budget().await;
                }
            })
            .await;
            let before = ran.load(Ordering::SeqCst);
            other.await.expect("no panic");
            before
        });
        assert!(!runtime.block_on(task).expect("no panic"));
    });
}

#[test]
fn two_tasks_that_wake_each_other_do_not_starve_a_third() {
    on_each(|runtime| {
        let stop = Arc::new(AtomicBool::new(false));
        let (ping, pong) = (async_channel::bounded::<()>(1), async_channel::bounded(1));
        let player = |from: async_channel::Receiver<()>, to: async_channel::Sender<()>| {
            let stop = Arc::clone(&stop);
            async move {
                while !stop.load(Ordering::SeqCst) {
                    if from.recv().await.is_err() || to.send(()).await.is_err() {
                        break;
                    }
                }
            }
        };
        ping.0.try_send(()).expect("room");
        let first = runtime.spawn(player(ping.1, pong.0));
        let second = runtime.spawn(player(pong.1, ping.0));
        let third = runtime.spawn(async {
            for _ in 0..100 {
                task::yield_now().await;
            }
        });
        runtime.block_on(async {
            third.await.expect("no panic");
            stop.store(true, Ordering::SeqCst);
            first.await.expect("no panic");
            second.await.expect("no panic");
        });
    });
}

#[test]
fn the_root_future_is_not_starved_by_tasks_nor_they_by_it() {
    on_each(|runtime| {
        let (root_yields, task_yields) = (Count::default(), Count::default());
        let (root_seen, task_counts) = (root_yields.clone(), task_yields.clone());
        let task = runtime.spawn(async move {
            loop {
                task_counts.add();
                if root_seen.get() >= 1_000 {
                    break;
                }
                task::yield_now().await;
            }
        });
        runtime.block_on(async {
            while root_yields.get() < 1_000 || task_yields.get() == 0 {
                root_yields.add();
                task::yield_now().await;
            }
            task.await.expect("no panic");
        });
    });
}

#[test]
fn tasks_from_outside_are_not_starved_by_a_full_worker() {
    within("injector", || {
        let builder = Builder::new().worker_threads(1).max_relief_threads(0);
        let runtime = builder.build().expect("a runtime");
        let stop = Arc::new(AtomicBool::new(false));
        let busy: Vec<_> = (0..100)
            .map(|_| {
                let stop = Arc::clone(&stop);
                runtime.spawn(async move {
                    while !stop.load(Ordering::SeqCst) {
                        task::yield_now().await;
                    }
                })
            })
            .collect();
        for _ in 0..100 {
            runtime.block_on(runtime.spawn(async {})).expect("no panic");
        }
        stop.store(true, Ordering::SeqCst);
        for task in busy {
            runtime.block_on(task).expect("no panic");
        }
    });
}

#[test]
fn a_root_future_that_panics_leaves_a_runtime_that_still_hears_other_threads() {
    silence_panics();
    within("root panic", || {
        let runtime = Flavour::CurrentThread.runtime();
        let metrics = runtime.metrics();
        for _ in 0..50 {
            let (sender, receiver) = async_channel::bounded::<()>(1);
            let (handle, metrics) = (runtime.handle().clone(), metrics.clone());
            let parks = metrics.worker_park_count(0);
            let waker = std::thread::spawn(move || {
                eventually("the worker sleeps", || metrics.worker_park_count(0) > parks);
                // Both at once: the worker is chosen to search, and its future panics before it does.
                drop(handle.spawn(async {}));
                sender.send_blocking(()).expect("a receiver");
            });
            let result = catch_unwind(AssertUnwindSafe(|| {
                runtime.block_on(async {
                    receiver.recv().await.expect("sent");
                    panic!("expected by the test");
                })
            }));
            assert!(result.is_err());
            waker.join().expect("no panic");
        }
        let (sender, receiver) = async_channel::bounded::<()>(1);
        let handle = runtime.handle().clone();
        let parks = metrics.worker_park_count(0);
        let spawner = std::thread::spawn(move || {
            eventually("the worker sleeps", || metrics.worker_park_count(0) > parks);
            drop(handle.spawn(async move { sender.send(()).await }));
        });
        assert_eq!(runtime.block_on(receiver.recv()), Ok(()));
        spawner.join().expect("no panic");
    });
}

#[test]
fn wake_ups_spread_over_idle_workers() {
    within("spread", || {
        let builder = Builder::new().worker_threads(4).max_relief_threads(0);
        let runtime = builder.stall_threshold(None).build().expect("a runtime");
        for _ in 0..100 {
            let arrived = Count::default();
            let barrier = Arc::new(Barrier::new(4));
            // From outside, through the injector, in one burst.
            let tasks: Vec<_> = (0..4)
                .map(|_| {
                    let (barrier, arrived) = (Arc::clone(&barrier), arrived.clone());
                    runtime.spawn(async move {
                        barrier.wait();
                        arrived.add();
                    })
                })
                .collect();
            runtime.block_on(async {
                for task in tasks {
                    task.await.expect("no panic");
                }
            });
            assert_eq!(arrived.get(), 4);
        }
    });
}
