//! Descriptors: children inherit none of ours, and one that is closed behind our back harms nobody else.
//!
//! Numbers are the process's, so each test runs in a process of its own. To close a number that something else owns is a mistake of
//! the program: here it shows what is left in order then.
#![cfg(target_os = "linux")]

mod common;
mod wire;

use common::temp_dir::TempDir;
use common::{CountingWaker, FLAVOURS, in_own_process, on_each, within};
use gristmill::fs;
use gristmill::io::{Async, AsyncReadExt, AsyncWriteExt};
use gristmill::net::unix::pipe;
use gristmill::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use gristmill::process::{Command, Stdio};
use gristmill::signal::unix::{SignalKind, signal};
use gristmill::time::{Duration, sleep};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::pin::pin;
use wire::{echo, tcp_pair};

/// The open numbers of this process that a program which it starts would have, too.
fn inherited() -> BTreeSet<(RawFd, String)> {
    const CLOSED_ON_EXEC: u32 = 0o2_000_000;
    let mut numbers = BTreeSet::new();
    for entry in std::fs::read_dir("/proc/self/fdinfo").expect("mounted") {
        let path = entry.expect("an entry").path();
        let number: RawFd = path
            .file_name()
            .and_then(|name| name.to_str()?.parse().ok())
            .expect("a number");
        // That of the look itself is gone by now, or is closed like all others.
        let Ok(info) = std::fs::read_to_string(&path) else {
            continue;
        };
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = u32::from_str_radix(flags.expect("known").trim(), 8).expect("octal");
        if flags & CLOSED_ON_EXEC == 0 {
            let what = std::fs::read_link(format!("/proc/self/fd/{number}")).unwrap_or_default();
            numbers.insert((number, what.to_string_lossy().into_owned()));
        }
    }
    numbers
}

/// The numbers that a child finds open.
async fn seen_by_children() -> [String; 2] {
    let mut ours = Command::new("ls");
    let mut standard = std::process::Command::new("ls");
    let ours = ours.arg("/proc/self/fd").stdin(Stdio::null()).output();
    let ours = ours.await.expect("a child").stdout;
    let standard = gristmill::spawn_blocking(move || standard.arg("/proc/self/fd").output());
    let standard = standard.await.expect("a thread").expect("a child").stdout;
    [ours, standard].map(|text| String::from_utf8(text).expect("numbers"))
}

#[test]
fn children_inherit_no_descriptor_of_ours() {
    in_own_process("children_inherit_no_descriptor_of_ours", || {
        on_each(|runtime| {
            runtime.block_on(async {
                let seen_before = seen_by_children().await;
                let before = inherited();
                let folder = TempDir::new();
                let (tcp, accepted) = tcp_pair().await;
                let kept = (
                    TcpListener::bind("127.0.0.1:0").await.expect("a listener"),
                    UdpSocket::bind("127.0.0.1:0").await.expect("a socket"),
                    UnixListener::bind(folder.join("socket")).expect("a listener"),
                    UnixStream::connect(folder.join("socket"))
                        .await
                        .expect("connected"),
                    UnixStream::pair().expect("a pair"),
                    UnixDatagram::pair().expect("a pair"),
                    UnixDatagram::unbound().expect("a socket"),
                    pipe::pipe().expect("a pipe"),
                    pipe::OpenOptions::new()
                        .open_receiver(folder.named_pipe("named"))
                        .expect("a pipe"),
                    fs::File::create(folder.join("file")).await.expect("a file"),
                    fs::read_dir(folder.path()).await.expect("a folder"),
                    signal(SignalKind::user_defined1()).expect("a listener"),
                    // Its pipes, and what tells of its end.
                    Command::new("cat")
                        .stdin(Stdio::piped())
                        .stdout(Stdio::piped())
                        .stderr(Stdio::piped())
                        .kill_on_drop(true)
                        .spawn()
                        .expect("a child"),
                    gristmill::runtime::Runtime::new().expect("another runtime"),
                );
                let accepted_unix = kept.2.accept().await.expect("a connection");
                let duplicate = kept.9.try_clone().await.expect("a duplicate");
                let plain = accepted.into_std().expect("plain");
                assert_eq!(inherited(), before);
                assert_eq!(seen_by_children().await, seen_before);
                drop((tcp, plain, accepted_unix, duplicate, kept));
            });
        });
    });
}

/// Closes the number behind the back of its owner.
fn close(owner: &impl AsRawFd) -> RawFd {
    let number = owner.as_raw_fd();
    nix::unistd::close(number).expect("it was open");
    number
}

/// Gives the number to something, so that its owner has something to close.
fn fill(number: RawFd) {
    while std::fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_err() {
        // Whatever other number this gets is left open.
        let _ = std::fs::File::open("/dev/null")
            .expect("there")
            .into_raw_fd();
    }
}

#[test]
fn a_closed_descriptor_is_an_error_to_who_uses_it_and_nothing_to_the_others() {
    let name = "a_closed_descriptor_is_an_error_to_who_uses_it_and_nothing_to_the_others";
    in_own_process(name, || {
        on_each(|runtime| {
            runtime.block_on(async {
                let (mut friend, other) = tcp_pair().await;
                drop(gristmill::spawn(echo(other)));
                let (mut victim, mut peer) = tcp_pair().await;
                let waker = CountingWaker::new();
                {
                    let mut buffer = [0; 16];
                    let mut reading = pin!(victim.readable());
                    assert!(victim.try_read(&mut buffer).is_err());
                    assert!(waker.poll(&mut reading).is_pending());
                    close(&victim);
                    // For the peer that is the end.
                    assert_eq!(peer.read(&mut buffer).await.expect("the end"), 0);
                }
                let error = victim.write_all(b"?").await.expect_err("closed");
                assert_eq!(Errno::from_io_error(&error), Some(Errno::BADF));
                fill(victim.as_raw_fd());
                friend.write_all(b"!").await.expect("a write");
                friend.read_exact(&mut [0]).await.expect("the echo");

                // A task that waits for one is told by nobody, but can be aborted like any other.
                let (waiting, _peer) = tcp_pair().await;
                // From here on the poller knows it, wherever the task has got to when it closes.
                let error = waiting.try_read(&mut [0]).expect_err("nothing is there");
                assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
                let number = waiting.as_raw_fd();
                let task = gristmill::spawn(async move {
                    let waits = waiting.readable().await;
                    (waiting, waits).1
                });
                gristmill::task::yield_now().await;
                nix::unistd::close(number).expect("it was open");
                fill(number);
                task.abort();
                assert!(task.await.expect_err("aborted").is_cancelled());
                drop(victim);
                friend.write_all(b"!").await.expect("a write");
                friend.read_exact(&mut [0]).await.expect("the echo");
            });
        });
    });
}

#[test]
fn a_number_that_is_used_again_brings_its_events_to_its_new_owner_alone() {
    let name = "a_number_that_is_used_again_brings_its_events_to_its_new_owner_alone";
    in_own_process(name, || {
        on_each(|runtime| {
            runtime.block_on(async {
                for has_duplicate in [false, true] {
                    let (old, mut old_peer) = tcp_pair().await;
                    let old = old.into_std().expect("plain");
                    // With one, the old socket lives on, and so does what the poller knows of it.
                    let duplicate = has_duplicate.then(|| old.try_clone().expect("a duplicate"));
                    let old = TcpStream::from_std(old).expect("registered");
                    let old_waker = CountingWaker::new();
                    // Its first event, that it can be written, may come between an attempt to read and what that says: once.
                    let old_waits = loop {
                        assert!(old.try_read(&mut [0]).is_err());
                        let mut waits = Box::pin(old.readable());
                        if old_waker.poll(&mut waits).is_pending() {
                            break waits;
                        }
                    };
                    let number = close(&old);

                    let (new, mut new_peer) = loop {
                        let (one, other) = UnixStream::pair().expect("a pair");
                        if one.as_raw_fd() == number {
                            break (one, other);
                        }
                        if other.as_raw_fd() == number {
                            break (other, one);
                        }
                        std::mem::forget((one, other));
                    };
                    let new_waker = CountingWaker::new();
                    assert!(new.try_read(&mut [0]).is_err());
                    {
                        let mut new_waits = pin!(new.readable());
                        assert!(new_waker.poll(&mut new_waits).is_pending());
                        if has_duplicate {
                            old_peer
                                .write_all(b"for the old one")
                                .await
                                .expect("a write");
                            while old_waker.wakes() == 0 {
                                gristmill::task::yield_now().await;
                            }
                            assert_eq!(new_waker.wakes(), 0);
                        }
                        let before = old_waker.wakes();
                        new_peer
                            .write_all(b"for the new one")
                            .await
                            .expect("a write");
                        while new_waker.wakes() == 0 {
                            gristmill::task::yield_now().await;
                        }
                        assert_eq!(old_waker.wakes(), before);
                    }
                    let mut text = [0; 15];
                    (&new).read_exact(&mut text).await.expect("a read");
                    assert_eq!(&text, b"for the new one");
                    drop(old_waits);
                    // Its drop would close the number that is another's by now.
                    std::mem::forget(old);
                    drop(duplicate);
                }
            });
        });
    });
}

/// The numbers of the pollers of this process.
fn pollers() -> Vec<RawFd> {
    let numbers = std::fs::read_dir("/proc/self/fd").expect("mounted");
    numbers
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let is_poller = std::fs::read_link(&path)
                .ok()?
                .ends_with("anon_inode:[eventpoll]");
            is_poller
                .then(|| path.file_name()?.to_str()?.parse().ok())
                .flatten()
        })
        .collect()
}

#[test]
fn without_its_poller_a_runtime_keeps_its_timers_tasks_and_end() {
    let name = "without_its_poller_a_runtime_keeps_its_timers_tasks_and_end";
    in_own_process(name, || {
        for flavour in FLAVOURS {
            within(format!("{flavour:?}"), move || {
                let runtime = flavour.runtime();
                let [poller] = pollers()[..] else {
                    panic!("a runtime has one poller: {:?}", pollers());
                };
                nix::unistd::close(poller).expect("it was open");
                let error = runtime.block_on(async {
                    sleep(Duration::from_millis(5)).await;
                    let task = gristmill::spawn(async {
                        sleep(Duration::from_millis(5)).await;
                        gristmill::spawn_blocking(|| 7).await.expect("a thread")
                    });
                    assert_eq!(task.await.expect("no panic"), 7);
                    // A new socket is refused in words.
                    let (reader, _writer) = std::io::pipe().expect("a pipe");
                    Async::new(reader).expect_err("nobody would hear of it")
                });
                assert!(error.to_string().contains("poller"), "{error}");
                let from_outside = runtime.spawn(async { 8 });
                assert_eq!(runtime.block_on(from_outside).expect("no panic"), 8);
                fill(poller);
                drop(runtime);
            });
        }
    });
}
