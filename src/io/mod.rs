//! Reading and writing, and any other descriptor.
//!
//! The traits are those that the whole ecosystem shares, [`AsyncRead`], [`AsyncWrite`], [`AsyncBufRead`] and [`AsyncSeek`],
//! with their `…Ext` counterparts for the methods that one calls. What is this crate's own:
//!
//! * [`AsyncReadExt`], [`AsyncWriteExt`], [`AsyncBufReadExt`], [`AsyncSeekExt`] — those methods, as the standard library and
//!   tokio have them: text is appended, numbers are read and written in either byte order
//! * [`Async`] — any descriptor that the operating system can wait for
//! * [`stdin`], [`stdout`], [`stderr`] — the standard streams
//! * [`copy_bidirectional`] — a proxy in one call
//!
//! The crates `futures` and `futures-lite` have extension traits of the same names over the same basic traits. All of them work
//! on every type of this crate, and these work on every reader and writer of the ecosystem; but a file that imports two sets
//! makes each call ambiguous: import one. (The `read_line` and `read_to_string` of `futures-lite` 2.6 want an empty string;
//! these append.)
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

mod buf_read_ext;
mod descriptor;
mod lines;
mod numbers;
mod read_ext;
mod read_line;
mod read_to_string;
mod relay;
mod seek_ext;
mod stdin;
mod stdout;
mod text;
mod write_ext;

pub use buf_read_ext::AsyncBufReadExt;
#[cfg(feature = "tokio-io")]
pub use compat::Compat;
pub use descriptor::Async;
pub use futures_io::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite};
pub use futures_lite::io::{
    BufReader, BufWriter, Bytes, Chain, Cursor, ReadHalf, Split, Take, WriteHalf, copy, empty,
    repeat, sink, split,
};
pub use lines::Lines;
pub use numbers::{ReadNumber, WriteNumber};
pub use read_ext::AsyncReadExt;
pub use read_line::ReadLine;
pub use read_to_string::ReadToString;
pub use relay::copy_bidirectional;
pub use runtime_core::{Interest, Ready};
pub use seek_ext::AsyncSeekExt;
pub use std::io::{Error, ErrorKind, Result, SeekFrom};
pub use stdin::{Stdin, stdin};
pub use stdout::{Stderr, Stdout, stderr, stdout};
pub use write_ext::AsyncWriteExt;
