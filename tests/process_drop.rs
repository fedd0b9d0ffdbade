//! Children that are dropped: they run on or are killed, as was asked, and no zombie stays.
#![cfg(target_os = "linux")]

mod child;
mod common;

use child::exists;
use common::{CountingWaker, eventually, on_each, with_each};
use gristmill::process::{Command, Stdio};
use std::io::{Read, Write};
use std::pin::pin;

#[test]
fn a_child_that_is_dropped_before_its_end_is_reaped_after_it() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut ids = Vec::new();
            for _ in 0..20 {
                let child = Command::new("true").spawn().expect("a child");
                ids.extend(child.id());
            }
            assert_eq!(ids.len(), 20);
            eventually("no zombie is left", || !ids.iter().any(|id| exists(*id)));
        });
    });
}

#[test]
fn a_dropped_child_runs_on() {
    on_each(|runtime| {
        let (reader, mut input) = std::io::pipe().expect("a pipe");
        let (mut output, writer) = std::io::pipe().expect("a pipe");
        let id = runtime.block_on(async {
            let child = Command::new("cat").stdin(reader).stdout(writer).spawn();
            child.expect("a child").id().expect("running")
        });
        input.write_all(b"still there").expect("a write");
        let mut buf = [0; 11];
        output.read_exact(&mut buf).expect("a read");
        assert_eq!(&buf, b"still there");
        drop(input);
        eventually("it is reaped", || !exists(id));
    });
}

#[test]
fn kill_on_drop_kills_and_reaps() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut command = Command::new("sleep");
            command.arg("1000").kill_on_drop(true);
            let child = command.spawn().expect("a child");
            let id = child.id().expect("running");
            drop(child);
            eventually("it is gone", || !exists(id));

            // A future that is dropped takes its child with it.
            command.stdout(Stdio::piped());
            let mut child = command.spawn().expect("a child");
            let id = child.id().expect("running");
            let waker = CountingWaker::new();
            assert!(waker.poll(&mut pin!(child.wait())).is_pending());
            assert!(exists(id));
            let mut output = Box::pin(child.wait_with_output());
            assert!(waker.poll(&mut output).is_pending());
            drop(output);
            eventually("it is gone", || !exists(id));
        });
    });
}

#[test]
fn a_task_that_is_aborted_takes_its_child_with_it() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut command = Command::new("sleep");
            command.arg("1000").kill_on_drop(true);
            let mut child = command.spawn().expect("a child");
            let id = child.id().expect("running");
            let waiting = gristmill::spawn(async move { child.wait().await });
            gristmill::task::yield_now().await;
            waiting.abort();
            assert!(waiting.await.expect_err("aborted").is_cancelled());
            eventually("it is gone", || !exists(id));
        });
    });
}

#[test]
fn children_are_reaped_after_their_runtime_has_ended() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let (reader, input) = std::io::pipe().expect("a pipe");
        let id = runtime.block_on(async {
            let mut child = Command::new("cat").stdin(reader).spawn().expect("a child");
            let id = child.id().expect("running");
            drop(gristmill::spawn(async move { child.wait().await }));
            gristmill::task::yield_now().await;
            id
        });
        drop(runtime);
        assert!(exists(id), "it runs on");
        drop(input);
        eventually("it is reaped", || !exists(id));
    });
}
