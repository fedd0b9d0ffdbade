//! What can be used as an address: addresses themselves, which cost nothing, and names, which the operating system
//! resolves on the blocking pool.

use crate::desk::ask_pool;
use std::io;
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, ToSocketAddrs as _,
};
use std::vec;

/// What can be used as one or more addresses of sockets.
///
/// | type | resolves |
/// |---|---|
/// | [`SocketAddr`], [`SocketAddrV4`], [`SocketAddrV6`], `&[SocketAddr]` | to itself |
/// | `(`[`IpAddr`] or [`Ipv4Addr`] or [`Ipv6Addr`]`, u16)` | to itself |
/// | [`str`], [`String`] | `"host:port"`: by parsing if the host is an address, otherwise on the blocking pool |
/// | `(&str, u16)`, `(String, u16)` | host and port: likewise |
///
/// References to these work too. This trait cannot be implemented outside of this crate.
pub trait ToSocketAddrs: Resolve {}

impl<T: Resolve + ?Sized> ToSocketAddrs for T {}

/// What [`ToSocketAddrs`] stands for; public for the compiler only.
pub trait Resolve {
    /// What there is to do.
    fn request(&self) -> Request;
}

/// What there is to do for addresses.
#[derive(Debug)]
pub enum Request {
    /// Nothing.
    Known(Addresses),
    /// To resolve the host.
    Host(String, u16),
    /// To say that this is not of the form `host:port`.
    Malformed(String),
}

/// The addresses that a name or an address stands for.
#[derive(Debug)]
pub enum Addresses {
    /// The usual number, without an allocation.
    One(Option<SocketAddr>),
    /// Any number.
    Many(vec::IntoIter<SocketAddr>),
}

impl Iterator for Addresses {
    type Item = SocketAddr;

    fn next(&mut self) -> Option<SocketAddr> {
        match self {
            Self::One(address) => address.take(),
            Self::Many(addresses) => addresses.next(),
        }
    }
}

/// Resolves a name on the operating system's terms, with its port.
///
/// # Examples
///
/// ```
/// gristmill::run(async {
///     let found: Vec<_> = gristmill::net::lookup_host("127.0.0.1:80").await?.collect();
///     assert_eq!(found, ["127.0.0.1:80".parse().unwrap()]);
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
///
/// # Errors
///
/// If the name cannot be resolved, or is not of the form `host:port`; or if a name is to be resolved and there is no
/// runtime on this thread, or it shuts down meanwhile.
///
/// # Cancel safety
///
/// Cancel safe. A look-up that a thread of the blocking pool has begun is finished there, and forgotten; one that waits for a
/// thread is not made.
#[doc(alias = "getaddrinfo")]
pub async fn lookup_host<T: ToSocketAddrs>(
    host: T,
) -> io::Result<impl Iterator<Item = SocketAddr>> {
    resolve(host.request()).await
}

/// Does what there is to do.
pub(super) async fn resolve(request: Request) -> io::Result<Addresses> {
    match request {
        Request::Known(addresses) => Ok(addresses),
        Request::Host(host, port) => ask_pool(move || look_up(&host, port))
            .await
            .map(Addresses::Many),
        Request::Malformed(text) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "invalid socket address {text:?}: write `host:port`, with a port from 0 to 65535, as in `127.0.0.1:80` or \
                 `[::1]:80`"
            ),
        )),
    }
}

fn look_up(host: &str, port: u16) -> io::Result<vec::IntoIter<SocketAddr>> {
    (host, port)
        .to_socket_addrs()
        .map_err(|error| match error.raw_os_error() {
            // The resolver's own numbers are not the operating system's.
            None => io::Error::new(error.kind(), format!("host {host:?}: {error}")),
            Some(_) => error,
        })
}

/// The host and the port of what is no address.
fn named(text: &str) -> Request {
    let parts = text.rsplit_once(':');
    let parts = parts.and_then(|(host, port)| Some((host, port.parse().ok()?)));
    match parts {
        Some((host, port)) if !host.is_empty() => Request::Host(host.to_owned(), port),
        _ => Request::Malformed(text.to_owned()),
    }
}

impl<T: Resolve + ?Sized> Resolve for &T {
    fn request(&self) -> Request {
        (**self).request()
    }
}

fn known(address: impl Into<SocketAddr>) -> Request {
    Request::Known(Addresses::One(Some(address.into())))
}

impl Resolve for SocketAddr {
    fn request(&self) -> Request {
        known(*self)
    }
}

impl Resolve for SocketAddrV4 {
    fn request(&self) -> Request {
        known(*self)
    }
}

impl Resolve for SocketAddrV6 {
    fn request(&self) -> Request {
        known(*self)
    }
}

impl Resolve for (IpAddr, u16) {
    fn request(&self) -> Request {
        known(*self)
    }
}

impl Resolve for (Ipv4Addr, u16) {
    fn request(&self) -> Request {
        known(*self)
    }
}

impl Resolve for (Ipv6Addr, u16) {
    fn request(&self) -> Request {
        known(*self)
    }
}

impl Resolve for [SocketAddr] {
    fn request(&self) -> Request {
        Request::Known(Addresses::Many(Vec::from(self).into_iter()))
    }
}

impl Resolve for str {
    fn request(&self) -> Request {
        match self.parse::<SocketAddr>() {
            Ok(address) => known(address),
            Err(_) => named(self),
        }
    }
}

impl Resolve for String {
    fn request(&self) -> Request {
        self.as_str().request()
    }
}

impl Resolve for (&str, u16) {
    fn request(&self) -> Request {
        let (host, port) = *self;
        match host.parse::<IpAddr>() {
            Ok(ip) => known((ip, port)),
            Err(_) => Request::Host(host.to_owned(), port),
        }
    }
}

impl Resolve for (String, u16) {
    fn request(&self) -> Request {
        (self.0.as_str(), self.1).request()
    }
}
