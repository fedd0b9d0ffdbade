//! The end of a pipe that bytes go into.

use crate::io::{AsyncWrite, Interest};
use runtime_core::{Direction, Registered};
use std::io::{self, IoSlice, PipeWriter, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The writing end of a pipe.
///
/// Writing comes with [`AsyncWriteExt`](crate::io::AsyncWriteExt), on this and on `&Sender`. There is nothing to flush; the
/// pipe is closed when this is dropped, not before.
pub struct Sender(Registered<PipeWriter>);

pipe_end!(Sender, PipeWriter, RDONLY);

impl Sender {
    /// Waits until there is room to write, or nobody reads any more; as [`ready`](Self::ready).
    ///
    /// # Errors
    ///
    /// If the pipe's runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: readiness stays until an attempt uses it up.
    pub async fn writable(&self) -> io::Result<()> {
        self.0.ready(Interest::WRITABLE).await.map(|_| ())
    }

    /// Polls for room to write. Only the task that polled last is woken.
    ///
    /// # Errors
    ///
    /// If the pipe's runtime has shut down.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_ready(Direction::Write, cx)
    }

    /// Writes as much as there is room for, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room, `BrokenPipe` if nobody reads any more; otherwise what the operating system says.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.0
            .try_io(Interest::WRITABLE, |mut pipe| pipe.write(buf))
    }

    /// Writes as much of several buffers as there is room for, without waiting.
    ///
    /// # Errors
    ///
    /// As of [`try_write`](Self::try_write).
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0
            .try_io(Interest::WRITABLE, |mut pipe| pipe.write_vectored(bufs))
    }
}

impl AsyncWrite for Sender {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write_vectored(cx, bufs)
    }

    /// Nothing is held back here, so there is nothing to do.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing: a pipe closes when its sender is dropped.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for &Sender {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0
            .poll_io(Direction::Write, cx, |mut pipe| pipe.write(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0
            .poll_io(Direction::Write, cx, |mut pipe| pipe.write_vectored(bufs))
    }

    /// Nothing is held back here, so there is nothing to do.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing: a pipe closes when its sender is dropped.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
