//! Child processes: what they write arrives, how they end is told, and none stays as a zombie.

mod child;
mod common;
mod wire;

use common::{CountingWaker, on_each, with_each};
use gristmill::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use gristmill::process::{Child, Command, Stdio};
use gristmill::signal::unix::SignalKind;
use gristmill::stream::StreamExt;
use gristmill::task::JoinSet;
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use wire::pattern;

fn sh(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

/// A child that ends when its input does.
fn cat() -> Child {
    Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child")
}

/// A child that does not end by itself.
fn sleeper() -> Command {
    let mut command = Command::new("sleep");
    command.arg("1000").kill_on_drop(true);
    command
}

#[test]
fn both_outputs_and_the_status_are_told() {
    on_each(|runtime| {
        runtime.block_on(async {
            let output = sh("echo out; echo err >&2; exit 5").output().await;
            let output = output.expect("an end");
            assert_eq!(output.status.code(), Some(5));
            assert_eq!(output.stdout, b"out\n");
            assert_eq!(output.stderr, b"err\n");
            let status = sh("exit 6").status().await.expect("an end");
            assert_eq!(status.code(), Some(6));
        });
    });
}

#[test]
fn what_was_set_reaches_the_child() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut command = sh("echo $0 $ONE $TWO $HOME; pwd");
            command
                .arg("named")
                .env_clear()
                .env("ONE", "1")
                .envs([("TWO", "2"), ("THREE", "3")])
                .env_remove("THREE")
                .current_dir("/");
            let output = command.output().await.expect("an end");
            assert_eq!(output.stdout, b"named 1 2\n/\n");
            assert_eq!(command.as_std().get_program(), "sh");
            command.as_std_mut().env("HOME", "home");
            let output = Command::from(command.into_std()).output().await;
            assert_eq!(output.expect("an end").stdout, b"named 1 2 home\n/\n");
        });
    });
}

#[test]
#[cfg(target_os = "linux")]
fn name_group_and_user_can_be_set() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut command = Command::new("sh");
            let (user, group) = (nix::unistd::getuid(), nix::unistd::getgid());
            command
                .arg0("renamed")
                .args(["-c", "cat /proc/$$/cmdline /proc/$$/stat"])
                .uid(user.as_raw())
                .gid(group.as_raw())
                .process_group(0)
                .stdout(Stdio::piped());
            let child = command.spawn().expect("a child");
            let id = child.id().expect("running").to_string();
            let output = child.wait_with_output().await.expect("an end");
            let text = String::from_utf8(output.stdout).expect("text");
            assert!(text.starts_with("renamed\0-c\0"), "{text}");
            // "number (name) state parent group …"
            let (_, stat) = text.rsplit_once(')').expect("a name");
            assert_eq!(stat.split_whitespace().nth(2), Some(&*id));
        });
    });
}

#[test]
fn a_mebibyte_goes_through_a_child_and_back() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut child = cat();
            let (mut stdin, mut stdout) = (
                child.stdin.take().expect("a pipe"),
                child.stdout.take().expect("a pipe"),
            );
            let writing = gristmill::spawn(async move {
                stdin.write_all(&pattern(1 << 20)).await.expect("a write");
            });
            let mut received = Vec::new();
            stdout.read_to_end(&mut received).await.expect("a read");
            assert!(received == pattern(1 << 20));
            writing.await.expect("no panic");
            assert!(child.wait().await.expect("an end").success());
        });
    });
}

#[test]
fn a_child_that_fills_both_pipes_is_not_stuck() {
    on_each(|runtime| {
        runtime.block_on(async {
            let script = "head -c 300000 /dev/zero; head -c 400000 /dev/zero >&2; \
                          head -c 300000 /dev/zero; head -c 400000 /dev/zero >&2";
            let output = sh(script).output().await.expect("an end");
            assert_eq!(
                (output.stdout.len(), output.stderr.len()),
                (600_000, 800_000)
            );
        });
    });
}

#[test]
fn waiting_closes_the_input_first() {
    on_each(|runtime| {
        runtime.block_on(async {
            assert!(cat().wait().await.expect("an end").success());
            let output = cat().wait_with_output().await.expect("an end");
            assert!(output.status.success() && output.stdout.is_empty());
        });
    });
}

#[test]
fn closing_the_input_ends_it_though_it_is_kept() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut child = cat();
            let mut stdin = child.stdin.take().expect("a pipe");
            stdin.write_all(b"kept").await.expect("a write");
            stdin.close().await.expect("closed");
            let output = child.wait_with_output().await.expect("an end");
            assert_eq!(output.stdout, b"kept");
            drop(stdin);
        });
    });
}

#[test]
fn a_cancelled_wait_can_be_asked_again_and_the_answer_stays() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut child = sleeper().spawn().expect("a child");
            let waker = CountingWaker::new();
            for _ in 0..3 {
                assert!(waker.poll(&mut pin!(child.wait())).is_pending());
            }
            child.start_kill().expect("it runs");
            let status = child.wait().await.expect("an end");
            assert_eq!(status.signal(), Some(9));
            assert_eq!(child.wait().await.expect("an end"), status);
            assert_eq!(child.try_wait().expect("an end"), Some(status));
        });
    });
}

#[test]
fn the_number_and_the_status_are_told_by_turns() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut child = cat();
            assert!(child.id().is_some());
            assert_eq!(child.try_wait().expect("no end yet"), None);
            drop(child.stdin.take());
            let status = loop {
                if let Some(status) = child.try_wait().expect("an answer") {
                    break status;
                }
                gristmill::task::yield_now().await;
            };
            assert!(status.success());
            assert_eq!(child.id(), None);
        });
    });
}

#[test]
fn a_killed_child_and_one_that_kills_itself_tell_the_signal() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut child = sleeper().spawn().expect("a child");
            child.kill().await.expect("killed");
            let status = child.wait().await.expect("an end");
            assert_eq!(status.signal(), Some(9));
            let status = sh("kill -TERM $$").status().await.expect("an end");
            assert_eq!((status.code(), status.signal()), (None, Some(15)));
        });
    });
}

#[test]
fn a_hundred_children_at_once_are_told_apart() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut ends = JoinSet::new();
            for code in 0..100 {
                let child = sh(&format!("read line; exit {code}"))
                    .stdin(Stdio::piped())
                    .spawn();
                let mut child = child.expect("a child");
                ends.spawn(async move { (code, child.wait().await) });
            }
            while let Some(end) = ends.join_next().await {
                let (code, status) = end.expect("no panic");
                assert_eq!(status.expect("an end").code(), Some(code));
            }
        });
    });
}

#[test]
fn children_can_be_put_in_a_row() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut first = cat();
            let mut stdin = first.stdin.take().expect("a pipe");
            let between: Stdio = first
                .stdout
                .take()
                .expect("a pipe")
                .try_into()
                .expect("blocking");
            let second = Command::new("tr")
                .args(["a-z", "A-Z"])
                .stdin(between)
                .output();
            stdin
                .write_all(b"through two children")
                .await
                .expect("a write");
            drop(stdin);
            let output = second.await.expect("an end");
            assert_eq!(output.stdout, b"THROUGH TWO CHILDREN");
            assert!(first.wait().await.expect("an end").success());
        });
    });
}

#[test]
fn a_child_is_waited_for_under_another_runtime_than_its_own() {
    with_each(|flavour| {
        let first = flavour.runtime();
        let mut child = first.block_on(async { cat() });
        let waker = CountingWaker::new();
        let stdin = child.stdin.take();
        assert!(waker.poll(&mut pin!(child.wait())).is_pending());
        drop(first);
        drop(stdin);
        let status = flavour.runtime().block_on(child.wait());
        assert!(status.expect("an end").success());
    });
}

#[test]
fn a_wait_that_is_pending_when_its_runtime_ends_still_answers() {
    with_each(|flavour| {
        let first = flavour.runtime();
        let mut child = first.block_on(async { cat() });
        let stdin = child.stdin.take();
        let ended = std::thread::spawn(move || {
            // On a thread without a runtime: it needs none to wait.
            futures_lite::future::block_on(child.wait())
        });
        drop(first);
        drop(stdin);
        assert!(ended.join().expect("no panic").expect("an end").success());
    });
}

#[test]
fn a_signal_reaches_the_child_until_its_end_is_known() {
    on_each(|runtime| {
        runtime.block_on(async {
            let script =
                "trap 'echo heard' USR1; echo ready; while true; do read line || exit 4; done";
            let mut child = sh(script)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("a child");
            let stdin = child.stdin.take();
            let stdout = child.stdout.take().expect("a pipe");
            let mut lines = BufReader::new(stdout).lines();
            assert_eq!(
                lines.next().await.expect("a line").expect("a read"),
                "ready"
            );
            child
                .send_signal(SignalKind::user_defined1())
                .expect("sent");
            drop(stdin);
            assert_eq!(
                lines.next().await.expect("a line").expect("a read"),
                "heard"
            );
            assert_eq!(child.wait().await.expect("an end").code(), Some(4));
            let error = child
                .send_signal(SignalKind::terminate())
                .expect_err("known");
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        });
    });
}
