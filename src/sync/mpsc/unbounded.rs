//! The channel that never makes senders wait.

use super::both::{Closed, Wait, receiver, sender};
use super::chan::{self, Chan, Inlet};
use super::error::{SendError, TryRecvError};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

/// Makes a channel without a bound: it holds as much as the memory does.
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (chan, inlet) = chan::make(None);
    (UnboundedSender { chan }, UnboundedReceiver { inlet })
}

/// Sends into an unbounded channel; clones send into the same one.
pub struct UnboundedSender<T> {
    chan: Arc<Chan<T>>,
}

impl<T> UnboundedSender<T> {
    /// Sends. That never waits.
    ///
    /// # Errors
    ///
    /// If the receiver is gone or closed; the value comes back.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.chan.push(value).map_err(SendError)
    }
}

sender!(UnboundedSender, WeakUnboundedSender);

/// Receives from an unbounded channel.
pub struct UnboundedReceiver<T> {
    inlet: Inlet<T>,
}

receiver!(UnboundedReceiver);
