//! What can go wrong when sending and receiving.

use std::error::Error;
use std::fmt;

/// Nobody receives; the item comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no receiver is subscribed to the channel")
    }
}

impl<T> Error for SendError<T> {}

/// Why [`Receiver::recv`](super::Receiver::recv) has no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecvError {
    /// All senders are gone, and every item has been received.
    Closed,
    /// The receiver was too far behind and missed so many items. The next call gets the oldest that is left.
    Lagged(u64),
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the channel is empty, and nobody is left to send"),
            Self::Lagged(missed) => lagged(*missed, f),
        }
    }
}

impl Error for RecvError {}

/// Why [`Receiver::try_recv`](super::Receiver::try_recv) has no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryRecvError {
    /// Every item has been received; more may come.
    Empty,
    /// All senders are gone, and every item has been received.
    Closed,
    /// The receiver was too far behind and missed so many items. The next call gets the oldest that is left.
    Lagged(u64),
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the channel is empty: use recv to wait for an item"),
            Self::Closed => f.write_str("the channel is empty, and nobody is left to send"),
            Self::Lagged(missed) => lagged(*missed, f),
        }
    }
}

impl Error for TryRecvError {}

fn lagged(missed: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(
        f,
        "the receiver was too slow and missed {missed} items: give the channel a larger bound, or receive faster"
    )
}
