//! What the end of a runtime promises: whoever ends it, no thread stays.

mod common;

use common::{Count, Flavour, PATIENCE, eventually, on_each, silence_panics, with_each};
use gristmill::time::{Duration, sleep};
use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::ThreadId;
use std::time::Instant;

#[cfg(target_os = "linux")]
use common::threads_named;

/// Without a list of threads there is nothing to see.
#[cfg(not(target_os = "linux"))]
fn threads_named(_prefix: &str) -> usize {
    0
}

#[track_caller]
fn no_threads_stay(prefix: &str) {
    // A thread that was joined may still be on the system's list for a moment.
    eventually("all threads are gone", || threads_named(prefix) == 0);
}

#[test]
fn a_drop_ends_every_thread() {
    with_each(|flavour| {
        let name = format!("sd{}", FLAVOUR_LETTERS[flavour as usize]);
        for _ in 0..10 {
            let builder = flavour.builder().thread_name(&*name);
            let runtime = builder.build().expect("a runtime");
            runtime.block_on(async {
                for _ in 0..3 {
                    gristmill::spawn_blocking(|| ()).await.expect("runs");
                    gristmill::spawn_compute(|| ()).await.expect("runs");
                }
                if flavour != Flavour::CurrentThread {
                    // Starts relief workers.
                    let task = gristmill::spawn(async {
                        let (sender, receiver) = mpsc::channel();
                        drop(gristmill::spawn(async move { sender.send(()) }));
                        receiver.recv_timeout(PATIENCE)
                    });
                    assert_eq!(task.await.expect("no panic"), Ok(()));
                }
            });
            drop(runtime);
            no_threads_stay(&name);
        }
    });
}

const FLAVOUR_LETTERS: [char; 3] = ['f', 'o', 'c'];

#[test]
fn a_drop_inside_of_an_entered_thread_ends_every_thread_too() {
    with_each(|flavour| {
        let name = format!("en{}", FLAVOUR_LETTERS[flavour as usize]);
        let builder = flavour.builder().thread_name(&*name);
        let runtime = builder.build().expect("a runtime");
        let (ended, end) = mpsc::channel();
        let handle = runtime.handle().clone();
        let _inside = handle.enter();
        let (started, start) = mpsc::channel();
        drop(runtime.spawn_blocking(move || {
            started.send(()).expect("a receiver");
            std::thread::yield_now();
            ended.send(()).expect("a receiver");
        }));
        start.recv_timeout(PATIENCE).expect("it starts");
        drop(runtime);
        assert_eq!(end.try_recv(), Ok(()), "the running job was waited for");
        no_threads_stay(&name);
    });
}

#[test]
fn a_shutdown_with_a_timeout_leaves_stuck_threads_alone() {
    with_each(|flavour| {
        let name = format!("st{}", FLAVOUR_LETTERS[flavour as usize]);
        let builder = flavour.builder().thread_name(&*name);
        let runtime = builder.build().expect("a runtime");
        let (release, released) = mpsc::channel::<()>();
        let (started, start) = mpsc::channel();
        let job_started = started.clone();
        let job = runtime.spawn_blocking(move || {
            job_started.send(()).expect("a receiver");
            let _ = released.recv();
        });
        start.recv_timeout(PATIENCE).expect("the job is stuck");
        let (release_task, released) = mpsc::channel::<()>();
        let drops = Count::default();
        if flavour != Flavour::CurrentThread {
            let probe = drops.on_drop();
            drop(runtime.spawn(async move {
                let _probe = probe;
                started.send(()).expect("a receiver");
                let _ = released.recv();
                pending::<()>().await;
            }));
            start.recv_timeout(PATIENCE).expect("the task is stuck");
        }
        let begin = Instant::now();
        runtime.shutdown_timeout(Duration::from_millis(20));
        assert!(begin.elapsed() < PATIENCE);
        assert!(!job.is_finished());
        assert_eq!(
            drops.get(),
            0,
            "nobody touches a future that is being polled"
        );
        drop((release, release_task));
        eventually("the job ends", || job.is_finished());
        if flavour != Flavour::CurrentThread {
            eventually("the future is dropped", || drops.get() == 1);
        }
        no_threads_stay(&name);
    });
}

#[test]
fn a_shutdown_in_the_background_waits_for_nothing_and_drops_everything() {
    with_each(|flavour| {
        let name = format!("bg{}", FLAVOUR_LETTERS[flavour as usize]);
        for _ in 0..20 {
            let builder = flavour.builder().thread_name(&*name);
            let runtime = builder.build().expect("a runtime");
            let drops = Count::default();
            runtime.block_on(async {
                for _ in 0..20 {
                    let probe = drops.on_drop();
                    drop(gristmill::spawn(async move {
                        let _probe = probe;
                        pending::<()>().await;
                    }));
                }
            });
            let (release, released) = mpsc::channel::<()>();
            let job = runtime.spawn_blocking(move || released.recv().is_err());
            runtime.shutdown_background();
            eventually("all futures are dropped", || drops.get() == 20);
            drop(release);
            eventually("the job ends", || job.is_finished());
            no_threads_stay(&name);
        }
    });
}

#[test]
fn a_runtime_may_be_dropped_by_one_of_its_own_tasks() {
    with_each(|flavour| {
        let name = format!("ow{}", FLAVOUR_LETTERS[flavour as usize]);
        for _ in 0..10 {
            let builder = flavour.builder().thread_name(&*name);
            let runtime = Arc::new(builder.build().expect("a runtime"));
            let handle = runtime.handle().clone();
            let own = Arc::clone(&runtime);
            let drops = Count::default();
            let (probe, other) = (drops.on_drop(), drops.on_drop());
            drop(runtime.spawn(async move {
                let _other = other;
                pending::<()>().await;
            }));
            let task = runtime.spawn(async move {
                let _probe = probe;
                while Arc::strong_count(&own) > 1 {
                    gristmill::task::yield_now().await;
                }
                drop(own);
                // Not reached: the task is aborted by the shutdown at this suspension.
                pending::<()>().await;
            });
            drop(runtime);
            let error = handle.block_on(task).expect_err("cancelled");
            assert!(error.is_cancelled());
            eventually("both futures are dropped", || drops.get() == 2);
            no_threads_stay(&name);
        }
    });
}

#[test]
fn a_runtime_may_be_dropped_by_its_root_future() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let handle = runtime.handle().clone();
        let drops = Count::default();
        let probe = drops.on_drop();
        let output = handle.block_on(async move {
            let task = gristmill::spawn(async move {
                let _probe = probe;
                pending::<()>().await;
            });
            gristmill::task::yield_now().await;
            drop(runtime);
            task.await.expect_err("shut down").is_cancelled()
        });
        assert!(output);
        assert_eq!(drops.get(), 1);
    });
}

#[test]
fn a_runtime_may_be_dropped_by_one_of_its_own_jobs() {
    with_each(|flavour| {
        for computing in [false, true] {
            let name = format!("jb{}", FLAVOUR_LETTERS[flavour as usize]);
            let builder = flavour.builder().thread_name(&*name);
            let runtime = builder.build().expect("a runtime");
            let handle = runtime.handle().clone();
            let drops = Count::default();
            let probe = drops.on_drop();
            drop(runtime.spawn(async move {
                let _probe = probe;
                pending::<()>().await;
            }));
            let job = if computing {
                handle.spawn_compute(move || drop(runtime))
            } else {
                handle.spawn_blocking(move || drop(runtime))
            };
            handle.block_on(job).expect("it ends");
            eventually("the future is dropped", || drops.get() == 1);
            no_threads_stay(&name);
        }
    });
}

#[test]
fn a_runtime_may_be_dropped_inside_of_another() {
    on_each(|runtime| {
        for flavour in common::FLAVOURS {
            let inner = flavour.runtime();
            let drops = Count::default();
            let probe = drops.on_drop();
            drop(inner.spawn(async move {
                let _probe = probe;
                pending::<()>().await;
            }));
            runtime.block_on(async {
                gristmill::spawn(async move { drop(inner) })
                    .await
                    .expect("no panic");
                gristmill::spawn(async {}).await.expect("it goes on");
            });
            assert_eq!(drops.get(), 1);
        }
    });
}

#[test]
fn the_hooks_run_once_on_each_thread() {
    with_each(|flavour| {
        let seen: Arc<Mutex<HashMap<ThreadId, (u32, u32)>>> = Arc::default();
        let (on_start, on_stop) = (Arc::clone(&seen), Arc::clone(&seen));
        let own = || std::thread::current().id();
        let runtime = flavour
            .builder()
            .on_thread_start(move || {
                let mut seen = on_start.lock().expect("no panic");
                seen.entry(own()).or_default().0 += 1;
            })
            .on_thread_stop(move || {
                let mut seen = on_stop.lock().expect("no panic");
                seen.entry(own()).or_default().1 += 1;
            })
            .build()
            .expect("a runtime");
        let (in_job, in_task) = runtime.block_on(async {
            gristmill::spawn_compute(|| ()).await.expect("runs");
            let in_job = gristmill::spawn_blocking(own).await.expect("runs");
            let in_task = gristmill::spawn(async move { own() }).await;
            (in_job, in_task.expect("no panic"))
        });
        drop(runtime);
        let seen = seen.lock().expect("no panic");
        assert!(seen.values().all(|counts| *counts == (1, 1)), "{seen:?}");
        assert!(seen.contains_key(&in_job));
        let is_own_thread = in_task == own();
        assert_eq!(is_own_thread, flavour == Flavour::CurrentThread);
        assert_eq!(seen.contains_key(&in_task), !is_own_thread);
        // Workers, reactor, a blocking and a computing thread.
        let workers = [4, 1, 0][flavour as usize];
        assert!(seen.len() >= workers + 3, "{seen:?}");
    });
}

#[test]
fn a_hook_that_panics_costs_no_thread() {
    silence_panics();
    with_each(|flavour| {
        let runtime = flavour
            .builder()
            .on_thread_start(|| panic!("expected: start hook"))
            .on_thread_stop(|| panic!("expected: stop hook"))
            .build()
            .expect("a runtime");
        let task = runtime.spawn(async { 7 });
        assert_eq!(runtime.block_on(task).expect("no panic"), 7);
        let job = runtime.spawn_blocking(|| 8);
        assert_eq!(runtime.block_on(job).expect("runs"), 8);
    });
}

#[test]
fn a_runtime_in_a_thread_local_place_ends_with_its_thread() {
    thread_local! {
        static RUNTIME: std::cell::RefCell<Option<gristmill::runtime::Runtime>> =
            const { std::cell::RefCell::new(None) };
    }
    for flavour in ["FourWorkers", "OneWorker", "CurrentThread"] {
        // A panic while a thread's places are destroyed aborts the process.
        let inside = std::env::var("GRISTMILL_TEST_FLAVOUR").unwrap_or_default();
        if inside.is_empty() {
            let output = std::process::Command::new(std::env::current_exe().expect("a path"))
                .args([
                    "a_runtime_in_a_thread_local_place_ends_with_its_thread",
                    "--exact",
                ])
                .env("GRISTMILL_TEST_FLAVOUR", flavour)
                .output()
                .expect("started");
            let text = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{flavour}: {text}");
        } else if inside == flavour {
            let flavour = common::FLAVOURS
                .into_iter()
                .find(|known| format!("{known:?}") == inside)
                .expect("a flavour");
            let drops = Count::default();
            let probe = drops.on_drop();
            std::thread::spawn(move || {
                RUNTIME.with(|place| {
                    let mut place = place.borrow_mut();
                    let runtime = place.insert(flavour.runtime());
                    drop(runtime.spawn(async move {
                        let _probe = probe;
                        pending::<()>().await;
                    }));
                    runtime.block_on(sleep(Duration::from_millis(1)));
                });
            })
            .join()
            .expect("no panic");
            assert_eq!(drops.get(), 1);
        }
    }
}
