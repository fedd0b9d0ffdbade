//! Bytes that arrive in pieces become text.
//!
//! A piece may end inside of a character: its first bytes wait in [`Text`] for the rest. Knows neither strings' owners nor futures.
//!
//! # Invariants
//!
//! * I1: `begun` holds the first bytes of one character that is not complete, so never more than three between two calls.
//! * I2: once `spoiled`, nothing more is appended, until [`finish`](Text::finish) reports it.

use super::AsyncBufRead;
use std::io::{self, BufRead, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Decodes UTF-8 piece by piece.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// The first bytes of a character whose rest has not come (I1).
    begun: Vec<u8>,
    /// Whether something came that is not UTF-8 (I2).
    spoiled: bool,
}

impl Text {
    /// Appends the complete characters of what has come so far.
    pub(super) fn push(&mut self, mut bytes: &[u8], to: &mut String) {
        while !self.spoiled && !self.begun.is_empty() {
            let Some((first, rest)) = bytes.split_first() else {
                return;
            };
            self.begun.push(*first);
            bytes = rest;
            self.complete(to);
        }
        if self.spoiled {
            return;
        }
        match str::from_utf8(bytes) {
            Ok(text) => to.push_str(text),
            Err(error) => {
                let (good, rest) = bytes.split_at(error.valid_up_to());
                to.push_str(str::from_utf8(good).unwrap_or_default());
                self.spoiled = error.error_len().is_some();
                self.begun.extend_from_slice(rest);
            }
        }
    }

    /// Appends the begun character, if it is whole.
    fn complete(&mut self, to: &mut String) {
        match str::from_utf8(&self.begun) {
            Ok(character) => {
                to.push_str(character);
                self.begun.clear();
            }
            Err(error) => self.spoiled = error.error_len().is_some(),
        }
    }

    /// Ends the text: an error if anything of it was not UTF-8. The next text begins afresh.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let sound = !self.spoiled && self.begun.is_empty();
        self.begun.clear();
        self.spoiled = false;
        if sound { Ok(()) } else { Err(not_utf8()) }
    }
}

/// What a reader of text reports for anything else.
pub(super) fn not_utf8() -> io::Error {
    io::Error::new(
        ErrorKind::InvalidData,
        "the bytes read are not valid UTF-8; read them as bytes (read_until, read_to_end) if they need not be text",
    )
}

/// Appends to `line` up to and with the next `\n`, or to the end, and gives how many bytes that took in this call or, after
/// a pending one, since `line` was `start` long. On invalid UTF-8 `line` is cut back to `start`, and the bad line is gone.
pub(super) fn poll_line<R: AsyncBufRead + ?Sized>(
    mut reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    text: &mut Text,
    line: &mut String,
    start: usize,
) -> Poll<io::Result<usize>> {
    loop {
        let available = match ready!(reader.as_mut().poll_fill_buf(cx)) {
            Ok(available) => available,
            Err(error) => {
                if text.spoiled {
                    line.truncate(start);
                }
                return Poll::Ready(Err(error));
            }
        };
        // On a slice this is the standard library's fast search, and cannot fail.
        let taken = { available }.skip_until(b'\n')?;
        let piece = &available[..taken];
        let ends = piece.is_empty() || piece.ends_with(b"\n");
        text.push(piece, line);
        reader.as_mut().consume(taken);
        if ends {
            return Poll::Ready(match text.finish() {
                Ok(()) => Ok(line.len() - start),
                Err(error) => {
                    line.truncate(start);
                    Err(error)
                }
            });
        }
    }
}
