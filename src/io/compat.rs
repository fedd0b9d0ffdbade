//! The traits of tokio for readers and writers that have those of `futures-io`.

use super::{AsyncRead, AsyncWrite};
use pin_project_lite::pin_project;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::ReadBuf;

pin_project! {
    /// Gives any reader or writer the traits of tokio: an [`Async`](super::Async), what a combinator made, one of another library.
    ///
    /// Streams and their halves, pipes, files, and the standard streams of this process and of its children have those traits
    /// themselves. Needs the feature `tokio-io`, which brings the crate `tokio` for its traits alone: no runtime of it.
    ///
    /// # Examples
    ///
    /// ```
    /// use gristmill::io::{Compat, Cursor};
    ///
    /// fn for_tokio(_: impl tokio::io::AsyncRead) {}
    ///
    /// for_tokio(Compat::new(Cursor::new(b"bytes")));
    /// ```
    #[derive(Debug)]
    pub struct Compat<T> {
        #[pin]
        io: T,
    }
}

impl<T> Compat<T> {
    /// Wraps a reader or writer.
    pub const fn new(io: T) -> Self {
        Self { io }
    }

    /// What is inside.
    pub const fn get_ref(&self) -> &T {
        &self.io
    }

    /// What is inside, to change it.
    pub const fn get_mut(&mut self) -> &mut T {
        &mut self.io
    }

    /// Unwraps it.
    pub fn into_inner(self) -> T {
        self.io
    }
}

/// Reads into the part of tokio's buffer that is not filled, through a `poll_read` of `futures-io`.
pub(super) fn poll_read_into(
    buf: &mut ReadBuf<'_>,
    read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
) -> Poll<io::Result<()>> {
    let count = ready!(read(buf.initialize_unfilled()))?;
    buf.advance(count);
    Poll::Ready(Ok(()))
}

impl<T: AsyncRead> tokio::io::AsyncRead for Compat<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        poll_read_into(buf, |room| self.project().io.poll_read(cx, room))
    }
}

impl<T: AsyncWrite> tokio::io::AsyncWrite for Compat<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.project().io.poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().io.poll_write_vectored(cx, bufs)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().io.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().io.poll_close(cx)
    }
}
