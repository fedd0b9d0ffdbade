//! How sockets come to be: opened, bound, connected, accepted; each with as few system calls as the platform allows.

use super::lookup::{Addresses, Request, resolve};
use runtime_core::{Initial, Interest, Registered};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;

/// How many connections the operating system holds for a listener that does not take them yet.
pub(super) const BACKLOG: i32 = 1024;

/// Opens a non-blocking socket that child processes do not inherit.
#[cfg(target_os = "linux")]
pub(super) fn open(domain: Domain, kind: Type) -> io::Result<Socket> {
    Socket::new(domain, kind.nonblocking(), None)
}

/// Opens a non-blocking socket that child processes do not inherit.
#[cfg(not(target_os = "linux"))]
pub(super) fn open(domain: Domain, kind: Type) -> io::Result<Socket> {
    let socket = Socket::new(domain, kind, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Takes a connection from a listener: non-blocking, not inherited by child processes.
#[cfg(target_os = "linux")]
pub(super) fn accept(listener: &impl AsFd) -> io::Result<(Socket, SockAddr)> {
    use rustix::net::SocketFlags;
    const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);
    SockRef::from(listener).accept4(FLAGS.bits().cast_signed())
}

/// Takes a connection from a listener: non-blocking, not inherited by child processes.
#[cfg(not(target_os = "linux"))]
pub(super) fn accept(listener: &impl AsFd) -> io::Result<(Socket, SockAddr)> {
    let (socket, peer) = SockRef::from(listener).accept()?;
    socket.set_nonblocking(true)?;
    Ok((socket, peer))
}

/// Makes two Unix sockets that are connected to each other: non-blocking, not inherited by child processes.
#[cfg(target_os = "linux")]
pub(super) fn pair(kind: Type) -> io::Result<(Socket, Socket)> {
    Socket::pair(Domain::UNIX, kind.nonblocking(), None)
}

/// Makes two Unix sockets that are connected to each other: non-blocking, not inherited by child processes.
#[cfg(not(target_os = "linux"))]
pub(super) fn pair(kind: Type) -> io::Result<(Socket, Socket)> {
    let (one, other) = Socket::pair(Domain::UNIX, kind, None)?;
    one.set_nonblocking(true)?;
    other.set_nonblocking(true)?;
    Ok((one, other))
}

/// Connects, and waits until the connection stands or fails.
pub(super) async fn connect<S>(socket: Socket, address: SockAddr) -> io::Result<Registered<S>>
where
    S: AsFd + From<Socket>,
{
    let initial = match socket.connect(&address) {
        Ok(()) => Initial::Writable,
        // With a peer on the same machine the connection stands by now.
        Err(error) if goes_on(&error) && socket.peer_addr().is_ok() => Initial::Writable,
        Err(error) if goes_on(&error) => Initial::NotReady,
        Err(error) => return Err(error),
    };
    let stream = Registered::new_lazy(S::from(socket), initial)?;
    if initial == Initial::NotReady {
        stream.ready(Interest::WRITABLE).await?;
        if let Some(error) = SockRef::from(stream.get_ref()).take_error()? {
            return Err(error);
        }
    }
    Ok(stream)
}

/// Whether the connection is being made, though `connect` has returned.
fn goes_on(error: &io::Error) -> bool {
    use rustix::io::Errno;
    matches!(
        Errno::from_io_error(error),
        Some(Errno::INPROGRESS | Errno::INTR)
    )
}

/// Makes an attempt with each address in turn until one succeeds.
///
/// The error is that of the last attempt, with the address, or that there was none.
pub(super) async fn first_success<S>(
    request: Request,
    doing: &'static str,
    mut attempt: impl AsyncFnMut(SocketAddr) -> io::Result<S>,
) -> io::Result<S> {
    let mut last = None;
    for address in resolve(request).await? {
        match attempt(address).await {
            Ok(socket) => return Ok(socket),
            Err(error) => last = Some((address, error)),
        }
    }
    Err(none_succeeded(doing, last))
}

/// As [`first_success`], for attempts that never wait.
pub(super) fn first_success_at_once<S>(
    addresses: Addresses,
    doing: &'static str,
    mut attempt: impl FnMut(SocketAddr) -> io::Result<S>,
) -> io::Result<S> {
    let mut last = None;
    for address in addresses {
        match attempt(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = Some((address, error)),
        }
    }
    Err(none_succeeded(doing, last))
}

#[cold]
fn none_succeeded(doing: &'static str, last: Option<(SocketAddr, io::Error)>) -> io::Error {
    match last {
        Some((address, error)) => Failed {
            doing,
            address,
            error,
        }
        .into(),
        None => io::Error::new(io::ErrorKind::InvalidInput, "there is no address to try"),
    }
}

/// An attempt with an address failed.
#[derive(Debug)]
struct Failed {
    doing: &'static str,
    address: SocketAddr,
    error: io::Error,
}

impl From<Failed> for io::Error {
    #[cold]
    fn from(failed: Failed) -> Self {
        Self::new(failed.error.kind(), failed)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.doing, self.address, self.error)
    }
}

impl std::error::Error for Failed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
