//! Numbers of a fixed width, in either byte order.
//!
//! One future reads them all and one writes them all; the macros write the methods of
//! [`AsyncReadExt`](super::AsyncReadExt) and [`AsyncWriteExt`](super::AsyncWriteExt).

use super::{AsyncRead, AsyncWrite};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Reads a number of `N` bytes; made by [`AsyncReadExt::read_u32`](super::AsyncReadExt::read_u32) and its like.
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct ReadNumber<'a, R: ?Sized, T, const N: usize> {
    reader: &'a mut R,
    bytes: [u8; N],
    /// How many of the bytes have come.
    filled: usize,
    /// The byte order.
    decode: fn([u8; N]) -> T,
}

impl<'a, R: ?Sized, T, const N: usize> ReadNumber<'a, R, T, N> {
    pub(super) fn new(reader: &'a mut R, decode: fn([u8; N]) -> T) -> Self {
        Self {
            reader,
            bytes: [0; N],
            filled: 0,
            decode,
        }
    }
}

impl<R: AsyncRead + Unpin + ?Sized, T, const N: usize> Future for ReadNumber<'_, R, T, N> {
    type Output = io::Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        while this.filled < N {
            let room = &mut this.bytes[this.filled..];
            let count = ready!(Pin::new(&mut *this.reader).poll_read(cx, room))?;
            if count == 0 {
                return Poll::Ready(Err(ErrorKind::UnexpectedEof.into()));
            }
            this.filled += count;
        }
        Poll::Ready(Ok((this.decode)(this.bytes)))
    }
}

/// Writes a number of `N` bytes; made by [`AsyncWriteExt::write_u32`](super::AsyncWriteExt::write_u32) and its like.
#[derive(Debug)]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct WriteNumber<'a, W: ?Sized, const N: usize> {
    writer: &'a mut W,
    bytes: [u8; N],
    /// How many of the bytes are written.
    written: usize,
}

impl<'a, W: ?Sized, const N: usize> WriteNumber<'a, W, N> {
    pub(super) fn new(writer: &'a mut W, bytes: [u8; N]) -> Self {
        Self {
            writer,
            bytes,
            written: 0,
        }
    }
}

impl<W: AsyncWrite + Unpin + ?Sized, const N: usize> Future for WriteNumber<'_, W, N> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        while this.written < N {
            let rest = &this.bytes[this.written..];
            let count = ready!(Pin::new(&mut *this.writer).poll_write(cx, rest))?;
            if count == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            this.written += count;
        }
        Poll::Ready(Ok(()))
    }
}

/// The methods that read numbers: `name, type, bytes, from_be_bytes or from_le_bytes, order in words`.
macro_rules! read_numbers {
    ($($name:ident, $number:ident, $width:literal, $decode:ident, $order:literal;)*) => {$(
        #[doc = concat!("Reads one `", stringify!($number), "`, ", $order, ".")]
        ///
        /// # Errors
        ///
        /// `UnexpectedEof` if the reader ends before the number does, and the reader's own.
        ///
        /// # Cancel safety
        ///
        /// If dropped half-way, the bytes of the number that had come are lost; a number of one byte loses nothing.
        fn $name(&mut self) -> ReadNumber<'_, Self, $number, $width>
        where
            Self: Unpin,
        {
            ReadNumber::new(self, $number::$decode)
        }
    )*};
}

/// The methods that write numbers: `name, type, bytes, to_be_bytes or to_le_bytes, order in words`.
macro_rules! write_numbers {
    ($($name:ident, $number:ident, $width:literal, $encode:ident, $order:literal;)*) => {$(
        #[doc = concat!("Writes one `", stringify!($number), "`, ", $order, ".")]
        ///
        /// # Errors
        ///
        /// `WriteZero` if the writer takes no more, and the writer's own.
        ///
        /// # Cancel safety
        ///
        /// If dropped half-way, some of the number's bytes may be written; a number of one byte is written or is not.
        fn $name(&mut self, number: $number) -> WriteNumber<'_, Self, $width>
        where
            Self: Unpin,
        {
            WriteNumber::new(self, number.$encode())
        }
    )*};
}

pub(super) use {read_numbers, write_numbers};
