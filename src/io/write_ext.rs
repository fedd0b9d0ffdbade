//! The methods of everything that is written.

use super::AsyncWrite;
use super::numbers::{WriteNumber, write_numbers};
use futures_lite::io::{
    AsyncWriteExt as Lite, CloseFuture, FlushFuture, WriteAllFuture, WriteFuture,
    WriteVectoredFuture,
};
use std::io::IoSlice;
use std::pin::Pin;

/// The methods of every [`AsyncWrite`].
///
/// # Examples
///
/// ```
/// use gristmill::io::AsyncWriteExt;
///
/// gristmill::run(async {
///     let mut packet = Vec::new();
///     packet.write_u16(5).await?;
///     packet.write_all(b"hello").await?;
///     assert_eq!(packet, b"\x00\x05hello");
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
pub trait AsyncWriteExt: AsyncWrite {
    /// Writes some bytes from the front of `bytes`, and gives how many.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    ///
    /// # Cancel safety
    ///
    /// If dropped, nothing has been written.
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> WriteFuture<'a, Self>
    where
        Self: Unpin,
    {
        Lite::write(self, bytes)
    }

    /// Writes some bytes from several buffers, one after the other, and gives how many.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    ///
    /// # Cancel safety
    ///
    /// If dropped, nothing has been written.
    fn write_vectored<'a>(&'a mut self, buffers: &'a [IoSlice<'a>]) -> WriteVectoredFuture<'a, Self>
    where
        Self: Unpin,
    {
        Lite::write_vectored(self, buffers)
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    ///
    /// `WriteZero` if the writer takes no more, and the writer's own; some of `bytes` may be written, and how much is not told.
    ///
    /// # Cancel safety
    ///
    /// If dropped half-way, some of `bytes` may be written, and how much is not told: in a `select!`, use
    /// [`write`](Self::write) in a loop instead.
    fn write_all<'a>(&'a mut self, bytes: &'a [u8]) -> WriteAllFuture<'a, Self>
    where
        Self: Unpin,
    {
        Lite::write_all(self, bytes)
    }

    /// Waits until what was written has left the writer's own buffers.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    ///
    /// # Cancel safety
    ///
    /// If dropped half-way, nothing is lost: the next flush goes on.
    #[doc(alias = "drain")]
    fn flush(&mut self) -> FlushFuture<'_, Self>
    where
        Self: Unpin,
    {
        Lite::flush(self)
    }

    /// Flushes, and tells the other side that no more will come.
    ///
    /// # Errors
    ///
    /// Those of the writer.
    ///
    /// # Cancel safety
    ///
    /// If dropped half-way, call it again: it goes on.
    #[doc(alias = "shutdown")]
    #[doc(alias = "write_eof")]
    fn close(&mut self) -> CloseFuture<'_, Self>
    where
        Self: Unpin,
    {
        Lite::close(self)
    }

    /// Puts the writer into a box, so that its type no longer shows.
    fn boxed_writer<'a>(self) -> Pin<Box<dyn AsyncWrite + Send + 'a>>
    where
        Self: Sized + Send + 'a,
    {
        Box::pin(self)
    }

    write_numbers! {
        write_u8, u8, 1, to_be_bytes, "a single byte";
        write_i8, i8, 1, to_be_bytes, "a single byte";
        write_u16, u16, 2, to_be_bytes, "most significant byte first (big-endian)";
        write_u16_le, u16, 2, to_le_bytes, "least significant byte first (little-endian)";
        write_i16, i16, 2, to_be_bytes, "most significant byte first (big-endian)";
        write_i16_le, i16, 2, to_le_bytes, "least significant byte first (little-endian)";
        write_u32, u32, 4, to_be_bytes, "most significant byte first (big-endian)";
        write_u32_le, u32, 4, to_le_bytes, "least significant byte first (little-endian)";
        write_i32, i32, 4, to_be_bytes, "most significant byte first (big-endian)";
        write_i32_le, i32, 4, to_le_bytes, "least significant byte first (little-endian)";
        write_u64, u64, 8, to_be_bytes, "most significant byte first (big-endian)";
        write_u64_le, u64, 8, to_le_bytes, "least significant byte first (little-endian)";
        write_i64, i64, 8, to_be_bytes, "most significant byte first (big-endian)";
        write_i64_le, i64, 8, to_le_bytes, "least significant byte first (little-endian)";
        write_u128, u128, 16, to_be_bytes, "most significant byte first (big-endian)";
        write_u128_le, u128, 16, to_le_bytes, "least significant byte first (little-endian)";
        write_i128, i128, 16, to_be_bytes, "most significant byte first (big-endian)";
        write_i128_le, i128, 16, to_le_bytes, "least significant byte first (little-endian)";
        write_f32, f32, 4, to_be_bytes, "most significant byte first (big-endian)";
        write_f32_le, f32, 4, to_le_bytes, "least significant byte first (little-endian)";
        write_f64, f64, 8, to_be_bytes, "most significant byte first (big-endian)";
        write_f64_le, f64, 8, to_le_bytes, "least significant byte first (little-endian)";
    }
}

impl<W: AsyncWrite + ?Sized> AsyncWriteExt for W {}
