//! The standard streams that are written.
//!
//! One desk a stream for the whole process: what is taken from one task is never inside of what is taken from another, and goes
//! out in the order in which it was taken.

use super::AsyncWrite;
use crate::desk::{Desk, Device, ROOM};
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};

static STDOUT: LazyLock<Desk<io::Stdout>> = LazyLock::new(|| Desk::shared(io::stdout()));
static STDERR: LazyLock<Desk<io::Stderr>> = LazyLock::new(|| Desk::shared(io::stderr()));

impl Device for io::Stdout {
    /// Past the standard library's own buffer, too.
    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stream = self.lock();
        stream.write_all(bytes)?;
        stream.flush()
    }

    fn step_back(&self, _by: u64) -> io::Result<()> {
        Err(ErrorKind::NotSeekable.into())
    }
}

impl Device for io::Stderr {
    fn put(&self, bytes: &[u8]) -> io::Result<()> {
        self.lock().write_all(bytes)
    }

    fn step_back(&self, _by: u64) -> io::Result<()> {
        Err(ErrorKind::NotSeekable.into())
    }
}

/// The process's standard output.
///
/// # Examples
///
/// ```
/// use gristmill::io::{self, AsyncWriteExt};
///
/// gristmill::run(async {
///     let mut out = io::stdout();
///     out.write_all(b"hello\n").await?;
///     out.flush().await
/// })
/// # .unwrap();
/// ```
#[doc(alias = "connect_write_pipe")]
pub fn stdout() -> Stdout {
    Stdout(())
}

/// The process's standard error stream; as [`stdout`].
#[doc(alias = "connect_write_pipe")]
pub fn stderr() -> Stderr {
    Stderr(())
}

macro_rules! written {
    ($(#[$doc:meta])* $stream:ident, $desk:ident) => {
        $(#[$doc])*
        pub struct $stream(());

        impl AsyncWrite for $stream {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                $desk.poll_write(cx, bytes, ROOM)
            }

            /// Waits until the operating system has all that was written, and tells how that went.
            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                $desk.poll_flush(cx)
            }

            /// Flushes; the stream stays open.
            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.poll_flush(cx)
            }
        }

        impl AsFd for $stream {
            fn as_fd(&self) -> BorrowedFd<'_> {
                $desk.device().as_fd()
            }
        }

        impl AsRawFd for $stream {
            fn as_raw_fd(&self) -> RawFd {
                $desk.device().as_raw_fd()
            }
        }

        impl fmt::Debug for $stream {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($stream)).finish_non_exhaustive()
            }
        }
    };
}

written! {
    /// The process's standard output; made by [`stdout`].
    ///
    /// A write is done when its bytes are taken; a job of the runtime's blocking pool hands them to the operating system at once, and
    /// what is written meanwhile with them. All handles are one stream: a write of at most 64 KiB is taken whole, so lines of
    /// several tasks do not mix, and they come out in the order of the writes. What is printed by `println!` comes between two
    /// hand-overs.
    ///
    /// **Flush to know that it is out**, and before the process ends by [`std::process::exit`]. The end of the runtime waits for
    /// what was taken, but has nobody to tell if that fails. A failure, such as a reader that has gone, is told to the next
    /// write or flush of any handle.
    ///
    /// # Errors
    ///
    /// If there is no runtime on this thread; or why an earlier write failed.
    ///
    /// # Cancel safety
    ///
    /// A write that is dropped before it is done has taken nothing; afterwards it will be made. Flushing can be given up and
    /// taken up again.
    Stdout, STDOUT
}

written! {
    /// The process's standard error stream; made by [`stderr`]. As [`Stdout`], also in that it is handed over by a job: flush
    /// to know that it is out.
    ///
    /// # Errors
    ///
    /// If there is no runtime on this thread; or why an earlier write failed.
    ///
    /// # Cancel safety
    ///
    /// As [`Stdout`].
    Stderr, STDERR
}
