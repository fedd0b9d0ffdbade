//! Giving a connection or a socket to a protocol.

use super::address::Endpoint;
use super::callbacks::{DatagramProtocol, Protocol};
use super::connection::Connection;
use super::datagram_endpoint::DatagramEndpoint;
use super::datagram_transport::DatagramTransport;
use super::transport::Transport;
use crate::net::{TcpStream, ToSocketAddrs, UdpSocket, UnixStream};
use crate::task::{JoinHandle, spawn};
use std::io;
use std::path::Path;

/// Connects over TCP, as [`TcpStream::connect`], and serves the connection with `protocol`.
///
/// The handle's output is the protocol, once `connection_lost` has returned. Dropping the handle changes nothing; aborting it ends
/// the connection.
///
/// # Errors
///
/// As of [`TcpStream::connect`]; the protocol is dropped then, without a callback.
///
/// # Cancel safety
///
/// Cancel safe: the connection is given up, and the protocol dropped.
#[doc(alias = "create_connection")]
pub async fn connect<A, P>(addr: A, protocol: P) -> io::Result<(Transport, JoinHandle<P>)>
where
    A: ToSocketAddrs,
    P: Protocol,
{
    let stream = TcpStream::connect(addr).await?;
    Ok(attach(stream, protocol))
}

/// Connects to the Unix socket at `path`, as [`UnixStream::connect`], and serves the connection with `protocol`; as [`connect`].
///
/// # Errors
///
/// As of [`UnixStream::connect`]; the protocol is dropped then, without a callback.
///
/// # Cancel safety
///
/// Cancel safe: the connection is given up, and the protocol dropped.
#[doc(alias = "create_unix_connection")]
pub async fn connect_unix<N, P>(path: N, protocol: P) -> io::Result<(Transport, JoinHandle<P>)>
where
    N: AsRef<Path>,
    P: Protocol,
{
    let stream = UnixStream::connect(path).await?;
    Ok(attach(stream, protocol))
}

/// Serves a connection that stands with `protocol`, in a task of its own; as [`connect`].
///
/// # Panics
///
/// If there is no runtime on this thread.
///
/// # Examples
///
/// ```
/// use gristmill::io::AsyncReadExt;
/// use gristmill::net::UnixStream;
/// use gristmill::net::protocol::{Protocol, Transport, attach};
///
/// struct Greeter;
///
/// impl Protocol for Greeter {
///     fn connection_made(&mut self, transport: Transport) {
///         transport.write(b"good day");
///         transport.close();
///     }
///     fn data_received(&mut self, _: &[u8]) {}
/// }
///
/// gristmill::run(async {
///     let (mut one, other) = UnixStream::pair()?;
///     let (_transport, ended) = attach(other, Greeter);
///     let mut greeting = String::new();
///     one.read_to_string(&mut greeting).await?;
///     assert_eq!(greeting, "good day");
///     ended.await.expect("no callback panics");
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[doc(alias = "connect_accepted_socket")]
#[track_caller]
pub fn attach<S, P>(stream: S, protocol: P) -> (Transport, JoinHandle<P>)
where
    S: Endpoint,
    P: Protocol,
{
    let (connection, transport) = Connection::new(stream, protocol);
    (transport, spawn(connection))
}

/// Serves a socket of datagrams with `protocol`, in a task of its own.
///
/// The handle's output is the protocol, once `connection_lost` has returned. Dropping the handle changes nothing; aborting it ends
/// the service.
///
/// # Panics
///
/// If there is no runtime on this thread.
#[doc(alias = "create_datagram_endpoint")]
#[track_caller]
pub fn datagram<P>(socket: UdpSocket, protocol: P) -> (DatagramTransport, JoinHandle<P>)
where
    P: DatagramProtocol,
{
    let (endpoint, transport) = DatagramEndpoint::new(socket, protocol);
    (transport, spawn(endpoint))
}
