//! Children when descriptors run short: one that cannot be watched by a descriptor is watched by signal, and one that cannot
//! be had at all is an error that leaves nothing behind.
//!
//! Limits are the process's, so each test runs in a process of its own.
#![cfg(target_os = "linux")]

mod child;
mod common;
mod shortage;

use common::{eventually, in_own_process, on_each};
use gristmill::process::{Command, Stdio};
use gristmill::signal::unix::{SignalKind, signal};
use shortage::short_of_descriptors;

/// Numbers of the children of this process, zombies included.
fn children() -> Vec<u32> {
    let own = std::process::id().to_string();
    let is_child = |id: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let parent = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(1));
        parent == Some(&own)
    };
    let processes = std::fs::read_dir("/proc").expect("mounted");
    processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(is_child)
        .collect()
}

/// Whether this process has the descriptor of another one.
fn holds_a_pidfd() -> bool {
    std::fs::read_dir("/proc/self/fd")
        .expect("mounted")
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .any(|target| target.to_string_lossy().contains("pidfd"))
}

#[test]
fn without_a_descriptor_for_the_end_of_a_child_it_is_heard_by_signal() {
    in_own_process(
        "without_a_descriptor_for_the_end_of_a_child_it_is_heard_by_signal",
        || {
            // The listener has its descriptors before they run out.
            let _listener = signal(SignalKind::child()).expect("a listener");
            on_each(|runtime| {
                runtime.block_on(async {
                    let (reader, writer) = std::io::pipe().expect("a pipe");
                    let mut command = Command::new("cat");
                    command.stdin(reader).kill_on_drop(true);
                    let mut child;
                    loop {
                        let shortage = short_of_descriptors(0);
                        child = command.spawn().expect("a child");
                        drop(shortage);
                        // Another thread may have closed one just then.
                        if !holds_a_pidfd() {
                            break;
                        }
                    }
                    let waiting = gristmill::spawn(async move { child.wait().await });
                    gristmill::task::yield_now().await;
                    drop((command, writer));
                    let status = waiting.await.expect("no panic").expect("an end");
                    assert!(status.success());
                });
            });
        },
    );
}

#[test]
fn a_child_that_cannot_be_heard_of_or_talked_to_is_an_error_and_does_not_stay() {
    in_own_process(
        "a_child_that_cannot_be_heard_of_or_talked_to_is_an_error_and_does_not_stay",
        || {
            on_each(|runtime| {
                runtime.block_on(async {
                    let mut failed = 0;
                    for free in 0.. {
                        let mut command = Command::new("sleep");
                        command.arg("1000").kill_on_drop(true);
                        command.stdin(Stdio::piped()).stdout(Stdio::piped());
                        let shortage = short_of_descriptors(free);
                        let outcome = command.spawn();
                        drop(shortage);
                        match outcome {
                            Ok(_) => break,
                            Err(error) => {
                                failed += 1;
                                let text = error.to_string().to_lowercase();
                                assert!(text.contains("too many open files"), "{error}");
                            }
                        }
                    }
                    assert!(failed > 0);
                    eventually("no child is left", || children().is_empty());
                });
            });
        },
    );
}
