//! Waiting, with a mutex unlocked meanwhile, until what it guards has changed.

use super::mutex::{Mutex, MutexGuard};
use super::waiters::{Key, Waiters, Wakers};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Waits for a condition on the data of a [`Mutex`], which is unlocked while it waits.
///
/// Between the wake-up and the lock somebody else may change the data: look again, or use [`wait_while`](Self::wait_while). A
/// notification that nobody waits for is lost, as those of other condition variables. Fair: [`notify_one`](Self::notify_one) goes to
/// whoever has waited longest.
///
/// # Examples
///
/// ```
/// use gristmill::sync::{Condvar, Mutex};
/// use std::sync::Arc;
///
/// gristmill::run(async {
///     let shelf = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
///     let customer = gristmill::spawn({
///         let shelf = Arc::clone(&shelf);
///         async move {
///             let (loaves, changed) = &*shelf;
///             let mut loaves = changed.wait_while(loaves.lock().await, |loaves| loaves.is_empty()).await;
///             loaves.pop()
///         }
///     });
///     let (loaves, changed) = &*shelf;
///     loaves.lock().await.push("rye");
///     changed.notify_one();
///     assert_eq!(customer.await?, Some("rye"));
///     # Ok::<(), gristmill::task::JoinError>(())
/// })
/// # .unwrap();
/// ```
#[doc(alias = "Condition")]
pub struct Condvar {
    /// The note says whether the one that was called was so alone.
    waiters: parking_lot::Mutex<Waiters<Call>>,
}

/// How a waiter was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    NotYet,
    /// Alone: if it goes, another must be called.
    Alone,
    WithAll,
}

impl Condvar {
    /// A condition variable for which nobody waits.
    pub const fn new() -> Self {
        Self {
            waiters: parking_lot::Mutex::new(Waiters::new()),
        }
    }

    /// Unlocks the mutex, waits for a notification, and locks the mutex again.
    ///
    /// No notification is missed between the unlocking and the waiting.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, the mutex stays unlocked, and a notification for one that had reached it passes on to the next.
    pub async fn wait<'a, T: ?Sized>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        let mutex = MutexGuard::mutex(&guard);
        self.wait_unlocked(mutex, guard).await
    }

    async fn wait_unlocked<'a, T: ?Sized>(
        &self,
        mutex: &'a Mutex<T>,
        guard: MutexGuard<'a, T>,
    ) -> MutexGuard<'a, T> {
        let mut wait = Wait {
            condvar: self,
            key: Some(self.waiters.lock().join(Call::NotYet, None)),
        };
        drop(guard);
        (&mut wait).await;
        let guard = mutex.lock().await;
        // Until here the notification would have passed on.
        wait.finish();
        guard
    }

    /// Waits as long as the condition holds; at once back if it does not.
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Self::wait).
    #[doc(alias = "wait_for")]
    pub async fn wait_while<'a, T: ?Sized>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> MutexGuard<'a, T> {
        while condition(&mut guard) {
            guard = self.wait(guard).await;
        }
        guard
    }

    /// Wakes the one that has waited longest.
    pub fn notify_one(&self) {
        let wakers = call_one(&mut self.waiters.lock());
        wakers.wake();
    }

    /// Wakes all who wait now.
    pub fn notify_all(&self) {
        let mut wakers = Wakers::new();
        let mut waiters = self.waiters.lock();
        while let Some((call, waker)) = waiters.pop() {
            *call = Call::WithAll;
            wakers.extend(waker);
        }
        drop(waiters);
        wakers.wake();
    }
}

fn call_one(waiters: &mut Waiters<Call>) -> Wakers {
    let mut wakers = Wakers::new();
    if let Some((call, waker)) = waiters.pop() {
        *call = Call::Alone;
        wakers.extend(waker);
    }
    wakers
}

impl Default for Condvar {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar")
            .field("waiters", &self.waiters.lock().len())
            .finish()
    }
}

/// A place in the list, kept until the mutex is locked again.
struct Wait<'a> {
    condvar: &'a Condvar,
    key: Option<Key>,
}

impl Wait<'_> {
    /// Takes the notification.
    fn finish(mut self) {
        if let Some(key) = self.key.take() {
            let (_, waker) = self.condvar.waiters.lock().leave(key);
            drop(waker);
        }
    }
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        let mut waiters = self.condvar.waiters.lock();
        if let Some(key) = self.key.filter(|key| waiters.is_queued(*key)) {
            let old = waiters.set_waker(key, cx);
            drop(waiters);
            drop(old);
            return Poll::Pending;
        }
        drop(waiters);
        spent.made_progress();
        Poll::Ready(())
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else {
            return;
        };
        let mut waiters = self.condvar.waiters.lock();
        let (call, waker) = waiters.leave(key);
        let wakers = match call {
            Call::Alone => call_one(&mut waiters),
            Call::NotYet | Call::WithAll => Wakers::new(),
        };
        drop(waiters);
        drop(waker);
        wakers.wake();
    }
}
