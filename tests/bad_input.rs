//! What a user is told who sets something wrong: which setting it is, and what to do.

mod common;

use common::{FLAVOURS, silence_panics, within};
use gristmill::executor::{BlockingPool, ComputePool, PoolConfig};
use gristmill::runtime::{Builder, Runtime};
use gristmill::task::JoinHandle;
use gristmill::time::{Duration, interval};
use std::future::pending;
use std::io;

/// The refusal names the setting as the user wrote it, and says what to do.
#[track_caller]
fn refused(builder: Builder, setting: &str, fix: &str) {
    let error = builder.build().expect_err("refused");
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
    let text = error.to_string();
    assert!(text.starts_with(setting), "{text}: does not name {setting}");
    assert!(text.contains(fix), "{text}: does not say {fix}");
}

#[test]
fn no_workers() {
    refused(
        Builder::new().worker_threads(0),
        "worker_threads",
        "set it to 1 or more",
    );
    let one = Builder::new_current_thread().worker_threads(0);
    refused(one, "worker_threads", "leave it out");
}

#[test]
fn too_many_workers() {
    for threads in [1025, usize::MAX] {
        let builder = Builder::new().worker_threads(threads);
        refused(builder, "worker_threads", "lower it");
    }
}

#[test]
fn several_workers_on_one_thread() {
    let builder = Builder::new_current_thread().worker_threads(2);
    refused(builder, "worker_threads", "Builder::new()");
}

#[test]
fn absurd_numbers_of_blocking_threads() {
    for flavour in FLAVOURS {
        let none = flavour.builder().max_blocking_threads(0);
        refused(none, "max_blocking_threads", "set it to 1 or more");
        for threads in [32_768, usize::MAX] {
            let builder = flavour.builder().max_blocking_threads(threads);
            refused(builder, "max_blocking_threads", "lower it");
        }
    }
}

#[test]
fn absurd_numbers_of_computing_threads() {
    for flavour in FLAVOURS {
        let none = flavour.builder().compute_threads(0);
        refused(none, "compute_threads", "set it to 1 or more");
        for threads in [32_768, usize::MAX] {
            let builder = flavour.builder().compute_threads(threads);
            refused(builder, "compute_threads", "lower it");
        }
    }
}

#[test]
fn absurd_numbers_of_relief_workers() {
    for threads in [1025, usize::MAX] {
        let builder = Builder::new().max_relief_threads(threads);
        refused(builder, "max_relief_threads", "lower it");
    }
}

#[test]
fn a_thread_name_with_a_nul_byte() {
    for flavour in FLAVOURS {
        let builder = flavour.builder().thread_name("mi\0ll");
        refused(builder, "thread_name", "remove it");
    }
}

#[test]
fn no_stack() {
    for flavour in FLAVOURS {
        let builder = flavour.builder().thread_stack_size(0);
        refused(builder, "thread_stack_size", "leave it out");
    }
}

#[test]
fn a_paused_start_on_several_threads() {
    let builder = Builder::new().start_paused(true);
    refused(builder, "start_paused", "new_current_thread");
}

#[test]
fn the_limits_themselves_are_allowed() {
    within("limits", || {
        let runtime = Builder::new_current_thread()
            .worker_threads(1)
            .max_blocking_threads(32_767)
            .compute_threads(32_767)
            .max_relief_threads(1024)
            .thread_name("")
            .thread_keep_alive(Duration::MAX)
            .stall_threshold(Some(Duration::MAX))
            .build()
            .expect("within the limits");
        assert_eq!(runtime.block_on(async { 7 }), 7);
        let job = runtime.spawn_blocking(|| 8);
        assert_eq!(runtime.block_on(job).expect("runs"), 8);
    });
    within("no patience", || {
        let runtime = Builder::new()
            .worker_threads(1)
            .thread_keep_alive(Duration::ZERO)
            .stall_threshold(Some(Duration::ZERO))
            .build()
            .expect("within the limits");
        let task = runtime.spawn(async { 7 });
        assert_eq!(runtime.block_on(task).expect("no panic"), 7);
    });
}

#[test]
fn pools_refuse_what_they_cannot_work_with() {
    let error = BlockingPool::new(PoolConfig::blocking().max_threads(0)).expect_err("refused");
    assert!(error.to_string().starts_with("max_threads"), "{error}");
    let error = ComputePool::new(PoolConfig::compute().stack_size(Some(0))).expect_err("refused");
    assert!(error.to_string().starts_with("stack_size"), "{error}");
}

#[test]
#[should_panic(expected = "period of an interval must not be zero")]
fn an_interval_of_no_time() {
    silence_panics();
    within("interval", || {
        let runtime = common::Flavour::CurrentThread.runtime();
        let _inside = runtime.enter();
        drop(interval(Duration::ZERO));
    });
}

#[test]
fn join_errors_say_which_task_and_why() {
    silence_panics();
    common::on_each(|runtime| {
        let cancelled = runtime.spawn(pending::<()>());
        let id = cancelled.id();
        cancelled.abort();
        let error = runtime.block_on(cancelled).expect_err("aborted");
        assert!(
            error
                .to_string()
                .starts_with(&format!("task {id} was cancelled: aborted at tests/"))
        );
        assert!(format!("{error:?}").contains("Cancelled"), "{error:?}");
        assert!(error.io_error().is_none());
        let error = error.try_into_panic().expect_err("no panic");
        assert!(error.is_cancelled());

        let panicked: JoinHandle<()> = runtime.spawn(async { panic!("expected: {}", 7) });
        let id = panicked.id();
        let error = runtime.block_on(panicked).expect_err("panicked");
        let text = error.to_string();
        // The place is for `join_error`: the order of the panic hooks is left to chance here.
        assert!(text.starts_with(&format!("task {id} panicked")), "{text}");
        assert!(text.ends_with(": expected: 7"), "{text}");
        assert!(format!("{error:?}").contains("expected: 7"), "{error:?}");
        let as_io = io::Error::from(error);
        assert_eq!(as_io.to_string(), text);

        let silent: JoinHandle<()> = runtime.spawn(async { std::panic::panic_any(7) });
        let id = silent.id();
        let error = runtime.block_on(silent).expect_err("panicked");
        assert!(
            error
                .to_string()
                .starts_with(&format!("task {id} panicked"))
        );
    });
}

#[test]
#[should_panic(expected = "into_panic called on an error that is not a panic")]
fn the_payload_of_a_cancelled_task() {
    within("payload", || {
        let runtime = common::Flavour::CurrentThread.runtime();
        let task = runtime.spawn(pending::<()>());
        task.abort();
        let error = runtime.block_on(task).expect_err("aborted");
        drop(error.into_panic());
    });
}

#[test]
fn what_is_spawned_after_the_shutdown_says_so_and_names_the_fix() {
    let runtime = Runtime::new().expect("a runtime");
    let handle = runtime.handle().clone();
    drop(runtime);
    let other = Runtime::new().expect("another runtime");
    let errors = [
        other.block_on(handle.spawn(async {})),
        other.block_on(handle.spawn_blocking(|| ())),
        other.block_on(handle.spawn_compute(|| ())),
    ];
    for error in errors {
        let error = error.expect_err("nobody would run it");
        assert!(error.is_cancelled());
        let text = error.to_string();
        assert!(text.contains("has shut down"), "{text}");
        assert!(text.contains("keep the Runtime alive"), "{text}");
    }
}
