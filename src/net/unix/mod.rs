//! The two ways of a [`UnixStream`], addresses of Unix sockets, who their peers are; and [`pipe`]s.

use super::UnixStream;
use super::halves;

mod credentials;

pub mod pipe;

pub use super::unix_listener::Incoming;
pub use credentials::UCred;
pub use std::os::unix::net::SocketAddr;

/// The reading way of a stream, lent by [`UnixStream::split`].
pub type ReadHalf<'a> = halves::ReadHalf<'a, UnixStream>;

/// The writing way of a stream, lent by [`UnixStream::split`].
pub type WriteHalf<'a> = halves::WriteHalf<'a, UnixStream>;

/// The reading way of a stream, made by [`UnixStream::into_split`].
pub type OwnedReadHalf = halves::OwnedReadHalf<UnixStream>;

/// The writing way of a stream, made by [`UnixStream::into_split`]; dropping it ends that way.
pub type OwnedWriteHalf = halves::OwnedWriteHalf<UnixStream>;

/// The two halves are not of one stream; holds both.
pub type ReuniteError = halves::ReuniteError<UnixStream>;
