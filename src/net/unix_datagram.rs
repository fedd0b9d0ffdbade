//! A Unix socket of datagrams.

use super::socket;
use super::unix::SocketAddr;
use crate::io::Interest;
use runtime_core::{Direction, Initial, Registered};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::io;
use std::net::Shutdown;
use std::path::Path;
use std::task::{Context, Poll};

/// A Unix socket of datagrams, which arrive whole, in order, and are not lost.
///
/// # Examples
///
/// ```
/// use gristmill::net::UnixDatagram;
///
/// gristmill::run(async {
///     let (one, other) = UnixDatagram::pair()?;
///     one.send(b"ping").await?;
///     let mut buf = [0; 16];
///     let length = other.recv(&mut buf).await?;
///     assert_eq!(&buf[..length], b"ping");
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
pub struct UnixDatagram(Registered<std::os::unix::net::UnixDatagram>);

descriptor!(UnixDatagram, std::os::unix::net::UnixDatagram);
readiness!(UnixDatagram);
datagrams!(UnixDatagram);

impl UnixDatagram {
    /// Makes a socket at `path`.
    ///
    /// The path must not exist, and stays when the socket is dropped. On Linux, a path that begins with a zero byte is an abstract
    /// address, which goes by itself.
    ///
    /// # Errors
    ///
    /// If the path exists, is too long for a socket, or cannot be made; or there is no runtime on this thread.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        let socket = socket::open(Domain::UNIX, Type::DGRAM)?;
        socket.bind(&SockAddr::unix(path)?)?;
        Self::registered(socket)
    }

    /// Makes a socket without an address, which can send, but receives only from one that it is connected with.
    ///
    /// # Errors
    ///
    /// What the operating system says, such as too many open descriptors; or that there is no runtime on this thread.
    pub fn unbound() -> io::Result<Self> {
        Self::registered(socket::open(Domain::UNIX, Type::DGRAM)?)
    }

    /// Makes two sockets that are connected to each other.
    ///
    /// # Errors
    ///
    /// What the operating system says, such as too many open descriptors; or that there is no runtime on this thread.
    #[doc(alias = "socketpair")]
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = socket::pair(Type::DGRAM)?;
        Ok((Self::registered(one)?, Self::registered(other)?))
    }

    fn registered(socket: Socket) -> io::Result<Self> {
        Registered::new(socket.into(), Initial::Ready).map(Self)
    }

    /// Takes the socket at `path` as the one peer.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        SockRef::from(&self.0).connect(&SockAddr::unix(path)?)
    }

    /// Sends a datagram to the socket at `path`.
    ///
    /// This waits while the datagrams that this socket has sent fill the receiver's queue. While those of others do, the
    /// operating system does not tell this socket when there is room: [`connect`](Self::connect) it if the receiver has many senders.
    ///
    /// # Errors
    ///
    /// What the operating system says, such as that there is no such socket.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a datagram is sent as a whole or not at all.
    pub async fn send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        let address = SockAddr::unix(path)?;
        self.0
            .io(Interest::WRITABLE, |socket| {
                SockRef::from(socket).send_to(buf, &address)
            })
            .await
    }

    /// Sends a datagram to the socket at `path`, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; otherwise what the operating system says.
    pub fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        let address = SockAddr::unix(path)?;
        self.0.try_io(Interest::WRITABLE, |socket| {
            SockRef::from(socket).send_to(buf, &address)
        })
    }

    /// Polls to send a datagram to the socket at `path`; as [`send_to`](Self::send_to), but only the task that polled last to
    /// write is woken.
    ///
    /// # Errors
    ///
    /// As of [`send_to`](Self::send_to).
    pub fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        path: P,
    ) -> Poll<io::Result<usize>> {
        let address = SockAddr::unix(path)?;
        self.0.poll_io(Direction::Write, cx, |socket| {
            SockRef::from(socket).send_to(buf, &address)
        })
    }

    /// Waits for a datagram; tells its length and where it came from. What does not fit into `buf` is lost.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no datagram is lost.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0
            .io(Interest::READABLE, |socket| socket.recv_from(buf))
            .await
    }

    /// Takes a datagram, without waiting; as [`recv_from`](Self::recv_from).
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; otherwise as of [`recv_from`](Self::recv_from).
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0
            .try_io(Interest::READABLE, |socket| socket.recv_from(buf))
    }

    /// Polls for a datagram; as [`recv_from`](Self::recv_from), but only the task that polled last to read is woken.
    ///
    /// # Errors
    ///
    /// As of [`recv_from`](Self::recv_from).
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.0
            .poll_io(Direction::Read, cx, |socket| socket.recv_from(buf))
    }

    /// Waits for a datagram and copies it without taking it; tells how much was copied.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the datagram stays.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0
            .io(Interest::READABLE, |socket| peek(socket, buf))
            .await
    }

    /// Copies a datagram, without waiting; as [`peek`](Self::peek).
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; otherwise as of [`peek`](Self::peek).
    pub fn try_peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0
            .try_io(Interest::READABLE, |socket| peek(socket, buf))
    }

    /// Ends one way of a connected socket, or both.
    ///
    /// # Errors
    ///
    /// `NotConnected` if it is not connected.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.get_ref().shutdown(how)
    }

    /// The address of this socket, which is unnamed unless it was bound.
    ///
    /// # Errors
    ///
    /// If the operating system does not answer.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }

    /// The peer that this is connected to.
    ///
    /// # Errors
    ///
    /// `NotConnected` if it is not connected.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().peer_addr()
    }
}

/// The standard library's own is not stable yet.
fn peek(socket: &std::os::unix::net::UnixDatagram, buf: &mut [u8]) -> io::Result<usize> {
    let (copied, _) = rustix::net::recv(socket, buf, rustix::net::RecvFlags::PEEK)?;
    Ok(copied)
}
