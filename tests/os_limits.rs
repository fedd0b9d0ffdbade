//! What happens when the operating system refuses: an error that names the fix, and the program goes on.
//!
//! Limits are the process's, so each test runs in a process of its own.
#![cfg(target_os = "linux")]

mod common;
mod shortage;

use common::{
    Count, CountingWaker, FLAVOURS, Flavour, PATIENCE, eventually, give_waker, in_own_process,
    threads_named, within,
};
use gristmill::runtime::{Builder, Runtime};
use gristmill::time::{Duration, sleep};
use shortage::{
    LEFT, MIB, STACK, become_ordinary, open_descriptors, out_of_descriptors, settled,
    short_of_descriptors, short_of_memory, short_of_threads,
};
use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

#[test]
fn too_few_descriptors_are_an_error_of_the_build() {
    in_own_process("too_few_descriptors_are_an_error_of_the_build", || {
        let in_use = open_descriptors();
        for flavour in FLAVOURS {
            let mut refusals = 0;
            for spare in 0..12 {
                let shortage = short_of_descriptors(spare);
                let built = flavour.builder().thread_name("fewfd").build();
                drop(shortage);
                match built {
                    Ok(runtime) => assert_eq!(runtime.block_on(async { 7 }), 7),
                    Err(error) => {
                        refusals += 1;
                        let text = error.to_string();
                        assert!(text.contains("RLIMIT_NOFILE"), "{text}");
                    }
                }
                eventually("no thread stays", || threads_named("fewfd") == 0);
                assert_eq!(open_descriptors(), in_use);
            }
            assert!(refusals > 0, "the limit has an effect");
        }
    });
}

#[test]
fn a_stack_that_cannot_be_had_is_an_error_of_the_build() {
    in_own_process(
        "a_stack_that_cannot_be_had_is_an_error_of_the_build",
        || {
            for flavour in FLAVOURS {
                for bytes in [1 << 46, 1 << 62, usize::MAX / 2, usize::MAX - 1, usize::MAX] {
                    let builder = flavour.builder().thread_name("bigst");
                    let error = builder
                        .thread_stack_size(bytes)
                        .build()
                        .expect_err("no machine has that");
                    let text = error.to_string();
                    assert!(text.contains("thread_stack_size"), "{text}");
                    eventually("no thread stays", || threads_named("bigst") == 0);
                }
            }
        },
    );
}

#[test]
fn a_build_that_fails_half_way_ends_the_threads_it_started() {
    in_own_process(
        "a_build_that_fails_half_way_ends_the_threads_it_started",
        || {
            let in_use = open_descriptors();
            for _ in 0..5 {
                let builder = Builder::new().thread_name("half").worker_threads(16);
                let built = {
                    let _short = short_of_memory(200 * MIB);
                    // Some fit, sixteen do not.
                    builder.thread_stack_size(32 * 1024 * 1024).build()
                };
                let error = built.expect_err("no room");
                assert!(error.to_string().contains("worker_threads"), "{error}");
                eventually("no thread stays", || threads_named("half") == 0);
                eventually("no descriptor stays", || open_descriptors() == in_use);
            }
        },
    );
}

#[test]
fn a_blocking_call_without_a_thread_is_an_error_and_the_program_goes_on() {
    in_own_process(
        "a_blocking_call_without_a_thread_is_an_error_and_the_program_goes_on",
        || {
            for flavour in FLAVOURS {
                within(format!("{flavour:?}"), move || {
                    let builder = flavour.builder().thread_stack_size(STACK);
                    // Workers and the reactor.
                    let runtime = settled(builder, [5, 2, 1][flavour as usize]);
                    let drops = Count::default();
                    let probe = drops.on_drop();
                    let refused = {
                        let _short = short_of_memory(LEFT);
                        runtime.block_on(runtime.spawn_blocking(move || drop(probe)))
                    };
                    let error = refused.expect_err("no thread");
                    assert!(error.io_error().is_some(), "{error}");
                    assert!(!error.is_cancelled() && !error.is_panic());
                    let text = error.to_string();
                    assert!(text.contains("thread stack size"), "{text}");
                    assert_eq!(drops.get(), 1);

                    let job = runtime.spawn_blocking(|| 7);
                    assert_eq!(runtime.block_on(job).expect("runs"), 7);
                    // With a thread there already the next call waits for it instead.
                    let _short = short_of_memory(LEFT);
                    let jobs: Vec<_> = (0..20).map(|n| runtime.spawn_blocking(move || n)).collect();
                    for (n, job) in jobs.into_iter().enumerate() {
                        assert_eq!(runtime.block_on(job).expect("runs"), n);
                    }
                });
            }
        },
    );
}

#[test]
fn a_relief_worker_without_a_thread_leaves_the_others_waiting_but_alive() {
    in_own_process(
        "a_relief_worker_without_a_thread_leaves_the_others_waiting_but_alive",
        || {
            within("relief", || {
                let builder = Builder::new().worker_threads(1);
                let runtime = settled(builder.thread_stack_size(STACK), 2);
                let (release, released) = mpsc::channel::<()>();
                let (started, start) = mpsc::channel();
                let stuck = runtime.spawn(async move {
                    started.send(()).expect("a receiver");
                    let _ = released.recv();
                });
                start.recv_timeout(PATIENCE).expect("it gets stuck");
                let short = short_of_memory(LEFT);
                let waiting = runtime.spawn(async { 7 });
                // Long enough for many attempts.
                let begin = std::time::Instant::now();
                while begin.elapsed() < Duration::from_millis(50) {
                    assert!(!waiting.is_finished());
                    std::thread::yield_now();
                }
                // An attempt that is going on just now counts until it fails.
                eventually("no attempt counts", || {
                    runtime.metrics().relief_workers() == 0
                });
                drop(short);
                assert_eq!(runtime.block_on(waiting).expect("relieved"), 7);
                assert!(runtime.metrics().relief_workers() >= 1);
                drop(release);
                runtime.block_on(stuck).expect("no panic");
            });
        },
    );
}

#[test]
fn a_worker_that_blocks_while_there_are_no_descriptors_is_relieved() {
    in_own_process(
        "a_worker_that_blocks_while_there_are_no_descriptors_is_relieved",
        || {
            within("relief", || {
                let runtime = settled(Builder::new().worker_threads(1), 2);
                let (release, released) = mpsc::channel();
                // To tell a thread that sleeps from one that lacks a processor takes a look into a file.
                let _short = out_of_descriptors();
                let blocked = runtime.spawn(async move { released.recv() });
                runtime
                    .block_on(runtime.spawn(async move { release.send(7).expect("it waits") }))
                    .expect("relieved");
                let outcome = runtime.block_on(blocked).expect("no panic");
                assert_eq!(outcome, Ok(7));
            });
        },
    );
}

/// Makes many runtimes, uses and drops each, and sees to it that nothing of them stays open.
fn leaves_nothing_open(test: &'static str, use_and_drop: fn(Runtime)) {
    in_own_process(test, || {
        within(test, move || {
            let in_use = open_descriptors();
            for flavour in FLAVOURS {
                for _ in 0..60 {
                    use_and_drop(flavour.runtime());
                }
                eventually("the descriptors are closed", || {
                    open_descriptors() <= in_use
                });
            }
        });
    });
}

#[test]
fn descriptors_are_closed_after_plain_use() {
    leaves_nothing_open("descriptors_are_closed_after_plain_use", |runtime| {
        runtime.block_on(async {
            drop(gristmill::spawn(sleep(Duration::from_secs(3600))));
            drop(gristmill::spawn(pending::<()>()));
            gristmill::spawn(async {}).await.expect("no panic");
        });
    });
}

#[test]
fn descriptors_are_closed_after_a_drop_while_another_thread_works() {
    leaves_nothing_open(
        "descriptors_are_closed_after_a_drop_while_another_thread_works",
        |runtime| {
            let handle = runtime.handle().clone();
            let (started, start) = mpsc::channel();
            let worker = std::thread::spawn(move || {
                handle.block_on(async {
                    let tasks: Vec<_> = (0..20)
                        .map(|_| {
                            gristmill::spawn(async {
                                loop {
                                    gristmill::task::yield_now().await;
                                }
                            })
                        })
                        .collect();
                    gristmill::task::yield_now().await;
                    started.send(()).expect("a receiver");
                    for task in tasks {
                        let joined: Result<(), _> = task.await;
                        assert!(joined.expect_err("shut down").is_cancelled());
                    }
                });
            });
            start.recv_timeout(PATIENCE).expect("it works");
            drop(runtime);
            worker.join().expect("no panic");
        },
    );
}

#[test]
fn descriptors_are_closed_after_wakes_and_spawns_that_come_with_the_shutdown() {
    leaves_nothing_open(
        "descriptors_are_closed_after_wakes_and_spawns_that_come_with_the_shutdown",
        |runtime| {
            let (sender, wakers) = mpsc::channel();
            for _ in 0..20 {
                drop(runtime.spawn(give_waker(sender.clone())));
            }
            drop(sender);
            runtime.block_on(async {
                for _ in 0..100 {
                    gristmill::task::yield_now().await;
                }
            });
            let (stop, handle) = (Arc::new(AtomicBool::new(false)), runtime.handle().clone());
            let stopped = Arc::clone(&stop);
            let (started, start) = mpsc::channel();
            let thread = std::thread::spawn(move || {
                let held: Vec<_> = wakers.try_iter().collect();
                started.send(()).expect("a receiver");
                while !stopped.load(Ordering::SeqCst) {
                    held.iter().for_each(std::task::Waker::wake_by_ref);
                    drop(handle.spawn(pending::<()>()));
                }
            });
            start.recv_timeout(PATIENCE).expect("it wakes");
            drop(runtime);
            stop.store(true, Ordering::SeqCst);
            thread.join().expect("no panic");
        },
    );
}

#[test]
fn descriptors_are_closed_after_the_job_that_outlived_the_runtime() {
    leaves_nothing_open(
        "descriptors_are_closed_after_the_job_that_outlived_the_runtime",
        |runtime| {
            let (release, released) = mpsc::channel::<()>();
            drop(runtime.spawn_blocking(move || {
                let _ = released.recv();
                gristmill::spawn(pending::<()>()).is_finished()
            }));
            if runtime.metrics().num_workers() > 1 {
                let (sender, receiver) = mpsc::channel::<()>();
                drop(runtime.spawn(async move {
                    let _ = receiver.recv_timeout(Duration::from_millis(1));
                    drop(sender);
                    gristmill::task::yield_now().await;
                }));
            }
            runtime.shutdown_background();
            drop(release);
        },
    );
}

/// What a thread keeps of tasks and timers that end on it must be of the runtime that it is inside of: that one lives on, and with
/// it whatever is kept.
#[test]
fn descriptors_are_closed_after_tasks_and_timers_that_end_inside_another_runtime() {
    leaves_nothing_open(
        "descriptors_are_closed_after_tasks_and_timers_that_end_inside_another_runtime",
        |runtime| {
            let other = Runtime::new().expect("a runtime");
            let handles: Vec<_> = (0..200).map(|_| runtime.spawn(async {})).collect();
            let sleeps = runtime.block_on(async {
                gristmill::task::yield_now().await;
                let sleeps = (0..200).map(|_| Box::pin(sleep(Duration::from_secs(3600))));
                let mut sleeps: Vec<_> = sleeps.collect();
                for sleep in &mut sleeps {
                    assert!(CountingWaker::new().poll(sleep).is_pending());
                }
                sleeps
            });
            let in_use = open_descriptors();
            other.block_on(async move {
                gristmill::spawn(async {}).await.expect("no panic");
                drop((runtime, handles, sleeps));
                // Four, but for what others open just then.
                eventually("the runtime's own are closed", || {
                    open_descriptors() + 3 <= in_use
                });
                gristmill::spawn(async {}).await.expect("no panic");
            });
        },
    );
}

#[test]
fn descriptors_are_closed_after_a_thread_ends_that_forgot_to_leave() {
    leaves_nothing_open(
        "descriptors_are_closed_after_a_thread_ends_that_forgot_to_leave",
        |runtime| {
            let handle = runtime.handle().clone();
            let thread = std::thread::spawn(move || {
                std::mem::forget(handle.enter());
                let tasks: Vec<_> = (0..20).map(|_| gristmill::spawn(async {})).collect();
                let mut sleep = Box::pin(sleep(Duration::from_secs(3600)));
                assert!(CountingWaker::new().poll(&mut sleep).is_pending());
                drop((tasks, sleep));
            });
            thread.join().expect("no panic");
            drop(runtime);
        },
    );
}

#[test]
fn a_flavour_of_each_kind_lives_with_few_descriptors() {
    in_own_process("a_flavour_of_each_kind_lives_with_few_descriptors", || {
        // What a runtime needs is part of what a user has to plan for.
        let in_use = open_descriptors();
        let runtimes: Vec<_> = FLAVOURS.into_iter().map(Flavour::runtime).collect();
        let each = (open_descriptors() - in_use) / runtimes.len();
        assert!(each <= 4, "{each} descriptors a runtime");
    });
}

#[test]
fn threads_beyond_the_limit_of_the_user_are_errors_and_the_program_goes_on() {
    in_own_process(
        "threads_beyond_the_limit_of_the_user_are_errors_and_the_program_goes_on",
        || {
            become_ordinary();
            for flavour in FLAVOURS {
                let shortage = short_of_threads();
                let refused = flavour.builder().thread_name("nothread").build();
                let text = refused.expect_err("no thread to be had").to_string();
                assert!(text.contains("RLIMIT_NPROC"), "{text}");
                eventually("no thread is left", || threads_named("nothread") == 0);

                drop(shortage);
                let runtime = flavour.runtime();
                let shortage = short_of_threads();
                runtime.block_on(async {
                    let job = gristmill::spawn_blocking(|| 1).await;
                    let error = job.expect_err("no thread to be had");
                    assert!(error.io_error().is_some(), "{error}");
                    assert_eq!(gristmill::spawn(async { 2 }).await.expect("runs"), 2);
                });
                drop(shortage);
                let again = runtime.block_on(async { gristmill::spawn_blocking(|| 3).await });
                assert_eq!(again.expect("a thread"), 3);
            }
        },
    );
}
