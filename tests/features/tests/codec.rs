//! What frames promise: whole or an error, however the bytes are cut, wherever they end, and never more memory than the limit.

#[path = "../../common/mod.rs"]
mod common;

use common::on_each;
use gristmill::io::AsyncWriteExt;
use gristmill::io::codec::{
    Bytes, BytesMut, Decoder, Encoder, Framed, FramedRead, LengthDelimitedCodec, LinesCodec,
    SinkExt,
};
use gristmill::net::UnixStream;
use gristmill::stream::StreamExt;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A reader that gives its pieces one at a time.
struct Pieces(Vec<Vec<u8>>);

impl gristmill::io::AsyncRead for Pieces {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let pieces = &mut self.get_mut().0;
        if pieces.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let piece = pieces.remove(0);
        buf[..piece.len()].copy_from_slice(&piece);
        Poll::Ready(Ok(piece.len()))
    }
}

/// What comes out of bytes that are cut at these places; ends at the first error.
fn frames<D>(bytes: &[u8], cuts: &[usize], codec: D) -> (Vec<D::Item>, Option<ErrorKind>)
where
    D: Decoder<Error = io::Error>,
{
    let mut pieces = Vec::new();
    let mut from = 0;
    for to in cuts.iter().copied().chain([bytes.len()]) {
        // An empty piece would be the end.
        if to > from {
            pieces.push(bytes[from..to].to_vec());
            from = to;
        }
    }
    let mut reader = FramedRead::new(Pieces(pieces), codec);
    let mut frames = Vec::new();
    futures_of(async {
        while let Some(frame) = reader.next().await {
            match frame {
                Ok(frame) => frames.push(frame),
                Err(error) => return (frames, Some(error.kind())),
            }
        }
        (frames, None)
    })
}

/// Runs a future that never waits.
fn futures_of<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut cx) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

fn encoded<'a, E>(items: impl IntoIterator<Item = E::Item<'a>>, mut codec: E) -> BytesMut
where
    E: Encoder<Error = io::Error>,
{
    let mut bytes = BytesMut::new();
    for item in items {
        codec.encode(item, &mut bytes).expect("within the limit");
    }
    bytes
}

/// Every width and order.
fn codecs() -> Vec<LengthDelimitedCodec> {
    let codec = LengthDelimitedCodec::new().max_frame_length(200);
    let widths = (1..=8).map(|width| codec.clone().length_field_length(width));
    widths
        .flat_map(|codec| [codec.clone(), codec.little_endian()])
        .collect()
}

#[test]
fn frames_with_a_length_survive_every_two_cuts() {
    for codec in codecs() {
        let sent = ["first", "", "the third"].map(Bytes::from);
        let bytes = encoded(sent.clone(), codec.clone());
        for one in 0..=bytes.len() {
            for other in one..=bytes.len() {
                let received = frames(&bytes, &[one, other], codec.clone());
                assert_eq!(received, (sent.to_vec(), None), "{codec:?} {one} {other}");
            }
        }
        let everywhere: Vec<_> = (1..bytes.len()).collect();
        assert_eq!(frames(&bytes, &everywhere, codec).0, sent);
    }
}

#[test]
fn an_end_inside_of_a_frame_is_an_error_at_every_byte() {
    for codec in codecs() {
        let sent = ["first", "", "the third"].map(Bytes::from);
        let bytes = encoded(sent.clone(), codec.clone());
        // Where a frame ends, and how many have then come.
        let mut ends = vec![(0, 0)];
        for count in 1..=sent.len() {
            let length = encoded(sent[..count].to_vec(), codec.clone()).len();
            ends.push((length, count));
        }
        for length in 0..=bytes.len() {
            let (whole, count) = *ends
                .iter()
                .rev()
                .find(|(end, _)| *end <= length)
                .expect("zero at least");
            let error = (whole != length).then_some(ErrorKind::UnexpectedEof);
            let expected = (sent[..count].to_vec(), error);
            assert_eq!(frames(&bytes[..length], &[], codec.clone()), expected);
        }
    }
}

#[test]
fn a_length_above_the_limit_is_an_error_before_the_frame_comes() {
    for codec in codecs() {
        let mut decoder = codec.clone();
        let mut bytes = encoded([Bytes::from(vec![0; 200])], codec);
        assert!(decoder.decode(&mut bytes).expect("at the limit").is_some());
        // All ones is the largest length in any width.
        let mut bytes = BytesMut::from(&[0xff; 8][..]);
        let capacity = bytes.capacity();
        for _ in 0..2 {
            let error = decoder.decode(&mut bytes).expect_err("too long");
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(error.to_string().contains("limit of 200"), "{error}");
        }
        assert_eq!(bytes.capacity(), capacity);
    }
}

#[test]
fn a_frame_that_is_too_long_or_does_not_fit_its_length_is_not_sent() {
    let cases = [
        LengthDelimitedCodec::new().max_frame_length(255),
        LengthDelimitedCodec::new().length_field_length(1),
    ];
    for mut codec in cases {
        let mut bytes = BytesMut::new();
        let frame = |length| Bytes::from(vec![0; length]);
        codec.encode(frame(255), &mut bytes).expect("it fits");
        let length = bytes.len();
        let error = codec.encode(frame(256), &mut bytes).expect_err("too long");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(bytes.len(), length);
    }
}

#[test]
fn a_width_of_no_number_is_a_panic_that_says_which_there_are() {
    for width in [0, 9, usize::MAX] {
        let text = common::panic_text(|| {
            let _ = LengthDelimitedCodec::new().length_field_length(width);
        });
        assert!(text.contains("1 to 8 bytes"), "{text}");
    }
}

/// What lines should come of a text, by another way.
fn model(text: &str) -> Vec<String> {
    let mut lines: Vec<_> = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned())
        .collect();
    // Behind the last line feed there is no line.
    if text.is_empty() || text.ends_with('\n') {
        lines.pop();
    }
    lines
}

#[test]
fn every_short_text_comes_as_its_lines_wherever_it_is_cut() {
    const LETTERS: [char; 3] = ['a', '\r', '\n'];
    for length in 0..=6u32 {
        for number in 0..3usize.pow(length) {
            let digit = |place| number / 3usize.pow(place) % 3;
            let text: String = (0..length).map(|place| LETTERS[digit(place)]).collect();
            for cut in 0..=text.len() {
                let received = frames(text.as_bytes(), &[cut], LinesCodec::new());
                assert_eq!(received, (model(&text), None), "{text:?} cut at {cut}");
            }
        }
    }
}

#[test]
fn a_line_that_is_too_long_is_an_error_and_the_next_one_comes() {
    let text = b"12345\n123456\r\n1234567\nlast\n12345678901234567890";
    for cut in 0..=text.len() {
        let pieces = vec![text[..cut].to_vec(), text[cut..].to_vec()];
        let pieces = pieces
            .into_iter()
            .filter(|piece| !piece.is_empty())
            .collect();
        let codec = LinesCodec::new_with_max_length(5);
        let mut reader = FramedRead::new(Pieces(pieces), codec);
        let received = futures_of(async {
            let mut received = Vec::new();
            // The error at the end of the bytes stays.
            while received.len() < 5
                && let Some(line) = reader.next().await
            {
                received.push(line.map_err(|error| error.kind()));
            }
            received
        });
        let too_long = || Err(ErrorKind::InvalidData);
        let line = |text: &str| Ok(text.to_owned());
        let expected = [
            line("12345"),
            too_long(),
            too_long(),
            line("last"),
            too_long(),
        ];
        assert_eq!(received, expected, "cut at {cut}");
    }
}

#[test]
fn a_line_that_never_ends_takes_no_more_memory_than_the_limit() {
    let mut codec = LinesCodec::new_with_max_length(1000);
    let mut bytes = BytesMut::new();
    let mut errors = 0;
    for _ in 0..10_000 {
        bytes.extend_from_slice(&[b'x'; 100]);
        errors += usize::from(codec.decode(&mut bytes).is_err());
        assert!(bytes.len() <= 1001);
    }
    assert_eq!(errors, 1);
    assert!(bytes.capacity() < 10_000, "{}", bytes.capacity());
    bytes.extend_from_slice(b"\nnext\n");
    let line = codec.decode(&mut bytes).expect("no error");
    assert_eq!(line.as_deref(), Some("next"));
}

#[test]
fn a_line_that_is_no_text_is_an_error_and_the_next_one_comes() {
    let mut codec = LinesCodec::new();
    let mut bytes = BytesMut::from(&b"\xff\xfe\nnext\n"[..]);
    let error = codec.decode(&mut bytes).expect_err("no text");
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let line = codec.decode(&mut bytes).expect("no error");
    assert_eq!(line.as_deref(), Some("next"));
}

#[test]
fn a_text_of_two_lines_is_not_sent_as_one() {
    let mut bytes = BytesMut::new();
    let error = LinesCodec::new()
        .encode("two\nlines", &mut bytes)
        .expect_err("two lines");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(bytes.is_empty());
    let bytes = encoded(["one", "", "three"], LinesCodec::new());
    assert_eq!(&bytes[..], b"one\n\nthree\n");
}

#[test]
fn frames_go_both_ways_over_a_socket_until_its_end() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (one, other) = UnixStream::pair().expect("a pair");
            let echo = gristmill::spawn(async move {
                let mut framed = Framed::new(other, LengthDelimitedCodec::new());
                while let Some(frame) = framed.next().await {
                    framed.send(frame?).await?;
                }
                framed.close().await
            });
            let mut framed = Framed::new(one, LengthDelimitedCodec::new());
            for length in [0, 1, 1000, 100_000, 2_000_000] {
                let sent = Bytes::from(vec![length as u8; length]);
                framed.send(sent.clone()).await.expect("sent");
                let frame = framed.next().await.expect("a frame").expect("no error");
                assert!(frame == sent);
            }
            framed.close().await.expect("a close");
            assert!(framed.next().await.is_none());
            echo.await.expect("no panic").expect("no error");

            let (mut one, other) = UnixStream::pair().expect("a pair");
            let mut framed = FramedRead::new(other, LengthDelimitedCodec::new());
            one.write_all(&[0, 0, 0, 9, 1]).await.expect("a write");
            drop(one);
            let error = framed.next().await.expect("an error").expect_err("cut off");
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        });
    });
}
