//! A connection of two Unix sockets.

use super::unix::{SocketAddr, UCred};
use super::{byte_stream, socket, unix};
use crate::time::{Duration, sleep};
use runtime_core::{Initial, Registered};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::path::Path;

/// A connection of two Unix sockets.
///
/// Reading and writing come with [`AsyncReadExt`](crate::io::AsyncReadExt) and
/// [`AsyncWriteExt`](crate::io::AsyncWriteExt), on the stream, on `&UnixStream`, and on its halves. There is nothing to flush.
///
/// # Examples
///
/// ```
/// use gristmill::io::{AsyncReadExt, AsyncWriteExt};
/// use gristmill::net::UnixStream;
///
/// gristmill::run(async {
///     let (mut one, mut other) = UnixStream::pair()?;
///     one.write_all(b"hello").await?;
///     drop(one);
///     let mut greeting = String::new();
///     other.read_to_string(&mut greeting).await?;
///     assert_eq!(greeting, "hello");
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[doc(alias = "open_unix_connection")]
pub struct UnixStream(Registered<std::os::unix::net::UnixStream>);

descriptor!(UnixStream, std::os::unix::net::UnixStream);
readiness!(UnixStream);
stream!(UnixStream, std::os::unix::net::UnixStream, unix);

/// The pauses between attempts while the listener's queue is full: the operating system does not say when there is room.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

impl UnixStream {
    /// Connects to the listener at `path`.
    ///
    /// While its queue of connections is full this tries again, at first after 1 ms, at most every 50 ms. On Linux, a path that
    /// begins with a zero byte is an abstract address.
    ///
    /// # Errors
    ///
    /// If nobody listens there, the path is too long for a socket, or there is no runtime on this thread.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is given up.
    pub async fn connect<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        let address = SockAddr::unix(path)?;
        let mut pause = FIRST_PAUSE;
        loop {
            let socket = socket::open(Domain::UNIX, Type::STREAM)?;
            match socket::connect(socket, address.clone()).await {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(pause).await,
                outcome => return outcome.map(Self),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Makes two streams that are connected to each other.
    ///
    /// # Errors
    ///
    /// What the operating system says, such as too many open descriptors; or that there is no runtime on this thread.
    #[doc(alias = "socketpair")]
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = socket::pair(Type::STREAM)?;
        Ok((Self::accepted(one)?, Self::accepted(other)?))
    }

    pub(super) fn accepted(socket: Socket) -> io::Result<Self> {
        Registered::new_lazy(socket.into(), Initial::Ready).map(Self)
    }

    /// The address of this end, which is unnamed unless it was bound.
    ///
    /// # Errors
    ///
    /// If the operating system does not answer.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }

    /// The address of the other end, which is unnamed unless it was bound.
    ///
    /// # Errors
    ///
    /// `NotConnected` if there is no connection any more.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().peer_addr()
    }

    /// Who the process at the other end was when it connected, listened, or made the pair.
    ///
    /// # Errors
    ///
    /// `Unsupported` on systems other than Linux; otherwise what the operating system says.
    ///
    /// # Examples
    ///
    /// ```
    /// use gristmill::net::UnixStream;
    ///
    /// gristmill::run(async {
    ///     let (one, _other) = UnixStream::pair()?;
    ///     let peer = one.peer_cred()?;
    ///     assert_eq!(peer.pid(), Some(std::process::id().cast_signed()));
    ///     Ok::<(), std::io::Error>(())
    /// })
    /// # .unwrap();
    /// ```
    #[doc(alias = "SO_PEERCRED")]
    pub fn peer_cred(&self) -> io::Result<UCred> {
        UCred::of_peer(&self.0)
    }
}
