//! The stream of a reader's lines.
//!
//! The line that has begun is kept in the stream, so a `next` that is dropped loses nothing.

use super::AsyncBufRead;
use super::text::{Text, poll_line};
use crate::stream::Stream;
use pin_project_lite::pin_project;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// The lines of a reader; made by [`AsyncBufReadExt::lines`](super::AsyncBufReadExt::lines).
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Lines<R> {
        #[pin]
        reader: R,
        // What has come of the line that has begun.
        line: String,
        text: Text,
    }
}

impl<R> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            line: String::new(),
            text: Text::default(),
        }
    }

    /// Gives the reader back. What has come of a line that was begun is lost.
    pub fn into_inner(self) -> R {
        self.reader
    }
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Waits for the next line, without its end; `None` after the last one.
    ///
    /// As `next` of [`StreamExt`](crate::stream::StreamExt), in the shape that `?` likes.
    ///
    /// # Examples
    ///
    /// ```
    /// use gristmill::io::{AsyncBufReadExt, BufReader};
    ///
    /// gristmill::run(async {
    ///     let mut lines = BufReader::new(&b"one\ntwo"[..]).lines();
    ///     let mut seen = Vec::new();
    ///     while let Some(line) = lines.next_line().await? {
    ///         seen.push(line);
    ///     }
    ///     assert_eq!(seen, ["one", "two"]);
    ///     Ok::<(), std::io::Error>(())
    /// })
    /// # .unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// What the reader says; `InvalidData` if a line is not UTF-8.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the line that has begun is kept for the next call.
    #[doc(alias = "readline")]
    pub async fn next_line(&mut self) -> io::Result<Option<String>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx))
            .await
            .transpose()
    }
}

impl<R: AsyncBufRead> Stream for Lines<R> {
    type Item = io::Result<String>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let count = match ready!(poll_line(this.reader, cx, this.text, this.line, 0)) {
            Ok(count) => count,
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        if count == 0 {
            return Poll::Ready(None);
        }
        let mut line = mem::take(this.line);
        if line.ends_with('\n') {
            line.pop();
            if line.ends_with('\r') {
                line.pop();
            }
        }
        Poll::Ready(Some(Ok(line)))
    }
}
