//! The task of a connection: reads, writes, and has the protocol called.
//!
//! # Invariants
//!
//! * E1 — Before the task sleeps it has tried everything that is left to do, so that the stream holds its waker; and the link
//!   has it too.
//! * E2 — The stream is dropped before those who wait for the end hear of it.

use super::address::Endpoint;
use super::callbacks::{Eof, Protocol};
use super::caller::{Caller, Step};
use super::link::{Life, Rest, Seen};
use super::transport::{StreamLink, Transport};
use crate::scratch;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// How many bytes of an empty buffer are kept; there are two.
const KEPT: usize = 4 * 1024;

/// After so many rounds the task lets others run: sockets see to that by themselves, a stream of the user's own may be always
/// ready.
const ROUNDS: usize = 128;

/// A connection as a future, whose output is the protocol as the callbacks left it.
pub(super) struct Connection<S: Endpoint, P: Protocol> {
    /// `None` once the connection is over.
    stream: Option<S>,
    caller: Caller<P, Vec<u8>>,
    link: Arc<StreamLink>,
    outgoing: Outgoing,
    /// The peer's way has ended, and the protocol was told.
    has_read_eof: bool,
    /// This side's way has ended.
    has_closed: bool,
}

/// What the task has taken from the link and not written yet.
#[derive(Default)]
struct Outgoing {
    bytes: Vec<u8>,
    start: usize,
    /// The stream may hold back some of what was written to it.
    is_unflushed: bool,
}

// Neither is ever pinned: the stream is `Unpin`, and the protocol is only called.
impl<S: Endpoint, P: Protocol> Unpin for Connection<S, P> {}

impl<S: Endpoint, P: Protocol> Connection<S, P> {
    pub(super) fn new(stream: S, protocol: P) -> (Self, Transport) {
        let link = StreamLink::new(stream.local_addr(), stream.peer_addr());
        let transport = Transport(Arc::clone(&link));
        let connection = Self {
            stream: Some(stream),
            caller: Caller::new(protocol, Arc::clone(&link)),
            link,
            outgoing: Outgoing::default(),
            has_read_eof: false,
            has_closed: false,
        };
        (connection, transport)
    }

    /// Serves the connection until it is over; an error is why it was lost.
    fn poll_serve(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        for _ in 0..ROUNDS {
            let (seen, is_drained) = self.look();
            if seen.life >= Life::Aborted {
                return Poll::Ready(Ok(()));
            }
            let told = self
                .caller
                .tell_pressure(&seen, P::pause_writing, P::resume_writing);
            if told == Step::Moved {
                continue;
            }
            let wrote = self.write(cx)?;
            if is_drained {
                self.end_writing(&seen, cx)?;
            }
            if self.has_closed && (self.has_read_eof || seen.life == Life::Closing) {
                return Poll::Ready(Ok(()));
            }
            let read = self.read(&seen, cx)?;
            if wrote == Step::Idle
                && read == Step::Idle
                && let Rest::Asleep = self.link.rest(&seen, cx.waker())
            {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Notes what was asked for, and takes what was written; tells whether nothing is left to write.
    fn look(&mut self) -> (Seen, bool) {
        let outgoing = &mut self.outgoing;
        let mut is_drained = false;
        let seen = self.link.look(|queue| {
            if outgoing.bytes.is_empty() {
                std::mem::swap(&mut outgoing.bytes, queue);
            }
            is_drained = outgoing.bytes.is_empty();
        });
        (seen, is_drained)
    }

    /// Writes once, or flushes if there is nothing to write.
    fn write(&mut self, cx: &mut Context<'_>) -> io::Result<Step> {
        let Some(stream) = &mut self.stream else {
            return Ok(Step::Idle);
        };
        let stream = Pin::new(stream);
        let left = &self.outgoing.bytes[self.outgoing.start..];
        if left.is_empty() {
            if self.outgoing.is_unflushed && stream.poll_flush(cx)?.is_ready() {
                self.outgoing.is_unflushed = false;
            }
            return Ok(Step::Idle);
        }
        let Poll::Ready(count) = stream.poll_write(cx, left)? else {
            return Ok(Step::Idle);
        };
        if count == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.outgoing.wrote(count);
        self.link.sent(count);
        Ok(Step::Moved)
    }

    /// Ends this side's way, if that was asked for. Everything that was written before has been given to the stream.
    fn end_writing(&mut self, seen: &Seen, cx: &mut Context<'_>) -> io::Result<()> {
        let is_asked = seen.ends_writing || seen.life == Life::Closing;
        if is_asked
            && !self.has_closed
            && !self.outgoing.is_unflushed
            && let Some(stream) = &mut self.stream
        {
            self.has_closed = Pin::new(stream).poll_close(cx)?.is_ready();
        }
        Ok(())
    }

    /// Reads once, and hands on what came.
    fn read(&mut self, seen: &Seen, cx: &mut Context<'_>) -> io::Result<Step> {
        if self.has_read_eof || seen.pauses_reading || seen.life > Life::Open {
            return Ok(Step::Idle);
        }
        scratch::with_buffer(|buffer| {
            let Some(stream) = &mut self.stream else {
                return Ok(Step::Idle);
            };
            match Pin::new(stream).poll_read(cx, buffer)? {
                Poll::Pending => return Ok(Step::Idle),
                Poll::Ready(0) => {
                    self.has_read_eof = true;
                    if self.caller.call(P::eof_received) == Some(Eof::Close) {
                        self.link.advance(Life::Closing);
                    }
                }
                Poll::Ready(count) => {
                    let data = &buffer[..count];
                    self.caller.call(|protocol| protocol.data_received(data));
                }
            }
            Ok(Step::Moved)
        })
    }

    /// E2.
    fn leave(&mut self) {
        self.stream = None;
        self.link.advance(Life::Gone);
    }
}

impl Outgoing {
    fn wrote(&mut self, count: usize) {
        self.is_unflushed = true;
        self.start += count;
        if self.start == self.bytes.len() {
            self.start = 0;
            self.bytes.clear();
            self.bytes.shrink_to(KEPT);
        }
    }
}

impl<S: Endpoint, P: Protocol> Future for Connection<S, P> {
    type Output = P;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<P> {
        let connection = self.get_mut();
        let link = &connection.link;
        connection
            .caller
            .begin(|protocol| protocol.connection_made(Transport(Arc::clone(link))));
        let outcome = ready!(connection.poll_serve(cx));
        connection.caller.lose(outcome.err(), P::connection_lost);
        connection.leave();
        Poll::Ready(connection.caller.take_protocol())
    }
}

impl<S: Endpoint, P: Protocol> Drop for Connection<S, P> {
    fn drop(&mut self) {
        self.caller.end_early(P::connection_lost);
        self.leave();
    }
}
