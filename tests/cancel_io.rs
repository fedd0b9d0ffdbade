//! Reads and writes that are given up, wherever they wait, lose no byte but where they say so.

mod common;

use common::ends::{End, at_every_end};
use gristmill::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter, copy,
    copy_bidirectional, split,
};
use gristmill::net::UnixStream;
use gristmill::stream::StreamExt;
use gristmill::sync::Mutex;
use std::io::{Read, Write};
use std::sync::{Arc, LazyLock};

type Blocking = std::os::unix::net::UnixStream;

/// A stream of ours, and its other end, which blocks.
fn stream() -> (UnixStream, Blocking) {
    let (one, other) = Blocking::pair().expect("a pair");
    (UnixStream::from_std(one).expect("registered"), other)
}

/// What is awaited by `&mut`, lent to a future that may be a task.
fn lent<T>(value: T) -> (Arc<Mutex<T>>, Arc<Mutex<T>>) {
    let lent = Arc::new(Mutex::new(value));
    (Arc::clone(&lent), lent)
}

/// What was lent, once whoever had it is gone.
fn back<T>(lent: Arc<Mutex<T>>) -> T {
    let Ok(lent) = Arc::try_unwrap(lent) else {
        panic!("somebody still has it");
    };
    lent.into_inner()
}

/// What is left to read, up to the end.
fn rest(end: &End, mut reader: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = reader.read_to_end(&mut bytes);
    end.runtime().block_on(read).expect("read");
    bytes
}

/// Writes a byte more of the text each time that the future waits, and closes after the last.
fn dribble<F>(end: &mut End, text: &str, other: Blocking, future: F) -> bool
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut other = Some(other);
    let mut bytes = text.bytes();
    let got = end
        .may_keep_waker()
        .of_woken(future, |_| match bytes.next() {
            Some(byte) => {
                let other = other.as_mut().expect("open");
                other.write_all(&[byte]).expect("written");
            }
            None => drop(other.take()),
        });
    if let Some(mut other) = other {
        let left: Vec<u8> = bytes.collect();
        // Whoever gave up may have closed its end.
        let _ = other.write_all(&left);
    }
    got.is_some()
}

#[test]
fn what_read_to_end_and_read_until_had_read_is_in_the_callers_buffer() {
    const TEXT: &str = "ab;cd";
    at_every_end(|end| {
        let (reader, other) = stream();
        let (own, lent) = lent((BufReader::new(reader), Vec::new()));
        let read = async move {
            let (reader, bytes) = &mut *lent.lock().await;
            reader.read_until(b';', bytes).await.expect("read");
            reader.read_to_end(bytes).await.expect("read");
        };
        dribble(end, TEXT, other, read);
        let (reader, mut bytes) = back(own);
        bytes.extend(rest(end, reader));
        assert_eq!(bytes, TEXT.as_bytes());
    });
}

#[test]
fn what_read_line_and_lines_had_read_is_in_the_string_or_the_stream() {
    const TEXT: &str = "ab\ncd\ne";
    at_every_end(|end| {
        let (reader, other) = stream();
        let (own, lent) = lent((BufReader::new(reader), String::new()));
        let read = async move {
            let (reader, text) = &mut *lent.lock().await;
            reader.read_line(text).await.expect("read");
            reader.read_line(text).await.expect("read");
        };
        dribble(end, TEXT, other, read);
        let (reader, text) = back(own);
        let mut bytes = text.into_bytes();
        bytes.extend(rest(end, reader));
        assert_eq!(bytes, TEXT.as_bytes());
    });
    at_every_end(|end| {
        let (reader, other) = stream();
        let lines = (BufReader::new(reader).lines(), Vec::new());
        let (own, lent) = lent(lines);
        let read = async move {
            let (lines, seen) = &mut *lent.lock().await;
            seen.extend(lines.next_line().await.expect("read"));
            seen.extend(lines.next().await.map(|line| line.expect("read")));
        };
        dribble(end, TEXT, other, read);
        let (mut lines, mut seen) = back(own);
        while let Some(line) = end.runtime().block_on(lines.next_line()).expect("read") {
            seen.push(line);
        }
        assert_eq!(seen, ["ab", "cd", "e"]);
    });
    at_every_end(|end| {
        let (reader, other) = stream();
        let parts = (BufReader::new(reader).split(b'\n'), Vec::new());
        let (own, lent) = lent(parts);
        let read = async move {
            let (parts, seen) = &mut *lent.lock().await;
            seen.extend(parts.next().await.map(|part| part.expect("read")));
        };
        dribble(end, TEXT, other, read);
        let (mut parts, mut seen) = back(own);
        while let Some(part) = end.runtime().block_on(parts.next()) {
            seen.push(part.expect("read"));
        }
        assert_eq!(seen, [&b"ab"[..], b"cd", b"e"]);
    });
}

#[test]
fn a_look_into_a_buffer_that_is_given_up_takes_nothing() {
    const TEXT: &str = "ab";
    at_every_end(|end| {
        let (reader, other) = stream();
        let (own, lent) = lent(BufReader::new(reader));
        let read = async move {
            let reader = &mut *lent.lock().await;
            assert!(!reader.fill_buf().await.expect("read").is_empty());
        };
        dribble(end, TEXT, other, read);
        assert_eq!(rest(end, back(own)), TEXT.as_bytes());
    });
}

#[test]
fn what_read_exact_and_its_like_had_read_is_gone_and_no_more() {
    const TEXT: &str = "abcdef";
    at_every_end(|end| {
        let (reader, other) = stream();
        let (own, lent) = lent(reader);
        let read = async move {
            let reader = &mut *lent.lock().await;
            let mut three = [0; 3];
            reader.read_exact(&mut three).await.expect("read");
            assert_eq!(three, *b"abc");
            assert_eq!(reader.read_u16().await.expect("read"), 0x6465);
        };
        let is_done = dribble(end, TEXT, other, read);
        let left = rest(end, back(own));
        assert!(TEXT.as_bytes().ends_with(&left) && (!is_done || left == b"f"));
    });
    at_every_end(|end| {
        let (reader, other) = stream();
        let (own, lent) = lent((reader, String::from("before ")));
        let read = async move {
            let (reader, text) = &mut *lent.lock().await;
            reader.read_to_string(text).await.expect("read");
        };
        let is_done = dribble(end, TEXT, other, read);
        let (reader, text) = back(own);
        let left = rest(end, reader);
        assert!(TEXT.as_bytes().ends_with(&left));
        assert_eq!(text, if is_done { "before abcdef" } else { "before " });
    });
}

/// More than a socket takes at once, in units that show where they come from.
static MUCH: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..600_000_u32).map(|at| (at % 251) as u8).collect());

/// Reads what there is; a first part of what was written, without a gap.
fn collect(mut other: &Blocking, into: &mut Vec<u8>) {
    other.set_nonblocking(true).expect("an option");
    let mut buffer = [0; 65_536];
    while let Ok(count @ 1..) = other.read(&mut buffer) {
        into.extend_from_slice(&buffer[..count]);
    }
}

#[test]
fn what_write_all_had_written_is_a_first_part() {
    at_every_end(|end| {
        let (mut writer, other) = stream();
        let write = async move {
            writer.write_all(&MUCH).await.expect("written");
            writer.write_u16(0x3738).await.expect("written");
            writer.flush().await.expect("flushed");
            writer.close().await.expect("closed");
        };
        let mut read = Vec::new();
        let got = end
            .may_keep_waker()
            .of_woken(write, |_| collect(&other, &mut read));
        collect(&other, &mut read);
        let whole = [&MUCH[..], b"78"].concat();
        assert!(whole.starts_with(&read));
        assert!(got.is_none() || read.len() == whole.len());
    });
}

#[test]
fn what_a_buffered_writer_had_not_written_goes_on_with_the_next_flush() {
    at_every_end(|end| {
        let (writer, other) = stream();
        let (own, lent) = lent(BufWriter::with_capacity(2_000_000, writer));
        let write = async move {
            let writer = &mut *lent.lock().await;
            writer.write_all(&MUCH).await.expect("in the buffer");
            writer.flush().await.expect("flushed");
        };
        let mut read = Vec::new();
        end.may_keep_waker()
            .of_woken(write, |_| collect(&other, &mut read));
        let mut writer = back(own);
        let was_begun = !writer.buffer().is_empty() || !read.is_empty();
        // Reads on, on a thread, while the rest is flushed.
        other.set_nonblocking(false).expect("an option");
        let reader = std::thread::spawn(move || {
            let mut other = other;
            other.read_to_end(&mut read).expect("read");
            read
        });
        end.runtime().block_on(writer.flush()).expect("flushed");
        drop(writer);
        let read = reader.join().expect("no panic");
        assert!(read.is_empty() && !was_begun || read == *MUCH);
    });
}

#[test]
fn copies_that_are_given_up_have_copied_a_first_part() {
    const TEXT: &str = "abcdef";
    at_every_end(|end| {
        let (reader, other) = stream();
        let (mut writer, target) = stream();
        let work = async move {
            let count = copy(reader, &mut writer).await.expect("copied");
            assert_eq!(count, TEXT.len() as u64);
        };
        let is_done = dribble(end, TEXT, other, work);
        let mut copied = Vec::new();
        collect(&target, &mut copied);
        assert!(TEXT.as_bytes().starts_with(&copied) && (!is_done || copied.len() == 6));
    });
    at_every_end(|end| {
        let (mut one, left) = stream();
        let (mut two, right) = stream();
        let relay = async move {
            copy_bidirectional(&mut one, &mut two)
                .await
                .expect("copied");
        };
        right
            .shutdown(std::net::Shutdown::Write)
            .expect("shut down");
        let is_done = dribble(end, TEXT, left, relay);
        let mut copied = Vec::new();
        collect(&right, &mut copied);
        assert!(TEXT.as_bytes().starts_with(&copied) && (!is_done || copied.len() == 6));
    });
}

#[test]
fn a_half_that_gives_up_leaves_the_other_half_to_go_on() {
    const TEXT: &str = "ab";
    at_every_end(|end| {
        let (both, mut other) = stream();
        let (reader, mut writer) = split(both);
        let (own, lent) = lent(reader);
        let sending = other.try_clone().expect("a clone");
        let read = async move {
            let mut one = [0];
            lent.lock().await.read_exact(&mut one).await.expect("read");
        };
        dribble(end, TEXT, sending, read);
        end.runtime()
            .block_on(writer.write_all(b"xyz"))
            .expect("written");
        let mut three = [0; 3];
        other.read_exact(&mut three).expect("read");
        assert_eq!(three, *b"xyz");
        drop(other);
        let left = rest(end, back(own));
        assert!(TEXT.as_bytes().ends_with(&left));
    });
}
