//! Any descriptor that the operating system can wait for.
//!
//! Reads and writes here ask until the operating system says that it would block: of an unknown descriptor, a short read does
//! not mean that nothing is left.

use super::{AsyncRead, AsyncWrite, Interest, Ready};
use runtime_core::{Direction, Initial, Registered};
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Any descriptor that the operating system can wait for: a pipe, a terminal, a device, a socket of another library.
///
/// Where `&T` implements [`Read`] or [`Write`], as a [`PipeReader`](std::io::PipeReader) does, this implements
/// [`AsyncRead`] or [`AsyncWrite`]; so does `&Async<T>`. Other operations go through [`read_with`](Self::read_with) and
/// [`write_with`](Self::write_with).
///
/// # Examples
///
/// ```
/// use gristmill::io::{Async, AsyncReadExt, AsyncWriteExt};
///
/// gristmill::run(async {
///     let (reader, writer) = std::io::pipe()?;
///     let (mut reader, mut writer) = (Async::new(reader)?, Async::new(writer)?);
///     writer.write_all(b"through a pipe").await?;
///     drop(writer);
///     let mut text = String::new();
///     reader.read_to_string(&mut text).await?;
///     assert_eq!(text, "through a pipe");
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[doc(alias = "AsyncFd")]
#[doc(alias = "add_reader")]
#[doc(alias = "add_writer")]
pub struct Async<T: AsFd>(Registered<T>);

impl<T: AsFd> Async<T> {
    /// Makes a descriptor non-blocking and registers it with this thread's runtime.
    ///
    /// Other holders of the same open file, such as other processes at the same terminal, then find it non-blocking too.
    ///
    /// # Errors
    ///
    /// If there is no runtime on this thread, or the operating system cannot wait for such a descriptor: a regular file is
    /// always ready, so it says no.
    pub fn new(io: T) -> io::Result<Self> {
        set_nonblocking(io.as_fd())?;
        Registered::new(io, Initial::Ready).map(Self)
    }

    /// The value itself.
    ///
    /// Do not close its descriptor, and do not make it blocking.
    pub fn get_ref(&self) -> &T {
        self.0.get_ref()
    }

    /// Gives the value back, still non-blocking.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }

    /// Waits until the descriptor is ready for any part of `interest`, and tells for which.
    ///
    /// The answer can be wrong: only an attempt will show. And it stays until an attempt through [`read_with`](Self::read_with),
    /// [`write_with`](Self::write_with) or [`try_io`](Self::try_io) says `WouldBlock`.
    ///
    /// # Errors
    ///
    /// If the descriptor's runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: readiness stays until an attempt uses it up.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.0.ready(interest).await
    }

    /// Waits until there is something to read, or the end; as [`ready`](Self::ready).
    ///
    /// # Errors
    ///
    /// If the descriptor's runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: readiness stays until an attempt uses it up.
    pub async fn readable(&self) -> io::Result<()> {
        self.0.ready(Interest::READABLE).await.map(|_| ())
    }

    /// Waits until there is room to write; as [`ready`](Self::ready).
    ///
    /// # Errors
    ///
    /// If the descriptor's runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: readiness stays until an attempt uses it up.
    pub async fn writable(&self) -> io::Result<()> {
        self.0.ready(Interest::WRITABLE).await.map(|_| ())
    }

    /// Polls for something to read. Only the task that polled last to read is woken.
    ///
    /// # Errors
    ///
    /// If the descriptor's runtime has shut down.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_ready(Direction::Read, cx)
    }

    /// Polls for room to write. Only the task that polled last to write is woken.
    ///
    /// # Errors
    ///
    /// If the descriptor's runtime has shut down.
    pub fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_ready(Direction::Write, cx)
    }

    /// Makes attempts to read, each when there seems to be something, until one does not say `WouldBlock`.
    ///
    /// # Errors
    ///
    /// What the attempt says; or that the descriptor's runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe if the attempt does everything or nothing.
    pub async fn read_with<R>(&self, attempt: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        self.0.io(Interest::READABLE, attempt).await
    }

    /// Makes attempts to write, each when there seems to be room, until one does not say `WouldBlock`.
    ///
    /// # Errors
    ///
    /// What the attempt says; or that the descriptor's runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe if the attempt does everything or nothing.
    pub async fn write_with<R>(&self, attempt: impl FnMut(&T) -> io::Result<R>) -> io::Result<R> {
        self.0.io(Interest::WRITABLE, attempt).await
    }

    /// Makes an attempt if the descriptor seems ready.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not ready, before or after the attempt; otherwise what the attempt says.
    pub fn try_io<R>(
        &self,
        interest: Interest,
        attempt: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.0.try_io(interest, attempt)
    }
}

/// Makes a descriptor of any kind non-blocking.
fn set_nonblocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    Ok(rustix::io::ioctl_fionbio(fd, true)?)
}

impl<T: AsFd> AsyncRead for Async<T>
where
    for<'a> &'a T: Read,
{
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

impl<T: AsFd> AsyncRead for &Async<T>
where
    for<'a> &'a T: Read,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_io(Direction::Read, cx, |mut io| io.read(buf))
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0
            .poll_io(Direction::Read, cx, |mut io| io.read_vectored(bufs))
    }
}

impl<T: AsFd> AsyncWrite for Async<T>
where
    for<'a> &'a T: Write,
{
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

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    /// Flushes; the descriptor closes when the value is dropped.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }
}

impl<T: AsFd> AsyncWrite for &Async<T>
where
    for<'a> &'a T: Write,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_io(Direction::Write, cx, |mut io| io.write(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0
            .poll_io(Direction::Write, cx, |mut io| io.write_vectored(bufs))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_io(Direction::Write, cx, |mut io| io.flush())
    }

    /// Flushes; the descriptor closes when the value is dropped.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl<T: AsFd> AsFd for Async<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl<T: AsFd> AsRawFd for Async<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl<T: AsFd + fmt::Debug> fmt::Debug for Async<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Async").field(self.0.get_ref()).finish()
    }
}
