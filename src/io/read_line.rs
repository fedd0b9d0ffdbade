//! The future of [`read_line`](super::AsyncBufReadExt::read_line).
//!
//! What it consumes it has appended, but for the beginning of a character whose rest is not there yet.

use super::AsyncBufRead;
use super::text::{Text, poll_line};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Appends a line to a string; made by [`AsyncBufReadExt::read_line`](super::AsyncBufReadExt::read_line).
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ReadLine<'a, R: ?Sized> {
    reader: &'a mut R,
    /// The caller's string.
    line: &'a mut String,
    /// How long the caller's string was.
    start: usize,
    text: Text,
}

impl<'a, R: ?Sized> ReadLine<'a, R> {
    pub(super) fn new(reader: &'a mut R, line: &'a mut String) -> Self {
        Self {
            reader,
            start: line.len(),
            line,
            text: Text::default(),
        }
    }
}

impl<R: AsyncBufRead + Unpin + ?Sized> Future for ReadLine<'_, R> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let reader = Pin::new(&mut *this.reader);
        poll_line(reader, cx, &mut this.text, this.line, this.start)
    }
}
