//! The traits of tokio for what this crate has that reads or writes, each by way of the ecosystem's trait.

use super::compat::poll_read_into;
use super::{AsyncRead, AsyncWrite, Stderr, Stdin, Stdout};
use crate::fs::File;
use crate::net::unix::pipe;
use crate::net::{TcpStream, UnixStream, tcp, unix};
use crate::process::{ChildStderr, ChildStdin, ChildStdout};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::ReadBuf;

macro_rules! reads {
    ($($reader:ty),* $(,)?) => {
        $(
            impl tokio::io::AsyncRead for $reader {
                #[inline]
                fn poll_read(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    buf: &mut ReadBuf<'_>,
                ) -> Poll<io::Result<()>> {
                    poll_read_into(buf, |room| AsyncRead::poll_read(self, cx, room))
                }
            }
        )*
    };
}

/// The value says whether a write of several buffers takes more than the first.
macro_rules! writes {
    ($($writer:ty: $is_vectored:literal),* $(,)?) => {
        $(
            impl tokio::io::AsyncWrite for $writer {
                #[inline]
                fn poll_write(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    buf: &[u8],
                ) -> Poll<io::Result<usize>> {
                    AsyncWrite::poll_write(self, cx, buf)
                }

                fn poll_write_vectored(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                    bufs: &[IoSlice<'_>],
                ) -> Poll<io::Result<usize>> {
                    AsyncWrite::poll_write_vectored(self, cx, bufs)
                }

                fn is_write_vectored(&self) -> bool {
                    $is_vectored
                }

                fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                    AsyncWrite::poll_flush(self, cx)
                }

                fn poll_shutdown(
                    self: Pin<&mut Self>,
                    cx: &mut Context<'_>,
                ) -> Poll<io::Result<()>> {
                    AsyncWrite::poll_close(self, cx)
                }
            }
        )*
    };
}

reads! {
    TcpStream,
    &TcpStream,
    tcp::ReadHalf<'_>,
    tcp::OwnedReadHalf,
    UnixStream,
    &UnixStream,
    unix::ReadHalf<'_>,
    unix::OwnedReadHalf,
    pipe::Receiver,
    ChildStdout,
    ChildStderr,
    File,
    Stdin,
}

writes! {
    TcpStream: true,
    &TcpStream: true,
    tcp::WriteHalf<'_>: true,
    tcp::OwnedWriteHalf: true,
    UnixStream: true,
    &UnixStream: true,
    unix::WriteHalf<'_>: true,
    unix::OwnedWriteHalf: true,
    pipe::Sender: true,
    ChildStdin: true,
    File: false,
    Stdout: false,
    Stderr: false,
}
