//! Pipes, without a name ([`pipe`]) and with one ([`OpenOptions`]).
//!
//! Bytes go one way, from any number of [`Sender`]s to any number of [`Receiver`]s. When the last sender is closed, a
//! receiver reads the end; when the last receiver is closed, a sender gets the error `BrokenPipe`.
//!
//! * [`Sender`], [`Receiver`] — the two ends
//! * [`OpenOptions`] — opens an end of a pipe that has a name (a FIFO)
//!
//! # Examples
//!
//! ```
//! use gristmill::io::{AsyncReadExt, AsyncWriteExt};
//! use gristmill::net::unix::pipe;
//!
//! gristmill::run(async {
//!     let (mut sender, mut receiver) = pipe::pipe()?;
//!     sender.write_all(b"through a pipe").await?;
//!     drop(sender);
//!     let mut text = String::new();
//!     receiver.read_to_string(&mut text).await?;
//!     assert_eq!(text, "through a pipe");
//!     Ok::<(), std::io::Error>(())
//! })
//! # .unwrap();
//! ```

#[macro_use]
mod end;

mod receiver;
mod sender;

mod open;

pub use open::OpenOptions;
pub use receiver::Receiver;
pub use sender::Sender;

use std::io;

/// Makes a pipe. Child processes do not inherit it.
///
/// # Errors
///
/// What the operating system says, such as too many open descriptors; or that there is no runtime on this thread.
#[doc(alias = "connect_read_pipe")]
#[doc(alias = "connect_write_pipe")]
pub fn pipe() -> io::Result<(Sender, Receiver)> {
    let (reader, writer) = io::pipe()?;
    Ok((
        Sender::from_owned_fd_unchecked(writer.into())?,
        Receiver::from_owned_fd_unchecked(reader.into())?,
    ))
}
