//! A flag to wait for.

use super::waiters::{Key, Waiters};
use parking_lot::Mutex;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

/// A flag that tasks wait for; it can be set and cleared any number of times.
///
/// Whoever waits when it is set goes on, even if it is cleared right afterwards.
///
/// # Examples
///
/// ```
/// use gristmill::sync::Event;
/// use std::sync::Arc;
///
/// gristmill::run(async {
///     let ready = Arc::new(Event::new());
///     let waiter = gristmill::spawn({
///         let ready = Arc::clone(&ready);
///         async move { ready.wait().await }
///     });
///     ready.set();
///     assert!(ready.is_set());
///     waiter.await
/// })
/// # .unwrap();
/// ```
pub struct Event {
    /// Written under the lock.
    is_set: AtomicBool,
    waiters: Mutex<Waiters<()>>,
}

impl Event {
    /// A flag that is not set.
    pub const fn new() -> Self {
        Self {
            is_set: AtomicBool::new(false),
            waiters: Mutex::new(Waiters::new()),
        }
    }

    /// Sets the flag, and wakes all who wait.
    pub fn set(&self) {
        let mut waiters = self.waiters.lock();
        // ORDERING: Release, read by `is_set`: whoever sees the flag sees what was done before.
        self.is_set.store(true, Ordering::Release);
        let wakers = waiters.call_all();
        drop(waiters);
        wakers.wake();
    }

    /// Clears the flag: from now on tasks wait for the next [`set`](Self::set).
    pub fn clear(&self) {
        let _waiters = self.waiters.lock();
        // ORDERING: Release, as in `set`.
        self.is_set.store(false, Ordering::Release);
    }

    /// Whether the flag is set.
    pub fn is_set(&self) -> bool {
        // ORDERING: Acquire, pairs with `set`.
        self.is_set.load(Ordering::Acquire)
    }

    /// Waits until the flag is set; at once if it is.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub fn wait(&self) -> EventWait<'_> {
        EventWait {
            event: self,
            key: None,
        }
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("is_set", &self.is_set())
            .field("waiters", &self.waiters.lock().len())
            .finish()
    }
}

/// Waits for an [`Event`]; made by [`Event::wait`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct EventWait<'a> {
    event: &'a Event,
    key: Option<Key>,
}

impl Future for EventWait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        let event = self.event;
        let mut waiters = event.waiters.lock();
        let is_called = self.key.is_some_and(|key| !waiters.is_queued(key));
        if is_called || event.is_set() {
            let own = waiters.forget(&mut self.key);
            drop(waiters);
            drop(own);
            spent.made_progress();
            return Poll::Ready(());
        }
        let old = waiters.wait(&mut self.key, cx);
        drop(waiters);
        drop(old);
        Poll::Pending
    }
}

impl Drop for EventWait<'_> {
    fn drop(&mut self) {
        if self.key.is_some() {
            let own = self.event.waiters.lock().forget(&mut self.key);
            drop(own);
        }
    }
}
