//! What the figures of a runtime promise: they count what happens.

mod common;

use common::{Flavour, PATIENCE, eventually, on_each, within};
use gristmill::runtime::{Builder, Runtime, RuntimeMetrics};
use gristmill::task;
use gristmill::time::Duration;
use std::future::pending;
use std::sync::{Arc, Barrier, mpsc};

fn sum(metrics: &RuntimeMetrics, of: fn(&RuntimeMetrics, usize) -> u64) -> u64 {
    // Relief workers have the numbers after the ordinary ones.
    (0..metrics.num_workers() + 8)
        .map(|worker| of(metrics, worker))
        .sum()
}

/// A runtime with one worker, which is inside of a task until the sender is dropped.
fn stuck() -> (Runtime, mpsc::Sender<()>) {
    let builder = Builder::new().worker_threads(1);
    let builder = builder.max_relief_threads(0).stall_threshold(None);
    let runtime = builder.build().expect("a runtime");
    let (release, released) = mpsc::channel::<()>();
    let (entered, enter) = mpsc::channel();
    drop(runtime.spawn(async move {
        entered.send(()).expect("a receiver");
        let _ = released.recv();
    }));
    enter.recv_timeout(PATIENCE).expect("it gets stuck");
    (runtime, release)
}

#[test]
fn the_number_of_workers_is_what_was_set() {
    for (flavour, workers) in [
        (Flavour::FourWorkers, 4),
        (Flavour::OneWorker, 1),
        (Flavour::CurrentThread, 1),
    ] {
        let runtime = flavour.runtime();
        assert_eq!(runtime.metrics().num_workers(), workers);
        assert_eq!(runtime.handle().metrics().num_workers(), workers);
    }
}

#[test]
fn every_poll_is_counted() {
    on_each(|runtime| {
        let metrics = runtime.metrics();
        let before = sum(&metrics, RuntimeMetrics::worker_poll_count);
        runtime.block_on(async {
            for _ in 0..10 {
                gristmill::spawn(async {
                    for _ in 0..99 {
                        task::yield_now().await;
                    }
                })
                .await
                .expect("no panic");
            }
        });
        // A poll is counted when it is over, a little after its task may have been joined.
        eventually("1,000 polls", || {
            sum(&metrics, RuntimeMetrics::worker_poll_count) - before == 1_000
        });
    });
}

#[test]
fn alive_tasks_are_those_that_have_not_ended() {
    on_each(|runtime| {
        let metrics = runtime.metrics();
        assert_eq!(metrics.num_alive_tasks(), 0);
        let handles: Vec<_> = (0..10).map(|_| runtime.spawn(pending::<()>())).collect();
        assert_eq!(metrics.num_alive_tasks(), 10);
        runtime.block_on(async {
            gristmill::spawn(async {}).await.expect("no panic");
            for handle in handles {
                handle.abort();
                assert!(handle.await.expect_err("aborted").is_cancelled());
            }
        });
        eventually("none is left", || metrics.num_alive_tasks() == 0);
        let job = runtime.spawn_blocking(|| ());
        assert_eq!(metrics.num_alive_tasks(), 0, "a job is no task");
        runtime.block_on(job).expect("runs");
    });
}

#[test]
fn timers_and_descriptors_are_counted_while_they_are_there() {
    on_each(|runtime| {
        let metrics = runtime.metrics();
        let numbers = || (metrics.num_timers(), metrics.num_descriptors());
        assert_eq!(numbers(), (0, 0));
        runtime.block_on(async {
            let mut sleeps = [1, 2, 3].map(hour);
            for sleep in &mut sleeps {
                assert_eq!(futures_lite::future::poll_once(sleep).await, None);
            }
            let pair = gristmill::net::UnixStream::pair().expect("a pair");
            assert_eq!(numbers(), (3, 2));
            drop((sleeps, pair));
        });
        assert_eq!(numbers(), (0, 0));
    });
}

fn hour(hours: u64) -> gristmill::time::Sleep {
    gristmill::time::sleep(Duration::from_secs(3600 * hours))
}

#[test]
fn the_shared_queue_has_what_was_spawned_from_outside() {
    within("depth", || {
        let (runtime, release) = stuck();
        let metrics = runtime.metrics();
        assert_eq!(metrics.global_queue_depth(), 0);
        let waiting: Vec<_> = (0..50).map(|_| runtime.spawn(async {})).collect();
        assert_eq!(metrics.global_queue_depth(), 50);
        drop(release);
        for task in waiting {
            runtime.block_on(task).expect("no panic");
        }
        assert_eq!(metrics.global_queue_depth(), 0);
    });
    let runtime = Flavour::CurrentThread.runtime();
    drop(runtime.spawn(async {}));
    assert_eq!(runtime.metrics().global_queue_depth(), 1);
}

#[test]
fn a_workers_queue_has_what_it_spawned_itself() {
    within("local depth", || {
        let builder = Builder::new().worker_threads(1);
        let builder = builder.max_relief_threads(0).stall_threshold(None);
        let runtime = builder.build().expect("a runtime");
        let metrics = runtime.metrics();
        let seen = metrics.clone();
        let task = runtime.spawn(async move {
            for _ in 0..20 {
                drop(gristmill::spawn(async {}));
            }
            seen.worker_local_queue_depth(0)
        });
        assert_eq!(runtime.block_on(task).expect("no panic"), 20);
        eventually("it runs dry", || metrics.worker_local_queue_depth(0) == 0);
    });
}

#[test]
fn steals_are_counted_where_stealing_is_the_only_way() {
    within("steals", || {
        let builder = Builder::new().worker_threads(2);
        let builder = builder.max_relief_threads(0).stall_threshold(None);
        let runtime = builder.build().expect("a runtime");
        let metrics = runtime.metrics();
        let task = runtime.spawn(async {
            let barrier = Arc::new(Barrier::new(2));
            let meet = |barrier: &Arc<Barrier>| {
                let barrier = Arc::clone(barrier);
                gristmill::spawn(async move {
                    barrier.wait();
                })
            };
            let (one, other) = (meet(&barrier), meet(&barrier));
            one.await.expect("no panic");
            other.await.expect("no panic");
        });
        runtime.block_on(task).expect("no panic");
        assert!(sum(&metrics, RuntimeMetrics::worker_steal_count) >= 1);
    });
}

#[test]
fn a_lone_worker_steals_from_nobody() {
    for flavour in [Flavour::OneWorker, Flavour::CurrentThread] {
        within(format!("{flavour:?}"), move || {
            let builder = flavour.builder().stall_threshold(None);
            let runtime = builder.build().expect("a runtime");
            for _ in 0..1_000 {
                let task = runtime.spawn(async { gristmill::spawn(async {}).await });
                runtime.block_on(task).expect("no panic").expect("no panic");
            }
            let metrics = runtime.metrics();
            assert_eq!(sum(&metrics, RuntimeMetrics::worker_steal_count), 0);
        });
    }
}

#[test]
fn sleeping_and_being_awake_are_counted() {
    on_each(|runtime| {
        let metrics = runtime.metrics();
        let parks = |metrics: &RuntimeMetrics| sum(metrics, RuntimeMetrics::worker_park_count);
        let before = parks(&metrics);
        runtime.block_on(async {
            for _ in 0..5 {
                gristmill::time::sleep(Duration::from_millis(1)).await;
                gristmill::spawn(async {
                    // Time that cannot be measured as none.
                    let start = std::time::Instant::now();
                    while start.elapsed() < Duration::from_micros(200) {}
                })
                .await
                .expect("no panic");
            }
        });
        if metrics.num_workers() == 1 && runtime_is_current_thread(runtime) {
            assert!(parks(&metrics) > before);
        } else {
            eventually("somebody sleeps", || parks(&metrics) > before);
        }
        let busy = |metrics: &RuntimeMetrics| {
            (0..metrics.num_workers())
                .map(|worker| metrics.worker_total_busy_duration(worker))
                .sum::<Duration>()
        };
        // Counted up to the last time that a worker went to sleep: four of the five bursts at least.
        eventually("time was spent", || {
            busy(&metrics) >= Duration::from_micros(800)
        });
    });
}

fn runtime_is_current_thread(runtime: &Runtime) -> bool {
    format!("{runtime:?}").contains("CurrentThread")
}

#[test]
fn relief_workers_are_counted() {
    within("relief", || {
        let builder = Builder::new().worker_threads(1);
        let runtime = builder.build().expect("a runtime");
        let metrics = runtime.metrics();
        assert_eq!(metrics.relief_workers(), 0);
        assert_eq!(metrics.num_active_workers(), 1);
        let (release, released) = mpsc::channel::<()>();
        let stuck = runtime.spawn(async move { released.recv().is_err() });
        let helped = runtime.spawn(async {});
        runtime.block_on(helped).expect("relieved");
        // Whether the first one was stuck by then or not, it is now.
        runtime.block_on(runtime.spawn(async {})).expect("relieved");
        assert!(metrics.relief_workers() >= 1);
        assert!(metrics.num_active_workers() >= 2);
        drop(release);
        assert!(runtime.block_on(stuck).expect("no panic"));
        eventually("the relief workers go", || {
            metrics.num_active_workers() == 1
        });
    });
}

#[test]
fn the_executors_show_their_threads_and_queues() {
    on_each(|runtime| {
        let metrics = runtime.metrics();
        assert_eq!(metrics.num_blocking_threads(), 0);
        assert_eq!(metrics.num_compute_threads(), 0);
        let (release, released) = async_channel::bounded::<()>(1);
        let (entered, enter) = mpsc::channel();
        let jobs: Vec<_> = (0..2)
            .map(|n| {
                let (released, entered) = (released.clone(), entered.clone());
                let work = move || {
                    entered.send(()).expect("a receiver");
                    let _ = released.recv_blocking();
                };
                if n == 0 {
                    runtime.spawn_blocking(work)
                } else {
                    runtime.spawn_compute(work)
                }
            })
            .collect();
        for _ in 0..2 {
            enter.recv_timeout(PATIENCE).expect("it starts");
        }
        assert!(metrics.num_blocking_threads() >= 1);
        assert!(metrics.num_compute_threads() >= 1);
        drop(release);
        for job in jobs {
            runtime.block_on(job).expect("runs");
        }
        eventually("the blocking thread idles", || {
            metrics.num_idle_blocking_threads() >= 1
        });
        assert_eq!(metrics.blocking_queue_depth(), 0);
        assert_eq!(metrics.compute_queue_depth(), 0);
    });
    within("queued", || {
        let builder = Builder::new_current_thread().max_blocking_threads(1);
        let runtime = builder.compute_threads(1).build().expect("a runtime");
        let (release, released) = async_channel::bounded::<()>(1);
        let (entered, enter) = mpsc::channel();
        for _ in 0..5 {
            let (blocking, computing) = (released.clone(), released.clone());
            let (first, second) = (entered.clone(), entered.clone());
            drop(runtime.spawn_blocking(move || {
                let _ = first.send(());
                let _ = blocking.recv_blocking();
            }));
            drop(runtime.spawn_compute(move || {
                let _ = second.send(());
                let _ = computing.recv_blocking();
            }));
        }
        for _ in 0..2 {
            enter.recv_timeout(PATIENCE).expect("one of each starts");
        }
        let metrics = runtime.metrics();
        assert_eq!(metrics.blocking_queue_depth(), 4);
        assert_eq!(metrics.compute_queue_depth(), 4);
        drop(release);
        eventually("both run dry", || {
            metrics.blocking_queue_depth() + metrics.compute_queue_depth() == 0
        });
    });
}

#[test]
fn a_worker_that_does_not_exist_has_done_nothing() {
    let metrics = Flavour::OneWorker.runtime().metrics();
    assert_eq!(metrics.worker_poll_count(10_000), 0);
    assert_eq!(metrics.worker_local_queue_depth(10_000), 0);
    let busy = metrics.worker_total_busy_duration(10_000);
    assert_eq!(busy, Duration::ZERO);
}

#[test]
fn a_task_that_was_joined_is_not_alive() {
    on_each(|runtime| {
        let metrics = runtime.metrics();
        for _ in 0..2_000 {
            let task = runtime.spawn(async {});
            runtime.block_on(task).expect("no panic");
            assert_eq!(metrics.num_alive_tasks(), 0);
        }
    });
}

#[test]
fn a_runtime_that_has_fired_a_bunch_of_timers_comes_to_rest() {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    for _ in 0..20 {
        runtime.block_on(async {
            let at = gristmill::time::Instant::now() + Duration::from_millis(1);
            let sleepers: Vec<_> = (0..3)
                .map(|_| gristmill::spawn(gristmill::time::sleep_until(at)))
                .collect();
            for sleeper in sleepers {
                sleeper.await.expect("no panic");
            }
        });
    }
    let metrics = runtime.metrics();
    let before = metrics.worker_park_count(0);
    runtime.block_on(gristmill::time::sleep(Duration::from_millis(500)));
    let parks = metrics.worker_park_count(0) - before;
    // One, and a few that end early. Told at each tick of siblings that are to be told, it would be 250.
    assert!(parks < 50, "{parks} sleeps");
}
