//! The latest items, and who has yet to receive each.
//!
//! # Invariants
//!
//! R1. Items have consecutive positions; `ring` holds those from `first` on, at most `bound` of them.
//! R2. `left` of an item is the number of receivers whose position is not past it. At 0 the item is gone.
//! R3. All of this is behind one lock. Items are cloned and dropped without it.

use super::super::waiters::{Key, Waiters, Wakers};
use super::error::TryRecvError;
use parking_lot::{Mutex, MutexGuard};
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

pub(super) struct Shared<T> {
    state: Mutex<State<T>>,
}

pub(super) struct State<T> {
    ring: VecDeque<Slot<T>>,
    /// The position of the first item of the ring.
    first: u64,
    bound: usize,
    pub(super) senders: usize,
    pub(super) receivers: usize,
    /// Receivers that wait for an item.
    waiters: Waiters<()>,
    /// Senders that wait for the receivers to go.
    closers: Waiters<()>,
}

struct Slot<T> {
    item: Option<Arc<T>>,
    left: usize,
}

impl<T> State<T> {
    /// The position of the next item.
    pub(super) fn end(&self) -> u64 {
        self.first + self.ring.len() as u64
    }

    /// One receiver less has to get the item at this position. Gives back the item, which is gone from the ring if it was the last.
    fn take(&mut self, position: u64) -> Option<Arc<T>> {
        let index = usize::try_from(position.checked_sub(self.first)?).ok()?;
        let slot = self.ring.get_mut(index)?;
        slot.left -= 1;
        if slot.left > 0 {
            return slot.item.clone();
        }
        let item = slot.item.take();
        self.trim();
        item
    }

    /// Forgets the oldest items as far as they are gone.
    fn trim(&mut self) {
        while self.ring.front().is_some_and(|slot| slot.left == 0) {
            self.ring.pop_front();
            self.first += 1;
        }
    }

    /// How many items a receiver at this position has yet to get.
    pub(super) fn ahead(&self, position: u64) -> usize {
        let from = position.max(self.first);
        usize::try_from(self.end() - from).unwrap_or(usize::MAX)
    }

    pub(super) fn len(&self) -> usize {
        self.ring.iter().filter(|slot| slot.left > 0).count()
    }
}

impl<T> Shared<T> {
    /// With one sender, and no receiver yet.
    pub(super) fn new(bound: usize) -> Self {
        Self {
            state: Mutex::new(State {
                ring: VecDeque::new(),
                first: 0,
                bound,
                senders: 1,
                receivers: 0,
                waiters: Waiters::new(),
                closers: Waiters::new(),
            }),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock()
    }

    /// Says how many receivers there are; the item comes back if there are none.
    pub(super) fn send(&self, item: T) -> Result<usize, T> {
        let item = Arc::new(item);
        let mut state = self.lock();
        let receivers = state.receivers;
        if receivers == 0 {
            drop(state);
            return Err(Arc::into_inner(item).expect("nobody else has seen it"));
        }
        let oldest = if state.ring.len() == state.bound {
            state.first += 1;
            state.ring.pop_front()
        } else {
            None
        };
        // What follows the oldest may have been gone for long.
        state.trim();
        state.ring.push_back(Slot {
            item: Some(item),
            left: receivers,
        });
        let wakers = state.waiters.call_all();
        drop(state);
        wakers.wake();
        drop(oldest);
        Ok(receivers)
    }

    /// The item at this position, which moves on.
    pub(super) fn try_recv(&self, position: &mut u64) -> Result<Arc<T>, TryRecvError> {
        let mut state = self.lock();
        Self::recv(&mut state, position)
    }

    fn recv(state: &mut State<T>, position: &mut u64) -> Result<Arc<T>, TryRecvError> {
        if *position < state.first {
            let missed = state.first - *position;
            *position = state.first;
            return Err(TryRecvError::Lagged(missed));
        }
        match state.take(*position) {
            Some(item) => {
                *position += 1;
                Ok(item)
            }
            None if state.senders == 0 => Err(TryRecvError::Closed),
            None => Err(TryRecvError::Empty),
        }
    }

    /// As [`try_recv`](Self::try_recv), waiting for an item.
    pub(super) fn poll_recv(
        &self,
        position: &mut u64,
        key: &mut Option<Key>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Arc<T>, TryRecvError>> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        let mut state = self.lock();
        let outcome = Self::recv(&mut state, position);
        if matches!(outcome, Err(TryRecvError::Empty)) {
            let old = state.waiters.wait(key, cx);
            drop(state);
            drop(old);
            return Poll::Pending;
        }
        drop(state);
        spent.made_progress();
        Poll::Ready(outcome)
    }

    pub(super) fn forget_waiter(&self, key: &mut Option<Key>) {
        if key.is_some() {
            let own = self.lock().waiters.forget(key);
            drop(own);
        }
    }

    pub(super) fn drop_sender(&self) {
        let mut state = self.lock();
        state.senders -= 1;
        let wakers = match state.senders {
            0 => state.waiters.call_all(),
            _ => Wakers::new(),
        };
        drop(state);
        wakers.wake();
    }

    /// A new receiver, which gets what is sent from now on. Gives its position.
    pub(super) fn add_receiver(&self) -> u64 {
        let mut state = self.lock();
        state.receivers += 1;
        state.end()
    }

    /// A receiver at this position goes.
    pub(super) fn drop_receiver(&self, position: u64) {
        let mut state = self.lock();
        state.receivers -= 1;
        let from = position.max(state.first);
        let unseen: Vec<_> = (from..state.end()).map(|at| state.take(at)).collect();
        let wakers = match state.receivers {
            0 => state.closers.call_all(),
            _ => Wakers::new(),
        };
        drop(state);
        drop(unseen);
        wakers.wake();
    }

    pub(super) fn poll_closed(&self, key: &mut Option<Key>, cx: &mut Context<'_>) -> Poll<()> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        let mut state = self.lock();
        if state.receivers == 0 {
            drop(state);
            spent.made_progress();
            return Poll::Ready(());
        }
        let old = state.closers.wait(key, cx);
        drop(state);
        drop(old);
        Poll::Pending
    }

    pub(super) fn forget_closer(&self, key: &mut Option<Key>) {
        if key.is_some() {
            let own = self.lock().closers.forget(key);
            drop(own);
        }
    }
}
