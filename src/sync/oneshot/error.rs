//! Why there is no value.

use std::error::Error;
use std::fmt;

/// The sender is gone, and sent nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecvError(pub(super) ());

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sender was dropped without having sent a value")
    }
}

impl Error for RecvError {}

/// Why [`Receiver::try_recv`](super::Receiver::try_recv) has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryRecvError {
    /// It has not been sent yet.
    Empty,
    /// It has been fetched already, or will never be sent.
    Closed,
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "no value has been sent yet",
            Self::Closed => "the channel is closed: its value is fetched or will not come",
        })
    }
}

impl Error for TryRecvError {}
