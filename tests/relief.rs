//! A relief worker comes when somebody is stuck, is relied on by nobody before it has begun, and goes when it is not needed: what it
//! leaves others do.

mod common;

use common::{PATIENCE, blocker, meet, within};
use gristmill::runtime::{Builder, Runtime, RuntimeMetrics};
use gristmill::task;
use gristmill::time::{Duration, sleep};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

/// A runtime of one worker, which is blocked until the sender is dropped, and the handle of the task that blocks it.
fn with_its_worker_blocked() -> (Runtime, mpsc::Sender<()>, task::JoinHandle<()>) {
    let runtime = Builder::new().worker_threads(1).build().expect("a runtime");
    let (entered, enter) = mpsc::channel();
    let (release, blocks) = blocker(&entered);
    let stuck = runtime.spawn(blocks);
    enter.recv_timeout(PATIENCE).expect("it gets the worker");
    (runtime, release, stuck)
}

#[test]
fn a_relief_worker_goes_before_its_timers_are_due_and_they_fire_nevertheless() {
    within("timers", || {
        let (runtime, release, stuck) = with_its_worker_blocked();
        let metrics = runtime.metrics();
        // The relief worker polls these, so their timers are in its own shard.
        let far = runtime.spawn(sleep(Duration::from_secs(3_600)));
        let near = runtime.spawn(sleep(Duration::from_secs(3)));
        common::eventually("both wait", || metrics.num_timers() == 2);
        drop(release);
        runtime.block_on(stuck).expect("no panic");
        common::eventually("it goes", || metrics.num_relief_workers() == 0);
        runtime.block_on(near).expect("no panic");
        assert_eq!(metrics.num_timers(), 1);
        assert!(!far.is_finished());
        // One that comes later takes the shard over again.
        assert_eq!(meet(&runtime, 3).len(), 3);
        far.abort();
        assert!(runtime.block_on(far).expect_err("aborted").is_cancelled());
        assert_eq!(metrics.num_timers(), 0);
    });
}

#[test]
fn in_a_program_that_is_always_busy_a_relief_worker_goes_once_the_stuck_one_is_back() {
    within("busy", || {
        let (runtime, release, stuck) = with_its_worker_blocked();
        let metrics = runtime.metrics();
        let busy = Arc::new(AtomicBool::new(true));
        let rounds: Vec<_> = (0..4)
            .map(|_| {
                let busy = Arc::clone(&busy);
                runtime.spawn(async move {
                    let mut rounds = 0_u64;
                    while busy.load(Ordering::Relaxed) {
                        task::yield_now().await;
                        rounds += 1;
                    }
                    rounds
                })
            })
            .collect();
        common::eventually("it comes", || metrics.num_relief_workers() == 1);
        drop(release);
        runtime.block_on(stuck).expect("no panic");
        common::eventually("it goes", || metrics.num_relief_workers() == 0);
        busy.store(false, Ordering::Relaxed);
        for task in rounds {
            // What it had in its queue others go on with.
            assert!(runtime.block_on(task).expect("no panic") > 0);
        }
    });
}

#[test]
fn a_relief_worker_goes_though_a_task_comes_again_and_again_that_a_sleeper_could_poll() {
    within("now and then", || {
        let (runtime, release, stuck) = with_its_worker_blocked();
        let metrics = runtime.metrics();
        let goes_on = Arc::new(AtomicBool::new(true));
        let lives = Arc::clone(&goes_on);
        // The relief worker polls it, so its timers are in the shard of that one, until it goes.
        let periodic = runtime.spawn(async move {
            while lives.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(20)).await;
            }
        });
        common::eventually("it waits", || metrics.num_timers() == 1);
        drop(release);
        runtime.block_on(stuck).expect("no panic");
        common::eventually("it goes", || metrics.num_relief_workers() == 0);
        goes_on.store(false, Ordering::Relaxed);
        runtime.block_on(periodic).expect("no panic");
    });
}

#[test]
fn nobody_relies_on_a_relief_worker_that_is_still_in_the_hook_of_its_thread() {
    within("a hook", || {
        let (entered, enter) = mpsc::channel();
        let (leave, left) = mpsc::channel::<()>();
        let (hooked, left) = (entered.clone(), Mutex::new(left));
        let hook = move || {
            let this = std::thread::current();
            if this.name().is_some_and(|name| name.contains("-r")) {
                let _ = hooked.send(());
                let _ = left.lock().expect("no panic").recv();
            }
        };
        let builder = Builder::new().worker_threads(2).max_relief_threads(1);
        let runtime = builder.on_thread_start(hook).build().expect("a runtime");
        let stuck = [(); 2].map(|()| {
            let (release, blocks) = blocker(&entered);
            let task = runtime.spawn(blocks);
            enter.recv_timeout(PATIENCE).expect("it gets a worker");
            (release, task)
        });
        // With both stuck and this one waiting, a relief worker is called.
        let waiting = runtime.spawn(async {});
        enter.recv_timeout(PATIENCE).expect("it is in its hook");
        let [(release, first), (last, second)] = stuck;
        drop(release);
        runtime.block_on(first).expect("no panic");
        runtime.block_on(waiting).expect("no panic");
        let metrics = runtime.metrics();
        for _ in 0..10 {
            // The one that is back is asleep again, and has to be woken.
            let parks = parks(&metrics);
            runtime.block_on(runtime.spawn(async {})).expect("no panic");
            common::eventually("it sleeps", || parks < self::parks(&metrics));
        }
        drop((leave, last));
        runtime.block_on(second).expect("no panic");
    });
}

/// How often the ordinary workers have gone to sleep.
fn parks(metrics: &RuntimeMetrics) -> u64 {
    let workers = 0..metrics.num_workers();
    workers
        .map(|worker| metrics.worker_park_count(worker))
        .sum()
}
