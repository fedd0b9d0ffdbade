//! What the halves of a channel share, and the receiver's end of it.
//!
//! # Invariants
//!
//! J1. An item is in the list, in the receiver's batch, or with its sender; for each of the first two, and for each permit that
//! is reserved, one permit is taken.
//! J2. The receiver looks for items, and at who is left to send, under the lock, and leaves its waker there. Whoever adds an item, or
//! is the last to be able to, does that first and takes the waker under the lock afterwards. So no wake-up is lost.
//! J3. Once the receiver is gone nothing enters the list.

use super::super::permits::{Permits, Refusal};
use super::super::waiters::{Key, Waiters, Wakers};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker, ready};

/// The longest list whose memory is kept for the next items.
const KEPT: usize = 1024;

/// A channel.
pub(super) struct Chan<T> {
    /// The places that are free; closed when the receiver wants no more.
    places: Permits,
    /// How many there are; `None` for as many as one likes, which nobody counts.
    bound: Option<usize>,
    /// Those that can send; not the weak ones.
    senders: AtomicUsize,
    state: Mutex<State<T>>,
}

struct State<T> {
    items: VecDeque<T>,
    /// The task that waits for items.
    receiver: Option<Waker>,
    /// Those who wait for the receiver to close.
    closers: Waiters<()>,
    is_receiver_gone: bool,
}

/// Makes a channel with so many places, and the receiver's end of it.
pub(super) fn make<T>(bound: Option<usize>) -> (Arc<Chan<T>>, Inlet<T>) {
    let chan = Arc::new(Chan {
        places: Permits::new(bound.unwrap_or(0)),
        bound,
        senders: AtomicUsize::new(1),
        state: Mutex::new(State {
            items: VecDeque::new(),
            receiver: None,
            closers: Waiters::new(),
            is_receiver_gone: false,
        }),
    });
    let inlet = Inlet {
        chan: Arc::clone(&chan),
        batch: VecDeque::new(),
    };
    (chan, inlet)
}

impl<T> Chan<T> {
    /// Puts an item into the list; for whoever has a permit, which the item takes over.
    ///
    /// # Errors
    ///
    /// If the receiver is gone; the item comes back, and the permit with it.
    pub(super) fn push(&self, item: T) -> Result<(), T> {
        let mut state = self.state.lock();
        // Where places are counted, whoever has one may use it although the receiver has closed.
        if state.is_receiver_gone || (self.bound.is_none() && self.is_closed()) {
            drop(state);
            self.give_back(1);
            return Err(item);
        }
        state.items.push_back(item);
        let receiver = state.receiver.take();
        drop(state);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        Ok(())
    }

    /// Gives back permits that were not used.
    pub(super) fn give_back(&self, count: usize) {
        self.free(count);
        self.wake_closing_receiver();
    }

    fn free(&self, count: usize) {
        if self.bound.is_some() {
            self.places.give(count);
        }
    }

    /// A permit that comes back may be all that the receiver of a closed channel waits for.
    fn wake_closing_receiver(&self) {
        if self.is_closed() {
            self.wake_receiver();
        }
    }

    /// Takes permits if they are free and nobody waits.
    pub(super) fn try_take(&self, count: usize) -> Result<(), Refusal> {
        self.places.try_take(count)
    }

    /// Waits for permits; `false` if the receiver is gone or closed.
    pub(super) async fn take(&self, count: usize) -> bool {
        /// Goes after the request for permits, which may give some back when it is dropped.
        struct Afterwards<'a, T>(&'a Chan<T>);
        impl<T> Drop for Afterwards<'_, T> {
            fn drop(&mut self) {
                self.0.wake_closing_receiver();
            }
        }
        let _afterwards = Afterwards(self);
        self.places.take(count).await
    }

    /// How many places are free.
    pub(super) fn available(&self) -> usize {
        self.places.available()
    }

    /// How many places there are.
    pub(super) fn bound(&self) -> usize {
        self.bound.unwrap_or(Permits::MAX)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.places.is_closed()
    }

    /// Waits for the receiver to close.
    pub(super) fn poll_closed(&self, key: &mut Option<Key>, cx: &mut Context<'_>) -> Poll<()> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        let mut state = self.state.lock();
        if self.is_closed() {
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
            let own = self.state.lock().closers.forget(key);
            drop(own);
        }
    }

    pub(super) fn add_sender(&self) {
        // ORDERING: Relaxed: who clones has a sender, so the count is not zero and nothing depends on it.
        self.senders.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds a sender unless there is none left.
    pub(super) fn revive_sender(&self) -> bool {
        // ORDERING: Relaxed, as in `add_sender`: the channel's state is read under its lock.
        self.senders
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                (count > 0).then_some(count + 1)
            })
            .is_ok()
    }

    pub(super) fn drop_sender(&self) {
        // ORDERING: AcqRel, read in `is_over`: whoever sees that none is left sees what all of them sent.
        if self.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.wake_receiver();
        }
    }

    pub(super) fn strong_count(&self) -> usize {
        // ORDERING: Relaxed: a number to look at.
        self.senders.load(Ordering::Relaxed)
    }

    fn wake_receiver(&self) {
        let receiver = self.state.lock().receiver.take();
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }

    /// Whether nothing can enter the list any more; under the lock.
    fn is_over(&self) -> bool {
        // ORDERING: Acquire, pairs with `drop_sender`.
        let is_alone = self.senders.load(Ordering::Acquire) == 0;
        // Each permit that is out is an item, or may become one (J1).
        let all_back = self.bound.is_none_or(|bound| self.available() == bound);
        is_alone || (self.is_closed() && all_back)
    }

    /// Lets nothing more in but what has a permit.
    fn close(&self) {
        self.places.close();
        let wakers = self.state.lock().closers.call_all();
        wakers.wake();
    }
}

/// The receiver's end: items that it took at once, and hands out one by one.
pub(super) struct Inlet<T> {
    pub(super) chan: Arc<Chan<T>>,
    batch: VecDeque<T>,
}

/// What a look into the channel found.
enum Found<T> {
    Item(T),
    Nothing,
    Over,
}

impl<T> Inlet<T> {
    /// The next item, by way of the batch. With `cx`, the task is woken when there is one.
    fn look(&mut self, cx: Option<&Context<'_>>) -> Found<T> {
        if let Some(item) = self.next_of_batch() {
            return Found::Item(item);
        }
        let mut state = self.chan.state.lock();
        if !state.items.is_empty() {
            let kept = if self.batch.capacity() > KEPT {
                VecDeque::new()
            } else {
                mem::take(&mut self.batch)
            };
            self.batch = mem::replace(&mut state.items, kept);
            drop(state);
            return match self.next_of_batch() {
                Some(item) => Found::Item(item),
                None => Found::Nothing,
            };
        }
        if self.chan.is_over() {
            return Found::Over;
        }
        if let Some(cx) = cx {
            let old = match &state.receiver {
                Some(waker) if waker.will_wake(cx.waker()) => None,
                _ => state.receiver.replace(cx.waker().clone()),
            };
            drop(state);
            drop(old);
        }
        Found::Nothing
    }

    fn next_of_batch(&mut self) -> Option<T> {
        let item = self.batch.pop_front()?;
        self.chan.free(1);
        Some(item)
    }

    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        let outcome = match self.look(Some(cx)) {
            Found::Item(item) => Some(item),
            Found::Over => None,
            Found::Nothing => return Poll::Pending,
        };
        spent.made_progress();
        Poll::Ready(outcome)
    }

    /// As [`poll_recv`](Self::poll_recv) for up to `limit` items; says how many, 0 when the channel is over.
    pub(super) fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        if limit == 0 {
            return Poll::Ready(0);
        }
        let Some(first) = ready!(self.poll_recv(cx)) else {
            return Poll::Ready(0);
        };
        buffer.push(first);
        let mut count = 1;
        while count < limit {
            let Found::Item(item) = self.look(None) else {
                break;
            };
            buffer.push(item);
            count += 1;
        }
        Poll::Ready(count)
    }

    /// Nobody waits any more.
    #[cold]
    pub(super) fn forget_waker(&self) {
        let own = self.chan.state.lock().receiver.take();
        drop(own);
    }

    /// `None` if nothing is there yet, an error if nothing will come.
    pub(super) fn try_recv(&mut self) -> Result<T, super::error::TryRecvError> {
        match self.look(None) {
            Found::Item(item) => Ok(item),
            Found::Nothing => Err(super::error::TryRecvError::Empty),
            Found::Over => Err(super::error::TryRecvError::Disconnected),
        }
    }

    pub(super) fn close(&mut self) {
        self.chan.close();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.chan.is_closed() || self.chan.strong_count() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.batch.len() + self.chan.state.lock().items.len()
    }
}

impl<T> Drop for Inlet<T> {
    /// Drops what was sent and not received, so that nobody waits for an answer to it.
    fn drop(&mut self) {
        self.chan.places.close();
        let mut state = self.chan.state.lock();
        state.is_receiver_gone = true;
        let items = mem::take(&mut state.items);
        let own = state.receiver.take();
        let closers: Wakers = state.closers.call_all();
        drop(state);
        closers.wake();
        drop((items, own));
    }
}
