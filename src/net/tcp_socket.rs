//! A TCP socket that is neither connected nor listening yet, to set it up beforehand.

use super::{TcpListener, TcpStream, socket};
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

/// A TCP socket that is neither connected nor listening yet.
///
/// For options that have to be set before; otherwise [`TcpStream::connect`] and [`TcpListener::bind`] are simpler, and resolve
/// names.
///
/// # Examples
///
/// ```
/// use gristmill::net::TcpSocket;
///
/// gristmill::run(async {
///     let socket = TcpSocket::new_v4()?;
///     socket.set_reuseaddr(true)?;
///     socket.bind("127.0.0.1:0".parse().unwrap())?;
///     let listener = socket.listen(64)?;
///     assert_ne!(listener.local_addr()?.port(), 0);
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[derive(Debug)]
pub struct TcpSocket(Socket);

/// Pairs of methods that ask for an option and set it.
macro_rules! options {
    ($($what:literal, $get:ident: $type:ty = $asks:ident, $set:ident = $sets:ident;)*) => {
        $(
            #[doc = concat!("Asks for ", $what)]
            ///
            /// # Errors
            ///
            /// If the operating system does not answer.
            pub fn $get(&self) -> io::Result<$type> {
                self.0.$asks()
            }

            #[doc = concat!("Sets ", $what)]
            ///
            /// # Errors
            ///
            /// If the operating system refuses the value.
            pub fn $set(&self, value: $type) -> io::Result<()> {
                self.0.$sets(value)
            }
        )*
    };
}

impl TcpSocket {
    /// Opens a socket for IPv4.
    ///
    /// # Errors
    ///
    /// What the operating system says, such as too many open descriptors.
    pub fn new_v4() -> io::Result<Self> {
        socket::open(Domain::IPV4, Type::STREAM).map(Self)
    }

    /// Opens a socket for IPv6.
    ///
    /// # Errors
    ///
    /// What the operating system says, such as too many open descriptors.
    pub fn new_v6() -> io::Result<Self> {
        socket::open(Domain::IPV6, Type::STREAM).map(Self)
    }

    /// Takes over a socket that was made elsewhere, and makes it non-blocking.
    ///
    /// The standard library's type stands for any TCP socket here: it need not be connected.
    ///
    /// # Errors
    ///
    /// If it cannot be made non-blocking.
    pub fn from_std_stream(stream: std::net::TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self(stream.into()))
    }

    options! {
        "whether an address can be bound again right after its last listener (`SO_REUSEADDR`); off by default.",
        reuseaddr: bool = reuse_address, set_reuseaddr = set_reuse_address;

        "whether several sockets can be bound to one address (`SO_REUSEPORT`); off by default.",
        reuseport: bool = reuse_port, set_reuseport = set_reuse_port;

        "whether a silent connection is probed from time to time (`SO_KEEPALIVE`); off by default.",
        keepalive: bool = keepalive, set_keepalive = set_keepalive;

        "whether small writes go out at once (`TCP_NODELAY`) or wait for company; off by default.",
        nodelay: bool = tcp_nodelay, set_nodelay = set_tcp_nodelay;

        "how long closing waits for written bytes to arrive (`SO_LINGER`), in whole seconds; see \
         [`TcpStream::set_linger`].",
        linger: Option<Duration> = linger, set_linger = set_linger;
    }

    /// Asks for the size of the send buffer in bytes (`SO_SNDBUF`).
    ///
    /// # Errors
    ///
    /// If the operating system does not answer.
    pub fn send_buffer_size(&self) -> io::Result<u32> {
        self.0.send_buffer_size().map(saturated)
    }

    /// Sets the size of the send buffer in bytes (`SO_SNDBUF`); the operating system may round it, and Linux doubles it.
    ///
    /// # Errors
    ///
    /// If the operating system refuses the value.
    pub fn set_send_buffer_size(&self, bytes: u32) -> io::Result<()> {
        self.0.set_send_buffer_size(bytes as usize)
    }

    /// Asks for the size of the receive buffer in bytes (`SO_RCVBUF`).
    ///
    /// # Errors
    ///
    /// If the operating system does not answer.
    pub fn recv_buffer_size(&self) -> io::Result<u32> {
        self.0.recv_buffer_size().map(saturated)
    }

    /// Sets the size of the receive buffer in bytes (`SO_RCVBUF`); the operating system may round it, and Linux doubles it.
    ///
    /// # Errors
    ///
    /// If the operating system refuses the value.
    pub fn set_recv_buffer_size(&self, bytes: u32) -> io::Result<()> {
        self.0.set_recv_buffer_size(bytes as usize)
    }

    /// The address to which this is bound.
    ///
    /// # Errors
    ///
    /// If the operating system does not answer.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0
            .local_addr()?
            .as_socket()
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Binds to an address; port 0 lets the operating system choose.
    ///
    /// # Errors
    ///
    /// What the operating system says, such as that the address is in use.
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        self.0.bind(&addr.into())
    }

    /// Connects; as [`TcpStream::connect`].
    ///
    /// # Errors
    ///
    /// If the connection fails, or there is no runtime on this thread.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is given up.
    pub async fn connect(self, addr: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect_socket(self.0, addr).await
    }

    /// Listens; the operating system holds up to `backlog` connections that have not been accepted yet.
    ///
    /// # Errors
    ///
    /// What the operating system says, or that there is no runtime on this thread.
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        TcpListener::listen(self.0, i32::try_from(backlog).unwrap_or(i32::MAX))
    }

    /// Takes the error that the operating system holds for this socket, if there is one.
    ///
    /// # Errors
    ///
    /// If the operating system does not answer.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }
}

fn saturated(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

impl AsFd for TcpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for TcpSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
