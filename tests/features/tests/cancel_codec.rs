//! Frames that are waited for and given up, wherever they wait, are not lost, and none is sent in part.

#[path = "../../common/mod.rs"]
mod common;

use common::ends::at_every_end;
use gristmill::io::codec::{FramedRead, FramedWrite, LengthDelimitedCodec, SinkExt};
use gristmill::net::UnixStream;
use gristmill::stream::StreamExt;
use gristmill::sync::Mutex;
use std::io::{Read, Write};
use std::sync::Arc;

type Blocking = std::os::unix::net::UnixStream;

/// A stream of ours, and its other end, which blocks.
fn stream() -> (UnixStream, Blocking) {
    let (one, other) = Blocking::pair().expect("a pair");
    (UnixStream::from_std(one).expect("registered"), other)
}

#[test]
fn a_frame_that_has_begun_is_kept_for_the_next_who_asks() {
    const BYTES: &[u8] = b"\0\0\0\x03one\0\0\0\x03two";
    at_every_end(|end| {
        let (stream, mut other) = stream();
        let codec = LengthDelimitedCodec::new();
        let frames = Arc::new(Mutex::new((FramedRead::new(stream, codec), Vec::new())));
        let own = Arc::clone(&frames);
        let next = async move {
            let (frames, seen) = &mut *own.lock().await;
            seen.extend(frames.next().await.map(|frame| frame.expect("whole")));
        };
        let mut sent = 0;
        end.may_keep_waker().of_woken(next, |_| {
            other.write_all(&BYTES[sent..=sent]).expect("written");
            sent += 1;
        });
        other.write_all(&BYTES[sent..]).expect("written");
        drop(other);
        let (frames, seen) = &mut *frames.try_lock().expect("given up");
        while let Some(frame) = end.runtime().block_on(frames.next()) {
            seen.push(frame.expect("whole"));
        }
        assert_eq!(seen, &["one", "two"]);
    });
}

#[test]
fn a_frame_is_sent_whole_or_not_at_all() {
    const LENGTH: usize = 300_000;
    at_every_end(|end| {
        let (stream, mut other) = stream();
        let codec = LengthDelimitedCodec::new();
        let sink = Arc::new(Mutex::new(FramedWrite::new(stream, codec)));
        let own = Arc::clone(&sink);
        let send = async move {
            let frame = vec![7; LENGTH];
            own.lock().await.send(frame.into()).await.expect("sent");
        };
        let mut read = Vec::new();
        let mut buffer = vec![0; LENGTH];
        let got = end.may_keep_waker().of_woken(send, |_| {
            let count = other.read(&mut buffer).expect("bytes");
            read.extend_from_slice(&buffer[..count]);
        });
        let reader = std::thread::spawn(move || {
            other.read_to_end(&mut read).expect("read");
            read
        });
        // Whatever was taken goes out with the next frame.
        let mut sink = end.runtime().block_on(sink.lock_owned());
        let last = end.runtime().block_on(sink.send("last".into()));
        last.expect("sent");
        drop(sink);
        let read = reader.join().expect("no panic");
        let without = b"\0\0\0\x04last";
        assert!(read.ends_with(without));
        let is_first_there = read.len() == 4 + LENGTH + without.len();
        assert!(is_first_there || (got.is_none() && read == without));
    });
}
