//! A TCP connection.

use super::lookup::ToSocketAddrs;
use super::{byte_stream, socket, tcp};
use runtime_core::{Direction, Initial, Interest, Registered};
use socket2::{Domain, SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

/// A TCP connection.
///
/// Reading and writing come with [`AsyncReadExt`](crate::io::AsyncReadExt) and
/// [`AsyncWriteExt`](crate::io::AsyncWriteExt), on the stream, on `&TcpStream`, and on its halves. Written bytes are
/// handed to the operating system at once: there is nothing to flush. Small writes in quick succession may be
/// held back by the operating system until the peer confirms the one before: see [`set_nodelay`](Self::set_nodelay).
///
/// # Examples
///
/// ```no_run
/// use gristmill::io::{AsyncReadExt, AsyncWriteExt};
/// use gristmill::net::TcpStream;
///
/// gristmill::run(async {
///     let mut stream = TcpStream::connect("example.org:80").await?;
///     stream.write_all(b"GET / HTTP/1.0\r\nHost: example.org\r\n\r\n").await?;
///     let mut reply = Vec::new();
///     stream.read_to_end(&mut reply).await?;
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[doc(alias = "open_connection")]
pub struct TcpStream(Registered<std::net::TcpStream>);

descriptor!(TcpStream, std::net::TcpStream);
readiness!(TcpStream);
stream!(TcpStream, std::net::TcpStream, tcp);

impl TcpStream {
    /// Connects to the first of the addresses that answers, one after the other.
    ///
    /// How long one attempt takes is up to the operating system: put [`timeout`](crate::time::timeout) around it.
    ///
    /// # Errors
    ///
    /// If the name cannot be resolved, no address could be connected to (that of the last attempt, which names the
    /// address), or there is no runtime on this thread.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is given up.
    pub async fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        socket::first_success(addr.request(), "connect to", async |address| {
            let socket = socket::open(Domain::for_address(address), Type::STREAM)?;
            Self::connect_socket(socket, address).await
        })
        .await
    }

    pub(super) async fn connect_socket(socket: Socket, address: SocketAddr) -> io::Result<Self> {
        socket::connect(socket, address.into()).await.map(Self)
    }

    pub(super) fn accepted(socket: Socket) -> io::Result<Self> {
        Registered::new_lazy(socket.into(), Initial::Ready).map(Self)
    }

    /// Waits for bytes and copies them without taking them: the next read gives them again.
    ///
    /// Zero bytes mean that the peer has ended its way, or that `buf` is empty.
    ///
    /// # Errors
    ///
    /// What the operating system says; or that the stream's runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0
            .io(Interest::READABLE, |stream| stream.peek(buf))
            .await
    }

    /// Polls for bytes to copy without taking them. Only the task that polled last to read is woken.
    ///
    /// # Errors
    ///
    /// As of [`peek`](Self::peek).
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0
            .poll_io(Direction::Read, cx, |stream| stream.peek(buf))
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// If the operating system does not answer.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// `NotConnected` if there is no connection any more.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().peer_addr()
    }

    /// Whether small writes go out at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// If the operating system does not answer.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.0.get_ref().nodelay()
    }

    /// Sets whether small writes go out at once (`TCP_NODELAY`) or wait for company; they wait by default.
    ///
    /// # Errors
    ///
    /// If the operating system refuses.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.0.get_ref().set_nodelay(nodelay)
    }

    /// How many routers a packet may pass (`IP_TTL`).
    ///
    /// # Errors
    ///
    /// If the operating system does not answer.
    pub fn ttl(&self) -> io::Result<u32> {
        self.0.get_ref().ttl()
    }

    /// Sets how many routers a packet may pass (`IP_TTL`).
    ///
    /// # Errors
    ///
    /// If the operating system refuses the value.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.0.get_ref().set_ttl(ttl)
    }

    /// How long closing waits for written bytes to arrive (`SO_LINGER`).
    ///
    /// # Errors
    ///
    /// If the operating system does not answer.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        SockRef::from(&self.0).linger()
    }

    /// Sets how long closing waits for written bytes to arrive (`SO_LINGER`), in whole seconds; `None`, the default, leaves that
    /// to the operating system's background.
    ///
    /// With zero, dropping the stream resets the connection. With more, dropping it blocks the thread that does.
    ///
    /// # Errors
    ///
    /// If the operating system refuses.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        SockRef::from(&self.0).set_linger(linger)
    }
}
