//! Streams of bytes as the standard library has them, and reading, writing and closing one that is registered.
//!
//! After a short read from TCP the buffer is drained, which saves the system call that would say so. A Unix stream also
//! stops short at bytes that came with descriptors, with more behind them.

use runtime_core::{Interest, Registered};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::task::{Context, Poll};

/// A connected stream of the standard library.
pub trait ByteStream: AsFd {
    /// What addresses its peer.
    type Addr;
    /// Whether a read that fills only a part of its buffer has drained the socket.
    const SHORT_READ_DRAINS: bool;

    /// As [`Read::read`].
    fn read(&self, buf: &mut [u8]) -> io::Result<usize>;
    /// As [`Read::read_vectored`].
    fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize>;
    /// As [`Write::write`].
    fn write(&self, buf: &[u8]) -> io::Result<usize>;
    /// As [`Write::write_vectored`].
    fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize>;
    /// Ends one way or both.
    fn shutdown(&self, how: Shutdown) -> io::Result<()>;
    /// The address of this end.
    fn local_addr(&self) -> io::Result<Self::Addr>;
    /// The address of the other end.
    fn peer_addr(&self) -> io::Result<Self::Addr>;
}

/// As [`Read::read`], by the system call itself. The C library's function asks before and after whether its thread is to be cancelled;
/// without that an echo takes 2 to 3 % less, see `docs/decisions/targets.md`.
#[cfg(target_os = "linux")]
#[inline]
fn receive<S: AsFd>(stream: &S, buf: &mut [u8]) -> io::Result<usize> {
    let (count, _) = rustix::net::recv(stream, buf, rustix::net::RecvFlags::empty())?;
    Ok(count)
}

#[cfg(not(target_os = "linux"))]
#[inline]
fn receive<S>(mut stream: &S, buf: &mut [u8]) -> io::Result<usize>
where
    for<'a> &'a S: Read,
{
    stream.read(buf)
}

/// As [`Write::write`], by the system call itself. A peer that is gone is an error and no signal, as there.
#[cfg(target_os = "linux")]
#[inline]
fn send<S: AsFd>(stream: &S, buf: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(
        stream,
        buf,
        rustix::net::SendFlags::NOSIGNAL,
    )?)
}

#[cfg(not(target_os = "linux"))]
#[inline]
fn send<S>(mut stream: &S, buf: &[u8]) -> io::Result<usize>
where
    for<'a> &'a S: Write,
{
    stream.write(buf)
}

macro_rules! byte_stream {
    ($stream:ty, $addr:ty, $short_read_drains:literal) => {
        impl ByteStream for $stream {
            type Addr = $addr;
            const SHORT_READ_DRAINS: bool = $short_read_drains;

            #[inline]
            fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
                receive(self, buf)
            }
            #[inline]
            fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                Read::read_vectored(&mut &*self, bufs)
            }
            #[inline]
            fn write(&self, buf: &[u8]) -> io::Result<usize> {
                send(self, buf)
            }
            #[inline]
            fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                Write::write_vectored(&mut &*self, bufs)
            }
            fn shutdown(&self, how: Shutdown) -> io::Result<()> {
                self.shutdown(how)
            }
            fn local_addr(&self) -> io::Result<$addr> {
                self.local_addr()
            }
            fn peer_addr(&self) -> io::Result<$addr> {
                self.peer_addr()
            }
        }
    };
}

byte_stream!(std::net::TcpStream, std::net::SocketAddr, true);
byte_stream!(
    std::os::unix::net::UnixStream,
    std::os::unix::net::SocketAddr,
    false
);

/// Reads with the knowledge of what a short read means.
#[inline]
fn poll_read_with<S: ByteStream>(
    stream: &Registered<S>,
    cx: &mut Context<'_>,
    room: usize,
    read: impl FnMut(&S) -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    if S::SHORT_READ_DRAINS {
        stream.poll_read_stream(cx, room, read)
    } else {
        stream.poll_read_pieces(cx, read)
    }
}

#[inline]
pub(super) fn poll_read<S: ByteStream>(
    stream: &Registered<S>,
    cx: &mut Context<'_>,
    buf: &mut [u8],
) -> Poll<io::Result<usize>> {
    poll_read_with(stream, cx, buf.len(), |stream| stream.read(buf))
}

pub(super) fn poll_read_vectored<S: ByteStream>(
    stream: &Registered<S>,
    cx: &mut Context<'_>,
    bufs: &mut [IoSliceMut<'_>],
) -> Poll<io::Result<usize>> {
    let room = bufs.iter().map(|buf| buf.len()).sum();
    poll_read_with(stream, cx, room, |stream| stream.read_vectored(bufs))
}

#[inline]
pub(super) fn poll_write<S: ByteStream>(
    stream: &Registered<S>,
    cx: &mut Context<'_>,
    buf: &[u8],
) -> Poll<io::Result<usize>> {
    stream.poll_write_stream(cx, buf.len(), |stream| stream.write(buf))
}

pub(super) fn poll_write_vectored<S: ByteStream>(
    stream: &Registered<S>,
    cx: &mut Context<'_>,
    bufs: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    let length = bufs.iter().map(|buf| buf.len()).sum();
    stream.poll_write_stream(cx, length, |stream| stream.write_vectored(bufs))
}

/// Ends the way to the peer, which reads the end of the stream after what was written.
pub(super) fn close<S: ByteStream>(stream: &Registered<S>) -> io::Result<()> {
    match stream.get_ref().shutdown(Shutdown::Write) {
        // The peer is gone: there is nothing left to end.
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        outcome => outcome,
    }
}

pub(super) fn try_read<S: ByteStream>(stream: &Registered<S>, buf: &mut [u8]) -> io::Result<usize> {
    stream.try_io(Interest::READABLE, |stream| stream.read(buf))
}

pub(super) fn try_read_vectored<S: ByteStream>(
    stream: &Registered<S>,
    bufs: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    stream.try_io(Interest::READABLE, |stream| stream.read_vectored(bufs))
}

pub(super) fn try_write<S: ByteStream>(stream: &Registered<S>, buf: &[u8]) -> io::Result<usize> {
    stream.try_io(Interest::WRITABLE, |stream| stream.write(buf))
}

pub(super) fn try_write_vectored<S: ByteStream>(
    stream: &Registered<S>,
    bufs: &[IoSlice<'_>],
) -> io::Result<usize> {
    stream.try_io(Interest::WRITABLE, |stream| stream.write_vectored(bufs))
}
