//! The methods of everything that is read through a buffer.

use super::{AsyncBufRead, Lines, ReadLine, Split};
use futures_lite::io::{AsyncBufReadExt as Lite, FillBuf, ReadUntilFuture};
use std::pin::Pin;

/// The methods of every [`AsyncBufRead`].
///
/// # Examples
///
/// ```
/// use gristmill::io::{AsyncBufReadExt, BufReader};
///
/// gristmill::run(async {
///     let mut reader = BufReader::new(&b"one\ntwo\nthree"[..]);
///     let mut text = String::new();
///     while reader.read_line(&mut text).await? > 0 {}
///     assert_eq!(text, "one\ntwo\nthree");
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
pub trait AsyncBufReadExt: AsyncBufRead {
    /// Waits until the buffer holds something, and shows it; empty is the end.
    ///
    /// What is shown is not taken: [`consume`](Self::consume) does that.
    ///
    /// # Panics
    ///
    /// If polled again after it has given its result.
    ///
    /// # Errors
    ///
    /// Those of the reader.
    ///
    /// # Cancel safety
    ///
    /// If dropped, nothing is lost.
    fn fill_buf(&mut self) -> FillBuf<'_, Self>
    where
        Self: Unpin,
    {
        Lite::fill_buf(self)
    }

    /// Takes `count` bytes, at most as many as [`fill_buf`](Self::fill_buf) has shown, from the front of the buffer.
    fn consume(&mut self, count: usize)
    where
        Self: Unpin,
    {
        AsyncBufRead::consume(Pin::new(self), count);
    }

    /// Appends up to and with the next byte `end` to `buffer`, or everything if there is none, and gives how many bytes.
    ///
    /// # Errors
    ///
    /// Those of the reader; what came before is in `buffer`.
    ///
    /// # Cancel safety
    ///
    /// If dropped half-way, what came before is in `buffer`, and the next call appends the rest (and counts only that).
    #[doc(alias = "readuntil")]
    fn read_until<'a>(&'a mut self, end: u8, buffer: &'a mut Vec<u8>) -> ReadUntilFuture<'a, Self>
    where
        Self: Unpin,
    {
        Lite::read_until(self, end, buffer)
    }

    /// Appends up to and with the next `\n` to `line`, or everything if there is none, and gives how many bytes; 0 is the end.
    ///
    /// `line` is not cleared first.
    ///
    /// # Errors
    ///
    /// `InvalidData` if the line is not UTF-8: it is gone, up to its `\n`, and `line` is as it was before. Those of the
    /// reader: what came before is in `line`, if it is UTF-8.
    ///
    /// # Cancel safety
    ///
    /// If dropped half-way, what came before is in `line`, and the next call with the same string appends the rest (and counts
    /// only that). Only where the data that had come ended inside of a character of several bytes, its first bytes (three at
    /// most) are lost, which the next call reports as `InvalidData`; and of a line that is not UTF-8, what had come.
    /// [`lines`](Self::lines) loses nothing, nor does [`read_until`](Self::read_until).
    #[doc(alias = "readline")]
    fn read_line<'a>(&'a mut self, line: &'a mut String) -> ReadLine<'a, Self>
    where
        Self: Unpin,
    {
        ReadLine::new(self, line)
    }

    /// Makes a stream of lines, without their `\n` or `\r\n`.
    ///
    /// A line that is not UTF-8 is an `InvalidData` error, after which the stream goes on with the next line.
    ///
    /// # Cancel safety
    ///
    /// The line that has begun is kept in the stream: a `next` that is dropped loses nothing.
    fn lines(self) -> Lines<Self>
    where
        Self: Sized,
    {
        Lines::new(self)
    }

    /// Makes a stream of what lies between the bytes `end`, without them.
    ///
    /// # Cancel safety
    ///
    /// The part that has begun is kept in the stream: a `next` that is dropped loses nothing.
    fn split(self, end: u8) -> Split<Self>
    where
        Self: Sized,
    {
        Lite::split(self, end)
    }
}

impl<R: AsyncBufRead + ?Sized> AsyncBufReadExt for R {}
