//! One conversation: two ends, a stream of known bytes each way.
//!
//! Each end writes as much as was agreed and then closes its way, and reads until the other's is closed. What counts as sent is what the
//! system took; what comes has to be that, in order. A clean end means that everything came; where something was reset, an error says so.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use futures_lite::future::try_zip;
use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use gristmill::net::{TcpStream, UnixStream};
use gristmill::task::yield_now;

use super::super::ledger;
use super::super::pattern::{fill, first_wrong};
use super::super::ticket::Ticket;
use super::super::verdict::{fault, violation};

/// Most bytes of a read or a write.
const PIECE: usize = 16 * 1024;

/// Bytes that came and were right, of all conversations.
static VERIFIED: AtomicU64 = AtomicU64::new(0);

pub(in super::super) fn bytes_verified() -> u64 {
    // ORDERING: SeqCst throughout; system calls lie between all of these.
    VERIFIED.load(SeqCst)
}

/// What both ends of a conversation know.
pub(super) struct Wire {
    /// The first of two streams; the second one has the next number.
    pub(super) stream: u64,
    /// What each end has handed to the system.
    written: [AtomicU64; 2],
    /// Whether somebody may reset or drop an end. If not, every error is a violation.
    pub(super) fragile: bool,
}

/// What one end is to do.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// 0 or 1.
    pub(super) end: usize,
    /// How much it writes.
    pub(super) amount: u64,
    /// After so many written bytes it resets the connection.
    pub(super) breaks_after: Option<u64>,
    pub(super) seed: u64,
}

/// A connection, over a reference so that both ways go at once.
pub(super) trait Line: Send + Sync + 'static {
    fn reader(&self) -> impl AsyncRead + Unpin + Send;
    fn writer(&self) -> impl AsyncWrite + Unpin + Send;
    /// Has a drop reset the connection, where there is such a thing.
    fn set_reset(&self);
}

impl Line for TcpStream {
    fn reader(&self) -> impl AsyncRead + Unpin + Send {
        self
    }

    fn writer(&self) -> impl AsyncWrite + Unpin + Send {
        self
    }

    fn set_reset(&self) {
        if let Err(error) = self.set_linger(Some(Duration::ZERO)) {
            violation(format!("a socket refuses to be reset: {error}"));
        }
    }
}

impl Line for UnixStream {
    fn reader(&self) -> impl AsyncRead + Unpin + Send {
        self
    }

    fn writer(&self) -> impl AsyncWrite + Unpin + Send {
        self
    }

    fn set_reset(&self) {}
}

impl Wire {
    pub(super) fn new(stream: u64, fragile: bool) -> Self {
        Self {
            stream,
            written: [const { AtomicU64::new(0) }; 2],
            fragile,
        }
    }

    /// Plays one end to its end.
    pub(super) async fn play(&self, line: impl Line, part: Part) {
        let ticket = Ticket::new(&ledger::STREAMS);
        let both = try_zip(self.write(&line, part), self.read(&line, part)).await;
        match both {
            Ok(_) => ticket.complete(),
            Err(error) => {
                if !self.fragile {
                    fault(format!("a connection that nobody broke: {error}"));
                }
                ticket.fail();
            }
        }
    }

    async fn write(&self, line: &impl Line, part: Part) -> io::Result<()> {
        let mut dice = fastrand::Rng::with_seed(part.seed);
        let mut buffer = vec![0; PIECE];
        let mut written = 0;
        while written < part.amount {
            if part.breaks_after.is_some_and(|limit| written >= limit) {
                line.set_reset();
                return Err(io::Error::other("reset by this end"));
            }
            let left = usize::try_from(part.amount - written).unwrap_or(PIECE);
            let length = dice.usize(1..=PIECE).min(left);
            fill(
                &mut buffer[..length],
                self.stream + part.end as u64,
                written,
            );
            let count = line.writer().write(&buffer[..length]).await?;
            if count == 0 || count > length {
                violation(format!("a write of {length} bytes says {count}"));
            }
            written += count as u64;
            self.written[part.end].store(written, SeqCst);
            if dice.u8(..) < 16 {
                yield_now().await;
            }
        }
        line.writer().close().await
    }

    async fn read(&self, line: &impl Line, part: Part) -> io::Result<()> {
        let mut dice = fastrand::Rng::with_seed(!part.seed);
        let mut buffer = vec![0; PIECE];
        let other = 1 - part.end;
        let mut place = 0;
        loop {
            let length = dice.usize(1..=PIECE);
            let count = line.reader().read(&mut buffer[..length]).await?;
            if count == 0 {
                break;
            }
            let bytes = &buffer[..count];
            if let Some(wrong) = first_wrong(bytes, self.stream + other as u64, place) {
                violation(format!(
                    "byte {wrong} of a stream is not the one that was sent"
                ));
                return Err(io::Error::other("wrong bytes"));
            }
            place += count as u64;
            VERIFIED.fetch_add(count as u64, SeqCst);
        }
        let sent = self.written[other].load(SeqCst);
        if place != sent {
            violation(format!(
                "a stream came to a clean end after {place} bytes of {sent}"
            ));
        }
        Ok(())
    }
}
