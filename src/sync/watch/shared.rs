//! What senders and receivers share.
//!
//! # Invariants
//!
//! V1. The version changes under the lock of the value, after the value: a version that is read with the value is that value's.
//! V2. A receiver compares versions and looks whether senders are left, under the lock of the list, before it waits there. Whoever
//! changes one of these does so before taking that lock to call the list. So no change is missed.

use super::super::waiters::{Key, Waiters};
use parking_lot::{Mutex, RwLock};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

pub(super) struct Shared<T> {
    pub(super) value: RwLock<T>,
    version: AtomicU64,
    pub(super) senders: AtomicUsize,
    pub(super) receivers: AtomicUsize,
    /// Receivers that wait for a change.
    followers: Mutex<Waiters<()>>,
    /// Senders that wait for the receivers to go.
    closers: Mutex<Waiters<()>>,
}

impl<T> Shared<T> {
    /// With one sender, and no receiver yet.
    pub(super) fn new(value: T) -> Self {
        Self {
            value: RwLock::new(value),
            version: AtomicU64::new(0),
            senders: AtomicUsize::new(1),
            receivers: AtomicUsize::new(0),
            followers: Mutex::new(Waiters::new()),
            closers: Mutex::new(Waiters::new()),
        }
    }

    pub(super) fn version(&self) -> u64 {
        // ORDERING: Acquire, pairs with `mark_changed`; the value itself is behind its lock (V1).
        self.version.load(Ordering::Acquire)
    }

    /// Under the lock of the value.
    pub(super) fn mark_changed(&self) {
        // ORDERING: Release, read by `version`.
        self.version.fetch_add(1, Ordering::Release);
    }

    pub(super) fn call_followers(&self) {
        let wakers = self.followers.lock().call_all();
        wakers.wake();
    }

    pub(super) fn is_alone(&self) -> bool {
        // ORDERING: Acquire, pairs with `drop_sender`: whoever sees no sender sees the last version.
        self.senders.load(Ordering::Acquire) == 0
    }

    pub(super) fn drop_sender(&self) {
        // ORDERING: AcqRel, read by `is_alone`.
        if self.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.call_followers();
        }
    }

    pub(super) fn receiver_count(&self) -> usize {
        // ORDERING: Acquire, pairs with `drop_receiver`.
        self.receivers.load(Ordering::Acquire)
    }

    pub(super) fn add_receiver(&self) {
        // ORDERING: Relaxed: who adds one has a reference, and nothing depends on the count.
        self.receivers.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn drop_receiver(&self) {
        // ORDERING: AcqRel, read by `receiver_count`.
        if self.receivers.fetch_sub(1, Ordering::AcqRel) == 1 {
            let wakers = self.closers.lock().call_all();
            wakers.wake();
        }
    }

    /// Waits until the version is not `seen`; `None` when no sender is left to change it.
    pub(super) fn poll_changed(
        &self,
        seen: u64,
        key: &mut Option<Key>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<u64>> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        let mut followers = self.followers.lock();
        // First whether it is alone: what the last sender sent comes before that.
        let is_alone = self.is_alone();
        let version = self.version();
        if version != seen || is_alone {
            drop(followers);
            spent.made_progress();
            return Poll::Ready((version != seen).then_some(version));
        }
        let old = followers.wait(key, cx);
        drop(followers);
        drop(old);
        Poll::Pending
    }

    /// Waits until there are no receivers.
    pub(super) fn poll_closed(&self, key: &mut Option<Key>, cx: &mut Context<'_>) -> Poll<()> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        let mut closers = self.closers.lock();
        if self.receiver_count() == 0 {
            drop(closers);
            spent.made_progress();
            return Poll::Ready(());
        }
        let old = closers.wait(key, cx);
        drop(closers);
        drop(old);
        Poll::Pending
    }

    pub(super) fn forget_follower(&self, key: &mut Option<Key>) {
        if key.is_some() {
            let own = self.followers.lock().forget(key);
            drop(own);
        }
    }

    pub(super) fn forget_closer(&self, key: &mut Option<Key>) {
        if key.is_some() {
            let own = self.closers.lock().forget(key);
            drop(own);
        }
    }
}
