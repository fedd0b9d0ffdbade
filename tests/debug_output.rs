//! Where debug mode says what it has to say, when it is turned on from outside, and about processes.

mod child;
mod common;

use child::{child_of, is_child_of};
use common::within;
use gristmill::process::{Command, Output, Stdio};
use gristmill::runtime::{Builder, Report};
use std::sync::mpsc;

/// This test once more in a process of its own, with the variable set; what that process writes to its standard error.
fn errors_of(test: &'static str, value: &'static str) -> String {
    within(test, move || {
        let output: Output = gristmill::run(async move {
            let mut command = child_of(test);
            command.env("GRISTMILL_DEBUG", value);
            command.output().await.expect("a child")
        });
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}");
        text
    })
}

/// A runtime that leaves a task behind.
fn leave_a_task(builder: Builder) {
    let runtime = builder.worker_threads(1).build().expect("a runtime");
    let task = gristmill::task::Builder::new().name("left behind");
    drop(task.spawn_on(std::future::pending::<()>(), runtime.handle()));
    drop(runtime);
}

#[test]
fn the_environment_turns_it_on_and_reports_are_lines_on_standard_error() {
    const TEST: &str = "the_environment_turns_it_on_and_reports_are_lines_on_standard_error";
    if is_child_of(TEST) {
        return leave_a_task(Builder::new());
    }
    let text = errors_of(TEST, "1");
    let lines: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("gristmill: "))
        .collect();
    let [line] = lines[..] else { panic!("{text}") };
    assert!(line.contains("\"left behind\""), "{line}");
    assert!(line.contains("tests/debug_output.rs:"), "{line}");
}

#[test]
fn the_builder_has_the_last_word() {
    const TEST: &str = "the_builder_has_the_last_word";
    if is_child_of(TEST) {
        return leave_a_task(Builder::new().debug(false));
    }
    let text = errors_of(TEST, "1");
    assert!(!text.contains("gristmill: "), "{text}");
}

#[test]
fn a_zero_in_the_environment_leaves_it_off() {
    const TEST: &str = "a_zero_in_the_environment_leaves_it_off";
    if is_child_of(TEST) {
        return leave_a_task(Builder::new());
    }
    let text = errors_of(TEST, "0");
    assert!(!text.contains("gristmill: "), "{text}");
}

#[test]
fn a_child_dropped_before_its_end_was_known_is_reported() {
    within("children", || {
        let (sender, reports) = mpsc::channel();
        let runtime = Builder::new()
            .worker_threads(1)
            .debug(true)
            .slow_poll_threshold(std::time::Duration::from_secs(3600))
            .on_report(move |report| drop(sender.send(report.clone())))
            .build()
            .expect("a runtime");
        let dropped = runtime.block_on(async {
            let mut waited = Command::new("true").spawn().expect("a child");
            waited.wait().await.expect("its end");
            drop(waited);
            let mut cat = Command::new("cat");
            cat.stdin(Stdio::piped());
            let dropped = cat.spawn().expect("a child").id();
            drop(cat.kill_on_drop(true).spawn().expect("a child"));
            dropped
        });
        drop(runtime);
        let reports: Vec<_> = reports.try_iter().collect();
        let [Report::UnwaitedChild { pid, .. }] = &reports[..] else {
            panic!("{reports:?}")
        };
        assert_eq!(Some(*pid), dropped);
    });
}
