//! The user's handle of a connection.

use super::link::{Life, Link};
use super::{Address, Written};
use std::fmt;
use std::io;
use std::sync::Arc;

/// The buffer of a connection.
pub(super) type StreamLink = Link<Vec<u8>>;

/// The way to answer on a connection: writes, ends it, and governs its flow.
///
/// Clones are handles of the same connection, and may be used on any thread. None of the methods waits, but for
/// [`drain`](Self::drain) and [`wait_closed`](Self::wait_closed). Dropping a handle, even the last, does not end the
/// connection: [`close`](Self::close) does.
#[derive(Clone)]
#[doc(alias = "WriteTransport")]
#[doc(alias = "ReadTransport")]
pub struct Transport(pub(super) Arc<StreamLink>);

impl Transport {
    /// Buffers `data` and sends it as the peer takes it. Does not wait.
    ///
    /// The answer says whether there is room for more; see the [module](super) for what bounds the buffer. On a connection
    /// that is closing or lost, and after [`write_eof`](Self::write_eof), nothing is taken.
    pub fn write(&self, data: &[u8]) -> Written {
        self.0.put(|queue| {
            queue.extend_from_slice(data);
            data.len()
        })
    }

    /// Buffers several pieces in turn, with nothing of other writers in between; as [`write`](Self::write).
    pub fn writelines<I>(&self, pieces: I) -> Written
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        // Joined first: the caller's iterator must not run under the lock.
        let mut joined = Vec::new();
        for piece in pieces {
            joined.extend_from_slice(piece.as_ref());
        }
        self.write(&joined)
    }

    /// Ends the writing way after what was written: the peer then reads the end. Reading goes on.
    pub fn write_eof(&self) {
        self.0.ask(|state| state.ends_writing = true);
    }

    /// Ends the connection after what was written is sent. No more is read.
    ///
    /// Waits for the peer as long as it takes: for a bound, put a [`timeout`](crate::time::timeout) around
    /// [`wait_closed`](Self::wait_closed), and [`abort`](Self::abort) after it.
    pub fn close(&self) {
        self.0.advance(Life::Closing);
    }

    /// Ends the connection now. What was not sent is lost; `connection_lost` is called with `None`.
    pub fn abort(&self) {
        self.0.advance(Life::Aborted);
    }

    /// Whether the connection is closing or lost.
    pub fn is_closing(&self) -> bool {
        self.0.read(|state| state.life > Life::Open)
    }

    /// How many bytes were written and have not been given to the operating system yet.
    pub fn get_write_buffer_size(&self) -> usize {
        self.0.read(|state| state.pressure.size())
    }

    /// The low-water mark and the high-water mark, in bytes and in this order, as asyncio has it.
    pub fn get_write_buffer_limits(&self) -> (usize, usize) {
        self.0.read(|state| state.pressure.marks())
    }

    /// Sets the marks, in bytes: writing is paused when more than `high` waits, and resumed when at most `low` does.
    ///
    /// By default 64 KiB and 16 KiB. With zero for both, writing is paused whenever anything waits.
    ///
    /// # Panics
    ///
    /// If `low` is above `high`.
    pub fn set_write_buffer_limits(&self, high: usize, low: usize) {
        self.0.set_marks(high, low);
    }

    /// Reads no more for now: what the peer sends stays with the operating system, which slows the peer down in the end.
    ///
    /// Called in a callback, this counts from the next call of `data_received` on. The peer's end is not noticed meanwhile.
    pub fn pause_reading(&self) {
        self.0.ask(|state| state.pauses_reading = true);
    }

    /// Reads again.
    pub fn resume_reading(&self) {
        self.0.ask(|state| state.pauses_reading = false);
    }

    /// Whether bytes are read when they come: not paused, and not closing.
    pub fn is_reading(&self) -> bool {
        self.0
            .read(|state| state.life == Life::Open && !state.pauses_reading)
    }

    /// Where this end is.
    pub fn local_addr(&self) -> &Address {
        &self.0.local
    }

    /// Where the other end is.
    #[doc(alias = "get_extra_info")]
    pub fn peer_addr(&self) -> &Address {
        &self.0.peer
    }

    /// Waits, if writing is paused, until it is resumed: what a task calls after each write.
    ///
    /// # Errors
    ///
    /// `BrokenPipe` if the connection is lost or aborted.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use gristmill::net::protocol::Transport;
    /// async fn send(transport: Transport, pieces: Vec<Vec<u8>>) -> std::io::Result<()> {
    ///     for piece in pieces {
    ///         transport.write(&piece);
    ///         transport.drain().await?;
    ///     }
    ///     transport.close();
    ///     Ok(())
    /// }
    /// ```
    pub async fn drain(&self) -> io::Result<()> {
        self.0.drain().await
    }

    /// Waits until the connection is over: `connection_lost` has returned, and the stream is closed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn wait_closed(&self) {
        self.0.gone().await;
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("Transport", f)
    }
}
