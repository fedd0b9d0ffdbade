//! What the methods on readers and writers promise, and the readers and writers that come with them.

mod common;

use common::with_each;
use gristmill::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter, Cursor, copy, empty,
    repeat, sink,
};
use gristmill::net::UnixStream;
use std::io::ErrorKind;

#[test]
fn an_end_before_all_that_was_asked_for_is_an_unexpected_one() {
    with_each(|flavour| {
        flavour.runtime().block_on(async {
            let (mut one, mut other) = UnixStream::pair().expect("a pair");
            one.write_all(b"abc").await.expect("room");
            drop(one);
            let mut four = [0; 4];
            let error = other.read_exact(&mut four).await.expect_err("three bytes");
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
            assert_eq!(other.read(&mut four).await.expect("the end"), 0);
        });
    });
}

#[test]
fn what_is_read_up_to_a_mark_has_the_mark_and_the_rest_comes_without() {
    with_each(|flavour| {
        flavour.runtime().block_on(async {
            let (mut one, other) = UnixStream::pair().expect("a pair");
            one.write_all(b"a;b").await.expect("room");
            one.close().await.expect("closed");
            let (mut reader, mut piece) = (BufReader::new(other), Vec::new());
            for expected in [&b"a;"[..], b"b", b""] {
                piece.clear();
                let count = reader.read_until(b';', &mut piece).await.expect("a piece");
                assert_eq!((count, &piece[..]), (expected.len(), expected));
            }
        });
    });
}

#[test]
fn a_buffered_writer_keeps_small_writes_until_it_is_flushed() {
    with_each(|flavour| {
        flavour.runtime().block_on(async {
            let (one, other) = UnixStream::pair().expect("a pair");
            let (mut writer, mut buffer) = (BufWriter::new(one), [0; 8]);
            writer.write_all(b"kept").await.expect("room");
            let error = other.try_read(&mut buffer).expect_err("nothing was sent");
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            writer.flush().await.expect("sent");
            other.readable().await.expect("bytes");
            assert_eq!(other.try_read(&mut buffer).expect("bytes"), 4);
        });
    });
}

#[test]
fn nothing_the_same_for_ever_and_away_are_streams_too() {
    with_each(|flavour| {
        flavour.runtime().block_on(async {
            let mut text = String::new();
            empty().read_to_string(&mut text).await.expect("the end");
            assert_eq!(text, "");
            repeat(b'x')
                .take(3)
                .read_to_string(&mut text)
                .await
                .expect("text");
            assert_eq!(text, "xxx");
            let copied = copy(Cursor::new(&b"four"[..]), sink()).await;
            assert_eq!(copied.expect("taken"), 4);
        });
    });
}
