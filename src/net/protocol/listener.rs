//! Where the connections of a server come from.

use super::address::{Address, Endpoint};
use crate::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use std::io;
use std::task::{Context, Poll, ready};

/// What a [server](super::serve) takes connections from.
pub trait Listener: Send + 'static {
    /// What a connection is.
    type Stream: Endpoint;

    /// Polls for a connection.
    ///
    /// # Errors
    ///
    /// With a number of the operating system (`raw_os_error`): the server goes on, after a pause of 5 to 50 ms unless the error
    /// was of one connection. So it does after `ConnectionAborted`, `OutOfMemory` and `StorageFull` in words. An error
    /// that says that this is no listener (`EBADF`, `EINVAL`, `ENOTSOCK`, `EOPNOTSUPP`), and any other, ends the server.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Stream>>;

    /// Where connections arrive.
    fn local_addr(&self) -> Address;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<TcpStream>> {
        let (stream, _) = ready!(TcpListener::poll_accept(self, cx))?;
        Poll::Ready(Ok(stream))
    }

    fn local_addr(&self) -> Address {
        self.local_addr().into()
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
        let (stream, _) = ready!(UnixListener::poll_accept(self, cx))?;
        Poll::Ready(Ok(stream))
    }

    fn local_addr(&self) -> Address {
        self.local_addr().into()
    }
}
