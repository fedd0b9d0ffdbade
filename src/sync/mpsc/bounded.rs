//! The channel that makes senders wait when it is full.

use super::super::permits::{Permits, Refusal};
use super::both::{Closed, Wait, receiver, sender};
use super::chan::{self, Chan, Inlet};
use super::error::{SendError, TryRecvError, TrySendError};
use super::permit::{OwnedPermit, Permit, PermitIterator};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

/// Makes a channel that holds at most `bound` items.
///
/// # Panics
///
/// If the bound is 0 or more than [`Semaphore::MAX_PERMITS`](crate::sync::Semaphore::MAX_PERMITS).
#[track_caller]
pub fn channel<T>(bound: usize) -> (Sender<T>, Receiver<T>) {
    assert!(
        bound > 0,
        "mpsc::channel(0) could never hold an item: give it a bound of at least 1"
    );
    assert!(
        bound <= Permits::MAX,
        "the bound of a channel cannot be more than Semaphore::MAX_PERMITS"
    );
    let (chan, inlet) = chan::make(Some(bound));
    (Sender { chan }, Receiver { inlet })
}

/// Sends into a bounded channel; clones send into the same one.
pub struct Sender<T> {
    pub(super) chan: Arc<Chan<T>>,
}

impl<T> Sender<T> {
    /// Sends, waiting for a place first.
    ///
    /// Fair: places go to those who wait in the order in which they first polled.
    ///
    /// # Errors
    ///
    /// If the receiver is gone or closed, also while this waits; the value comes back.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped before it ends, nothing was sent, and the value is dropped with it. To keep the value,
    /// [`reserve`](Self::reserve) a place first.
    pub async fn send(&self, value: T) -> Result<(), SendError<T>> {
        match self.reserve().await {
            Ok(permit) => permit.send_back(value).map_err(SendError),
            Err(SendError(())) => Err(SendError(value)),
        }
    }

    /// Sends if there is a place and nobody waits for one.
    ///
    /// # Errors
    ///
    /// If there is none, or the receiver is gone or closed; the value comes back.
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        match self.chan.try_take(1) {
            Ok(()) => self.chan.push(value).map_err(TrySendError::Closed),
            Err(Refusal::Closed) => Err(TrySendError::Closed(value)),
            Err(Refusal::NotNow) => Err(TrySendError::Full(value)),
        }
    }

    /// As [`send`](Self::send), blocking this thread; for threads outside of async code.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Panics
    ///
    /// If it is called from async code.
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        runtime_core::wait_outside("mpsc::Sender::blocking_send", self.send(value))
    }

    /// Waits for a place, and keeps it for something to send.
    ///
    /// # Errors
    ///
    /// If the receiver is gone or closed.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: only the place in the queue is lost.
    pub async fn reserve(&self) -> Result<Permit<'_, T>, SendError<()>> {
        match self.chan.take(1).await {
            true => Ok(Permit::new(&self.chan)),
            false => Err(SendError(())),
        }
    }

    /// Waits for `count` places, and keeps them.
    ///
    /// # Errors
    ///
    /// If the receiver is gone or closed, or the channel has fewer places.
    ///
    /// # Cancel safety
    ///
    /// As [`reserve`](Self::reserve).
    pub async fn reserve_many(&self, count: usize) -> Result<PermitIterator<'_, T>, SendError<()>> {
        if count > self.chan.bound() || !self.chan.take(count).await {
            return Err(SendError(()));
        }
        Ok(PermitIterator::new(&self.chan, count))
    }

    /// Waits for a place, and keeps it together with this sender.
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve).
    ///
    /// # Cancel safety
    ///
    /// The sender is dropped with it; clone it before.
    pub async fn reserve_owned(self) -> Result<OwnedPermit<T>, SendError<()>> {
        match self.chan.take(1).await {
            true => Ok(OwnedPermit::new(self)),
            false => Err(SendError(())),
        }
    }

    /// Keeps a place if there is one and nobody waits for one.
    ///
    /// # Errors
    ///
    /// If there is none, or the receiver is gone or closed.
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        match self.chan.try_take(1) {
            Ok(()) => Ok(Permit::new(&self.chan)),
            Err(Refusal::Closed) => Err(TrySendError::Closed(())),
            Err(Refusal::NotNow) => Err(TrySendError::Full(())),
        }
    }

    /// Keeps `count` places if they are free and nobody waits for one.
    ///
    /// # Errors
    ///
    /// As [`try_reserve`](Self::try_reserve).
    pub fn try_reserve_many(
        &self,
        count: usize,
    ) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        match self.chan.try_take(count) {
            Ok(()) => Ok(PermitIterator::new(&self.chan, count)),
            Err(Refusal::Closed) => Err(TrySendError::Closed(())),
            Err(Refusal::NotNow) => Err(TrySendError::Full(())),
        }
    }

    /// Keeps a place together with this sender, if there is one and nobody waits for one.
    ///
    /// # Errors
    ///
    /// As [`try_reserve`](Self::try_reserve); the sender comes back.
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        match self.chan.try_take(1) {
            Ok(()) => Ok(OwnedPermit::new(self)),
            Err(Refusal::Closed) => Err(TrySendError::Closed(self)),
            Err(Refusal::NotNow) => Err(TrySendError::Full(self)),
        }
    }

    /// How many places are free at this moment.
    pub fn capacity(&self) -> usize {
        self.chan.available()
    }

    /// How many places there are.
    pub fn max_capacity(&self) -> usize {
        self.chan.bound()
    }
}

sender!(Sender, WeakSender);

/// Receives from a bounded channel.
pub struct Receiver<T> {
    inlet: Inlet<T>,
}

impl<T> Receiver<T> {
    /// How many places are free at this moment.
    pub fn capacity(&self) -> usize {
        self.inlet.chan.available()
    }

    /// How many places there are.
    pub fn max_capacity(&self) -> usize {
        self.inlet.chan.bound()
    }
}

receiver!(Receiver);
