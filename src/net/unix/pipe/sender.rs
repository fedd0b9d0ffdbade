//! The end of a pipe that bytes go into.

use crate::io::{AsyncWrite, Interest};
use runtime_core::{Direction, Registered};
use std::io::{self, IoSlice, PipeWriter, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The writing end of a pipe.
///
/// Writing comes with [`AsyncWriteExt`](crate::io::AsyncWriteExt), on this and on `&Sender`. There is nothing to flush.
/// Closing it, as dropping it, is the end for the reader if there is no other sender; whatever is asked of it after that is the error
/// `BrokenPipe`. A `&Sender` cannot be closed.
pub struct Sender {
    /// `None` once it was closed.
    open: Option<Registered<PipeWriter>>,
}

pipe_end!(Sender, PipeWriter, RDONLY);

#[cold]
fn closed() -> io::Error {
    io::Error::new(
        io::ErrorKind::BrokenPipe,
        "this end of the pipe was closed by this program",
    )
}

impl Sender {
    fn of(registered: Registered<PipeWriter>) -> Self {
        Self {
            open: Some(registered),
        }
    }

    fn registered(&self) -> io::Result<&Registered<PipeWriter>> {
        self.open.as_ref().ok_or_else(closed)
    }

    fn into_registered(self) -> io::Result<Registered<PipeWriter>> {
        self.open.ok_or_else(closed)
    }

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
        self.registered()?
            .ready(Interest::WRITABLE)
            .await
            .map(|_| ())
    }

    /// Polls for room to write. Only the task that polled last is woken.
    ///
    /// # Errors
    ///
    /// If the pipe's runtime has shut down.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.registered()?.poll_ready(Direction::Write, cx)
    }

    /// Writes as much as there is room for, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room, `BrokenPipe` if nobody reads any more; otherwise what the operating system says.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.registered()?
            .try_io(Interest::WRITABLE, |mut pipe| pipe.write(buf))
    }

    /// Writes as much of several buffers as there is room for, without waiting.
    ///
    /// # Errors
    ///
    /// As of [`try_write`](Self::try_write).
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.registered()?
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

    /// Closes this end at once.
    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open = None;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for &Sender {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.registered()?
            .poll_io(Direction::Write, cx, |mut pipe| pipe.write(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.registered()?
            .poll_io(Direction::Write, cx, |mut pipe| pipe.write_vectored(bufs))
    }

    /// Nothing is held back here, so there is nothing to do.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing: others may be using the sender.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
