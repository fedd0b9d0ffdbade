//! Children and faults: what cannot be started, written to, or waited for is an error that says so.

mod child;
mod common;
mod wire;

use common::on_each;
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::process::{Command, Stdio};
use std::io::ErrorKind;
use wire::fresh_path;

#[test]
fn a_program_that_is_not_there_is_the_standard_librarys_error() {
    on_each(|runtime| {
        runtime.block_on(async {
            let program = "/nowhere/no such program";
            let expected = std::process::Command::new(program)
                .spawn()
                .expect_err("none");
            let error = Command::new(program).spawn().expect_err("none");
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert_eq!(error.to_string(), expected.to_string());
            let error = Command::new(program).status().await.expect_err("none");
            assert_eq!(error.kind(), ErrorKind::NotFound);
            let error = Command::new(program).output().await.expect_err("none");
            assert_eq!(error.kind(), ErrorKind::NotFound);
        });
    });
}

#[test]
fn a_file_that_is_no_program_is_refused() {
    on_each(|runtime| {
        runtime.block_on(async {
            let path = fresh_path();
            std::fs::write(&path, "no program").expect("a file");
            let error = Command::new(&path).spawn().expect_err("not executable");
            assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            std::fs::remove_file(path).expect("the file");
        });
    });
}

#[test]
fn without_a_runtime_nothing_is_started_and_the_error_names_the_fix() {
    let error = Command::new("true").spawn().expect_err("no runtime");
    assert!(error.to_string().contains("gristmill::run"), "{error}");
}

#[test]
fn writing_to_a_child_that_does_not_read_is_an_error() {
    on_each(|runtime| {
        runtime.block_on(async {
            // More than a pipe holds: until it executes its program, a child that another test starts meanwhile holds the end
            // that is read, too, so a short write might still find room.
            let endless = vec![b'\n'; 1 << 22];
            let mut child = Command::new("true")
                .stdin(Stdio::piped())
                .spawn()
                .expect("a child");
            let mut stdin = child.stdin.take().expect("a pipe");
            child.wait().await.expect("an end");
            let error = stdin.write_all(&endless).await.expect_err("nobody");
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);

            // While it fills the pipe as well as before.
            let mut child = Command::new("sh")
                .args(["-c", "read line; exit"])
                .stdin(Stdio::piped())
                .spawn()
                .expect("a child");
            let mut stdin = child.stdin.take().expect("a pipe");
            let error = stdin.write_all(&endless).await.expect_err("nobody");
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            child.wait().await.expect("an end");
        });
    });
}

#[test]
fn an_output_ends_when_the_child_closes_it_though_the_child_runs_on() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut child = Command::new("sh")
                .args(["-c", "echo last; exec >&-; read line"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("a child");
            let mut text = String::new();
            let mut stdout = child.stdout.take().expect("a pipe");
            stdout.read_to_string(&mut text).await.expect("a read");
            assert_eq!(text, "last\n");
            assert_eq!(child.try_wait().expect("no end yet"), None);
            child.wait().await.expect("an end");
        });
    });
}

#[test]
fn killing_a_child_that_has_ended_tells_so_only_if_that_is_known() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut child = Command::new("true")
                .stdout(Stdio::piped())
                .spawn()
                .expect("a child");
            let mut stdout = child.stdout.take().expect("a pipe");
            stdout.read_to_end(&mut Vec::new()).await.expect("a read");
            // It has closed its output, so it is ending or a zombie.
            child.start_kill().expect("a zombie can be killed");
            child.wait().await.expect("an end");
            let error = child.start_kill().expect_err("known");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("has ended"), "{error}");
            let error = child.kill().await.expect_err("known");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        });
    });
}

#[test]
fn a_child_that_somebody_else_has_waited_for_is_an_error_and_no_hang() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut child = Command::new("true").spawn().expect("a child");
            let id = child.id().expect("running").cast_signed();
            let id = rustix::process::Pid::from_raw(id).expect("not zero");
            rustix::process::waitpid(Some(id), rustix::process::WaitOptions::empty())
                .expect("an end");
            let error = child.wait().await.expect_err("there is nobody to wait for");
            assert!(error.raw_os_error().is_some(), "{error}");
        });
    });
}
