//! Where connections of Unix sockets arrive.

use super::mishap::Pauses;
use super::unix::SocketAddr;
use super::{UnixStream, socket};
use crate::io::Interest;
use futures_core::Stream;
use runtime_core::{Direction, Initial, Registered};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A Unix socket on which connections arrive.
///
/// # Examples
///
/// ```no_run
/// use gristmill::io::AsyncWriteExt;
/// use gristmill::net::UnixListener;
///
/// gristmill::run(async {
///     let listener = UnixListener::bind("/tmp/greeter")?;
///     loop {
///         let (mut stream, _) = listener.accept().await?;
///         stream.write_all(b"hello").await?;
///     }
///     # #[allow(unreachable_code, reason = "the type of the block")]
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[doc(alias = "start_unix_server")]
pub struct UnixListener(Registered<std::os::unix::net::UnixListener>);

descriptor!(UnixListener, std::os::unix::net::UnixListener);

impl UnixListener {
    /// Makes a socket at `path` and listens on it.
    ///
    /// The path must not exist, and stays when the listener is dropped: remove it before or after. On Linux, a path that begins
    /// with a zero byte names no file but an abstract address, which goes by itself.
    ///
    /// # Errors
    ///
    /// If the path exists, is too long for a socket, or cannot be made; or there is no runtime on this thread.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<Self> {
        let socket = socket::open(Domain::UNIX, Type::STREAM)?;
        socket.bind(&SockAddr::unix(path)?)?;
        socket.listen(socket::BACKLOG)?;
        Registered::new(socket.into(), Initial::Ready).map(Self)
    }

    /// Waits for a connection and takes it.
    ///
    /// Any number of tasks may wait; each connection goes to one of them. Most peers have no address of their own.
    ///
    /// # Errors
    ///
    /// What the operating system says, such as too many open descriptors: wait a little before the next call then, as at
    /// [`TcpListener::accept`](super::TcpListener::accept), or use [`incoming`](Self::incoming), which does.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no connection is lost.
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        self.0
            .io(Interest::READABLE, socket::accept)
            .await
            .and_then(accepted)
    }

    /// Polls for a connection; as [`accept`](Self::accept), but only the task that polled last is woken.
    ///
    /// # Errors
    ///
    /// As of [`accept`](Self::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        self.0
            .poll_io(Direction::Read, cx, socket::accept)
            .map(|new| new.and_then(accepted))
    }

    /// The connections that arrive, as a stream that never ends.
    ///
    /// An error does not end it. A connection that failed before it was taken is passed over; any other error, such as that there are
    /// too many open descriptors, is an item. After it the stream waits for 5 ms before its next attempt, then for twice as long
    /// each time, for 50 ms at most, until one is successful; meanwhile connections wait in the operating system's queue. So a
    /// loop that goes on after an error neither spins nor loses a connection.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming {
            listener: self,
            pauses: Pauses::new(),
        }
    }

    /// The address on which this listens.
    ///
    /// # Errors
    ///
    /// If the operating system does not answer.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }
}

fn accepted((socket, peer): (Socket, SockAddr)) -> io::Result<(UnixStream, SocketAddr)> {
    let peer = match peer.as_unix() {
        Some(peer) => peer,
        // No address at all is how some systems say that the peer has none.
        None => SocketAddr::from_pathname("")?,
    };
    Ok((UnixStream::accepted(socket)?, peer))
}

/// The connections that arrive; made by [`UnixListener::incoming`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Incoming<'a> {
    listener: &'a UnixListener,
    pauses: Pauses,
}

impl Stream for Incoming<'_> {
    type Item = io::Result<UnixStream>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { listener, pauses } = self.get_mut();
        let outcome = ready!(pauses.poll_next(cx, |cx| listener.poll_accept(cx)));
        Poll::Ready(Some(outcome.map(|(stream, _)| stream)))
    }
}
