//! The half that sets the value.

use super::super::waiters::Key;
use super::error::SendError;
use super::receiver::{Receiver, Ref};
use super::shared::Shared;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

/// Makes a value that can be followed. The first one counts as seen.
pub fn channel<T>(initial: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(initial);
    let receiver = sender.subscribe();
    (sender, receiver)
}

/// Sets a value that is followed; clones set the same one.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Sender<T> {
    /// A value that nobody follows yet.
    pub fn new(initial: T) -> Self {
        Self {
            shared: Arc::new(Shared::new(initial)),
        }
    }

    /// Sets the value, and wakes who waits for a change.
    ///
    /// # Errors
    ///
    /// If nobody follows; the value stays as it is, and the new one comes back.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.shared.receiver_count() == 0 {
            return Err(SendError(value));
        }
        self.send_replace(value);
        Ok(())
    }

    /// Sets the value, also if nobody follows, and gives back the old one.
    pub fn send_replace(&self, mut value: T) -> T {
        self.send_modify(|old| mem::swap(old, &mut value));
        value
    }

    /// Changes the value in place, also if nobody follows. It is locked meanwhile.
    ///
    /// # Panics
    ///
    /// If `modify` does; nobody is told of the change then.
    pub fn send_modify(&self, modify: impl FnOnce(&mut T)) {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// Changes the value in place, and tells the receivers if `modify` says that it did so; gives back what it says.
    ///
    /// # Panics
    ///
    /// If `modify` does; nobody is told of the change then.
    pub fn send_if_modified(&self, modify: impl FnOnce(&mut T) -> bool) -> bool {
        let mut value = self.shared.value.write();
        if !modify(&mut value) {
            return false;
        }
        self.shared.mark_changed();
        drop(value);
        self.shared.call_followers();
        true
    }

    /// The value. It is locked for reading until the result is dropped; do not hold that for long.
    pub fn borrow(&self) -> Ref<'_, T> {
        Ref::new(self.shared.value.read(), false)
    }

    /// One more receiver. The value as it is counts as seen.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(Arc::clone(&self.shared))
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.shared.receiver_count()
    }

    /// How many senders there are.
    pub fn sender_count(&self) -> usize {
        // ORDERING: Relaxed: a number to look at.
        self.shared.senders.load(Ordering::Relaxed)
    }

    /// Waits until nobody follows.
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

    /// Whether nobody follows.
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Whether both set the same value.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        // ORDERING: Relaxed: who clones has a sender, so the count is not zero and nothing depends on it.
        self.shared.senders.fetch_add(1, Ordering::Relaxed);
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

impl<T: Default> Default for Sender<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("value", &self.shared.value.read())
            .field("receiver_count", &self.receiver_count())
            .finish()
    }
}

/// Waits until nobody follows.
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
