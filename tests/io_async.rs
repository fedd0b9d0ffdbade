//! Any descriptor: what comes through a pipe arrives, its end too, and what cannot be waited for is refused.

mod common;
mod wire;

use common::on_each;
use gristmill::io::{Async, AsyncReadExt, AsyncWriteExt, Interest};
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, Write};
use wire::pattern;

fn pipe() -> (Async<PipeReader>, Async<PipeWriter>) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    (
        Async::new(reader).expect("registered"),
        Async::new(writer).expect("registered"),
    )
}

#[test]
fn a_mebibyte_and_the_end_come_through_a_pipe() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (mut reader, mut writer) = pipe();
            let writing = gristmill::spawn(async move {
                writer.write_all(&pattern(1 << 20)).await.expect("a write");
            });
            let mut received = Vec::new();
            reader.read_to_end(&mut received).await.expect("a read");
            assert!(received == pattern(1 << 20));
            writing.await.expect("no panic");
        });
    });
}

#[test]
fn the_end_right_behind_the_last_bytes_is_never_lost() {
    on_each(|runtime| {
        runtime.block_on(async {
            for length in 0..300 {
                let (mut reader, mut writer) = pipe();
                let reading = gristmill::spawn(async move {
                    let mut received = Vec::new();
                    reader.read_to_end(&mut received).await.map(|_| received)
                });
                writer.write_all(&pattern(length)).await.expect("a write");
                drop(writer);
                assert!(reading.await.expect("no panic").expect("a read") == pattern(length));
            }
        });
    });
}

#[test]
fn a_write_after_the_reader_is_gone_is_an_error() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (reader, mut writer) = pipe();
            drop(reader);
            let error = writer.write_all(b"anyone?").await.expect_err("no reader");
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        });
    });
}

#[test]
fn operations_of_ones_own_wait_until_they_can_be_done() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (reader, writer) = pipe();
            let error = reader
                .try_io(Interest::READABLE, |mut pipe| pipe.read(&mut [0; 4]))
                .expect_err("nothing there");
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            let reading = gristmill::spawn(async move {
                let mut buf = [0; 4];
                let length = reader.read_with(|mut pipe| pipe.read(&mut buf)).await?;
                std::io::Result::Ok(buf[..length].to_vec())
            });
            gristmill::task::yield_now().await;
            writer
                .write_with(|mut pipe| pipe.write(b"abc"))
                .await
                .expect("a write");
            assert_eq!(reading.await.expect("no panic").expect("a read"), b"abc");
        });
    });
}

#[test]
fn readiness_comes_and_goes() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (reader, mut writer) = pipe();
            writer.write_all(b"x").await.expect("a write");
            reader.readable().await.expect("readable");
            assert!(
                reader
                    .ready(Interest::READABLE)
                    .await
                    .expect("ready")
                    .is_readable()
            );
            std::future::poll_fn(|cx| reader.poll_readable(cx))
                .await
                .expect("readable");
            std::future::poll_fn(|cx| writer.poll_writable(cx))
                .await
                .expect("writable");
            let read = || reader.try_io(Interest::READABLE, |mut pipe| pipe.read(&mut [0; 4]));
            assert_eq!(read().expect("a read"), 1);
            assert_eq!(
                read().expect_err("nothing more").kind(),
                ErrorKind::WouldBlock
            );
        });
    });
}

#[test]
fn the_value_comes_back_and_can_be_registered_anew() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (reader, mut writer) = pipe();
            let reader = reader.into_inner();
            let mut reader = Async::new(reader).expect("registered");
            writer.write_all(b"again").await.expect("a write");
            let mut buf = [0; 5];
            reader.read_exact(&mut buf).await.expect("a read");
            assert_eq!(&buf, b"again");
        });
    });
}

#[test]
fn a_regular_file_is_refused_with_a_reason() {
    on_each(|runtime| {
        runtime.block_on(async {
            let file = std::fs::File::open("/proc/self/exe").expect("a file");
            let error = Async::new(file).expect_err("a regular file");
            assert!(!error.to_string().is_empty());
        });
    });
}
