//! The ends of a child's pipes that its parent holds.

use crate::io::{AsyncRead, AsyncWrite};
use crate::net::unix::pipe::{Receiver, Sender};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::process::{self, Stdio};
use std::task::{Context, Poll};

/// What a child reads as its standard input. Closing or dropping it ends that input.
///
/// Writing comes with [`AsyncWriteExt`](crate::io::AsyncWriteExt). A write after the child has closed its input, or has
/// ended, is the error `BrokenPipe`, and so is one after this was closed.
#[derive(Debug)]
pub struct ChildStdin(Sender);

/// What a child writes as its standard output.
///
/// Reading comes with [`AsyncReadExt`](crate::io::AsyncReadExt). The end comes when the child, and whoever has inherited
/// its output, has closed it.
#[derive(Debug)]
pub struct ChildStdout(Receiver);

/// What a child writes as its standard error; as [`ChildStdout`].
#[derive(Debug)]
pub struct ChildStderr(Receiver);

/// What all ends offer.
macro_rules! child_end {
    ($name:ident, $std:ty, $end:ident) => {
        impl $name {
            /// Takes over an end that the standard library has made.
            ///
            /// # Errors
            ///
            /// If there is no runtime on this thread, or its poller refuses the pipe.
            pub fn from_std(end: $std) -> io::Result<Self> {
                $end::from_owned_fd_unchecked(end.into()).map(Self)
            }

            /// Gives the descriptor back, blocking, as other processes expect it.
            ///
            /// # Errors
            ///
            /// If this was closed, or the operating system refuses.
            pub fn into_owned_fd(self) -> io::Result<OwnedFd> {
                self.0.into_blocking_fd()
            }
        }

        impl TryFrom<$name> for Stdio {
            type Error = io::Error;

            /// Makes this end an input or output of another child: that is how children are put in a row.
            fn try_from(end: $name) -> io::Result<Self> {
                end.into_owned_fd().map(Self::from)
            }
        }

        impl AsFd for $name {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.0.as_fd()
            }
        }

        impl AsRawFd for $name {
            fn as_raw_fd(&self) -> RawFd {
                self.0.as_raw_fd()
            }
        }
    };
}

child_end!(ChildStdin, process::ChildStdin, Sender);
child_end!(ChildStdout, process::ChildStdout, Receiver);
child_end!(ChildStderr, process::ChildStderr, Receiver);

macro_rules! child_read {
    ($name:ty) => {
        impl AsyncRead for $name {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.0).poll_read(cx, buf)
            }

            fn poll_read_vectored(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &mut [IoSliceMut<'_>],
            ) -> Poll<io::Result<usize>> {
                Pin::new(&mut self.0).poll_read_vectored(cx, bufs)
            }
        }
    };
}

child_read!(ChildStdout);
child_read!(ChildStderr);

impl AsyncWrite for ChildStdin {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    /// Nothing is held back here, so there is nothing to do.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Ends the child's input.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}
