//! Ending in order: a request ends the intake, tasks are asked, waited for, aborted in the end, and counted.

mod child;
mod common;

use child::{Lines, child_of, is_child_of, raise, send};
use common::{Count, Flavour, in_own_process, on_each, silence_panics, within};
use gristmill::runtime::Builder;
use gristmill::signal::Shutdown;
use gristmill::signal::unix::SignalKind;
use gristmill::time::{Duration, Instant, sleep};
use rustix::process::Signal;
use std::future::{pending, ready};

/// Long enough for everything that ends.
const GRACE: Duration = Duration::from_secs(60);

#[test]
fn a_signal_ends_the_intake_and_is_told() {
    in_own_process("a_signal_ends_the_intake_and_is_told", || {
        on_each(|runtime| {
            runtime.block_on(async {
                for (sent, kind) in [
                    (Signal::TERM, SignalKind::terminate()),
                    (Signal::INT, SignalKind::interrupt()),
                ] {
                    let mut shutdown = Shutdown::new().expect("it listens");
                    assert_eq!(shutdown.unless_requested(ready(7)).await, Some(7));
                    raise(sent);
                    assert_eq!(shutdown.unless_requested(pending::<()>()).await, None);
                    // It stays requested.
                    assert_eq!(shutdown.unless_requested(ready(7)).await, None);
                    assert_eq!(shutdown.requested().await, Some(kind));
                    let report = shutdown.finish(GRACE).await;
                    assert_eq!(report.signal(), Some(kind));
                }
            });
        });
    });
}

#[test]
fn the_program_can_ask_for_its_own_end() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut shutdown = Shutdown::new().expect("it listens");
            let token = shutdown.token().clone();
            shutdown.spawn(async move { token.cancel() });
            assert_eq!(shutdown.requested().await, None);
            let report = shutdown.finish(GRACE).await;
            assert_eq!((report.signal(), report.finished()), (None, 1));
            assert_eq!(report.to_string(), "1 finished, 0 panicked, 0 aborted");
        });
    });
}

#[test]
fn tasks_are_asked_waited_for_and_counted() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let mut shutdown = Shutdown::new().expect("it listens");
            let ended = Count::default();
            for _ in 0..10 {
                let (token, ended) = (shutdown.token().clone(), ended.clone());
                shutdown.spawn(async move {
                    token.run_until_cancelled(pending::<()>()).await;
                    gristmill::task::yield_now().await;
                    ended.add();
                });
            }
            shutdown.spawn(async { panic!("expected: a task that panics") });
            assert_eq!(ended.get(), 0);
            let report = shutdown.finish(GRACE).await;
            assert_eq!(ended.get(), 10);
            assert_eq!(
                (
                    report.finished(),
                    report.panicked(),
                    report.aborted(),
                    report.stuck()
                ),
                (10, 1, 0, 0)
            );
        });
    });
}

#[test]
fn tasks_that_do_not_listen_are_aborted_when_their_time_is_up() {
    within("aborted", || {
        let runtime = Builder::new_current_thread().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let mut shutdown = Shutdown::new().expect("it listens");
            let dropped = Count::default();
            for _ in 0..3 {
                let probe = dropped.on_drop();
                shutdown.spawn(async move {
                    pending::<()>().await;
                    drop(probe);
                });
            }
            shutdown.spawn(sleep(Duration::from_secs(4)));
            let start = Instant::now();
            let report = shutdown.finish(Duration::from_secs(5)).await;
            assert_eq!(start.elapsed(), Duration::from_secs(5));
            assert_eq!((report.finished(), report.aborted()), (1, 3));
            assert_eq!(dropped.get(), 3);
            assert_eq!(report.to_string(), "1 finished, 0 panicked, 3 aborted");
        });
    });
}

#[test]
fn a_task_that_does_not_return_is_left_behind_and_told() {
    within("stuck", || {
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let (running, is_running) = std::sync::mpsc::channel();
        let runtime = Flavour::FourWorkers.runtime();
        let report = runtime.block_on(async move {
            let mut shutdown = Shutdown::new().expect("it listens");
            shutdown.spawn(async move {
                running.send(()).expect("awaited");
                let _ = wait.recv();
            });
            is_running.recv().expect("it runs");
            shutdown.finish(Duration::ZERO).await
        });
        assert_eq!(report.stuck(), 1);
        assert_eq!(
            report.to_string(),
            "0 finished, 0 panicked, 0 aborted, 1 stuck"
        );
        drop(release);
    });
}

#[test]
fn dropping_it_aborts_its_tasks() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut shutdown = Shutdown::new().expect("it listens");
            let dropped = Count::default();
            let probe = dropped.on_drop();
            shutdown.spawn(async move {
                pending::<()>().await;
                drop(probe);
            });
            drop(shutdown);
            while dropped.get() == 0 {
                gristmill::task::yield_now().await;
            }
        });
    });
}

#[test]
fn a_second_signal_ends_a_shutdown_that_hangs() {
    const TEST: &str = "a_second_signal_ends_a_shutdown_that_hangs";
    if is_child_of(TEST) {
        Flavour::FourWorkers.runtime().block_on(async {
            let mut shutdown = Shutdown::new().expect("it listens");
            shutdown.spawn(pending());
            eprintln!("listening");
            shutdown.requested().await;
            eprintln!("ending");
            shutdown.finish(Duration::from_secs(100_000)).await;
        });
    }
    within(TEST, || {
        Flavour::CurrentThread.runtime().block_on(async {
            let mut child = child_of(TEST).spawn().expect("a child");
            let mut lines = Lines::of(&mut child);
            assert_eq!(lines.next().await, "listening");
            send(&child, Signal::TERM);
            assert_eq!(lines.next().await, "ending");
            send(&child, Signal::INT);
            let status = child.wait().await.expect("an end");
            assert_eq!(
                std::os::unix::process::ExitStatusExt::signal(&status),
                Some(2)
            );
        });
    });
}
