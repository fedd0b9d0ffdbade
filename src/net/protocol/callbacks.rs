//! What a connection and a socket of datagrams tell their users.

use super::{DatagramTransport, Transport};
use std::io;
use std::net::SocketAddr;

/// What happens to a connection. All calls come from the connection's task, one at a time.
///
/// Callbacks must not block: the task's other work, and whatever else its worker runs, waits for them. Long work goes into a task or
/// to [`spawn_blocking`](crate::spawn_blocking), with a clone of the transport for the answer.
///
/// See the [module](super) for the order of the calls and an example.
pub trait Protocol: Send + 'static {
    /// The connection stands; `transport` is the way to answer.
    fn connection_made(&mut self, transport: Transport) {
        drop(transport);
    }

    /// Bytes have come: at least one, and at most 64 KiB at a time. They are cut anywhere, not where the peer's writes ended.
    fn data_received(&mut self, data: &[u8]);

    /// The peer has ended its way: no more data will come. The answer decides about the other way; by default it is closed too.
    fn eof_received(&mut self) -> Eof {
        Eof::Close
    }

    /// The connection is over: `None` after a close or an abort by this side, or after the peer's end; otherwise why.
    ///
    /// The transport takes no more writes. The reason is an error of the stream; or of kind
    /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted) if a callback panicked, the task was aborted or the runtime shut
    /// down. After a panic in a callback the protocol is as that left it.
    fn connection_lost(&mut self, error: Option<io::Error>) {
        drop(error);
    }

    /// More than the high-water mark waits to be sent: write no more for now.
    ///
    /// Called soon after the write that answered [`Written::Full`](super::Written::Full), not inside of it.
    fn pause_writing(&mut self) {}

    /// At most the low-water mark waits to be sent: go on writing. Always follows a `pause_writing`, unless the connection is lost.
    fn resume_writing(&mut self) {}
}

impl<P: Protocol + ?Sized> Protocol for Box<P> {
    fn connection_made(&mut self, transport: Transport) {
        (**self).connection_made(transport);
    }
    fn data_received(&mut self, data: &[u8]) {
        (**self).data_received(data);
    }
    fn eof_received(&mut self) -> Eof {
        (**self).eof_received()
    }
    fn connection_lost(&mut self, error: Option<io::Error>) {
        (**self).connection_lost(error);
    }
    fn pause_writing(&mut self) {
        (**self).pause_writing();
    }
    fn resume_writing(&mut self) {
        (**self).resume_writing();
    }
}

/// What to do when the peer has ended its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eof {
    /// Send what has been written, and close. What asyncio means by a false value.
    Close,
    /// Keep this side's way open, to write more. What asyncio means by a true value.
    ///
    /// The connection then ends with [`close`](Transport::close), [`abort`](Transport::abort), or when
    /// [`write_eof`](Transport::write_eof) has ended this way too.
    KeepOpen,
}

/// What happens to a socket of datagrams. All calls come from its task, one at a time; they must not block.
///
/// # Examples
///
/// ```
/// use gristmill::net::UdpSocket;
/// use gristmill::net::protocol::{DatagramProtocol, DatagramTransport, datagram};
/// use std::net::SocketAddr;
///
/// #[derive(Default)]
/// struct Echo(Option<DatagramTransport>);
///
/// impl DatagramProtocol for Echo {
///     fn connection_made(&mut self, transport: DatagramTransport) {
///         self.0 = Some(transport);
///     }
///     fn datagram_received(&mut self, data: &[u8], addr: SocketAddr) {
///         if let Some(transport) = &self.0 {
///             transport.send_to(data, addr);
///         }
///     }
/// }
///
/// gristmill::run(async {
///     let (server, _) = datagram(UdpSocket::bind("127.0.0.1:0").await?, Echo::default());
///     let client = UdpSocket::bind("127.0.0.1:0").await?;
///     client.connect(server.local_addr().ip().expect("bound")).await?;
///     client.send(b"ping").await?;
///     let mut buf = [0; 16];
///     assert_eq!(client.recv(&mut buf).await?, 4);
///     server.close();
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
pub trait DatagramProtocol: Send + 'static {
    /// The socket is served; `transport` is the way to send.
    fn connection_made(&mut self, transport: DatagramTransport) {
        drop(transport);
    }

    /// A datagram has come from that address. It may be empty.
    fn datagram_received(&mut self, data: &[u8], addr: SocketAddr);

    /// The operating system reports that sending or receiving failed, such as that a peer refused an earlier datagram. The
    /// socket stays in use; what was to be sent is dropped.
    fn error_received(&mut self, error: io::Error) {
        drop(error);
    }

    /// The socket is no longer served; as [`Protocol::connection_lost`].
    fn connection_lost(&mut self, error: Option<io::Error>) {
        drop(error);
    }

    /// More than the high-water mark waits to be sent; as [`Protocol::pause_writing`].
    fn pause_writing(&mut self) {}

    /// At most the low-water mark waits to be sent; as [`Protocol::resume_writing`].
    fn resume_writing(&mut self) {}
}

impl<P: DatagramProtocol + ?Sized> DatagramProtocol for Box<P> {
    fn connection_made(&mut self, transport: DatagramTransport) {
        (**self).connection_made(transport);
    }
    fn datagram_received(&mut self, data: &[u8], addr: SocketAddr) {
        (**self).datagram_received(data, addr);
    }
    fn error_received(&mut self, error: io::Error) {
        (**self).error_received(error);
    }
    fn connection_lost(&mut self, error: Option<io::Error>) {
        (**self).connection_lost(error);
    }
    fn pause_writing(&mut self) {
        (**self).pause_writing();
    }
    fn resume_writing(&mut self) {
        (**self).resume_writing();
    }
}
