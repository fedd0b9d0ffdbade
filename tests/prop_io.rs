//! However the bytes of a reader are cut, and whenever a call is given up, what reads up to a byte or by lines finds the same

use futures_lite::StreamExt;
use gristmill::io::{AsyncBufReadExt, AsyncRead, BufReader};
use proptest::collection::vec;
use proptest::prelude::*;
use std::future::Future;
use std::io::{self, BufRead, ErrorKind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// A reader that gives its pieces one at a time, with a wait before each.
struct Pieces {
    left: Vec<Vec<u8>>,
    waited: bool,
}

impl Pieces {
    /// The bytes, in pieces of these lengths, again and again.
    fn new(mut bytes: &[u8], lengths: &[usize]) -> Self {
        let mut left = Vec::new();
        let mut lengths = lengths.iter().cycle();
        while !bytes.is_empty() {
            let length = lengths.next().copied().unwrap_or(1).clamp(1, bytes.len());
            let (piece, rest) = bytes.split_at(length);
            left.push(piece.to_vec());
            bytes = rest;
        }
        left.reverse();
        Self {
            left,
            waited: false,
        }
    }
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if !std::mem::replace(&mut self.waited, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.waited = false;
        let Some(mut piece) = self.left.pop() else {
            return Poll::Ready(Ok(0));
        };
        let length = piece.len().min(buf.len());
        buf[..length].copy_from_slice(&piece[..length]);
        piece.drain(..length);
        if !piece.is_empty() {
            self.left.push(piece);
        }
        Poll::Ready(Ok(length))
    }
}

/// Polls a future so often at most; `None` if it is given up.
fn poll_up_to<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
    }
    None
}

/// More polls than anything here takes.
const ALL: usize = 10_000;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => Just(b'\n'), 2 => Just(b'\r'), 4 => Just(b'a'), 1 => Just(0xc3), 1 => Just(0xa4), 1 => any::<u8>(),
    ];
    vec(byte, 0..60)
}

fn text() -> impl Strategy<Value = String> {
    let char = prop_oneof![3 => Just('\n'), 2 => Just('\r'), 3 => Just('a'), 2 => Just('ä'), 2 => Just('😀')];
    vec(char, 0..40).prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn what_is_read_up_to_a_byte_is_what_a_plain_reader_reads(
        bytes in bytes(),
        lengths in vec(1..9_usize, 1..5),
        capacity in 1..9_usize,
        patience in vec(1..6_usize, 1..4),
    ) {
        let mut reader = BufReader::with_capacity(capacity, Pieces::new(&bytes, &lengths));
        let mut plain = &bytes[..];
        let mut patience = patience.iter().cycle();
        loop {
            let mut expected = Vec::new();
            BufRead::read_until(&mut plain, b'\n', &mut expected).expect("a slice");
            let mut found = Vec::new();
            // Each call is given up after a few polls, and the next one goes on.
            let mut count = None;
            while count.is_none() {
                let polls = patience.next().copied().unwrap_or(1).max(2);
                count = poll_up_to(polls, reader.read_until(b'\n', &mut found));
            }
            count.expect("checked").expect("no reader fails here");
            prop_assert_eq!(&found, &expected);
            if expected.is_empty() {
                break;
            }
        }
    }

    #[test]
    fn lines_read_one_by_one_are_those_of_a_plain_reader(
        text in text(),
        lengths in vec(1..9_usize, 1..5),
        capacity in 1..9_usize,
    ) {
        let mut reader = BufReader::with_capacity(capacity, Pieces::new(text.as_bytes(), &lengths));
        let mut plain = text.as_bytes();
        loop {
            let mut expected = String::from("before ");
            let mut found = expected.clone();
            let count = BufRead::read_line(&mut plain, &mut expected).expect("it is UTF-8");
            let read = poll_up_to(ALL, reader.read_line(&mut found)).expect("it comes");
            prop_assert_eq!(read.expect("it is UTF-8"), count);
            prop_assert_eq!(found, expected);
            if count == 0 {
                break;
            }
        }
    }

    #[test]
    fn a_stream_of_lines_passes_over_what_is_no_text(
        bytes in bytes(),
        lengths in vec(1..9_usize, 1..5),
        capacity in 1..9_usize,
    ) {
        let reader = BufReader::with_capacity(capacity, Pieces::new(&bytes, &lengths));
        let mut lines = reader.lines();
        let mut plain = &bytes[..];
        loop {
            let mut line = Vec::new();
            if BufRead::read_until(&mut plain, b'\n', &mut line).expect("a slice") == 0 {
                break;
            }
            if line.pop_if(|last| *last == b'\n').is_some() {
                line.pop_if(|last| *last == b'\r');
            }
            let found = poll_up_to(ALL, lines.next()).expect("it comes").expect("not the end");
            match (found, String::from_utf8(line)) {
                (Ok(found), Ok(expected)) => prop_assert_eq!(found, expected),
                (Err(error), Err(_)) => prop_assert_eq!(error.kind(), ErrorKind::InvalidData),
                (found, expected) => prop_assert!(false, "{found:?} for {expected:?}"),
            }
        }
        prop_assert!(poll_up_to(ALL, lines.next()).expect("it comes").is_none());
    }
}
