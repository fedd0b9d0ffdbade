//! What all queues do, whatever their order.
//!
//! Two counts of permits: a `put` takes a place and adds to what is filled; a `get` takes from what is filled and gives the place back.
//!
//! ```text
//!    put:  places.take ──▶ push ──▶ filled.give        get:  filled.take ──▶ pop ──▶ places.give
//! ```
//!
//! # Invariants
//!
//! Q1. An item goes into the store before its permit does into `filled`: whoever has a permit finds an item.
//! Q2. `shut_down` closes both counts. Then nothing enters the store any more, and a `get` looks into the store without a permit.
//! So one that has a permit may come too late and find nothing; it then ends as a `get` that came after the others.

use super::super::permits::{Permits, Refusal};
use super::super::waiters::{Key, Waiters};
use super::error::{QueueShutDown, TryGetError, TryPutError};
use parking_lot::Mutex;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// An order of items.
pub(super) trait Store: Default {
    type Item;

    fn push(&mut self, item: Self::Item);

    /// The one whose turn it is.
    fn pop(&mut self) -> Option<Self::Item>;

    fn len(&self) -> usize;
}

/// A queue in the order of its store.
pub(super) struct Core<S> {
    /// Free places.
    places: Permits,
    /// How many there are; `None` without a bound.
    bound: Option<usize>,
    /// Items that nobody is about to get.
    filled: Permits,
    state: Mutex<State<S>>,
}

struct State<S> {
    store: S,
    /// Items put, for which nobody has called `task_done`.
    unfinished: usize,
    is_shut_down: bool,
    /// Those who wait for `unfinished` to be 0.
    joiners: Waiters<()>,
}

impl<S: Store> Core<S> {
    pub(super) fn new(bound: Option<usize>) -> Self {
        Self {
            places: Permits::new(bound.unwrap_or(Permits::MAX)),
            bound,
            filled: Permits::new(0),
            state: Mutex::new(State {
                store: S::default(),
                unfinished: 0,
                is_shut_down: false,
                joiners: Waiters::new(),
            }),
        }
    }

    pub(super) async fn put(&self, item: S::Item) -> Result<(), QueueShutDown<S::Item>> {
        match self.places.take(1).await {
            true => self.push(item).map_err(QueueShutDown),
            false => Err(QueueShutDown(item)),
        }
    }

    pub(super) fn try_put(&self, item: S::Item) -> Result<(), TryPutError<S::Item>> {
        match self.places.try_take(1) {
            Ok(()) => self.push(item).map_err(TryPutError::ShutDown),
            Err(Refusal::Closed) => Err(TryPutError::ShutDown(item)),
            Err(Refusal::NotNow) => Err(TryPutError::Full(item)),
        }
    }

    /// For whoever has a place. The item comes back if the queue was shut down meanwhile.
    fn push(&self, item: S::Item) -> Result<(), S::Item> {
        let mut state = self.state.lock();
        if state.is_shut_down {
            return Err(item);
        }
        state.store.push(item);
        state.unfinished += 1;
        drop(state);
        self.filled.give(1);
        Ok(())
    }

    pub(super) async fn get(&self) -> Result<S::Item, QueueShutDown> {
        // Closed or not: what is left is there to be got (Q2).
        self.filled.take(1).await;
        self.pop().ok_or(QueueShutDown(()))
    }

    pub(super) fn try_get(&self) -> Result<S::Item, TryGetError> {
        if self.filled.try_take(1) == Err(Refusal::NotNow) {
            return Err(TryGetError::Empty);
        }
        self.pop().ok_or(TryGetError::ShutDown)
    }

    /// `None` only after the queue was shut down.
    fn pop(&self) -> Option<S::Item> {
        let item = self.state.lock().store.pop()?;
        self.places.give(1);
        Some(item)
    }

    #[track_caller]
    pub(super) fn task_done(&self) {
        let mut state = self.state.lock();
        let Some(left) = state.unfinished.checked_sub(1) else {
            drop(state);
            panic!("task_done() was called more often than items were put into the queue");
        };
        state.unfinished = left;
        if left == 0 {
            let wakers = state.joiners.call_all();
            drop(state);
            wakers.wake();
        }
    }

    pub(super) fn join(&self) -> Join<'_, S> {
        Join {
            queue: self,
            key: None,
        }
    }

    /// Lets nothing more in; what is left can be got.
    pub(super) fn shut_down(&self) {
        self.state.lock().is_shut_down = true;
        self.places.close();
        self.filled.close();
    }

    /// Lets nothing more in, and drops what is left, as if it were done.
    pub(super) fn shut_down_now(&self) {
        let mut state = self.state.lock();
        state.is_shut_down = true;
        let left = std::mem::take(&mut state.store);
        state.unfinished -= left.len().min(state.unfinished);
        let is_done = state.unfinished == 0;
        let wakers = if is_done {
            Some(state.joiners.call_all())
        } else {
            None
        };
        drop(state);
        self.places.close();
        self.filled.close();
        drop(wakers);
        drop(left);
    }

    pub(super) fn is_shut_down(&self) -> bool {
        self.state.lock().is_shut_down
    }

    pub(super) fn len(&self) -> usize {
        self.state.lock().store.len()
    }

    pub(super) fn bound(&self) -> Option<usize> {
        self.bound
    }

    pub(super) fn unfinished(&self) -> usize {
        self.state.lock().unfinished
    }
}

impl<S: Store> fmt::Debug for Core<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        f.debug_struct("Queue")
            .field("len", &state.store.len())
            .field("bound", &self.bound)
            .field("unfinished", &state.unfinished)
            .field("is_shut_down", &state.is_shut_down)
            .finish()
    }
}

/// Waits until nothing is unfinished.
pub(super) struct Join<'a, S> {
    queue: &'a Core<S>,
    key: Option<Key>,
}

impl<S> Future for Join<'_, S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        let queue = self.queue;
        let mut state = queue.state.lock();
        // One that was called goes on, even if more has been put since.
        let is_called = self.key.is_some_and(|key| !state.joiners.is_queued(key));
        if is_called || state.unfinished == 0 {
            let own = state.joiners.forget(&mut self.key);
            drop(state);
            drop(own);
            spent.made_progress();
            return Poll::Ready(());
        }
        let old = state.joiners.wait(&mut self.key, cx);
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl<S> Drop for Join<'_, S> {
    fn drop(&mut self) {
        if self.key.is_some() {
            let own = self.queue.state.lock().joiners.forget(&mut self.key);
            drop(own);
        }
    }
}
