//! Streams for hyper.
//!
//! # Rejected
//!
//! * Reading straight into hyper's buffer: its part that is not initialised can be reached by unsafe code only, of which this crate
//!   has none. Each read goes through a buffer of the thread and is copied once.

use crate::io::{AsyncRead, AsyncWrite};
use crate::scratch;
use hyper::rt::ReadBufCursor;
use pin_project_lite::pin_project;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// A stream in the form that hyper asks for. Each read is copied once.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use gristmill::hyper::HyperIo;
    /// use gristmill::net::TcpStream;
    ///
    /// # async fn connect() -> Result<(), Box<dyn std::error::Error>> {
    /// let stream = TcpStream::connect("example.org:80").await?;
    /// let (mut requests, connection) = hyper::client::conn::http1::handshake(HyperIo::new(stream)).await?;
    /// gristmill::spawn(connection);
    /// # requests.send_request(hyper::Request::new(String::new())).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Debug)]
    pub struct HyperIo<T> {
        #[pin]
        io: T,
        is_vectored: bool,
    }
}

impl<T> HyperIo<T> {
    /// Wraps a stream whose writes of several buffers at once are worth while, as those of a socket are.
    pub const fn new(io: T) -> Self {
        Self {
            io,
            is_vectored: true,
        }
    }

    /// Wraps a stream that takes only the first of several buffers in a write, such as one that encrypts: hyper then joins
    /// them beforehand.
    pub const fn new_joining(io: T) -> Self {
        Self {
            io,
            is_vectored: false,
        }
    }

    /// The stream.
    pub const fn get_ref(&self) -> &T {
        &self.io
    }

    /// The stream, to change it.
    pub const fn get_mut(&mut self) -> &mut T {
        &mut self.io
    }

    /// Unwraps the stream.
    pub fn into_inner(self) -> T {
        self.io
    }
}

impl<T: AsyncRead> hyper::rt::Read for HyperIo<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        scratch::with_buffer(|scratch| {
            let room = buf.remaining().min(scratch.len());
            let count = ready!(self.project().io.poll_read(cx, &mut scratch[..room]))?;
            buf.put_slice(&scratch[..count]);
            Poll::Ready(Ok(()))
        })
    }
}

impl<T: AsyncWrite> hyper::rt::Write for HyperIo<T> {
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

    fn is_write_vectored(&self) -> bool {
        self.is_vectored
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().io.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().io.poll_close(cx)
    }
}
