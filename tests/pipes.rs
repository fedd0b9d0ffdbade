//! Pipes: what is written is read, in order, with its end; named ones too; and what is no pipe is refused.

mod common;
mod wire;

use common::{CountingWaker, OnDrop, on_each};
use gristmill::io::{AsyncReadExt, AsyncWriteExt, Interest};
use gristmill::net::unix::pipe::{OpenOptions, Receiver, Sender, pipe};
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::path::PathBuf;
use wire::{fresh_path, pattern};

/// A named pipe, removed when the guard is dropped.
fn fifo() -> (PathBuf, impl Drop) {
    let path = fresh_path();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, mode).expect("a named pipe");
    let removed = path.clone();
    let guard = OnDrop::new(move || std::fs::remove_file(removed).expect("the named pipe"));
    (path, guard)
}

/// Fills the pipe, and tells how much it took.
fn fill(sender: &Sender) -> usize {
    let mut written = 0;
    loop {
        match sender.try_write(&[7; 4096]) {
            Ok(count) => written += count,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                return written;
            }
        }
    }
}

#[test]
fn a_mebibyte_and_the_end_come_through() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut sender, mut receiver) = pipe().expect("a pipe");
            let writing = gristmill::spawn(async move {
                sender.write_all(&pattern(1 << 20)).await.expect("a write");
            });
            let mut received = Vec::new();
            receiver.read_to_end(&mut received).await.expect("a read");
            assert!(received == pattern(1 << 20));
            writing.await.expect("no panic");
        });
    });
}

#[test]
fn a_full_pipe_makes_the_writer_wait_until_there_is_room() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut sender, mut receiver) = pipe().expect("a pipe");
            let held = fill(&sender);
            let waker = CountingWaker::new();
            assert!(waker.poll(&mut sender.write(b"no room")).is_pending());
            let writing = gristmill::spawn(async move {
                sender.write_all(&pattern(100_000)).await.expect("a write");
            });
            let mut received = Vec::new();
            receiver.read_to_end(&mut received).await.expect("a read");
            assert!(received[..held].iter().all(|byte| *byte == 7));
            assert!(received[held..] == pattern(100_000));
            writing.await.expect("no panic");
        });
    });
}

#[test]
fn attempts_tell_that_they_would_wait() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (sender, receiver) = pipe().expect("a pipe");
            let mut buf = [0; 4];
            let error = receiver.try_read(&mut buf).expect_err("nothing there");
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            sender.writable().await.expect("room");
            let bufs = [IoSlice::new(b"ab"), IoSlice::new(b"cd")];
            assert_eq!(sender.try_write_vectored(&bufs).expect("room"), 4);
            receiver.readable().await.expect("bytes");
            let ready = receiver.ready(Interest::READABLE).await.expect("bytes");
            assert!(ready.is_readable());
            let (mut first, mut second) = ([0; 1], [0; 3]);
            let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
            assert_eq!(receiver.try_read_vectored(&mut bufs).expect("bytes"), 4);
            assert_eq!((&first, &second), (b"a", b"bcd"));
            drop(sender);
            receiver.readable().await.expect("the end");
            assert_eq!(receiver.try_read(&mut buf).expect("the end"), 0);
        });
    });
}

#[test]
fn a_write_that_nobody_will_read_is_an_error_also_when_it_waits_already() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut sender, receiver) = pipe().expect("a pipe");
            fill(&sender);
            let writing = gristmill::spawn(async move {
                let error = sender.write_all(b"more").await.expect_err("no reader");
                assert_eq!(error.kind(), ErrorKind::BrokenPipe);
                let error = sender.try_write(b"more").expect_err("no reader");
                assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            });
            gristmill::task::yield_now().await;
            drop(receiver);
            writing.await.expect("no panic");
        });
    });
}

#[test]
fn both_ends_of_a_named_pipe_can_be_opened_without_waiting() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (path, _guard) = fifo();
            let error = OpenOptions::new()
                .open_sender(&path)
                .expect_err("no reader");
            assert_eq!(
                error.raw_os_error(),
                Some(rustix::io::Errno::NXIO.raw_os_error())
            );
            let mut receiver = OpenOptions::new().open_receiver(&path).expect("a receiver");
            for round in 0..3 {
                let mut sender = OpenOptions::new().open_sender(&path).expect("a sender");
                sender.write_all(&[round]).await.expect("a write");
                drop(sender);
                let mut received = Vec::new();
                // The end comes with each sender that goes, and passes with the next.
                receiver.read_to_end(&mut received).await.expect("a read");
                assert_eq!(received, [round]);
            }
        });
    });
}

#[test]
#[cfg(target_os = "linux")]
fn an_end_that_is_open_both_ways_needs_no_other() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (path, _guard) = fifo();
            let both = OpenOptions::new().read_write(true).clone();
            let mut receiver = both.open_receiver(&path).expect("a receiver");
            let mut sender = both.open_sender(&path).expect("a sender");
            sender.write_all(b"x").await.expect("a write");
            drop(sender);
            let mut buf = [0; 2];
            assert_eq!(receiver.read(&mut buf).await.expect("a read"), 1);
            let waker = CountingWaker::new();
            let mut end = receiver.read(&mut buf);
            assert!(
                waker.poll(&mut end).is_pending(),
                "no end: it holds one itself"
            );
        });
    });
}

#[test]
fn what_is_no_pipe_or_opens_the_other_way_is_refused_with_a_reason() {
    on_each(|runtime| {
        runtime.block_on(async {
            let path = fresh_path();
            std::fs::write(&path, "a file").expect("a file");
            let error = OpenOptions::new().open_receiver(&path).expect_err("a file");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains("no pipe"), "{error}");
            // Unchecked it is the poller that says no.
            let unchecked = OpenOptions::new().unchecked(true).open_receiver(&path);
            unchecked.expect_err("nothing to wait for");
            std::fs::remove_file(&path).expect("the file");
            let error = OpenOptions::new()
                .open_receiver(&path)
                .expect_err("nothing");
            assert_eq!(error.kind(), ErrorKind::NotFound);

            let (reader, writer) = std::io::pipe().expect("a pipe");
            let error = Sender::from_owned_fd(reader.into()).expect_err("the other end");
            assert!(error.to_string().contains("other way"), "{error}");
            let error = Receiver::from_owned_fd(writer.into()).expect_err("the other end");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        });
    });
}

#[test]
fn ends_come_from_the_standard_library_and_go_back_blocking() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (reader, writer) = std::io::pipe().expect("a pipe");
            let mut sender = Sender::from_owned_fd(writer.into()).expect("a sender");
            let receiver = Receiver::from_owned_fd(reader.into()).expect("a receiver");
            sender.write_all(b"back").await.expect("a write");
            let reader = receiver.into_blocking_fd().expect("blocking");
            let writer = sender.into_nonblocking_fd().expect("the descriptor");
            let is_blocking = |fd| {
                let flags = rustix::fs::fcntl_getfl(fd).expect("flags");
                !flags.contains(rustix::fs::OFlags::NONBLOCK)
            };
            assert!(is_blocking(&reader) && !is_blocking(&writer));
            std::fs::File::from(writer)
                .write_all(b"!")
                .expect("a write");
            let mut text = String::new();
            let mut reader = std::fs::File::from(reader);
            reader.read_to_string(&mut text).expect("a read");
            assert_eq!(text, "back!");
        });
    });
}

#[test]
fn outside_of_a_runtime_the_error_names_the_fix() {
    let error = pipe().expect_err("no runtime");
    assert!(error.to_string().contains("gristmill::run"), "{error}");
}

#[test]
fn a_closed_sender_is_the_end_for_the_reader_and_an_error_for_the_writer() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut sender, mut receiver) = pipe().expect("a pipe");
            sender.write_all(b"last").await.expect("a write");
            (&sender).close().await.expect("no effect");
            sender.write_all(b" words").await.expect("a write");
            sender.close().await.expect("closed");
            sender.close().await.expect("closed already");
            let mut text = String::new();
            receiver.read_to_string(&mut text).await.expect("a read");
            assert_eq!(text, "last words");
            let error = sender.write_all(b"more").await.expect_err("closed");
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            let error = sender.into_blocking_fd().expect_err("closed");
            assert!(error.to_string().contains("by this program"), "{error}");
        });
    });
}
