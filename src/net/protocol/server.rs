//! A server: one protocol for each connection that arrives.

use super::Address;
use super::callbacks::Protocol;
use super::clients::{Clients, Door};
use super::connection::Connection;
use super::listener::Listener;
use crate::net::mishap::{Mishap, Pauses};
use crate::task::{AbortHandle, JoinError, JoinHandle, consume_budget, spawn, unconstrained};
use futures_util::FutureExt;
use parking_lot::Mutex;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;

/// Takes connections from `listener` and serves each with a protocol of its own, made by `factory`.
///
/// A connection whose callback panics ends alone. While the process has no descriptor left, arriving connections wait: the server
/// looks again after 5 ms, then after twice as long each time, and after 50 ms at most. If
/// `factory` panics, the server stops listening, and [`Server::serve_forever`] panics likewise.
///
/// # Panics
///
/// If there is no runtime on this thread.
#[doc(alias = "create_server")]
#[doc(alias = "create_unix_server")]
#[track_caller]
pub fn serve<L, F, P>(listener: L, factory: F) -> Server
where
    L: Listener,
    F: FnMut() -> P + Send + 'static,
    P: Protocol,
{
    let clients = Clients::new();
    let local = listener.local_addr();
    let sign = Sign(Arc::clone(&clients));
    let accepting = spawn(accept(listener, factory, sign));
    Server {
        clients,
        local,
        accepting: accepting.abort_handle(),
        outcome: Mutex::new(Some(Accepting::Ending(accepting))),
    }
}

/// A running server; made by [`serve`].
///
/// Dropping it stops listening and aborts the connections, each of which hears of it in
/// [`connection_lost`](Protocol::connection_lost). To leave in order, call [`close`](Self::close),
/// [`close_clients`](Self::close_clients) and [`wait_closed`](Self::wait_closed) before.
#[must_use = "dropping a server stops it"]
pub struct Server {
    clients: Arc<Clients>,
    local: Address,
    /// The task that owns the listener.
    accepting: AbortHandle,
    /// How that task ended; taken by whoever waits for it first.
    outcome: Mutex<Option<Accepting>>,
}

impl Server {
    /// Where connections arrive, with the port that the operating system chose.
    #[doc(alias = "sockets")]
    pub fn local_addr(&self) -> &Address {
        &self.local
    }

    /// Whether new connections are taken.
    pub fn is_serving(&self) -> bool {
        self.clients.door() == Door::Open
    }

    /// How many connections there are.
    pub fn connections(&self) -> usize {
        self.clients.count()
    }

    /// Stops listening. The connections stay. The listener's address is free again once [`wait_closed`](Self::wait_closed)
    /// returns.
    pub fn close(&self) {
        self.clients.shut(Door::Shut);
        self.accepting.abort();
    }

    /// [Closes](super::Transport::close) every connection of the moment.
    pub fn close_clients(&self) {
        for transport in self.clients.all() {
            transport.close();
        }
    }

    /// [Aborts](super::Transport::abort) every connection of the moment.
    pub fn abort_clients(&self) {
        for transport in self.clients.all() {
            transport.abort();
        }
    }

    /// Waits until the server no longer listens and its last connection is over.
    ///
    /// This alone ends neither: see [`close`](Self::close) and [`close_clients`](Self::close_clients).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn wait_closed(&self) {
        self.clients.empty().await;
    }

    /// Waits until the server no longer listens.
    ///
    /// # Errors
    ///
    /// What the listener said, if that is why; to the first who waits.
    ///
    /// # Panics
    ///
    /// If the factory panicked.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the server goes on.
    pub async fn serve_forever(&self) -> io::Result<()> {
        self.clients.stopped().await;
        let mut turn = Turn {
            place: &self.outcome,
            accepting: self.outcome.lock().take(),
        };
        let Some(accepting) = &mut turn.accepting else {
            return Ok(());
        };
        if let Accepting::Ending(task) = accepting {
            *accepting = Accepting::Ended(task.await);
        }
        turn.tell()
    }
}

/// The task that takes connections, for who is to tell how it ended.
enum Accepting {
    /// Not seen to have ended.
    Ending(JoinHandle<io::Result<()>>),
    /// As it says.
    Ended(Result<io::Result<()>, JoinError>),
}

/// The right to tell why the server stopped. Goes back to its place if it was not used.
struct Turn<'a> {
    place: &'a Mutex<Option<Accepting>>,
    accepting: Option<Accepting>,
}

impl Turn<'_> {
    /// Why the server stopped, once that is known.
    fn tell(mut self) -> io::Result<()> {
        match self.accepting.take() {
            Some(Accepting::Ended(Ok(outcome))) => outcome,
            Some(Accepting::Ended(Err(error))) if error.is_panic() => {
                resume_unwind(error.into_panic())
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let accepting = match self.accepting.take() {
            Some(Accepting::Ending(mut task)) => {
                // The handle is not to keep the waker of who gave up until somebody else waits.
                match unconstrained(&mut task).now_or_never() {
                    Some(outcome) => Accepting::Ended(outcome),
                    None => Accepting::Ending(task),
                }
            }
            Some(ended) => ended,
            None => return,
        };
        *self.place.lock() = Some(accepting);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.close();
        self.abort_clients();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("local_addr", &self.local)
            .field("is_serving", &self.is_serving())
            .field("connections", &self.connections())
            .finish()
    }
}

/// Tells, when it is dropped, that the listener is closed.
struct Sign(Arc<Clients>);

impl Drop for Sign {
    fn drop(&mut self) {
        self.0.shut(Door::Gone);
    }
}

/// Takes connections until the door is shut or the listener fails.
async fn accept<L, F, P>(listener: L, mut factory: F, sign: Sign) -> io::Result<()>
where
    L: Listener,
    F: FnMut() -> P + Send + 'static,
    P: Protocol,
{
    // Moved into a local behind the sign, so that it is dropped before it.
    let mut listener = listener;
    let mut pauses = Pauses::new();
    loop {
        let stream = match poll_fn(|cx| listener.poll_accept(cx)).await {
            Ok(stream) => stream,
            Err(error) => {
                match Mishap::of(&error) {
                    Mishap::Connection => consume_budget().await,
                    Mishap::Shortage => pauses.wait().await,
                    Mishap::Listener => return Err(error),
                }
                continue;
            }
        };
        pauses.reset();
        let (connection, transport) = Connection::new(stream, factory());
        let Some(membership) = sign.0.add(transport) else {
            return Ok(());
        };
        drop(spawn(async move {
            // Given up when the connection is over, however that comes about.
            let _membership = membership;
            connection.await
        }));
    }
}
