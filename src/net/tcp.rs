//! The two ways of a [`TcpStream`], and the connections that come to a [`TcpListener`](super::TcpListener).

use super::TcpStream;
use super::halves;

pub use super::tcp_listener::Incoming;

/// The reading way of a stream, lent by [`TcpStream::split`].
pub type ReadHalf<'a> = halves::ReadHalf<'a, TcpStream>;

/// The writing way of a stream, lent by [`TcpStream::split`].
pub type WriteHalf<'a> = halves::WriteHalf<'a, TcpStream>;

/// The reading way of a stream, made by [`TcpStream::into_split`].
pub type OwnedReadHalf = halves::OwnedReadHalf<TcpStream>;

/// The writing way of a stream, made by [`TcpStream::into_split`]; dropping it ends that way.
pub type OwnedWriteHalf = halves::OwnedWriteHalf<TcpStream>;

/// The two halves are not of one stream; holds both.
pub type ReuniteError = halves::ReuniteError<TcpStream>;
