//! Where TCP connections arrive.

use super::lookup::ToSocketAddrs;
use super::mishap::Pauses;
use super::{TcpStream, socket};
use futures_core::Stream;
use runtime_core::{Direction, Initial, Interest, Registered};
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A socket on which TCP connections arrive.
///
/// # Examples
///
/// ```
/// use gristmill::io::{AsyncReadExt, AsyncWriteExt};
/// use gristmill::net::{TcpListener, TcpStream};
///
/// gristmill::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let address = listener.local_addr()?;
///     let server = gristmill::spawn(async move {
///         let (mut stream, _peer) = listener.accept().await?;
///         stream.write_all(b"hello").await
///     });
///     let mut greeting = String::new();
///     TcpStream::connect(address).await?.read_to_string(&mut greeting).await?;
///     assert_eq!(greeting, "hello");
///     server.await.expect("the server does not panic")
/// })
/// # .unwrap();
/// ```
#[doc(alias = "start_server")]
pub struct TcpListener(Registered<std::net::TcpListener>);

descriptor!(TcpListener, std::net::TcpListener);

impl TcpListener {
    /// Listens on the first of the addresses that can be bound; port 0 lets the operating system choose.
    ///
    /// The address can be bound again right after the listener is gone (`SO_REUSEADDR`). The operating system holds up to 1024
    /// connections that have not been accepted yet; [`TcpSocket`](super::TcpSocket) has other numbers.
    ///
    /// # Errors
    ///
    /// If the name cannot be resolved, no address can be bound (that of the last attempt, which names the address), or there
    /// is no runtime on this thread.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is left bound.
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        socket::first_success(addr.request(), "listen on", async |address| {
            let socket = socket::open(Domain::for_address(address), Type::STREAM)?;
            socket.set_reuse_address(true)?;
            socket.bind(&address.into())?;
            Self::listen(socket, socket::BACKLOG)
        })
        .await
    }

    pub(super) fn listen(socket: Socket, backlog: i32) -> io::Result<Self> {
        socket.listen(backlog)?;
        Registered::new(socket.into(), Initial::Ready).map(Self)
    }

    /// Waits for a connection and takes it.
    ///
    /// Any number of tasks may wait; each connection goes to one of them.
    ///
    /// # Errors
    ///
    /// What the operating system says, as it is: too many open descriptors, no memory, or a connection that failed before it
    /// was taken. The listener stays in order, and the connections stay in the operating system's queue. Nobody tells when there
    /// are descriptors again, and a call that finds none returns at once: so a loop waits a little after an error, or
    /// takes its connections from [`incoming`](Self::incoming), which does. A server that is to last does not end at an error.
    ///
    /// ```no_run
    /// use gristmill::net::TcpListener;
    /// use gristmill::time::{Duration, sleep};
    ///
    /// # async fn serve(stream: gristmill::net::TcpStream) {}
    /// gristmill::run(async {
    ///     let listener = TcpListener::bind("127.0.0.1:8080").await?;
    ///     loop {
    ///         match listener.accept().await {
    ///             Ok((stream, _peer)) => drop(gristmill::spawn(serve(stream))),
    ///             Err(error) => {
    ///                 eprintln!("no connection for now: {error}");
    ///                 sleep(Duration::from_millis(10)).await;
    ///             }
    ///         }
    ///     }
    ///     # #[allow(unreachable_code, reason = "the type of the block")]
    ///     Ok::<(), std::io::Error>(())
    /// })
    /// # .unwrap();
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no connection is lost.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
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
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
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

    /// The address on which this listens, with the port that the operating system chose.
    ///
    /// # Errors
    ///
    /// If the operating system does not answer.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().local_addr()
    }

    /// How many routers a packet may pass (`IP_TTL`).
    ///
    /// # Errors
    ///
    /// If the operating system does not answer.
    pub fn ttl(&self) -> io::Result<u32> {
        self.0.get_ref().ttl()
    }

    /// Sets how many routers a packet may pass (`IP_TTL`); connections take it over.
    ///
    /// # Errors
    ///
    /// If the operating system refuses the value.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.0.get_ref().set_ttl(ttl)
    }
}

fn accepted((socket, peer): (Socket, socket2::SockAddr)) -> io::Result<(TcpStream, SocketAddr)> {
    // No address at all is how some systems say that the peer is gone already.
    let peer = peer.as_socket().ok_or(io::ErrorKind::ConnectionAborted)?;
    Ok((TcpStream::accepted(socket)?, peer))
}

/// The connections that arrive; made by [`TcpListener::incoming`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
    pauses: Pauses,
}

impl Stream for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { listener, pauses } = self.get_mut();
        let outcome = ready!(pauses.poll_next(cx, |cx| listener.poll_accept(cx)));
        Poll::Ready(Some(outcome.map(|(stream, _)| stream)))
    }
}
