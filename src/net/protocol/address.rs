//! Where the two ends of a connection are.

use crate::io::{AsyncRead, AsyncWrite};
use crate::net::unix;
use crate::net::{TcpStream, UnixStream};
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

/// Where one end of a connection is.
///
/// The counterpart of `transport.get_extra_info('peername')`. Its text is what fits into a log.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[doc(alias = "get_extra_info")]
pub enum Address {
    /// An address and a port.
    Ip(SocketAddr),
    /// A Unix socket, often without a name.
    Unix(unix::SocketAddr),
    /// There is none, or it could not be asked for any more.
    Unknown,
}

impl Address {
    /// Address and port, if it is of that kind.
    pub fn ip(&self) -> Option<SocketAddr> {
        match self {
            Self::Ip(address) => Some(*address),
            _ => None,
        }
    }

    /// The path of a Unix socket that has one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unix(address) => address.as_pathname(),
            _ => None,
        }
    }
}

impl From<std::io::Result<SocketAddr>> for Address {
    /// [`Address::Unknown`] for an error.
    fn from(address: std::io::Result<SocketAddr>) -> Self {
        address.map_or(Self::Unknown, Self::Ip)
    }
}

impl From<std::io::Result<unix::SocketAddr>> for Address {
    /// [`Address::Unknown`] for an error.
    fn from(address: std::io::Result<unix::SocketAddr>) -> Self {
        address.map_or(Self::Unknown, Self::Unix)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix(address) => match address.as_pathname() {
                Some(path) => path.display().fmt(f),
                None => f.write_str("a Unix socket without a path"),
            },
            Self::Unknown => f.write_str("an unknown address"),
        }
    }
}

/// What a connection can run over: a stream both ways, which may know where its ends are.
///
/// Implement it for a stream of your own, such as one that encrypts, to [`attach`](super::attach) a protocol to it.
pub trait Endpoint: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Where this end is.
    fn local_addr(&self) -> Address {
        Address::Unknown
    }

    /// Where the other end is.
    fn peer_addr(&self) -> Address {
        Address::Unknown
    }
}

macro_rules! endpoint {
    ($stream:ty) => {
        impl Endpoint for $stream {
            fn local_addr(&self) -> Address {
                <$stream>::local_addr(self).into()
            }

            fn peer_addr(&self) -> Address {
                <$stream>::peer_addr(self).into()
            }
        }
    };
}

endpoint!(TcpStream);
endpoint!(UnixStream);
