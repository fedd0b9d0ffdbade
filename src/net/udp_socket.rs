//! A UDP socket.

use super::lookup::{ToSocketAddrs, resolve};
use super::socket;
use crate::io::Interest;
use runtime_core::{Direction, Initial, Registered};
use socket2::{Domain, Type};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

/// A UDP socket.
///
/// One socket can talk to anyone through [`send_to`](Self::send_to) and [`recv_from`](Self::recv_from), or to one peer after
/// [`connect`](Self::connect) through [`send`](Self::send) and [`recv`](Self::recv).
///
/// # Examples
///
/// ```
/// use gristmill::net::UdpSocket;
///
/// gristmill::run(async {
///     let one = UdpSocket::bind("127.0.0.1:0").await?;
///     let other = UdpSocket::bind("127.0.0.1:0").await?;
///     one.send_to(b"ping", other.local_addr()?).await?;
///     let mut buf = [0; 16];
///     let (length, from) = other.recv_from(&mut buf).await?;
///     assert_eq!((&buf[..length], from), (&b"ping"[..], one.local_addr()?));
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[doc(alias = "create_datagram_endpoint")]
pub struct UdpSocket(Registered<std::net::UdpSocket>);

descriptor!(UdpSocket, std::net::UdpSocket);
readiness!(UdpSocket);
datagrams!(UdpSocket);

impl UdpSocket {
    /// Opens a socket and binds it to the first of the addresses that can be bound; port 0 lets the operating system choose.
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
        socket::first_success(addr.request(), "bind to", async |address| {
            let socket = socket::open(Domain::for_address(address), Type::DGRAM)?;
            socket.bind(&address.into())?;
            Registered::new(socket.into(), Initial::Ready).map(Self)
        })
        .await
    }

    /// Takes the first of the addresses that can be used as the one peer: datagrams from others are no longer received.
    ///
    /// # Errors
    ///
    /// If the name cannot be resolved, or no address can be used (that of the last attempt, which names the address).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        let addresses = resolve(addr.request()).await?;
        socket::first_success_at_once(addresses, "connect to", |address| {
            self.0.get_ref().connect(address)
        })
    }

    /// Sends a datagram to an address; of several, the first.
    ///
    /// # Errors
    ///
    /// If the name cannot be resolved; otherwise what the operating system says, such as that the datagram is too long.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a datagram is sent as a whole or not at all.
    pub async fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], target: A) -> io::Result<usize> {
        let Some(target) = resolve(target.request()).await?.next() else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "there is no address to send to",
            ));
        };
        self.0
            .io(Interest::WRITABLE, |socket| socket.send_to(buf, target))
            .await
    }

    /// Polls to send a datagram to an address; as [`send_to`](Self::send_to), but only the task that polled last to write is
    /// woken.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.0
            .poll_io(Direction::Write, cx, |socket| socket.send_to(buf, target))
    }

    /// Sends a datagram to an address, without waiting.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is no room; otherwise what the operating system says.
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.0
            .try_io(Interest::WRITABLE, |socket| socket.send_to(buf, target))
    }

    /// Waits for a datagram; tells its length and where it came from. What does not fit into `buf` is lost.
    ///
    /// # Errors
    ///
    /// What the operating system says, such as that the peer refused an earlier datagram.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no datagram is lost.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0
            .io(Interest::READABLE, |socket| socket.recv_from(buf))
            .await
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

    /// Takes a datagram, without waiting; as [`recv_from`](Self::recv_from).
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; otherwise as of [`recv_from`](Self::recv_from).
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0
            .try_io(Interest::READABLE, |socket| socket.recv_from(buf))
    }

    /// Waits for a datagram and copies it without taking it; tells its length and where it came from.
    ///
    /// # Errors
    ///
    /// What the operating system says, such as that the peer refused an earlier datagram.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no datagram is lost.
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0
            .io(Interest::READABLE, |socket| socket.peek_from(buf))
            .await
    }

    /// Polls for a datagram; as [`peek_from`](Self::peek_from), but only the task that polled last to read is woken.
    ///
    /// # Errors
    ///
    /// As of [`peek_from`](Self::peek_from).
    pub fn poll_peek_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        self.0
            .poll_io(Direction::Read, cx, |socket| socket.peek_from(buf))
    }

    /// Copies a datagram, without waiting; as [`peek_from`](Self::peek_from).
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; otherwise as of [`peek_from`](Self::peek_from).
    pub fn try_peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0
            .try_io(Interest::READABLE, |socket| socket.peek_from(buf))
    }

    /// Waits for a datagram from the connected peer and copies it without taking it; tells its length.
    ///
    /// # Errors
    ///
    /// As of [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0
            .io(Interest::READABLE, |socket| socket.peek(buf))
            .await
    }

    /// Copies a datagram from the connected peer, without waiting; as [`peek`](Self::peek).
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none; otherwise as of [`peek`](Self::peek).
    pub fn try_peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.try_io(Interest::READABLE, |socket| socket.peek(buf))
    }

    /// The address to which this is bound, with the port that the operating system chose.
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

/// Pairs of methods that ask for an option and set it.
macro_rules! options {
    ($($what:literal, $get:ident, $set:ident: $type:ty;)*) => {
        $(
            #[doc = concat!("Asks for ", $what)]
            ///
            /// # Errors
            ///
            /// If the operating system does not answer.
            pub fn $get(&self) -> io::Result<$type> {
                self.0.get_ref().$get()
            }

            #[doc = concat!("Sets ", $what)]
            ///
            /// # Errors
            ///
            /// If the operating system refuses the value.
            pub fn $set(&self, value: $type) -> io::Result<()> {
                self.0.get_ref().$set(value)
            }
        )*
    };
}

impl UdpSocket {
    options! {
        "whether datagrams can be sent to broadcast addresses (`SO_BROADCAST`); off by default.",
        broadcast, set_broadcast: bool;

        "how many routers a datagram may pass (`IP_TTL`).",
        ttl, set_ttl: u32;

        "whether this machine receives its own multicast datagrams (`IP_MULTICAST_LOOP`); on by default.",
        multicast_loop_v4, set_multicast_loop_v4: bool;

        "whether this machine receives its own multicast datagrams (`IPV6_MULTICAST_LOOP`); on by default.",
        multicast_loop_v6, set_multicast_loop_v6: bool;

        "how many routers a multicast datagram may pass (`IP_MULTICAST_TTL`); 1 by default.",
        multicast_ttl_v4, set_multicast_ttl_v4: u32;
    }

    /// Joins a multicast group on the interface with that address; an unspecified one lets the operating system choose.
    ///
    /// # Errors
    ///
    /// If it is not a group's address, or there is no such interface.
    pub fn join_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.0.get_ref().join_multicast_v4(&group, &interface)
    }

    /// Leaves a multicast group.
    ///
    /// # Errors
    ///
    /// If this has not joined it.
    pub fn leave_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.0.get_ref().leave_multicast_v4(&group, &interface)
    }

    /// Joins a multicast group on the interface with that number; 0 lets the operating system choose.
    ///
    /// # Errors
    ///
    /// If it is not a group's address, or there is no such interface.
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.0.get_ref().join_multicast_v6(group, interface)
    }

    /// Leaves a multicast group.
    ///
    /// # Errors
    ///
    /// If this has not joined it.
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.0.get_ref().leave_multicast_v6(group, interface)
    }
}
