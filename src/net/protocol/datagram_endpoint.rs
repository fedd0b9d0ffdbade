//! The task of a served socket of datagrams: receives, sends, and has the protocol called.
//!
//! Errors of the operating system concern single datagrams and are told; what comes from the runtime, that it has shut down,
//! ends the service.
//!
//! # Invariants
//!
//! * E1, E2 — As of a [connection](super::connection).

use super::address::Address;
use super::callbacks::DatagramProtocol;
use super::caller::{Caller, Step};
use super::datagram_transport::{Datagram, DatagramLink, DatagramTransport};
use super::link::{Life, Rest, Seen};
use crate::net::UdpSocket;
use crate::scratch;
use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A served socket as a future, whose output is the protocol as the callbacks left it.
pub(super) struct DatagramEndpoint<P: DatagramProtocol> {
    /// `None` once the service is over.
    socket: Option<UdpSocket>,
    caller: Caller<P, VecDeque<Datagram>>,
    link: Arc<DatagramLink>,
    /// What was taken from the link and not sent yet.
    outgoing: VecDeque<Datagram>,
}

// The protocol is never pinned, only called.
impl<P: DatagramProtocol> Unpin for DatagramEndpoint<P> {}

impl<P: DatagramProtocol> DatagramEndpoint<P> {
    pub(super) fn new(socket: UdpSocket, protocol: P) -> (Self, DatagramTransport) {
        let local = Address::from(socket.local_addr());
        let link = DatagramLink::new(local, socket.peer_addr().into());
        let transport = DatagramTransport(Arc::clone(&link));
        let endpoint = Self {
            socket: Some(socket),
            caller: Caller::new(protocol, Arc::clone(&link)),
            link,
            outgoing: VecDeque::new(),
        };
        (endpoint, transport)
    }

    /// Serves the socket until that is over; an error is why.
    fn poll_serve(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let outgoing = &mut self.outgoing;
            let seen = self.link.look(|queue| {
                if outgoing.is_empty() {
                    std::mem::swap(outgoing, queue);
                }
            });
            if seen.life >= Life::Aborted {
                return Poll::Ready(Ok(()));
            }
            let told = self
                .caller
                .tell_pressure(&seen, P::pause_writing, P::resume_writing);
            if told == Step::Moved {
                continue;
            }
            if seen.life == Life::Closing && self.outgoing.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let sent = self.send(cx)?;
            let received = self.receive(&seen, cx)?;
            if sent == Step::Idle
                && received == Step::Idle
                && let Rest::Asleep = self.link.rest(&seen, cx.waker())
            {
                return Poll::Pending;
            }
        }
    }

    /// Sends one datagram.
    fn send(&mut self, cx: &mut Context<'_>) -> io::Result<Step> {
        let (Some(socket), Some(next)) = (&self.socket, self.outgoing.front()) else {
            return Ok(Step::Idle);
        };
        let attempt = match next.target {
            Some(target) => socket.poll_send_to(cx, &next.data, target),
            None => socket.poll_send(cx, &next.data),
        };
        let Poll::Ready(outcome) = attempt else {
            return Ok(Step::Idle);
        };
        let weight = next.weight();
        self.outgoing.pop_front();
        self.link.sent(weight);
        if let Err(error) = outcome {
            self.tell(error)?;
        }
        Ok(Step::Moved)
    }

    /// Receives one datagram, and hands it on.
    fn receive(&mut self, seen: &Seen, cx: &mut Context<'_>) -> io::Result<Step> {
        if seen.life > Life::Open {
            return Ok(Step::Idle);
        }
        scratch::with_buffer(|buffer| {
            let Some(socket) = &self.socket else {
                return Ok(Step::Idle);
            };
            match socket.poll_recv_from(cx, buffer) {
                Poll::Pending => return Ok(Step::Idle),
                Poll::Ready(Ok((count, addr))) => {
                    let data = &buffer[..count];
                    self.caller
                        .call(|protocol| protocol.datagram_received(data, addr));
                }
                Poll::Ready(Err(error)) => self.tell(error)?,
            }
            Ok(Step::Moved)
        })
    }

    /// Tells the protocol of an error of the operating system; any other one is the end.
    fn tell(&mut self, error: io::Error) -> io::Result<()> {
        if error.raw_os_error().is_none() {
            return Err(error);
        }
        self.caller.call(|protocol| protocol.error_received(error));
        Ok(())
    }

    /// E2.
    fn leave(&mut self) {
        self.socket = None;
        self.link.advance(Life::Gone);
    }
}

impl<P: DatagramProtocol> Future for DatagramEndpoint<P> {
    type Output = P;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<P> {
        let endpoint = self.get_mut();
        let link = &endpoint.link;
        endpoint
            .caller
            .begin(|protocol| protocol.connection_made(DatagramTransport(Arc::clone(link))));
        let outcome = ready!(endpoint.poll_serve(cx));
        endpoint.caller.lose(outcome.err(), P::connection_lost);
        endpoint.leave();
        Poll::Ready(endpoint.caller.take_protocol())
    }
}

impl<P: DatagramProtocol> Drop for DatagramEndpoint<P> {
    fn drop(&mut self) {
        self.caller.end_early(P::connection_lost);
        self.leave();
    }
}
