//! What reading text promises: it is appended, cut anywhere, checked for UTF-8, and not lost with a dropped future.

mod common;

use common::CountingWaker;
use common::cut::at_each_poll;
use gristmill::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeekExt, BufReader, Cursor,
};
use gristmill::stream::StreamExt;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// Characters of one to four bytes, and two line ends.
const TEXT: &str = "aé€𝄞\r\nzß\n";

/// What a reader answers, in this order; then the end.
#[derive(Clone, Debug)]
enum Answer {
    Bytes(Vec<u8>),
    Pending,
    Fault(ErrorKind),
}

struct Script(VecDeque<Answer>);

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        match self.0.pop_front() {
            None => Poll::Ready(Ok(0)),
            Some(Answer::Fault(kind)) => Poll::Ready(Err(kind.into())),
            Some(Answer::Pending) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Answer::Bytes(mut bytes)) => {
                let count = bytes.len().min(buffer.len());
                let rest = bytes.split_off(count);
                buffer[..count].copy_from_slice(&bytes);
                if !rest.is_empty() {
                    self.0.push_front(Answer::Bytes(rest));
                }
                Poll::Ready(Ok(count))
            }
        }
    }
}

fn script(answers: impl IntoIterator<Item = Answer>) -> BufReader<Script> {
    BufReader::new(Script(answers.into_iter().collect()))
}

fn bytes(bytes: &[u8]) -> Answer {
    Answer::Bytes(bytes.to_vec())
}

/// The bytes one by one, each after a pending poll.
fn drip(all: &[u8]) -> BufReader<Script> {
    script(
        all.iter()
            .flat_map(|byte| [Answer::Pending, bytes(&[*byte])]),
    )
}

/// Polls to the end; a script never needs more than this.
fn finish<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(CountingWaker::new());
    let mut future = pin!(future);
    for _ in 0..1000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
    }
    panic!("still pending after 1000 polls");
}

/// A line appended to `before`: the result, and the string afterwards.
fn line_after(
    before: &str,
    reader: &mut (impl AsyncBufRead + Unpin),
) -> (Result<usize, ErrorKind>, String) {
    let mut line = String::from(before);
    let result = finish(reader.read_line(&mut line)).map_err(|error| error.kind());
    (result, line)
}

#[test]
fn a_line_is_appended_and_counted_without_what_was_there() {
    let mut reader = script([bytes(b"one\ntwo\nthree")]);
    let mut text = String::from("zero\n");
    for count in [4, 4, 5, 0] {
        assert_eq!(finish(reader.read_line(&mut text)).unwrap(), count);
    }
    assert_eq!(text, "zero\none\ntwo\nthree");
}

#[test]
fn the_rest_is_appended_to_a_string_and_counted_without_what_was_there() {
    let mut text = String::from("zero");
    let count = finish(drip(TEXT.as_bytes()).read_to_string(&mut text)).unwrap();
    assert_eq!((count, text), (TEXT.len(), format!("zero{TEXT}")));
}

#[test]
fn characters_cut_at_any_byte_come_whole() {
    let all = TEXT.as_bytes();
    for first in 0..=all.len() {
        for second in first..=all.len() {
            let pieces = [&all[..first], &all[first..second], &all[second..]];
            let pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
            let answers: Vec<_> = pieces.flat_map(|p| [Answer::Pending, bytes(p)]).collect();
            let mut reader = script(answers.clone());
            let case = format!("cut at {first} and {second}");
            assert_eq!(
                line_after(">", &mut reader),
                (Ok(12), ">aé€𝄞\r\n".into()),
                "{case}"
            );
            assert_eq!(
                line_after(">", &mut reader),
                (Ok(4), ">zß\n".into()),
                "{case}"
            );
            assert_eq!(line_after(">", &mut reader), (Ok(0), ">".into()), "{case}");
            let lines: Vec<_> = finish(script(answers).lines().map(Result::unwrap).collect());
            assert_eq!(lines, ["aé€𝄞", "zß"], "{case}");
        }
    }
}

#[test]
fn an_end_inside_of_a_character_is_invalid_and_elsewhere_ends_the_line() {
    let first_line = "aé€𝄞\r\n";
    for end in 0..first_line.len() {
        let cut = &first_line.as_bytes()[..end];
        let expected = match str::from_utf8(cut) {
            Ok(text) => (Ok(end), format!("before{text}")),
            Err(_) => (Err(ErrorKind::InvalidData), String::from("before")),
        };
        assert_eq!(
            line_after("before", &mut drip(cut)),
            expected,
            "end at {end}"
        );
        let mut text = String::from("before");
        let result = finish(drip(cut).read_to_string(&mut text));
        assert_eq!(
            (result.map_err(|error| error.kind()), text),
            expected,
            "end at {end}"
        );
    }
}

#[test]
fn a_line_that_is_not_text_is_an_error_that_leaves_the_string_and_the_next_line() {
    // A stray byte, an overlong form, half a character before the line end, a surrogate.
    for bad in [&b"\xff"[..], b"\xc0\x80", b"\xe2\x82", b"\xed\xa0\x80"] {
        let all = [b"good", bad, b"\nnext\n"].concat();
        for mut reader in [script([bytes(&all)]), drip(&all)] {
            let invalid = (Err(ErrorKind::InvalidData), "kept".into());
            assert_eq!(line_after("kept", &mut reader), invalid, "{bad:?}");
            assert_eq!(
                line_after("kept", &mut reader),
                (Ok(5), "keptnext\n".into())
            );
        }
        let lines: Vec<_> = finish(drip(&all).lines().map(Result::ok).collect());
        assert_eq!(lines, [None, Some("next".into())], "{bad:?}");
        let mut text = String::from("kept");
        let error = finish(drip(&all).read_to_string(&mut text)).unwrap_err();
        assert_eq!(
            (error.kind(), text),
            (ErrorKind::InvalidData, "kept".into())
        );
    }
}

#[test]
fn a_fault_inside_of_a_line_keeps_what_came_before() {
    let faulty = || {
        script([
            bytes(b"ha"),
            Answer::Fault(ErrorKind::ConnectionReset),
            bytes(b"lf\n"),
        ])
    };
    let mut reader = faulty();
    let fault = Err(ErrorKind::ConnectionReset);
    assert_eq!(line_after("", &mut reader), (fault, "ha".into()));
    assert_eq!(line_after("ha", &mut reader), (Ok(3), "half\n".into()));

    let lines: Vec<_> = finish(faulty().lines().map(Result::ok).collect());
    assert_eq!(lines, [None, Some("half".into())]);

    let mut text = String::new();
    let error = finish(faulty().read_to_string(&mut text)).unwrap_err();
    assert_eq!((error.kind(), &*text), (ErrorKind::ConnectionReset, "ha"));
}

#[test]
fn a_dropped_read_line_leaves_what_came_in_the_string() {
    at_each_poll(|cut| {
        let mut reader = drip(b"line one\nrest");
        let mut line = String::new();
        if cut.drive(reader.read_line(&mut line), |_| {}).is_none() {
            finish(reader.read_line(&mut line)).unwrap();
        }
        assert_eq!(line, "line one\n");
        assert_eq!(line_after("", &mut reader), (Ok(4), "rest".into()));
    });
}

#[test]
fn a_read_line_dropped_inside_of_a_character_is_told_by_the_next() {
    at_each_poll(|cut| {
        let mut reader = drip("é€\nnext".as_bytes());
        let mut line = String::new();
        let done = cut.drive(reader.read_line(&mut line), |_| {}).is_some();
        let kept = line.len();
        match finish(reader.read_line(&mut line)) {
            Ok(_) if done => assert_eq!(line, "é€\nnext"),
            Ok(_) => assert_eq!(line, "é€\n"),
            Err(error) => {
                assert_eq!((error.kind(), line.len()), (ErrorKind::InvalidData, kept));
                assert_eq!(line_after("", &mut reader), (Ok(4), "next".into()));
            }
        }
    });
}

#[test]
fn a_dropped_next_of_lines_loses_nothing_even_inside_of_a_character() {
    at_each_poll(|cut| {
        let mut lines = drip(TEXT.as_bytes()).lines();
        let first = cut.drive(lines.next(), |_| {}).flatten();
        let first = first.or_else(|| finish(lines.next())).unwrap().unwrap();
        assert_eq!(first, "aé€𝄞");
        assert_eq!(finish(lines.next()).unwrap().unwrap(), "zß");
        assert!(finish(lines.next()).is_none());
    });
}

#[test]
fn a_dropped_read_to_string_leaves_the_string_alone() {
    at_each_poll(|cut| {
        let mut text = String::from("kept");
        let done = cut.drive(drip(b"more").read_to_string(&mut text), |_| {});
        assert_eq!(text, if done.is_some() { "keptmore" } else { "kept" });
    });
}

#[test]
fn only_a_line_feed_takes_a_carriage_return_with_it() {
    let lines: Vec<_> = finish(
        drip(b"\n\r\na\rb\r\r\nend\r")
            .lines()
            .map(Result::unwrap)
            .collect(),
    );
    assert_eq!(lines, ["", "", "a\rb\r", "end\r"]);
}

#[test]
fn a_position_is_told_and_taken_back_to_the_start() {
    let mut tape = Cursor::new(b"0123456789".to_vec());
    let mut part = [0; 4];
    finish(tape.read_exact(&mut part)).unwrap();
    assert_eq!(finish(tape.stream_position()).unwrap(), 4);
    assert_eq!(finish(tape.rewind()).unwrap(), 0);
    finish(tape.read_exact(&mut part)).unwrap();
    assert_eq!(&part, b"0123");
}

#[test]
fn next_line_goes_on_where_a_dropped_one_stopped_and_ends_with_none() {
    at_each_poll(|cut| {
        let mut lines = drip(b"one\r\n\ntwo").lines();
        let early = cut.drive(lines.next_line(), |_| {});
        let first = early.unwrap_or_else(|| finish(lines.next_line()));
        assert_eq!(first.unwrap().as_deref(), Some("one"));
        assert_eq!(finish(lines.next_line()).unwrap().as_deref(), Some(""));
        assert_eq!(finish(lines.next_line()).unwrap().as_deref(), Some("two"));
        assert_eq!(finish(lines.next_line()).unwrap(), None);
        assert_eq!(finish(lines.into_inner().read(&mut [0; 4])).unwrap(), 0);
    });
}
