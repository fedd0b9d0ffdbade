//! The channel that makes senders wait when it is full.

use super::super::permits::{Permits, Refusal};
use super::super::waiters::Key;
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
        match self.chan.try_take() {
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
        match self.chan.try_take() {
            Ok(()) => Ok(Permit::new(&self.chan)),
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
        match self.chan.try_take() {
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

/// What bounded and unbounded senders have in common.
macro_rules! sender {
    ($sender:ident, $weak:ident) => {
        impl<T> $sender<T> {
            /// Waits until the receiver is gone or closed. Then whoever computes what to send may stop.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe.
            pub async fn closed(&self) {
                Closed::new(&self.chan).await;
            }

            /// Whether the receiver is gone or closed.
            pub fn is_closed(&self) -> bool {
                self.chan.is_closed()
            }

            /// Whether both send into the same channel.
            pub fn same_channel(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.chan, &other.chan)
            }

            /// A sender that does not keep the channel from ending.
            pub fn downgrade(&self) -> $weak<T> {
                $weak {
                    chan: Arc::downgrade(&self.chan),
                }
            }

            /// How many senders there are, without weak ones.
            pub fn strong_count(&self) -> usize {
                self.chan.strong_count()
            }
        }

        impl<T> Clone for $sender<T> {
            fn clone(&self) -> Self {
                self.chan.add_sender();
                Self {
                    chan: Arc::clone(&self.chan),
                }
            }
        }

        impl<T> Drop for $sender<T> {
            fn drop(&mut self) {
                self.chan.drop_sender();
            }
        }

        impl<T> fmt::Debug for $sender<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($sender))
                    .field("is_closed", &self.is_closed())
                    .finish_non_exhaustive()
            }
        }

        /// A sender that does not keep the channel from ending.
        pub struct $weak<T> {
            chan: Weak<Chan<T>>,
        }

        impl<T> $weak<T> {
            /// A sender, if the channel still has one.
            pub fn upgrade(&self) -> Option<$sender<T>> {
                let chan = self.chan.upgrade()?;
                // Made only then: dropping it would count.
                chan.revive_sender().then(|| $sender { chan })
            }

            /// How many senders there are, without weak ones.
            pub fn strong_count(&self) -> usize {
                self.chan.upgrade().map_or(0, |chan| chan.strong_count())
            }
        }

        impl<T> Clone for $weak<T> {
            fn clone(&self) -> Self {
                Self {
                    chan: self.chan.clone(),
                }
            }
        }

        impl<T> fmt::Debug for $weak<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($weak)).finish_non_exhaustive()
            }
        }
    };
}
pub(super) use sender;

sender!(Sender, WeakSender);

/// Waits for a receiver to close.
pub(super) struct Closed<'a, T> {
    chan: &'a Chan<T>,
    key: Option<Key>,
}

impl<'a, T> Closed<'a, T> {
    pub(super) fn new(chan: &'a Chan<T>) -> Self {
        Self { chan, key: None }
    }
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let chan = self.chan;
        chan.poll_closed(&mut self.key, cx)
    }
}

impl<T> Drop for Closed<'_, T> {
    fn drop(&mut self) {
        self.chan.forget_closer(&mut self.key);
    }
}

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

/// What bounded and unbounded receivers have in common.
macro_rules! receiver {
    ($receiver:ident) => {
        impl<T> $receiver<T> {
            /// Waits for the next item; `None` when nothing is left and nothing will come.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: no item is lost.
            pub async fn recv(&mut self) -> Option<T> {
                poll_fn(|cx| self.inlet.poll_recv(cx)).await
            }

            /// Waits for the next item, and takes up to `limit` of those that are there; says how many were put at the end of
            /// `buffer`. 0 means that nothing is left and nothing will come, or that the limit is 0.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: no item is lost.
            pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                poll_fn(|cx| self.inlet.poll_recv_many(cx, buffer, limit)).await
            }

            /// The next item if there is one.
            ///
            /// # Errors
            ///
            /// If there is none yet, or none will come.
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                self.inlet.try_recv()
            }

            /// As [`recv`](Self::recv), blocking this thread; for threads outside of async code.
            ///
            /// # Panics
            ///
            /// If it is called from async code.
            #[track_caller]
            pub fn blocking_recv(&mut self) -> Option<T> {
                runtime_core::wait_outside("mpsc::Receiver::blocking_recv", self.recv())
            }

            /// As [`recv_many`](Self::recv_many), blocking this thread; for threads outside of async code.
            ///
            /// # Panics
            ///
            /// If it is called from async code.
            #[track_caller]
            pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                let many = self.recv_many(buffer, limit);
                runtime_core::wait_outside("mpsc::Receiver::blocking_recv_many", many)
            }

            /// Polls for the next item; as [`recv`](Self::recv).
            pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
                self.inlet.poll_recv(cx)
            }

            /// Polls for the next items; as [`recv_many`](Self::recv_many).
            pub fn poll_recv_many(
                &mut self,
                cx: &mut Context<'_>,
                buffer: &mut Vec<T>,
                limit: usize,
            ) -> Poll<usize> {
                self.inlet.poll_recv_many(cx, buffer, limit)
            }

            /// Refuses what is sent from now on. What has been sent, or has a place reserved, can still be received.
            pub fn close(&mut self) {
                self.inlet.close();
            }

            /// Whether nothing more can be sent: this is closed, or no sender is left.
            pub fn is_closed(&self) -> bool {
                self.inlet.is_closed()
            }

            /// How many items are there to be received.
            pub fn len(&self) -> usize {
                self.inlet.len()
            }

            /// Whether nothing is there to be received.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// How many senders there are, without weak ones.
            pub fn sender_strong_count(&self) -> usize {
                self.inlet.chan.strong_count()
            }
        }

        /// The items, until nothing is left and nothing will come.
        impl<T> futures_core::Stream for $receiver<T> {
            type Item = T;

            fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
                self.inlet.poll_recv(cx)
            }
        }

        // The items are not pinned.
        impl<T> Unpin for $receiver<T> {}

        impl<T> fmt::Debug for $receiver<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($receiver))
                    .field("len", &self.len())
                    .field("is_closed", &self.is_closed())
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(super) use receiver;

receiver!(Receiver);
