//! The half that receives.

use super::super::waiters::Key;
use super::error::{RecvError, TryRecvError};
use super::shared::Shared;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Receives every item that is sent from its subscription on.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// That of the next item.
    position: u64,
}

impl<T> Receiver<T> {
    pub(super) fn new(shared: Arc<Shared<T>>) -> Self {
        let position = shared.add_receiver();
        Self { shared, position }
    }

    /// One more receiver, which gets what is sent from now on.
    pub fn resubscribe(&self) -> Self {
        Self::new(Arc::clone(&self.shared))
    }

    /// How many items are there to be received.
    pub fn len(&self) -> usize {
        self.shared.lock().ahead(self.position)
    }

    /// Whether nothing is there to be received.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no sender is left.
    pub fn is_closed(&self) -> bool {
        self.shared.lock().senders == 0
    }

    /// How many senders there are, without weak ones.
    pub fn sender_strong_count(&self) -> usize {
        self.shared.lock().senders
    }

    /// Whether both receive from the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

impl<T: Clone> Receiver<T> {
    /// Waits for the next item. The last receiver of an item gets the item itself, the others clones.
    ///
    /// # Errors
    ///
    /// If this was too slow and missed items, or all senders are gone and every item has been received.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no item is lost.
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        let next = Next {
            shared: &self.shared,
            position: &mut self.position,
            key: None,
        };
        match next.await {
            Ok(item) => Ok(Arc::unwrap_or_clone(item)),
            Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
            Err(TryRecvError::Closed | TryRecvError::Empty) => Err(RecvError::Closed),
        }
    }

    /// The next item if there is one.
    ///
    /// # Errors
    ///
    /// If there is none yet, none will come, or this was too slow and missed items.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let item = self.shared.try_recv(&mut self.position)?;
        Ok(Arc::unwrap_or_clone(item))
    }

    /// As [`recv`](Self::recv), blocking this thread; for threads outside of async code.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Panics
    ///
    /// If it is called from async code.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        runtime_core::wait_outside("broadcast::Receiver::blocking_recv", self.recv())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.drop_receiver(self.position);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Waits for the next item.
struct Next<'a, T> {
    shared: &'a Shared<T>,
    position: &'a mut u64,
    key: Option<Key>,
}

impl<T> Future for Next<'_, T> {
    type Output = Result<Arc<T>, TryRecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.shared.poll_recv(this.position, &mut this.key, cx)
    }
}

impl<T> Drop for Next<'_, T> {
    fn drop(&mut self) {
        self.shared.forget_waiter(&mut self.key);
    }
}
