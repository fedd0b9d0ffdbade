//! The end of a runtime, beside whatever goes on.

use super::{Probe, check, runtime, yield_for_ever};
use crate::Builder;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[test]
fn a_runtime_that_ends_beside_spawns_drops_every_future() {
    check(|| {
        let runtime = runtime(2);
        let (probe, drops) = Probe::new();
        let (second, second_drops) = Probe::new();
        let handle = runtime.handle().clone();
        let spawner = shuttle::thread::spawn(move || {
            for probe in [probe, second] {
                drop(handle.spawn(async move {
                    let _probe = probe;
                    std::future::pending::<()>().await;
                }));
            }
        });
        drop(runtime);
        spawner.join().expect("no panic");
        assert_eq!(drops.load(Ordering::SeqCst), 1);
        assert_eq!(second_drops.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_runtime_that_ends_beside_a_wake_up_drops_the_future() {
    check(|| {
        let runtime = runtime(2);
        let (probe, drops) = Probe::new();
        let task = runtime.spawn(async move {
            let _probe = probe;
            yield_for_ever().await;
        });
        drop(runtime);
        assert_eq!(drops.load(Ordering::SeqCst), 1);
        assert!(task.is_finished());
    });
}

#[test]
fn a_runtime_that_ends_beside_blocking_jobs_runs_or_cancels_each() {
    check(|| {
        let runtime = runtime(1);
        let (probe, drops) = Probe::new();
        let handle = runtime.handle().clone();
        let caller = shuttle::thread::spawn(move || {
            let job = handle.spawn_blocking(move || drop(probe));
            handle.block_on(job)
        });
        drop(runtime);
        match caller.join().expect("no panic") {
            Ok(()) => {}
            Err(error) => assert!(error.is_cancelled()),
        }
        assert_eq!(drops.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_runtime_dropped_by_its_own_task_ends() {
    check(|| {
        let outer = runtime(1);
        let (probe, drops) = Probe::new();
        let handle = outer.handle().clone();
        let task = handle.spawn(async move {
            let _probe = probe;
            drop(outer);
        });
        drop(task);
        while drops.load(Ordering::SeqCst) == 0 {
            shuttle::thread::yield_now();
        }
    });
}

#[test]
fn a_runtime_shut_down_in_the_background_leaves_its_threads_to_end() {
    check(|| {
        let runtime = runtime(2);
        let (probe, _) = Probe::new();
        drop(runtime.spawn(async move {
            let _probe = probe;
            std::future::pending::<()>().await;
        }));
        // The schedule is over only when every thread has ended.
        runtime.shutdown_background();
    });
}

#[test]
fn two_threads_in_one_current_thread_runtime_hand_the_core_over() {
    check(|| {
        let runtime = Builder::new_current_thread()
            .debug(false)
            .build()
            .expect("nothing refuses");
        let handle = runtime.handle().clone();
        let other = shuttle::thread::spawn(move || {
            handle.block_on(async { crate::spawn(async { 1 }).await.expect("no panic") })
        });
        let own = runtime.block_on(async {
            runtime_timer::sleep(Duration::from_micros(5)).await;
            2
        });
        assert_eq!(own + other.join().expect("no panic"), 3);
    });
}
