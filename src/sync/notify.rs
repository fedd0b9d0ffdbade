//! Telling one waiter, or all, that something has happened.

use super::waiters::{Key, Waiters, Wakers};
use parking_lot::Mutex;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

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
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// A `notify_one` that nobody has had yet. While it is kept nobody is queued.
    is_kept: bool,
    /// How often `notify_waiters` was called.
    calls: u64,
    waiters: Waiters<Notice>,
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

impl State {
    /// Gives a notice to one waiter, or keeps it.
    fn notify(&mut self, notice: Notice) -> Wakers {
        let called = match notice {
            Notice::Last => self.waiters.pop_last(),
            _ => self.waiters.pop(),
        };
        let mut wakers = Wakers::new();
        match called {
            Some((place, waker)) => {
                *place = notice;
                wakers.extend(waker);
            }
            None => self.is_kept = true,
        }
        wakers
    }
}

impl Notify {
    /// Nothing has happened yet.
    pub const fn new() -> Self {
        Self {
            state: Mutex::new(State {
                is_kept: false,
                calls: 0,
                waiters: Waiters::new(),
            }),
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
        let wakers = self.state.lock().notify(Notice::One);
        wakers.wake();
    }

    /// Wakes the one that came last, or lets the next one through.
    pub fn notify_last(&self) {
        let wakers = self.state.lock().notify(Notice::Last);
        wakers.wake();
    }

    /// Wakes all who wait now, also those that have called [`notified`](Self::notified) and not polled yet.
    #[doc(alias = "notify_all")]
    pub fn notify_waiters(&self) {
        let mut wakers = Wakers::new();
        let mut state = self.state.lock();
        state.calls += 1;
        while let Some((notice, waker)) = state.waiters.pop() {
            *notice = Notice::All;
            wakers.extend(waker);
        }
        drop(state);
        wakers.wake();
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        f.debug_struct("Notify")
            .field("is_kept", &state.is_kept)
            .field("waiters", &state.waiters.len())
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
            calls: notify.state.lock().calls,
        }
    }

    /// Whether a notification is here; if not, it is in the list from now on.
    fn enable(&mut self, notify: &Notify) -> bool {
        self.is_notified(&mut notify.state.lock())
    }

    fn is_notified(&mut self, state: &mut State) -> bool {
        match *self {
            Self::Done => true,
            Self::Listed(key) => !state.waiters.is_queued(key),
            Self::New { calls } => {
                if state.calls != calls || std::mem::take(&mut state.is_kept) {
                    *self = Self::Done;
                    return true;
                }
                *self = Self::Listed(state.waiters.join(Notice::None, None));
                false
            }
        }
    }

    fn poll(&mut self, notify: &Notify, cx: &mut Context<'_>) -> Poll<()> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        let mut state = notify.state.lock();
        if !self.is_notified(&mut state) {
            let Self::Listed(key) = *self else {
                unreachable!("whoever is not notified is in the list");
            };
            let old = state.waiters.set_waker(key, cx);
            drop(state);
            drop(old);
            return Poll::Pending;
        }
        // It has its notification, which passes on to nobody from now on.
        if let Self::Listed(key) = std::mem::replace(self, Self::Done) {
            let (_, waker) = state.waiters.leave(key);
            drop(state);
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
        let mut state = notify.state.lock();
        let (notice, waker) = state.waiters.leave(key);
        let wakers = match notice {
            Notice::One | Notice::Last => state.notify(notice),
            Notice::None | Notice::All => Wakers::new(),
        };
        drop(state);
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
