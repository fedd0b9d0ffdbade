//! Frames that are lines of text.
//!
//! # Invariants
//!
//! * F1 — No more of a line is kept than the limit, a carriage return, and what one read brought on top.
//! * F2 — No byte of a line is looked at twice while its end has not come: `scanned` of them hold no line feed.

use asynchronous_codec::{BytesMut, Decoder, Encoder};
use std::io;

/// 64 KiB, as asyncio's streams have it.
const LIMIT: usize = 64 * 1024;

/// Lines of text in UTF-8: `\n` ends one when it is sent, `\n` or `\r\n` when it comes; the text is without either.
///
/// The last line may lack its end. A line that is longer than the limit, or no UTF-8, is an error of kind
/// [`InvalidData`](io::ErrorKind::InvalidData), after which the next line comes. A text to be sent that holds a `\n` is an error of
/// kind [`InvalidInput`](io::ErrorKind::InvalidInput): the peer would read two lines.
///
/// # Examples
///
/// ```
/// use gristmill::io::codec::{FramedRead, LinesCodec};
/// use gristmill::stream::StreamExt;
///
/// gristmill::run(async {
///     let mut lines = FramedRead::new(&b"one\r\ntwo"[..], LinesCodec::new());
///     assert_eq!(lines.next().await.transpose()?.as_deref(), Some("one"));
///     assert_eq!(lines.next().await.transpose()?.as_deref(), Some("two"));
///     assert!(lines.next().await.is_none());
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct LinesCodec {
    limit: usize,
    /// F2.
    scanned: usize,
    place: Place,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug)]
enum Place {
    Line,
    /// The rest of a line that was too long.
    Discarded,
}

impl LinesCodec {
    /// A codec for lines of at most 64 KiB.
    pub const fn new() -> Self {
        Self::new_with_max_length(LIMIT)
    }

    /// A codec for lines of at most so many bytes, their end not counted.
    pub const fn new_with_max_length(bytes: usize) -> Self {
        Self {
            limit: bytes,
            scanned: 0,
            place: Place::Line,
        }
    }

    /// The longest line, in bytes.
    pub const fn max_length(&self) -> usize {
        self.limit
    }

    /// Makes a line of what is left of it without its `\n`.
    fn line(&self, bytes: &[u8]) -> io::Result<String> {
        let text = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if text.len() > self.limit {
            return Err(self.too_long());
        }
        match std::str::from_utf8(text) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    }

    #[cold]
    fn too_long(&self) -> io::Error {
        let text = format!(
            "a line is longer than the limit of {} bytes; see new_with_max_length",
            self.limit
        );
        io::Error::new(io::ErrorKind::InvalidData, text)
    }
}

impl Default for LinesCodec {
    fn default() -> Self {
        Self::new()
    }
}

impl Encoder for LinesCodec {
    type Item<'a> = &'a str;
    type Error = io::Error;

    fn encode(&mut self, item: &str, dst: &mut BytesMut) -> io::Result<()> {
        if item.contains('\n') {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the text of a line holds a line feed; send each line by itself",
            ));
        }
        dst.reserve(item.len() + 1);
        dst.extend_from_slice(item.as_bytes());
        dst.extend_from_slice(b"\n");
        Ok(())
    }
}

impl Decoder for LinesCodec {
    type Item = String;
    type Error = io::Error;

    fn decode(&mut self, src: &mut BytesMut) -> io::Result<Option<String>> {
        loop {
            let found = src[self.scanned..].iter().position(|byte| *byte == b'\n');
            let Some(found) = found else {
                break;
            };
            let ended = src.split_to(self.scanned + found + 1);
            self.scanned = 0;
            match self.place {
                Place::Line => return self.line(&ended[..ended.len() - 1]).map(Some),
                Place::Discarded => self.place = Place::Line,
            }
        }
        self.scanned = src.len();
        match self.place {
            // With the one byte more that may be a carriage return.
            Place::Line if src.len() <= self.limit.saturating_add(1) => Ok(None),
            Place::Line => {
                self.place = Place::Discarded;
                src.clear();
                self.scanned = 0;
                Err(self.too_long())
            }
            Place::Discarded => {
                src.clear();
                self.scanned = 0;
                Ok(None)
            }
        }
    }

    fn decode_eof(&mut self, src: &mut BytesMut) -> io::Result<Option<String>> {
        if let Some(line) = self.decode(src)? {
            return Ok(Some(line));
        }
        if src.is_empty() {
            return Ok(None);
        }
        let last = src.split();
        self.scanned = 0;
        self.line(&last).map(Some)
    }
}
