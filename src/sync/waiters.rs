//! Who waits, in the order in which they came.
//!
//! A list in one slab: joining and leaving it costs neither an allocation of its own nor a walk. It knows no lock and
//! no future; whoever owns it keeps it, together with the state that is waited for, behind one lock.
//!
//! ```text
//!    join ──▶ queued ──pop──▶ called ──leave──▶ gone
//!                │                                ▲
//!                └──────────────leave─────────────┘
//! ```
//!
//! # Invariants
//!
//! I1. A key that was given out is valid until it is handed to [`Waiters::leave`], which happens once.
//! I2. `first` and `last` and the neighbours of queued places name queued places only.

use slab::Slab;
use std::task::{Context, Waker};

/// No place: the end of the list.
const END: usize = usize::MAX;

/// The name of a place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(usize);

/// Those who wait, each with a waker and what its owner notes about it.
#[derive(Debug)]
pub(super) struct Waiters<T> {
    places: Slab<Place<T>>,
    first: usize,
    last: usize,
    queued: usize,
}

#[derive(Debug)]
struct Place<T> {
    note: T,
    /// Taken when it is called; `None` also for one that has joined without a task.
    waker: Option<Waker>,
    is_queued: bool,
    before: usize,
    after: usize,
}

impl<T> Waiters<T> {
    /// Places to keep for the next ones when all are gone.
    const KEPT: usize = 64;

    pub(super) const fn new() -> Self {
        Self {
            places: Slab::new(),
            first: END,
            last: END,
            queued: 0,
        }
    }

    /// Whether nobody is queued.
    pub(super) fn is_empty(&self) -> bool {
        self.first == END
    }

    /// How many are queued.
    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    /// How many are queued or called.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Joins at the end.
    pub(super) fn join(&mut self, note: T, waker: Option<Waker>) -> Key {
        let key = self.places.insert(Place {
            note,
            waker,
            is_queued: true,
            before: self.last,
            after: END,
        });
        match self.last {
            END => self.first = key,
            last => self.places[last].after = key,
        }
        self.last = key;
        self.queued += 1;
        Key(key)
    }

    /// Takes the one that has waited longest off the queue. Its place and note stay until it leaves.
    pub(super) fn pop(&mut self) -> Option<(&mut T, Option<Waker>)> {
        self.call(self.first)
    }

    /// Takes the one that came last off the queue.
    pub(super) fn pop_last(&mut self) -> Option<(&mut T, Option<Waker>)> {
        self.call(self.last)
    }

    fn call(&mut self, key: usize) -> Option<(&mut T, Option<Waker>)> {
        if key == END {
            return None;
        }
        self.unlink(key);
        let place = &mut self.places[key];
        Some((&mut place.note, place.waker.take()))
    }

    /// What is noted about the one that has waited longest.
    pub(super) fn first_mut(&mut self) -> Option<&mut T> {
        match self.first {
            END => None,
            first => Some(&mut self.places[first].note),
        }
    }

    /// Whether it has not been called yet.
    pub(super) fn is_queued(&self, key: Key) -> bool {
        self.places[key.0].is_queued
    }

    /// Has the task of `cx` woken when this one is called. Gives back the waker that it replaces, to be dropped without the lock.
    #[must_use = "dropped without the lock"]
    pub(super) fn set_waker(&mut self, key: Key, cx: &Context<'_>) -> Option<Waker> {
        let place = &mut self.places[key.0];
        match &place.waker {
            Some(waker) if waker.will_wake(cx.waker()) => None,
            _ => place.waker.replace(cx.waker().clone()),
        }
    }

    /// Gives up the place. The waker is to be dropped without the lock.
    pub(super) fn leave(&mut self, key: Key) -> (T, Option<Waker>) {
        if self.places[key.0].is_queued {
            self.unlink(key.0);
        }
        let place = self.places.remove(key.0);
        if self.places.is_empty() && self.places.capacity() > Self::KEPT {
            self.places = Slab::new();
        }
        (place.note, place.waker)
    }

    fn unlink(&mut self, key: usize) {
        let place = &mut self.places[key];
        place.is_queued = false;
        self.queued -= 1;
        let (before, after) = (place.before, place.after);
        match before {
            END => self.first = after,
            before => self.places[before].after = after,
        }
        match after {
            END => self.last = before,
            after => self.places[after].before = before,
        }
    }
}

impl<T> Default for Waiters<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl Waiters<()> {
    /// Calls everybody.
    pub(super) fn call_all(&mut self) -> Wakers {
        let mut wakers = Wakers::new();
        self.call_all_into(&mut wakers);
        wakers
    }

    /// Calls everybody, to be woken together with others.
    pub(super) fn call_all_into(&mut self, wakers: &mut Wakers) {
        while let Some((_, waker)) = self.pop() {
            wakers.extend(waker);
        }
    }

    /// Joins, or goes on waiting after having been called for nothing. The waker that is given back is to be dropped without the lock.
    #[must_use = "dropped without the lock"]
    pub(super) fn wait(&mut self, key: &mut Option<Key>, cx: &Context<'_>) -> Option<Waker> {
        match *key {
            Some(own) if self.is_queued(own) => self.set_waker(own, cx),
            Some(own) => {
                let (_, old) = self.leave(own);
                *key = Some(self.join((), Some(cx.waker().clone())));
                old
            }
            None => {
                *key = Some(self.join((), Some(cx.waker().clone())));
                None
            }
        }
    }

    /// Gives up the place, if there is one. The waker is to be dropped without the lock.
    #[must_use = "dropped without the lock"]
    pub(super) fn forget(&mut self, key: &mut Option<Key>) -> Option<Waker> {
        key.take().and_then(|key| self.leave(key).1)
    }
}

/// Wakers to be woken once the lock is released; the first one costs no allocation.
///
/// A waker that panics does not keep the others asleep.
#[derive(Debug, Default)]
#[must_use = "woken without the lock"]
pub(super) struct Wakers {
    first: Option<Waker>,
    rest: Vec<Waker>,
}

impl Wakers {
    pub(super) const fn new() -> Self {
        Self {
            first: None,
            rest: Vec::new(),
        }
    }

    pub(super) fn wake(mut self) {
        self.wake_all();
    }

    /// In the order in which they came.
    fn wake_all(&mut self) {
        if let Some(waker) = self.first.take() {
            waker.wake();
        }
        if !self.rest.is_empty() {
            self.rest.reverse();
            while let Some(waker) = self.rest.pop() {
                waker.wake();
            }
        }
    }
}

impl Extend<Waker> for Wakers {
    fn extend<I: IntoIterator<Item = Waker>>(&mut self, wakers: I) {
        for waker in wakers {
            if self.first.is_none() {
                self.first = Some(waker);
            } else {
                self.rest.push(waker);
            }
        }
    }
}

impl Drop for Wakers {
    fn drop(&mut self) {
        self.wake_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(waiters: &mut Waiters<u32>) -> Vec<u32> {
        std::iter::from_fn(|| waiters.pop().map(|(note, _)| *note)).collect()
    }

    #[test]
    fn they_are_called_in_the_order_in_which_they_came() {
        let mut waiters = Waiters::new();
        for n in 0..5 {
            waiters.join(n, None);
        }
        assert_eq!(order(&mut waiters), [0, 1, 2, 3, 4]);
        assert!(waiters.is_empty());
        assert_eq!(waiters.len(), 5, "a place stays until it is left");
    }

    #[test]
    fn whoever_leaves_is_not_called_wherever_it_stood() {
        for leaver in 0..5 {
            let mut waiters = Waiters::new();
            let keys: Vec<_> = (0..5).map(|n| waiters.join(n, None)).collect();
            assert_eq!(waiters.leave(keys[leaver as usize]).0, leaver);
            waiters.join(5, None);
            let expected: Vec<_> = (0..6).filter(|n| *n != leaver).collect();
            assert_eq!(order(&mut waiters), expected);
        }
    }

    #[test]
    fn the_last_one_can_be_called_first() {
        let mut waiters = Waiters::new();
        for n in 0..3 {
            waiters.join(n, None);
        }
        assert_eq!(waiters.pop_last().map(|(note, _)| *note), Some(2));
        assert_eq!(order(&mut waiters), [0, 1]);
    }

    #[test]
    fn the_memory_of_a_crowd_is_given_back() {
        let mut waiters = Waiters::new();
        let keys: Vec<_> = (0..1_000).map(|n| waiters.join(n, None)).collect();
        for key in keys {
            waiters.leave(key);
        }
        assert!(waiters.places.capacity() <= Waiters::<u32>::KEPT);
        waiters.join(7, None);
        assert_eq!(order(&mut waiters), [7]);
    }
}
