//! The user's handle of a served socket of datagrams.

use super::link::{Life, Link};
use super::{Address, Written};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// The datagrams that wait to be sent.
pub(super) type DatagramLink = Link<VecDeque<Datagram>>;

/// One that waits to be sent.
#[derive(Debug)]
pub(super) struct Datagram {
    /// `None` for the peer that the socket is connected to.
    pub(super) target: Option<SocketAddr>,
    pub(super) data: Box<[u8]>,
}

impl Datagram {
    /// What it counts towards the buffer's size: empty ones take memory too.
    pub(super) const fn weight(&self) -> usize {
        size_of::<Self>() + self.data.len()
    }
}

/// The way to send through a served socket of datagrams.
///
/// Clones are handles of the same socket, and may be used on any thread. None of the methods waits, but for
/// [`drain`](Self::drain) and [`wait_closed`](Self::wait_closed). Dropping a handle, even the last, does not end the
/// service: [`close`](Self::close) does.
#[derive(Clone)]
pub struct DatagramTransport(pub(super) Arc<DatagramLink>);

impl DatagramTransport {
    /// Buffers a datagram for the peer that the socket is connected to. Does not wait.
    ///
    /// If the operating system refuses it, `error_received` tells why. On a socket that is closing nothing is taken.
    pub fn send(&self, data: &[u8]) -> Written {
        self.put(data, None)
    }

    /// Buffers a datagram for that address; as [`send`](Self::send).
    #[doc(alias = "sendto")]
    pub fn send_to(&self, data: &[u8], addr: SocketAddr) -> Written {
        self.put(data, Some(addr))
    }

    fn put(&self, data: &[u8], target: Option<SocketAddr>) -> Written {
        let data = data.into();
        let datagram = Datagram { target, data };
        self.0.put(|queue| {
            let weight = datagram.weight();
            queue.push_back(datagram);
            weight
        })
    }

    /// Ends the service after what was buffered is sent. No more is received.
    pub fn close(&self) {
        self.0.advance(Life::Closing);
    }

    /// Ends the service now. What was not sent is lost; `connection_lost` is called with `None`.
    pub fn abort(&self) {
        self.0.advance(Life::Aborted);
    }

    /// Whether the service is closing or over.
    pub fn is_closing(&self) -> bool {
        self.0.read(|state| state.life > Life::Open)
    }

    /// How many bytes wait to be sent, each datagram with some tens of bytes for its book-keeping.
    pub fn get_write_buffer_size(&self) -> usize {
        self.0.read(|state| state.pressure.size())
    }

    /// The low-water mark and the high-water mark, in bytes and in this order, as asyncio has it.
    pub fn get_write_buffer_limits(&self) -> (usize, usize) {
        self.0.read(|state| state.pressure.marks())
    }

    /// Sets the marks, in bytes: writing is paused when more than `high` waits, and resumed when at most `low` does.
    ///
    /// By default 64 KiB and 16 KiB.
    ///
    /// # Panics
    ///
    /// If `low` is above `high`.
    pub fn set_write_buffer_limits(&self, high: usize, low: usize) {
        self.0.set_marks(high, low);
    }

    /// Where the socket is bound.
    pub fn local_addr(&self) -> &Address {
        &self.0.local
    }

    /// The peer that the socket is connected to; [`Address::Unknown`] if it is not.
    pub fn peer_addr(&self) -> &Address {
        &self.0.peer
    }

    /// Waits, if writing is paused, until it is resumed: what a task calls after each datagram.
    ///
    /// # Errors
    ///
    /// `BrokenPipe` if the service is over.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn drain(&self) -> io::Result<()> {
        self.0.drain().await
    }

    /// Waits until the service is over: `connection_lost` has returned, and the socket is closed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn wait_closed(&self) {
        self.0.gone().await;
    }
}

impl fmt::Debug for DatagramTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("DatagramTransport", f)
    }
}
