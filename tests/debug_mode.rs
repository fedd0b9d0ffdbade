//! What debug mode promises: each thing that goes unnoticed otherwise is said once, about the right task, and holds nobody up.

mod common;

use common::{Flavour, PATIENCE, eventually, with_each, within};
use gristmill::runtime::{Builder, Report, Runtime, SlowPollCause};
use gristmill::task;
use gristmill::time::Duration;
use std::future::pending;
use std::io;
use std::panic::Location;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

/// Short, so that a poll can be made longer than it without waiting for long.
const THRESHOLD: Duration = Duration::from_millis(5);
/// Longer than any poll can take here.
const NEVER: Duration = Duration::from_secs(3600);

/// A runtime in debug mode, and what it reports.
fn watched(flavour: Flavour, threshold: Duration) -> (Runtime, Receiver<Report>) {
    let (sender, reports) = mpsc::channel();
    let runtime = flavour
        .builder()
        .debug(true)
        .slow_poll_threshold(threshold)
        .on_report(move |report| drop(sender.send(report.clone())))
        .build()
        .expect("a runtime");
    (runtime, reports)
}

/// Everything that a runtime reported up to its end.
fn all(runtime: Runtime, reports: &Receiver<Report>) -> Vec<Report> {
    drop(runtime);
    reports.try_iter().collect()
}

/// Keeps its thread until so much time has passed.
fn compute(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

#[test]
fn a_long_poll_is_reported_with_name_site_and_duration() {
    with_each(|flavour| {
        let (runtime, reports) = watched(flavour, THRESHOLD);
        let builder = task::Builder::new().name("slow one");
        let body = async { thread::sleep(2 * THRESHOLD) };
        let site = Location::caller();
        let handle = builder.spawn_on(body, runtime.handle());
        let id = handle.id();
        runtime.block_on(handle).expect("no panic");
        let metrics = runtime.metrics();
        let reports = all(runtime, &reports);
        assert!(metrics.slow_polls() > 0, "{flavour:?}");
        // On a busy machine there may be others.
        let (report, task, duration) = reports
            .iter()
            .find_map(|report| match report {
                Report::SlowPoll { task, duration, .. } if task.name().is_some() => {
                    Some((report, task, duration))
                }
                _ => None,
            })
            .expect("the slow poll");
        assert_eq!(task.name(), Some("slow one"));
        assert_eq!(task.id(), Some(id));
        assert_eq!(task.spawned_at().line(), site.line() + 1);
        assert_eq!(task.spawned_at().file(), file!());
        assert!(*duration >= 2 * THRESHOLD);
        let text = report.to_string();
        assert!(
            text.contains("\"slow one\"") && text.contains(file!()),
            "{text}"
        );
    });
}

#[test]
fn the_future_of_block_on_is_watched_too() {
    with_each(|flavour| {
        let (runtime, reports) = watched(flavour, THRESHOLD);
        runtime.block_on(async { thread::sleep(2 * THRESHOLD) });
        let line = line!() - 1;
        let reports = all(runtime, &reports);
        let task = reports.iter().find_map(|report| match report {
            Report::SlowPoll { task, .. } => Some(task),
            _ => None,
        });
        let task = task.unwrap_or_else(|| panic!("{flavour:?} {reports:?}"));
        assert_eq!(task.id(), None);
        assert_eq!(task.spawned_at().line(), line);
    });
}

/// Polls for long until the cause is known: others may be on the processors.
#[cfg(target_os = "linux")]
fn cause_of(work: fn()) -> SlowPollCause {
    within("a clear cause", move || {
        loop {
            let (runtime, reports) = watched(Flavour::OneWorker, THRESHOLD);
            runtime
                .block_on(runtime.spawn(async move { work() }))
                .expect("no panic");
            let reports = all(runtime, &reports);
            let slow = reports.iter().find_map(|report| match report {
                Report::SlowPoll { task, cause, .. } if task.id().is_some() => Some(*cause),
                _ => None,
            });
            match slow.expect("a slow poll") {
                SlowPollCause::Unknown => {}
                cause => return cause,
            }
        }
    })
}

#[cfg(target_os = "linux")]
#[test]
fn a_poll_that_sleeps_is_said_to_block() {
    assert_eq!(
        cause_of(|| thread::sleep(10 * THRESHOLD)),
        SlowPollCause::Blocked
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_poll_that_computes_is_said_to_compute() {
    assert_eq!(cause_of(|| compute(2 * THRESHOLD)), SlowPollCause::Computed);
}

#[test]
fn a_poll_that_says_it_will_be_long_is_no_news() {
    within("block_in_place", || {
        // Longer than a thread can be kept from the processor by a busy machine, or nearly.
        let threshold = Duration::from_millis(300);
        let (runtime, reports) = watched(Flavour::OneWorker, threshold);
        let body = async move { task::block_in_place(|| thread::sleep(4 * threshold)) };
        runtime.block_on(runtime.spawn(body)).expect("no panic");
        for report in all(runtime, &reports) {
            let Report::SlowPoll { duration, .. } = report else {
                panic!("{report}")
            };
            // A machine that stood still.
            assert!(duration < 4 * threshold, "{report}");
        }
    });
}

#[test]
fn a_panic_of_a_detached_task_is_reported_with_its_message() {
    with_each(|flavour| {
        let (runtime, reports) = watched(flavour, NEVER);
        let site = Location::caller();
        let (go, wait) = async_channel::bounded::<()>(1);
        let body = async move {
            wait.recv().await.expect("a sender");
            panic!("wheels came off")
        };
        drop::<task::JoinHandle<()>>(
            task::Builder::new()
                .name("detached")
                .spawn_on(body, runtime.handle()),
        );
        let metrics = runtime.metrics();
        runtime.block_on(async move {
            go.send(()).await.expect("a receiver");
            while metrics.unobserved_panics() == 0 {
                task::yield_now().await;
            }
        });
        let reports = all(runtime, &reports);
        let [Report::UnobservedPanic { task, message, .. }] = &reports[..] else {
            panic!("{flavour:?} {reports:?}")
        };
        assert_eq!(task.name(), Some("detached"));
        assert_eq!(task.spawned_at().file(), site.file());
        assert_eq!(message.as_deref(), Some("wheels came off"));
    });
}

#[test]
fn a_panic_is_reported_when_its_handle_is_dropped_unawaited() {
    with_each(|flavour| {
        let (runtime, reports) = watched(flavour, NEVER);
        let handle = runtime.spawn(async { panic!("too bad") });
        runtime.block_on(async {
            while !handle.is_finished() {
                task::yield_now().await;
            }
        });
        assert_eq!(runtime.metrics().unobserved_panics(), 0);
        drop::<task::JoinHandle<()>>(handle);
        assert_eq!(runtime.metrics().unobserved_panics(), 1);
        let reports = all(runtime, &reports);
        assert!(
            matches!(&reports[..], [Report::UnobservedPanic { .. }]),
            "{reports:?}"
        );
    });
}

#[test]
fn a_panic_that_was_awaited_is_no_news() {
    with_each(|flavour| {
        let (runtime, reports) = watched(flavour, NEVER);
        let handle = runtime.spawn(async { panic!("awaited") });
        let outcome: Result<(), _> = runtime.block_on(handle);
        assert!(outcome.expect_err("a panic").is_panic());
        assert_eq!(runtime.metrics().unobserved_panics(), 0);
        let reports = all(runtime, &reports);
        assert!(reports.is_empty(), "{flavour:?} {reports:?}");
    });
}

#[test]
fn a_panic_of_a_detached_blocking_job_is_reported() {
    with_each(|flavour| {
        let (runtime, reports) = watched(flavour, NEVER);
        // Its handle goes before its end, or after it.
        drop(runtime.spawn_blocking(|| panic!("in a job")));
        eventually("the job ends", || {
            runtime.metrics().unobserved_panics() == 1
        });
        let ended = runtime.spawn_blocking(|| panic!("in another job"));
        eventually("it ends", || ended.is_finished());
        drop(ended);
        assert_eq!(runtime.metrics().unobserved_panics(), 2);
        let reports = all(runtime, &reports);
        assert!(
            matches!(
                &reports[..],
                [
                    Report::UnobservedPanic { .. },
                    Report::UnobservedPanic { .. }
                ]
            ),
            "{reports:?}"
        );
    });
}

#[test]
fn an_error_of_a_detached_task_is_reported_with_its_text() {
    with_each(|flavour| {
        let (runtime, reports) = watched(flavour, NEVER);
        drop(runtime.spawn(async { Err::<(), _>(io::Error::other("no such luck")) }));
        drop(runtime.spawn(async { Ok::<(), io::Error>(()) }));
        let metrics = runtime.metrics();
        runtime.block_on(async move {
            while metrics.num_alive_tasks() > 0 || metrics.unobserved_errors() == 0 {
                task::yield_now().await;
            }
        });
        let reports = all(runtime, &reports);
        let [Report::UnobservedError { message, .. }] = &reports[..] else {
            panic!("{flavour:?} {reports:?}")
        };
        assert_eq!(message, "no such luck");
    });
}

#[test]
fn an_aborted_task_is_no_news() {
    with_each(|flavour| {
        let (runtime, reports) = watched(flavour, NEVER);
        let handle = runtime.spawn(pending::<()>());
        handle.abort();
        let error = runtime.block_on(handle).expect_err("aborted");
        assert!(error.is_cancelled());
        let reports = all(runtime, &reports);
        assert!(reports.is_empty(), "{flavour:?} {reports:?}");
    });
}

#[test]
fn a_task_left_at_the_shutdown_is_reported_by_name_and_site() {
    with_each(|flavour| {
        let (runtime, reports) = watched(flavour, NEVER);
        let builder = task::Builder::new().name("left behind");
        let site = Location::caller();
        drop(builder.spawn_on(pending::<()>(), runtime.handle()));
        runtime
            .block_on(runtime.spawn(async {}))
            .expect("it is done");
        let metrics = runtime.metrics();
        let reports = all(runtime, &reports);
        let [Report::UnfinishedTask { task, .. }] = &reports[..] else {
            panic!("{flavour:?} {reports:?}")
        };
        assert_eq!(task.name(), Some("left behind"));
        assert_eq!(task.spawned_at().file(), site.file());
        assert_eq!(task.spawned_at().line(), site.line() + 1);
        assert_eq!(metrics.unfinished_tasks(), 1);
    });
}

#[test]
fn a_socket_that_outlives_its_runtime_is_counted() {
    with_each(|flavour| {
        let (runtime, reports) = watched(flavour, NEVER);
        let listener = runtime
            .block_on(gristmill::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let reports = all(runtime, &reports);
        assert!(
            matches!(&reports[..], [Report::OpenDescriptors { count: 1, .. }]),
            "{flavour:?} {reports:?}"
        );
        drop(listener);
    });
}

#[test]
fn without_debug_mode_nothing_is_reported_and_failures_are_counted() {
    with_each(|flavour| {
        let (sender, reports) = mpsc::channel();
        let runtime = flavour
            .builder()
            .debug(false)
            .slow_poll_threshold(Duration::ZERO)
            .on_report(move |report| drop(sender.send(report.clone())))
            .build()
            .expect("a runtime");
        drop(runtime.spawn(async { panic!("detached") }));
        drop(runtime.spawn(pending::<()>()));
        let metrics = runtime.metrics();
        runtime.block_on(async {
            while runtime.metrics().unobserved_panics() == 0 {
                task::yield_now().await;
            }
        });
        assert!(all(runtime, &reports).is_empty());
        assert_eq!(metrics.unobserved_panics(), 1);
        assert_eq!(metrics.unfinished_tasks(), 1);
        assert_eq!(metrics.slow_polls(), 0);
        assert_eq!(metrics.lost_reports(), 0);
    });
}

#[test]
fn a_hook_that_panics_costs_its_own_report_only() {
    within("a hook that panics", || {
        let (sender, reports) = mpsc::channel();
        let runtime = Builder::new()
            .worker_threads(1)
            .debug(true)
            .slow_poll_threshold(NEVER)
            .on_report(move |report| {
                let Report::UnobservedError { message, .. } = report else {
                    return;
                };
                assert_ne!(message, "first");
                drop(sender.send(report.to_string()));
            })
            .build()
            .expect("a runtime");
        for text in ["first", "second"] {
            drop(runtime.spawn(async move { Err::<(), _>(io::Error::other(text)) }));
        }
        let text = reports.recv_timeout(PATIENCE).expect("the second");
        assert!(text.contains("second"), "{text}");
        assert_eq!(runtime.metrics().lost_reports(), 1);
    });
}

#[test]
fn reports_that_nobody_takes_hold_no_task_up_and_are_counted() {
    within("a hook that hangs", || {
        let (release, released) = mpsc::channel::<()>();
        let (sender, reports) = mpsc::channel();
        let released = std::sync::Mutex::new(released);
        let runtime = Builder::new()
            .worker_threads(1)
            .debug(true)
            .slow_poll_threshold(NEVER)
            .on_report(move |report| {
                let _ = released.lock().expect("no panic").recv();
                drop(sender.send(report.clone()));
            })
            .build()
            .expect("a runtime");
        const FAILURES: u64 = 3_000;
        for _ in 0..FAILURES {
            drop(runtime.spawn(async { Err::<(), _>(io::Error::other("again")) }));
        }
        // All of them end although the hook has not come back from its first call.
        // An error is counted before it is handed on, and its task is alive until that is done.
        let metrics = runtime.metrics();
        eventually("all end", || {
            metrics.unobserved_errors() == FAILURES && metrics.num_alive_tasks() == 0
        });
        let lost = metrics.lost_reports();
        assert!(lost > 0);
        drop(release);
        let reports = all(runtime, &reports);
        let (mut said, mut missing) = (0, 0);
        for report in reports {
            match report {
                Report::UnobservedError { .. } => said += 1,
                Report::Lost { count, .. } => missing += count,
                other => panic!("{other}"),
            }
        }
        assert_eq!(missing, lost);
        assert_eq!(said + missing, FAILURES);
    });
}

#[test]
fn a_hook_may_cause_reports_itself() {
    within("a hook that fails tasks", || {
        let (sender, reports) = mpsc::channel();
        let handle = std::sync::Arc::new(std::sync::OnceLock::<gristmill::runtime::Handle>::new());
        let inside = std::sync::Arc::clone(&handle);
        let runtime = Builder::new()
            .worker_threads(1)
            .debug(true)
            .slow_poll_threshold(NEVER)
            .on_report(move |report| {
                let Report::UnobservedError { message, .. } = report else {
                    return;
                };
                drop(sender.send(message.clone()));
                let depth = message.parse::<u32>().expect("a number");
                if depth < 5 {
                    let handle = inside.get().expect("set");
                    let next = io::Error::other((depth + 1).to_string());
                    drop(handle.spawn(async { Err::<(), _>(next) }));
                }
            })
            .build()
            .expect("a runtime");
        handle.set(runtime.handle().clone()).expect("set once");
        drop(runtime.spawn(async { Err::<(), _>(io::Error::other("0")) }));
        for depth in 0..=5 {
            let message = reports.recv_timeout(PATIENCE).expect("a report");
            assert_eq!(message, depth.to_string());
        }
    });
}
