//! The end of a pipe that bytes come out of.
//!
//! A short read does not count as the end of what there is: whoever writes to a named pipe may do so in packets.

use crate::io::{AsyncRead, Interest};
use runtime_core::{Direction, Registered};
use std::io::{self, IoSliceMut, PipeReader, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The reading end of a pipe.
///
/// Reading comes with [`AsyncReadExt`](crate::io::AsyncReadExt), on this and on `&Receiver`.
pub struct Receiver(Registered<PipeReader>);

pipe_end!(Receiver, PipeReader, WRONLY);

impl Receiver {
    fn of(registered: Registered<PipeReader>) -> Self {
        Self(registered)
    }

    /// Never an error: a receiver closes when it is dropped.
    fn registered(&self) -> io::Result<&Registered<PipeReader>> {
        Ok(&self.0)
    }

    fn into_registered(self) -> io::Result<Registered<PipeReader>> {
        Ok(self.0)
    }

    /// Waits until there is something to read, or the end; as [`ready`](Self::ready).
    ///
    /// # Errors
    ///
    /// If the pipe's runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: readiness stays until an attempt uses it up.
    pub async fn readable(&self) -> io::Result<()> {
        self.0.ready(Interest::READABLE).await.map(|_| ())
    }

    /// Polls for something to read. Only the task that polled last is woken.
    ///
    /// # Errors
    ///
    /// If the pipe's runtime has shut down.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_ready(Direction::Read, cx)
    }

    /// Reads what there is, without waiting.
    ///
    /// Zero bytes mean that there is no sender, or that `buf` is empty.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is nothing yet; otherwise what the operating system says.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.try_io(Interest::READABLE, |mut pipe| pipe.read(buf))
    }

    /// Reads what there is into several buffers in turn, without waiting.
    ///
    /// # Errors
    ///
    /// As of [`try_read`](Self::try_read).
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.0
            .try_io(Interest::READABLE, |mut pipe| pipe.read_vectored(bufs))
    }
}

impl AsyncRead for Receiver {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read(cx, buf)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read_vectored(cx, bufs)
    }
}

impl AsyncRead for &Receiver {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.0
            .poll_io(Direction::Read, cx, |mut pipe| pipe.read(buf))
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0
            .poll_io(Direction::Read, cx, |mut pipe| pipe.read_vectored(bufs))
    }
}
