//! The half that sends.

use super::super::waiters::Key;
use super::error::SendError;
use super::receiver::Receiver;
use super::shared::Shared;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

/// Makes a channel that keeps the latest `bound` items.
///
/// # Panics
///
/// If the bound is 0.
#[track_caller]
pub fn channel<T: Clone>(bound: usize) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(bound);
    let receiver = sender.subscribe();
    (sender, receiver)
}

/// Sends to all receivers; clones send into the same channel.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// A channel without receivers yet, which keeps the latest `bound` items.
    ///
    /// # Panics
    ///
    /// If the bound is 0.
    #[track_caller]
    pub fn new(bound: usize) -> Self {
        assert!(
            bound > 0,
            "broadcast::channel(0) could never hold an item: give it a bound of at least 1"
        );
        Self {
            shared: Arc::new(Shared::new(bound)),
        }
    }

    /// Sends, and says to how many receivers. That never waits.
    ///
    /// # Errors
    ///
    /// If there is no receiver; the item comes back.
    pub fn send(&self, item: T) -> Result<usize, SendError<T>> {
        self.shared.send(item).map_err(SendError)
    }

    /// One more receiver, which gets what is sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(Arc::clone(&self.shared))
    }

    /// How many items some receiver has yet to get.
    pub fn len(&self) -> usize {
        self.shared.lock().len()
    }

    /// Whether every item has been received.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.shared.lock().receivers
    }

    /// Waits until there is no receiver.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn closed(&self) {
        Closed {
            shared: &self.shared,
            key: None,
        }
        .await;
    }

    /// Whether both send into the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// A sender that does not keep the channel from ending.
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender {
            shared: Arc::downgrade(&self.shared),
        }
    }

    /// How many senders there are, without weak ones.
    pub fn strong_count(&self) -> usize {
        self.shared.lock().senders
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.lock().senders += 1;
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.drop_sender();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("receiver_count", &self.receiver_count())
            .finish_non_exhaustive()
    }
}

/// A sender that does not keep the channel from ending; made by [`Sender::downgrade`].
pub struct WeakSender<T> {
    shared: Weak<Shared<T>>,
}

impl<T> WeakSender<T> {
    /// A sender, if the channel still has one.
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let shared = self.shared.upgrade()?;
        let mut state = shared.lock();
        if state.senders == 0 {
            return None;
        }
        state.senders += 1;
        drop(state);
        Some(Sender { shared })
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSender").finish_non_exhaustive()
    }
}

/// Waits until there is no receiver.
struct Closed<'a, T> {
    shared: &'a Shared<T>,
    key: Option<Key>,
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let shared = self.shared;
        shared.poll_closed(&mut self.key, cx)
    }
}

impl<T> Drop for Closed<'_, T> {
    fn drop(&mut self) {
        self.shared.forget_closer(&mut self.key);
    }
}
