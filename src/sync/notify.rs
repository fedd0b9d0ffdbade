//! Telling one waiter, or all, that something has happened.
//!
//! One word says whether a notification is kept, whether somebody waits, and how often all were notified. While nobody waits it is
//! all that is touched.
//!
//! # Invariants
//!
//! N1. WAITED is set exactly while the list has somebody queued. It changes under the lock only.
//! N2. KEPT and WAITED are never both set.
//!
//! # Edges
//!
//! N3. A notification (release, by the word or the lock) happens before the wait that it ends (acquire).

use super::waiters::{Key, Waiters, Wakers};
use parking_lot::Mutex;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

/// A `notify_one` that nobody has had yet.
const KEPT: u64 = 0b01;
/// Somebody is in the list.
const WAITED: u64 = 0b10;
/// One call of `notify_waiters`; the rest of the word counts them.
const CALL: u64 = 0b100;

/// Wakes tasks that wait for something to happen; carries no data.
///
/// [`notify_one`](Self::notify_one) is kept for the next one if nobody waits; never more than one is kept.
/// [`notify_waiters`](Self::notify_waiters) reaches those who wait now, and is not kept.
///
/// Fair: `notify_one` goes to whoever has waited longest.
///
/// # Examples
///
/// ```
/// use gristmill::sync::Notify;
/// use std::sync::Arc;
///
/// gristmill::run(async {
///     let bell = Arc::new(Notify::new());
///     let sleeper = gristmill::spawn({
///         let bell = Arc::clone(&bell);
///         async move { bell.notified().await }
///     });
///     // Not lost, even if the other task has not begun to wait.
///     bell.notify_one();
///     sleeper.await
/// })
/// # .unwrap();
/// ```
///
/// To look at a condition without missing a `notify_waiters` between the look and the wait, make the future first:
///
/// ```
/// use gristmill::sync::Notify;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// async fn wait_until_open(is_open: &AtomicBool, changed: &Notify) {
///     loop {
///         let notified = changed.notified();
///         if is_open.load(Ordering::SeqCst) {
///             return;
///         }
///         notified.await;
///     }
/// }
/// # gristmill::run(wait_until_open(&AtomicBool::new(true), &Notify::new()));
/// ```
pub struct Notify {
    /// KEPT, WAITED, and the count of calls.
    word: AtomicU64,
    waiters: Mutex<Waiters<Notice>>,
}

/// What reached a waiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notice {
    None,
    /// A `notify_one`; it must reach somebody.
    One,
    /// The same by `notify_last`.
    Last,
    All,
}

impl Notify {
    /// Nothing has happened yet.
    pub const fn new() -> Self {
        Self {
            word: AtomicU64::new(0),
            waiters: Mutex::new(Waiters::new()),
        }
    }

    /// As [`new`](Self::new), under the name that it has elsewhere for statics.
    pub const fn const_new() -> Self {
        Self::new()
    }

    /// Waits for a notification.
    ///
    /// A `notify_waiters` counts from this call on, a `notify_one` from the first poll, or from [`Notified::enable`].
    pub fn notified(&self) -> Notified<'_> {
        Notified {
            wait: Wait::new(self),
            notify: self,
        }
    }

    /// As [`notified`](Self::notified), with a future that keeps this alive.
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        OwnedNotified {
            wait: Wait::new(&self),
            notify: self,
        }
    }

    /// Wakes the one that has waited longest, or lets the next one through.
    pub fn notify_one(&self) {
        self.notify(Notice::One);
    }

    /// Wakes the one that came last, or lets the next one through.
    pub fn notify_last(&self) {
        self.notify(Notice::Last);
    }

    /// Wakes all who wait now, also those that have called [`notified`](Self::notified) and not polled yet.
    #[doc(alias = "notify_all")]
    pub fn notify_waiters(&self) {
        let mut wakers = Wakers::new();
        let mut waiters = self.waiters.lock();
        let _ = self.update(|word| Some(word.wrapping_add(CALL) & !WAITED));
        while let Some((notice, waker)) = waiters.pop() {
            *notice = Notice::All;
            wakers.extend(waker);
        }
        drop(waiters);
        wakers.wake();
    }

    /// Gives a notice to one waiter, or keeps it.
    fn notify(&self, notice: Notice) {
        if self.keep() {
            return;
        }
        let mut waiters = self.waiters.lock();
        let wakers = self.give(&mut waiters, notice);
        drop(waiters);
        wakers.wake();
    }

    /// Keeps a notification if nobody waits; `false` if somebody does.
    fn keep(&self) -> bool {
        self.update(|word| (word & WAITED == 0).then_some(word | KEPT))
            .is_some()
    }

    /// As [`notify`](Self::notify), under the lock.
    fn give(&self, waiters: &mut Waiters<Notice>, notice: Notice) -> Wakers {
        let called = match notice {
            Notice::Last => waiters.pop_last(),
            _ => waiters.pop(),
        };
        let mut wakers = Wakers::new();
        match called {
            Some((place, waker)) => {
                *place = notice;
                wakers.extend(waker);
                self.settle(waiters);
            }
            None => {
                let is_kept = self.keep();
                debug_assert!(is_kept, "nobody waits (N1)");
            }
        }
        wakers
    }

    /// Clears WAITED if nobody is queued any more; under the lock.
    fn settle(&self, waiters: &Waiters<Notice>) {
        if waiters.is_empty() {
            let _ = self.update(|word| Some(word & !WAITED));
        }
    }

    /// The count of calls in the word.
    fn calls(&self) -> u64 {
        // ORDERING: Acquire, edge N3.
        self.word.load(Ordering::Acquire) / CALL
    }

    /// Has the notification that is here for a wait that began after so many calls.
    fn take(&self, calls: u64) -> bool {
        let before = self.update(|word| match word / CALL == calls {
            true => (word & KEPT != 0).then_some(word & !KEPT),
            false => Some(word),
        });
        before.is_some()
    }

    /// Applies `change` to the word until nobody interferes. Gives back the word before, or `None` as `change` does.
    fn update(&self, change: impl Fn(u64) -> Option<u64>) -> Option<u64> {
        // ORDERING: AcqRel, edge N3; Relaxed for what is only tried again, or not taken.
        self.word
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, change)
            .ok()
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ORDERING: Relaxed: to look at.
        let word = self.word.load(Ordering::Relaxed);
        f.debug_struct("Notify")
            .field("is_kept", &(word & KEPT != 0))
            .field("is_waited_for", &(word & WAITED != 0))
            .finish()
    }
}

/// One wait, apart from what is waited for.
#[derive(Debug)]
enum Wait {
    /// Not in the list; with the count of calls when it was made.
    New {
        calls: u64,
    },
    Listed(Key),
    Done,
}

impl Wait {
    fn new(notify: &Notify) -> Self {
        Self::New {
            calls: notify.calls(),
        }
    }

    /// Whether a notification is here; if not, it is in the list from now on.
    fn enable(&mut self, notify: &Notify) -> bool {
        self.has_it_already(notify) || self.is_notified(notify, &mut notify.waiters.lock())
    }

    /// Whether a notification is here for one that is not in the list.
    fn has_it_already(&mut self, notify: &Notify) -> bool {
        match *self {
            Self::Done => true,
            Self::Listed(_) => false,
            Self::New { calls } => {
                let has_it = notify.take(calls);
                if has_it {
                    *self = Self::Done;
                }
                has_it
            }
        }
    }

    /// As [`enable`](Self::enable), under the lock.
    fn is_notified(&mut self, notify: &Notify, waiters: &mut Waiters<Notice>) -> bool {
        let calls = match *self {
            Self::Done => return true,
            Self::Listed(key) => return !waiters.is_queued(key),
            Self::New { calls } => calls,
        };
        // Either it has its notification, or nothing was there when WAITED was set.
        let set_waited = |word| {
            let is_nothing_here = word / CALL == calls && word & KEPT == 0;
            is_nothing_here.then_some(word | WAITED)
        };
        while notify.update(set_waited).is_none() {
            if notify.take(calls) {
                *self = Self::Done;
                return true;
            }
        }
        *self = Self::Listed(waiters.join(Notice::None, None));
        false
    }

    fn poll(&mut self, notify: &Notify, cx: &mut Context<'_>) -> Poll<()> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        if self.has_it_already(notify) {
            spent.made_progress();
            return Poll::Ready(());
        }
        let mut waiters = notify.waiters.lock();
        if !self.is_notified(notify, &mut waiters) {
            let Self::Listed(key) = *self else {
                unreachable!("whoever is not notified is in the list");
            };
            let old = waiters.set_waker(key, cx);
            drop(waiters);
            drop(old);
            return Poll::Pending;
        }
        // It has its notification, which passes on to nobody from now on.
        if let Self::Listed(key) = std::mem::replace(self, Self::Done) {
            let (_, waker) = waiters.leave(key);
            drop(waiters);
            drop(waker);
        }
        spent.made_progress();
        Poll::Ready(())
    }

    /// Leaves the list. A notification meant for one passes on to the next.
    fn abandon(&mut self, notify: &Notify) {
        let Self::Listed(key) = std::mem::replace(self, Self::Done) else {
            return;
        };
        let mut waiters = notify.waiters.lock();
        let (notice, waker) = waiters.leave(key);
        let wakers = match notice {
            Notice::One | Notice::Last => notify.give(&mut waiters, notice),
            Notice::None | Notice::All => {
                notify.settle(&waiters);
                Wakers::new()
            }
        };
        drop(waiters);
        drop(waker);
        wakers.wake();
    }
}

/// Waits for a notification; made by [`Notify::notified`].
///
/// # Cancel safety
///
/// Cancel safe: a notification for one that had reached it passes on to the next.
#[must_use = "futures do nothing unless awaited"]
pub struct Notified<'a> {
    notify: &'a Notify,
    wait: Wait,
}

/// Waits for a notification of a [`Notify`] that it keeps alive; made by [`Notify::notified_owned`].
///
/// # Cancel safety
///
/// As [`Notified`].
#[must_use = "futures do nothing unless awaited"]
pub struct OwnedNotified {
    notify: Arc<Notify>,
    wait: Wait,
}

/// What both do.
macro_rules! wait_for_notification {
    ($($notified:ty),*) => {$(
        impl $notified {
            /// Begins to wait without being polled, so that no `notify_one` from now on is missed.
            ///
            /// Says whether a notification is here already; the next poll is ready then.
            pub fn enable(self: Pin<&mut Self>) -> bool {
                let this = self.get_mut();
                this.wait.enable(&this.notify)
            }
        }

        impl Future for $notified {
            type Output = ();

            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
                let this = self.get_mut();
                this.wait.poll(&this.notify, cx)
            }
        }

        impl Drop for $notified {
            fn drop(&mut self) {
                self.wait.abandon(&self.notify);
            }
        }

        impl fmt::Debug for $notified {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($notified)).field("wait", &self.wait).finish_non_exhaustive()
            }
        }
    )*};
}

wait_for_notification!(Notified<'_>, OwnedNotified);
