//! What is done about a panic of a task besides telling its handle: what `Builder::unhandled_panic` says, and nothing by default

mod common;

use common::{Count, Flavour, OnDrop, PATIENCE, panic_text, silence_panics, with_each};
use gristmill::runtime::{Builder, Handle, Report, Runtime, TaskPanic, UnhandledPanic};
use gristmill::task::{self, JoinHandle};
use gristmill::time::{Duration, sleep};
use std::future::pending;
use std::panic::Location;
use std::process::{Command, Output};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, OnceLock};

/// A runtime whose handler gives what it is called with to the receiver.
fn handled(flavour: Flavour) -> (Runtime, Receiver<TaskPanic>) {
    silence_panics();
    let (sender, panics) = mpsc::channel();
    let policy = UnhandledPanic::handler(move |panic| drop(sender.send(panic.clone())));
    let runtime = flavour.builder().unhandled_panic(policy);
    (runtime.build().expect("a runtime"), panics)
}

fn runtime(flavour: Flavour, policy: UnhandledPanic) -> Runtime {
    silence_panics();
    let builder = flavour.builder().unhandled_panic(policy);
    builder.build().expect("a runtime")
}

/// Lets the tasks of a runtime run until the condition holds.
fn run_until(runtime: &Runtime, mut holds: impl FnMut() -> bool) {
    runtime.block_on(async {
        while !holds() {
            task::yield_now().await;
        }
    });
}

/// All that the handler was called with, in the life of the runtime.
fn all(runtime: Runtime, panics: &Receiver<TaskPanic>) -> Vec<TaskPanic> {
    drop(runtime);
    panics.try_iter().collect()
}

#[test]
fn the_handler_is_told_which_task_where_and_what() {
    with_each(|flavour| {
        let (runtime, panics) = handled(flavour);
        let (go, wait) = async_channel::bounded::<()>(1);
        let body = async move {
            wait.recv().await.expect("a sender");
            panic!("expected: {}", 7)
        };
        let spawned = Location::caller().line() + 1;
        let task: JoinHandle<()> = named("mill", body, &runtime);
        let id = task.id();
        drop(task);
        go.send_blocking(()).expect("a receiver");
        run_until(&runtime, || runtime.metrics().unobserved_panics() == 1);
        let panics = all(runtime, &panics);
        let [panic] = &panics[..] else {
            panic!("{flavour:?} {panics:?}")
        };
        assert_eq!(panic.task().id(), Some(id));
        assert_eq!(panic.task().name(), Some("mill"));
        assert_eq!(panic.task().spawned_at().file(), file!());
        assert_eq!(panic.task().spawned_at().line(), spawned);
        assert_eq!(panic.message(), Some("expected: 7"));
        let place = panic.panicked_at().expect("known");
        assert_eq!((place.file(), place.line()), (file!(), spawned - 3));
        assert_eq!(
            panic.to_string(),
            format!(
                "task {id} \"mill\" spawned at {} panicked at {place}: expected: 7",
                panic.task().spawned_at()
            )
        );
    });
}

#[track_caller]
fn named<T: Send + 'static>(
    name: &str,
    body: impl Future<Output = T> + Send + 'static,
    runtime: &Runtime,
) -> JoinHandle<T> {
    let builder = task::Builder::new().name(name);
    builder.spawn_on(body, runtime.handle())
}

#[test]
fn the_handler_hears_of_a_handle_that_is_dropped_after_the_end() {
    with_each(|flavour| {
        let (runtime, panics) = handled(flavour);
        let task: JoinHandle<()> = runtime.spawn(async { panic!("expected: task") });
        let job: JoinHandle<()> = runtime.spawn_blocking(|| panic!("expected: job"));
        run_until(&runtime, || task.is_finished() && job.is_finished());
        assert!(panics.try_recv().is_err(), "the handles may be asked yet");
        drop(task);
        let panic = panics.try_recv().expect("the handler was called");
        assert_eq!(panic.message(), Some("expected: task"));
        drop(job);
        let panic = panics.try_recv().expect("the handler was called");
        assert_eq!(panic.message(), Some("expected: job"));
        assert!(all(runtime, &panics).is_empty());
    });
}

#[test]
fn the_handler_hears_of_detached_jobs_on_every_executor() {
    with_each(|flavour| {
        let (runtime, panics) = handled(flavour);
        let pool = gristmill::executor::ComputePool::default();
        drop(runtime.spawn_blocking(|| panic!("expected: blocking")));
        drop(runtime.spawn_compute(|| panic!("expected: compute")));
        drop(runtime.run_in_executor(Some(&pool), || panic!("expected: own pool")));
        let mut messages: Vec<_> = (0..3)
            .map(|_| {
                panics
                    .recv_timeout(PATIENCE)
                    .expect("the handler is called")
            })
            .map(|panic| {
                assert!(panic.panicked_at().is_some(), "{panic}");
                panic.message().expect("a text").to_owned()
            })
            .collect();
        messages.sort();
        assert_eq!(
            messages,
            [
                "expected: blocking",
                "expected: compute",
                "expected: own pool"
            ]
        );
        assert!(all(runtime, &panics).is_empty());
    });
}

#[test]
fn the_handler_hears_of_panics_in_the_drop_of_a_future() {
    with_each(|flavour| {
        let (runtime, panics) = handled(flavour);
        let (sender, started) = mpsc::channel();
        drop(runtime.spawn(async move {
            let _bomb = OnDrop::new(|| panic!("expected: dropped"));
            sender.send(()).expect("a receiver");
            pending::<()>().await;
        }));
        run_until(&runtime, || started.try_recv().is_ok());
        let panics = all(runtime, &panics);
        let [panic] = &panics[..] else {
            panic!("{flavour:?} {panics:?}")
        };
        assert_eq!(panic.message(), Some("expected: dropped"));
        assert!(panic.panicked_at().is_some());
    });
}

#[test]
fn the_handler_does_not_hear_of_what_somebody_saw_or_of_what_is_no_panic() {
    with_each(|flavour| {
        let (runtime, panics) = handled(flavour);
        runtime.block_on(async {
            let seen: JoinHandle<()> = gristmill::spawn(async { panic!("expected: seen") });
            assert!(seen.await.expect_err("a panic").is_panic());
            let mut set = task::JoinSet::new();
            set.spawn(async { panic!("expected: in a set") });
            set.spawn(pending::<()>());
            assert!(set.join_next().await.expect("two").is_err());
            drop(set);
            drop(gristmill::spawn(pending::<()>()));
            drop(gristmill::spawn(async { Err::<(), _>("no panic") }));
        });
        let panics = all(runtime, &panics);
        assert!(panics.is_empty(), "{flavour:?} {panics:?}");
    });
}

#[test]
fn a_handler_that_panics_harms_nobody() {
    with_each(|flavour| {
        let calls = Count::default();
        let counted = calls.clone();
        let policy = UnhandledPanic::handler(move |_| {
            counted.add();
            std::panic::panic_any(OnDrop::new(|| panic!("expected: payload of the handler")));
        });
        let runtime = runtime(flavour, policy);
        for _ in 0..10 {
            drop(runtime.spawn(async { panic!("expected: task") }));
            drop(runtime.spawn_blocking(|| panic!("expected: job")));
        }
        run_until(&runtime, || calls.get() == 20);
        let ended: JoinHandle<()> = runtime.spawn(async { panic!("expected: task") });
        run_until(&runtime, || ended.is_finished());
        // On this thread.
        drop(ended);
        assert_eq!(calls.get(), 21);
        assert_eq!(
            runtime
                .block_on(runtime.spawn(async { 7 }))
                .expect("goes on"),
            7
        );
        assert_eq!(
            runtime
                .block_on(runtime.spawn_blocking(|| 8))
                .expect("goes on"),
            8
        );
    });
}

#[test]
fn a_handler_may_use_the_runtime_through_a_handle() {
    with_each(|flavour| {
        let (sender, wait) = mpsc::channel();
        let place = Arc::new(OnceLock::<Handle>::new());
        let handle = Arc::clone(&place);
        let policy = UnhandledPanic::handler(move |_| {
            let sender = sender.clone();
            let after = async move { sender.send(7).expect("a receiver") };
            drop(handle.wait().spawn(after));
        });
        let runtime = runtime(flavour, policy);
        let _ = place.set(runtime.handle().clone());
        // On the worker's thread, and on this one.
        drop(runtime.spawn_blocking(|| panic!("expected: job")));
        run_until(&runtime, || wait.try_recv() == Ok(7));
        let ended: JoinHandle<()> = runtime.spawn(async { panic!("expected: task") });
        run_until(&runtime, || ended.is_finished());
        drop(ended);
        run_until(&runtime, || wait.try_recv() == Ok(7));
    });
}

#[test]
fn log_says_it_to_the_hook_of_reports_once_in_debug_mode_and_without() {
    for debug in [false, true] {
        for flavour in common::FLAVOURS {
            silence_panics();
            let (sender, reports) = mpsc::channel();
            let runtime = flavour
                .builder()
                .debug(debug)
                .unhandled_panic(UnhandledPanic::Log)
                .on_report(move |report| drop(sender.send(report.clone())))
                .build()
                .expect("a runtime");
            drop(named(
                "mill",
                async { panic!("expected: logged") },
                &runtime,
            ));
            run_until(&runtime, || runtime.metrics().unobserved_panics() == 1);
            drop(runtime);
            let reports: Vec<_> = reports.try_iter().collect();
            let [report @ Report::UnobservedPanic { location, .. }] = &reports[..] else {
                panic!("{flavour:?} {debug} {reports:?}")
            };
            let place = location.as_ref().expect("known");
            let end =
                format!(" panicked at {place}, and nobody awaited its handle: expected: logged");
            assert!(report.to_string().ends_with(&end), "{report}");
        }
    }
}

#[test]
fn by_default_and_by_ignore_a_panic_is_for_its_handle_alone() {
    with_each(|flavour| {
        silence_panics();
        for policy in [None, Some(UnhandledPanic::Ignore)] {
            let reports = Count::default();
            let counted = reports.clone();
            let builder = flavour.builder().debug(false);
            let builder = builder.on_report(move |_| counted.add());
            let builder = match policy {
                Some(policy) => builder.unhandled_panic(policy),
                None => builder,
            };
            let runtime = builder.build().expect("a runtime");
            drop(runtime.spawn(async { panic!("expected: ignored") }));
            drop(runtime.spawn_blocking(|| panic!("expected: ignored")));
            run_until(&runtime, || runtime.metrics().unobserved_panics() == 2);
            let held: JoinHandle<()> = runtime.spawn(async { panic!("expected: seen") });
            let error = runtime.block_on(held).expect_err("a panic");
            assert_eq!(error.panic_message().as_deref(), Some("expected: seen"));
            let after = runtime.spawn(async { 7 });
            assert_eq!(runtime.block_on(after).expect("goes on"), 7);
            drop(runtime);
            assert_eq!(reports.get(), 0);
        }
    });
}

/// A task and a job that panic in a simulation, and nobody looks: the reports.
fn reports_of_simulation(seed: u64, policy: UnhandledPanic) -> Vec<Report> {
    let (sender, reports) = mpsc::channel();
    let runtime = Builder::new_simulated(seed)
        .debug(false)
        .unhandled_panic(policy)
        .on_report(move |report| drop(sender.send(report.clone())))
        .build()
        .expect("a runtime");
    drop(runtime.spawn(async { panic!("expected: task") }));
    drop(runtime.spawn_blocking(|| panic!("expected: job")));
    // It goes on for longer than a job takes.
    runtime.block_on(sleep(Duration::from_secs(1)));
    assert_eq!(runtime.metrics().unobserved_panics(), 2);
    drop(runtime);
    reports.try_iter().collect()
}

#[test]
fn a_simulation_ignores_logs_and_calls_the_handler_as_it_is_told() {
    common::within("simulations", || {
        silence_panics();
        for seed in 0..20 {
            assert!(reports_of_simulation(seed, UnhandledPanic::Ignore).is_empty());
            let logged = reports_of_simulation(seed, UnhandledPanic::Log);
            let is_panic = |report| matches!(report, &Report::UnobservedPanic { .. });
            assert!(
                logged.len() == 2 && logged.iter().all(is_panic),
                "{logged:?}"
            );

            let (sender, panics) = mpsc::channel();
            let policy = UnhandledPanic::handler(move |panic| drop(sender.send(panic.clone())));
            assert!(reports_of_simulation(seed, policy).is_empty());
            let mut heard: Vec<_> = panics
                .try_iter()
                .map(|panic| panic.message().expect("a text").to_owned())
                .collect();
            heard.sort();
            assert_eq!(heard, ["expected: job", "expected: task"]);
        }
    });
}

#[test]
fn the_handler_does_not_hear_of_the_future_of_block_on() {
    with_each(|flavour| {
        let (runtime, panics) = handled(flavour);
        let text = panic_text(|| runtime.block_on(async { panic!("expected: root") }));
        assert_eq!(text, "expected: root");
        assert!(all(runtime, &panics).is_empty());
    });
}

/// Runs `inside` in a process of its own, once for each flavour: this program once more, with the test of that name alone.
fn in_a_process_each(test: &str, inside: fn(Builder), judge: fn(&Output, &str)) {
    const FLAVOUR: &str = "GRISTMILL_TEST_FLAVOUR";
    for flavour in common::FLAVOURS {
        let name = format!("{flavour:?}");
        match std::env::var(FLAVOUR) {
            Ok(own) if own == name => inside(flavour.builder()),
            Ok(_) => {}
            Err(_) => {
                let mut command = Command::new(std::env::current_exe().expect("a path"));
                command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
                let output = command.env(FLAVOUR, name).output().expect("started");
                judge(&output, &String::from_utf8_lossy(&output.stderr));
            }
        }
    }
}

#[test]
fn log_without_a_hook_is_one_line_on_standard_error() {
    in_a_process_each(
        "log_without_a_hook_is_one_line_on_standard_error",
        |builder| {
            let runtime = builder.debug(false).unhandled_panic(UnhandledPanic::Log);
            let runtime = runtime.build().expect("a runtime");
            drop(runtime.spawn(async { panic!("one\nand two") }));
            // One after the other: the panic hook prints in pieces.
            run_until(&runtime, || runtime.metrics().unobserved_panics() == 1);
            drop(runtime.spawn_blocking(|| panic!("three")));
            run_until(&runtime, || runtime.metrics().unobserved_panics() == 2);
        },
        |output, text| {
            assert!(output.status.success(), "{text}");
            let lines = text.lines().filter(|line| line.starts_with("gristmill: "));
            let ends: Vec<_> = lines
                .map(|line| line.rsplit_once("its handle: ").expect("a message").1)
                .collect();
            assert_eq!(ends, ["one and two", "three"], "{text}");
        },
    );
}
