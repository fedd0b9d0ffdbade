//! The two ways of a connected stream, lent or owned; [`tcp`](super::tcp) and [`unix`](super::unix) name them.

use super::byte_stream::{self, ByteStream};
use crate::io::{Interest, Ready};
use runtime_core::Registered;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::sync::Arc;

/// A stream that can be parted: [`TcpStream`](super::TcpStream) and [`UnixStream`](super::UnixStream).
pub trait Stream {
    /// What is inside.
    type Io: ByteStream;

    /// What is inside, with its readiness.
    fn source(&self) -> &Registered<Self::Io>;
}

/// The address type of a stream.
type Addr<S> = <<S as Stream>::Io as ByteStream>::Addr;

/// The reading way of a stream, lent by its `split`.
#[derive(Debug)]
pub struct ReadHalf<'a, S>(&'a S);

/// The writing way of a stream, lent by its `split`.
#[derive(Debug)]
pub struct WriteHalf<'a, S>(&'a S);

/// The reading way of a stream, made by its `into_split`.
///
/// Dropping it changes nothing for the peer.
#[derive(Debug)]
pub struct OwnedReadHalf<S>(Arc<S>);

/// The writing way of a stream, made by its `into_split`.
///
/// Dropping it ends that way: the peer reads what was written and then the end. [`forget`](Self::forget) does without.
#[derive(Debug)]
pub struct OwnedWriteHalf<S: Stream> {
    stream: Arc<S>,
    /// Whether dropping this ends the way.
    ends: bool,
}

pub(super) fn borrowed<S>(stream: &mut S) -> (ReadHalf<'_, S>, WriteHalf<'_, S>) {
    let stream = &*stream;
    (ReadHalf(stream), WriteHalf(stream))
}

pub(super) fn owned<S: Stream>(stream: S) -> (OwnedReadHalf<S>, OwnedWriteHalf<S>) {
    let stream = Arc::new(stream);
    (
        OwnedReadHalf(Arc::clone(&stream)),
        OwnedWriteHalf { stream, ends: true },
    )
}

/// What both halves of a kind offer.
macro_rules! both {
    ([$($generics:tt)*] $half:ty, $this:ident => $stream:expr) => {
        impl<$($generics)*> $half {
            /// Waits until the stream is ready for any part of `interest`, and tells for which.
            ///
            /// The answer can be wrong: only an attempt will show.
            ///
            /// # Errors
            ///
            /// If the stream's runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: readiness stays until an attempt uses it up.
            pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                let $this = self;
                $stream.source().ready(interest).await
            }

            /// The address of this end.
            ///
            /// # Errors
            ///
            /// If the operating system does not answer.
            pub fn local_addr(&self) -> io::Result<Addr<S>> {
                let $this = self;
                $stream.source().get_ref().local_addr()
            }

            /// The address of the other end.
            ///
            /// # Errors
            ///
            /// `NotConnected` if there is no connection any more.
            pub fn peer_addr(&self) -> io::Result<Addr<S>> {
                let $this = self;
                $stream.source().get_ref().peer_addr()
            }
        }

        impl<$($generics)*> AsRef<S> for $half {
            fn as_ref(&self) -> &S {
                let $this = self;
                &$stream
            }
        }
    };
}

/// What the reading halves offer.
macro_rules! reading {
    ([$($generics:tt)*] $half:ty) => {
        both!([$($generics)*] $half, half => *half.0);
        async_read!([$($generics)*] $half, half => *half.0.source());

        impl<$($generics)*> $half {
            /// Waits until there is something to read, or the end; as [`ready`](Self::ready).
            ///
            /// # Errors
            ///
            /// If the stream's runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: readiness stays until an attempt uses it up.
            pub async fn readable(&self) -> io::Result<()> {
                self.ready(Interest::READABLE).await.map(|_| ())
            }

            /// Reads what there is, without waiting; zero bytes mean the end.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if there is nothing yet; otherwise what the operating system says.
            pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
                byte_stream::try_read(self.0.source(), buf)
            }

            /// Reads what there is into several buffers in turn, without waiting.
            ///
            /// # Errors
            ///
            /// As of [`try_read`](Self::try_read).
            pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                byte_stream::try_read_vectored(self.0.source(), bufs)
            }
        }
    };
}

/// What the writing halves offer.
macro_rules! writing {
    ([$($generics:tt)*] $half:ty, $this:ident => $stream:expr) => {
        both!([$($generics)*] $half, $this => $stream);
        async_write!([$($generics)*] $half, $this => *$stream.source());

        impl<$($generics)*> $half {
            /// Waits until there is room to write; as [`ready`](Self::ready).
            ///
            /// # Errors
            ///
            /// If the stream's runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: readiness stays until an attempt uses it up.
            pub async fn writable(&self) -> io::Result<()> {
                self.ready(Interest::WRITABLE).await.map(|_| ())
            }

            /// Writes as much as there is room for, without waiting.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if there is no room; otherwise what the operating system says.
            pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
                let $this = self;
                byte_stream::try_write($stream.source(), buf)
            }

            /// Writes as much of several buffers as there is room for, without waiting.
            ///
            /// # Errors
            ///
            /// As of [`try_write`](Self::try_write).
            pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                let $this = self;
                byte_stream::try_write_vectored($stream.source(), bufs)
            }
        }
    };
}

reading!(['a, S: Stream] ReadHalf<'a, S>);
reading!([S: Stream] OwnedReadHalf<S>);
writing!(['a, S: Stream] WriteHalf<'a, S>, half => *half.0);
writing!([S: Stream] OwnedWriteHalf<S>, half => *half.stream);

impl<S: Stream> OwnedReadHalf<S> {
    /// Puts the two halves together again.
    ///
    /// # Errors
    ///
    /// If they are not of one stream: both come back in the error.
    pub fn reunite(self, write: OwnedWriteHalf<S>) -> Result<S, ReuniteError<S>> {
        if !Arc::ptr_eq(&self.0, &write.stream) {
            return Err(ReuniteError(self, write));
        }
        write.forget();
        match Arc::into_inner(self.0) {
            Some(stream) => Ok(stream),
            None => unreachable!("the two halves hold the only references"),
        }
    }
}

impl<S: Stream> OwnedWriteHalf<S> {
    /// Puts the two halves together again; as [`OwnedReadHalf::reunite`].
    ///
    /// # Errors
    ///
    /// If they are not of one stream: both come back in the error.
    pub fn reunite(self, read: OwnedReadHalf<S>) -> Result<S, ReuniteError<S>> {
        read.reunite(self)
    }

    /// Drops this half without ending the way.
    pub fn forget(mut self) {
        self.ends = false;
    }
}

impl<S: Stream> Drop for OwnedWriteHalf<S> {
    fn drop(&mut self) {
        if self.ends {
            // There is nobody left to tell of a failure.
            let _ = byte_stream::close(self.stream.source());
        }
    }
}

/// The two halves are not of one stream; holds both.
pub struct ReuniteError<S: Stream>(pub OwnedReadHalf<S>, pub OwnedWriteHalf<S>);

impl<S: Stream> fmt::Debug for ReuniteError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReuniteError").finish_non_exhaustive()
    }
}

impl<S: Stream> fmt::Display for ReuniteError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot reunite halves of two different streams")
    }
}

impl<S: Stream> std::error::Error for ReuniteError<S> {}
