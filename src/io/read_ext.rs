//! The methods of everything that is read.

use super::numbers::{ReadNumber, read_numbers};
use super::{AsyncRead, Bytes, Chain, ReadToString, Take};
use futures_lite::io::{
    AsyncReadExt as Lite, ReadExactFuture, ReadFuture, ReadToEndFuture, ReadVectoredFuture,
};
use std::io::IoSliceMut;
use std::pin::Pin;

/// The methods of every [`AsyncRead`].
///
/// # Examples
///
/// ```
/// use gristmill::io::AsyncReadExt;
///
/// gristmill::run(async {
///     let mut packet: &[u8] = b"\x00\x05hello and more";
///     let length = packet.read_u16().await?;
///     let mut body = vec![0; usize::from(length)];
///     packet.read_exact(&mut body).await?;
///     assert_eq!(body, b"hello");
///
///     let mut rest = String::from("then:");
///     packet.read_to_string(&mut rest).await?;
///     assert_eq!(rest, "then: and more");
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
pub trait AsyncReadExt: AsyncRead {
    /// Reads some bytes into the front of `buffer`, and gives how many; 0 is the end, or an empty `buffer`.
    ///
    /// # Errors
    ///
    /// Those of the reader.
    ///
    /// # Cancel safety
    ///
    /// If dropped, nothing has been read.
    fn read<'a>(&'a mut self, buffer: &'a mut [u8]) -> ReadFuture<'a, Self>
    where
        Self: Unpin,
    {
        Lite::read(self, buffer)
    }

    /// Reads some bytes into several buffers, filling one after the other, and gives how many.
    ///
    /// # Errors
    ///
    /// Those of the reader.
    ///
    /// # Cancel safety
    ///
    /// If dropped, nothing has been read.
    fn read_vectored<'a>(
        &'a mut self,
        buffers: &'a mut [IoSliceMut<'a>],
    ) -> ReadVectoredFuture<'a, Self>
    where
        Self: Unpin,
    {
        Lite::read_vectored(self, buffers)
    }

    /// Fills `buffer` to the last byte.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the reader ends before `buffer` is full, and the reader's own; what came before is in `buffer`, but
    /// how much is not told.
    ///
    /// # Cancel safety
    ///
    /// If dropped half-way, what came before is in `buffer`, but how much is not told: in a `select!`, use
    /// [`read`](Self::read) in a loop instead.
    #[doc(alias = "readexactly")]
    fn read_exact<'a>(&'a mut self, buffer: &'a mut [u8]) -> ReadExactFuture<'a, Self>
    where
        Self: Unpin,
    {
        Lite::read_exact(self, buffer)
    }

    /// Appends all bytes until the end to `buffer`, and gives how many.
    ///
    /// # Errors
    ///
    /// Those of the reader; what came before is in `buffer`.
    ///
    /// # Cancel safety
    ///
    /// If dropped half-way, what came before is in `buffer`, and the next call goes on from there.
    fn read_to_end<'a>(&'a mut self, buffer: &'a mut Vec<u8>) -> ReadToEndFuture<'a, Self>
    where
        Self: Unpin,
    {
        Lite::read_to_end(self, buffer)
    }

    /// Appends all text until the end to `text`, and gives how many bytes that were.
    ///
    /// # Errors
    ///
    /// `InvalidData` if the bytes are not UTF-8: they are gone, and `text` is as it was before. Those of the reader: what came
    /// before is appended, if it is UTF-8.
    ///
    /// # Cancel safety
    ///
    /// If dropped half-way, `text` is as it was before, and the bytes that had come are lost:
    /// [`read_to_end`](Self::read_to_end) keeps them.
    fn read_to_string<'a>(&'a mut self, text: &'a mut String) -> ReadToString<'a, Self>
    where
        Self: Unpin,
    {
        ReadToString::new(self, text)
    }

    /// Makes a reader that ends after at most `limit` bytes of this one.
    fn take(self, limit: u64) -> Take<Self>
    where
        Self: Sized,
    {
        Lite::take(self, limit)
    }

    /// Makes a stream of single bytes. Each costs a read: put a [`BufReader`](super::BufReader) beneath.
    fn bytes(self) -> Bytes<Self>
    where
        Self: Sized,
    {
        Lite::bytes(self)
    }

    /// Makes a reader that goes on with `next` when this one has ended.
    fn chain<R: AsyncRead>(self, next: R) -> Chain<Self, R>
    where
        Self: Sized,
    {
        Lite::chain(self, next)
    }

    /// Puts the reader into a box, so that its type no longer shows.
    fn boxed_reader<'a>(self) -> Pin<Box<dyn AsyncRead + Send + 'a>>
    where
        Self: Sized + Send + 'a,
    {
        Box::pin(self)
    }

    read_numbers! {
        read_u8, u8, 1, from_be_bytes, "a single byte";
        read_i8, i8, 1, from_be_bytes, "a single byte";
        read_u16, u16, 2, from_be_bytes, "most significant byte first (big-endian)";
        read_u16_le, u16, 2, from_le_bytes, "least significant byte first (little-endian)";
        read_i16, i16, 2, from_be_bytes, "most significant byte first (big-endian)";
        read_i16_le, i16, 2, from_le_bytes, "least significant byte first (little-endian)";
        read_u32, u32, 4, from_be_bytes, "most significant byte first (big-endian)";
        read_u32_le, u32, 4, from_le_bytes, "least significant byte first (little-endian)";
        read_i32, i32, 4, from_be_bytes, "most significant byte first (big-endian)";
        read_i32_le, i32, 4, from_le_bytes, "least significant byte first (little-endian)";
        read_u64, u64, 8, from_be_bytes, "most significant byte first (big-endian)";
        read_u64_le, u64, 8, from_le_bytes, "least significant byte first (little-endian)";
        read_i64, i64, 8, from_be_bytes, "most significant byte first (big-endian)";
        read_i64_le, i64, 8, from_le_bytes, "least significant byte first (little-endian)";
        read_u128, u128, 16, from_be_bytes, "most significant byte first (big-endian)";
        read_u128_le, u128, 16, from_le_bytes, "least significant byte first (little-endian)";
        read_i128, i128, 16, from_be_bytes, "most significant byte first (big-endian)";
        read_i128_le, i128, 16, from_le_bytes, "least significant byte first (little-endian)";
        read_f32, f32, 4, from_be_bytes, "most significant byte first (big-endian)";
        read_f32_le, f32, 4, from_le_bytes, "least significant byte first (little-endian)";
        read_f64, f64, 8, from_be_bytes, "most significant byte first (big-endian)";
        read_f64_le, f64, 8, from_le_bytes, "least significant byte first (little-endian)";
    }
}

impl<R: AsyncRead + ?Sized> AsyncReadExt for R {}
