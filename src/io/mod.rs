//! Reading and writing, and any other descriptor.
//!
//! The traits are those that the whole ecosystem shares, [`AsyncRead`], [`AsyncWrite`], [`AsyncBufRead`] and [`AsyncSeek`],
//! with their `…Ext` counterparts for the methods that one calls. What is this crate's own:
//!
//! * [`Async`] — any descriptor that the operating system can wait for
//! * [`stdin`], [`stdout`], [`stderr`] — the standard streams
//! * [`copy_bidirectional`] — a proxy in one call
//!
//! # Examples
//!
//! ```
//! use gristmill::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
//! use gristmill::net::UnixStream;
//!
//! gristmill::run(async {
//!     let (mut one, other) = UnixStream::pair()?;
//!     one.write_all(b"first\nsecond\n").await?;
//!     let mut line = String::new();
//!     BufReader::new(other).read_line(&mut line).await?;
//!     assert_eq!(line, "first\n");
//!     Ok::<(), std::io::Error>(())
//! })
//! # .unwrap();
//! ```

#[cfg(feature = "codec")]
pub mod codec;
#[cfg(feature = "tokio-io")]
mod compat;
#[cfg(feature = "tokio-io")]
mod tokio_traits;

mod descriptor;
mod relay;
mod stdin;
mod stdout;

#[cfg(feature = "tokio-io")]
pub use compat::Compat;
pub use descriptor::Async;
pub use futures_io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite};
pub use futures_lite::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufReader, BufWriter, Cursor,
    ReadHalf, WriteHalf, copy, empty, repeat, sink, split,
};
pub use relay::copy_bidirectional;
pub use runtime_core::{Interest, Ready};
pub use std::io::SeekFrom;
pub use stdin::{Stdin, stdin};
pub use stdout::{Stderr, Stdout, stderr, stdout};
