//! Any frames, and any garbage, cut anywhere: the same frames and errors come, and no more memory is taken than the limit allows

use gristmill::io::codec::{Bytes, BytesMut, Decoder, Encoder, LengthDelimitedCodec, LinesCodec};
use proptest::collection::vec;
use proptest::prelude::*;
use std::io::{self, ErrorKind};

/// What comes of bytes that arrive in pieces of these lengths: frames and errors, up to an error that is for good.
fn outcomes<D>(
    mut bytes: &[u8],
    lengths: &[usize],
    mut codec: D,
    goes_on: bool,
) -> Vec<Result<D::Item, ErrorKind>>
where
    D: Decoder<Error = io::Error>,
{
    let mut outcomes = Vec::new();
    let mut buffer = BytesMut::new();
    let mut lengths = lengths.iter().cycle();
    while !bytes.is_empty() {
        let length = lengths.next().copied().unwrap_or(1).clamp(1, bytes.len());
        let (piece, rest) = bytes.split_at(length);
        bytes = rest;
        buffer.extend_from_slice(piece);
        loop {
            match codec.decode(&mut buffer) {
                Ok(None) => break,
                Ok(Some(frame)) => outcomes.push(Ok(frame)),
                Err(error) => {
                    outcomes.push(Err(error.kind()));
                    if !goes_on {
                        return outcomes;
                    }
                }
            }
        }
    }
    // The end of the stream, until it gives nothing more.
    loop {
        match codec.decode_eof(&mut buffer) {
            Ok(None) => return outcomes,
            Ok(Some(frame)) => outcomes.push(Ok(frame)),
            Err(error) => {
                outcomes.push(Err(error.kind()));
                if !goes_on {
                    return outcomes;
                }
            }
        }
    }
}

const LIMIT: usize = 40;

fn length_codec() -> impl Strategy<Value = LengthDelimitedCodec> {
    (1..=8_usize, any::<bool>()).prop_map(|(width, is_little)| {
        let codec = LengthDelimitedCodec::new()
            .length_field_length(width)
            .max_frame_length(LIMIT);
        if is_little {
            codec.little_endian()
        } else {
            codec
        }
    })
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    vec(1..30_usize, 1..6)
}

/// Bytes with many ends of lines, and halves of characters.
fn text_like() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => Just(b'\n'), 2 => Just(b'\r'), 6 => Just(b'a'), 1 => Just(0xc3), 1 => Just(0xa4), 1 => any::<u8>(),
    ];
    vec(byte, 0..80)
}

proptest! {
    #[test]
    fn frames_with_a_length_come_as_they_were_sent(
        codec in length_codec(),
        sent in vec(vec(any::<u8>(), 0..=LIMIT), 0..8),
        lengths in lengths(),
    ) {
        let mut bytes = BytesMut::new();
        let mut encoder = codec.clone();
        for frame in &sent {
            encoder.encode(Bytes::from(frame.clone()), &mut bytes).expect("within the limit");
        }
        let received = outcomes(&bytes, &lengths, codec, false);
        let expected: Vec<_> = sent.into_iter().map(|frame| Ok(Bytes::from(frame))).collect();
        prop_assert_eq!(received, expected);
    }

    #[test]
    fn garbage_gives_the_same_however_it_is_cut(
        codec in length_codec(),
        bytes in vec(prop_oneof![3 => Just(0_u8), 2 => 0..60_u8, 1 => any::<u8>()], 0..120),
        lengths in lengths(),
    ) {
        let whole = outcomes(&bytes, &[usize::MAX], codec.clone(), false);
        let cut = outcomes(&bytes, &lengths, codec, false);
        for frame in cut.iter().flatten() {
            prop_assert!(frame.len() <= LIMIT);
        }
        prop_assert_eq!(cut, whole);
    }

    #[test]
    fn a_length_that_lies_takes_no_memory(
        width in 1..=8_usize,
        limit in 0..2_000_000_usize,
        number in vec(any::<u8>(), 8),
    ) {
        let codec = LengthDelimitedCodec::new().length_field_length(width).max_frame_length(limit);
        let mut buffer = BytesMut::from(&number[..width]);
        let before = buffer.capacity();
        let _ = { codec }.decode(&mut buffer);
        prop_assert!(buffer.capacity() <= before + LIMIT, "{} bytes for nothing", buffer.capacity());
    }

    #[test]
    fn lines_come_the_same_however_they_are_cut(
        bytes in text_like(),
        lengths in lengths(),
        limit in 0..20_usize,
    ) {
        let codec = LinesCodec::new_with_max_length(limit);
        let whole = outcomes(&bytes, &[usize::MAX], codec.clone(), true);
        let cut = outcomes(&bytes, &lengths, codec, true);
        for line in cut.iter().flatten() {
            prop_assert!(line.len() <= limit && !line.contains('\n'));
        }
        prop_assert_eq!(cut, whole);
    }

    #[test]
    fn lines_are_those_that_were_sent(sent in vec("[a-zä😀 ]{0,10}", 0..8), lengths in lengths()) {
        let mut codec = LinesCodec::new();
        let mut bytes = BytesMut::new();
        for line in &sent {
            codec.encode(line, &mut bytes).expect("no line feed in it");
        }
        let received = outcomes(&bytes, &lengths, LinesCodec::new(), true);
        let expected: Vec<_> = sent.into_iter().map(Ok).collect();
        prop_assert_eq!(received, expected);
    }
}
