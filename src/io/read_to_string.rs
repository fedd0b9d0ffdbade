//! The future of [`read_to_string`](super::AsyncReadExt::read_to_string).
//!
//! Collects bytes of its own, and appends them to the caller's string once they have all come and are known to be text.

use super::text::not_utf8;
use super::{AsyncRead, AsyncReadExt};
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Appends the rest of a reader to a string; made by [`AsyncReadExt::read_to_string`](super::AsyncReadExt::read_to_string).
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ReadToString<'a, R: ?Sized> {
    reader: &'a mut R,
    /// The caller's string, untouched until the end.
    to: &'a mut String,
    /// What has come so far.
    bytes: Vec<u8>,
}

impl<'a, R: ?Sized> ReadToString<'a, R> {
    pub(super) fn new(reader: &'a mut R, to: &'a mut String) -> Self {
        Self {
            reader,
            to,
            bytes: Vec::new(),
        }
    }
}

impl<R: AsyncRead + Unpin + ?Sized> Future for ReadToString<'_, R> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // The inner future keeps nothing between two polls but where it began, which is not asked for.
        let mut rest = this.reader.read_to_end(&mut this.bytes);
        let end = ready!(Pin::new(&mut rest).poll(cx));
        match String::from_utf8(mem::take(&mut this.bytes)) {
            Ok(text) => {
                this.to.push_str(&text);
                Poll::Ready(end.map(|_| text.len()))
            }
            Err(_) => Poll::Ready(end.and_then(|_| Err(not_utf8()))),
        }
    }
}
