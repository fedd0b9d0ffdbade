//! The two halves of a channel for one value.
//!
//! The two halves share one allocation: a lock around what has happened so far. Whoever is left alone with it needs no lock.

use super::error::{RecvError, TryRecvError};
use parking_lot::Mutex;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

/// Makes the two halves of a channel for one value.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Mutex::new(Shared {
        stage: Stage::Open,
        receiver: None,
        sender: None,
    }));
    let sender = Sender {
        shared: Some(Arc::clone(&shared)),
    };
    (
        sender,
        Receiver {
            shared: Some(shared),
        },
    )
}

/// What both halves see.
struct Shared<T> {
    stage: Stage<T>,
    /// The task that waits for the value.
    receiver: Option<Waker>,
    /// The task that waits for the receiver to go.
    sender: Option<Waker>,
}

enum Stage<T> {
    /// Nothing has happened yet.
    Open,
    /// The value lies here until it is fetched.
    Sent(T),
    /// The sender is gone, and there is nothing to fetch (any more).
    Over,
    /// The receiver wants nothing any more.
    Closed,
}

impl<T> Shared<T> {
    /// What there is to fetch; `None` while it may still come.
    fn fetch(&mut self) -> Option<Result<T, RecvError>> {
        match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Sent(value) => Some(Ok(value)),
            Stage::Over => Some(Err(RecvError(()))),
            Stage::Open => {
                self.stage = Stage::Open;
                None
            }
            Stage::Closed => {
                self.stage = Stage::Closed;
                Some(Err(RecvError(())))
            }
        }
    }
}

/// The half that sends.
pub struct Sender<T> {
    /// `None` once it has sent.
    shared: Option<Arc<Mutex<Shared<T>>>>,
}

impl<T> Sender<T> {
    /// Sends the value. That never waits.
    ///
    /// That it was sent does not mean that it will be received: the receiver may go before it looks.
    ///
    /// # Errors
    ///
    /// If the receiver is gone or closed; the value comes back.
    pub fn send(mut self, value: T) -> Result<(), T> {
        let Some(shared) = self.shared.take() else {
            return Err(value);
        };
        let mut state = shared.lock();
        if matches!(state.stage, Stage::Closed) {
            drop(state);
            return Err(value);
        }
        state.stage = Stage::Sent(value);
        let receiver = state.receiver.take();
        let own = state.sender.take();
        drop(state);
        drop(own);
        // First, so that whoever is woken is alone with the value.
        drop(shared);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        Ok(())
    }

    /// Waits until the receiver is gone or closed. Then whoever computes the value may stop.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn closed(&mut self) {
        /// Nobody waits once this is gone.
        struct Wait<'a, T>(&'a mut Sender<T>);
        impl<T> Drop for Wait<'_, T> {
            fn drop(&mut self) {
                let shared = self.0.shared.as_ref();
                let own = shared.and_then(|shared| shared.lock().sender.take());
                drop(own);
            }
        }
        let wait = Wait(self);
        std::future::poll_fn(|cx| wait.0.poll_closed(cx)).await;
    }

    /// Polls for the receiver to go; as [`closed`](Self::closed).
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        let Some(shared) = &self.shared else {
            return Poll::Ready(());
        };
        let mut state = shared.lock();
        if matches!(state.stage, Stage::Closed) {
            spent.made_progress();
            return Poll::Ready(());
        }
        let old = replace_waker(&mut state.sender, cx);
        drop(state);
        drop(old);
        Poll::Pending
    }

    /// Whether the receiver is gone or closed.
    pub fn is_closed(&self) -> bool {
        match &self.shared {
            Some(shared) => matches!(shared.lock().stage, Stage::Closed),
            None => true,
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let Some(shared) = self.shared.take() else {
            return;
        };
        let mut state = shared.lock();
        if matches!(state.stage, Stage::Open) {
            state.stage = Stage::Over;
        }
        let (receiver, own) = (state.receiver.take(), state.sender.take());
        drop(state);
        drop(own);
        if let Some(receiver) = receiver {
            receiver.wake();
        }
    }
}

/// The half that receives: a future for the value.
///
/// # Errors
///
/// It resolves to an error if the sender goes without having sent.
///
/// # Panics
///
/// When it is polled again after it has resolved.
///
/// # Cancel safety
///
/// Awaited as `&mut receiver` it is cancel safe. Dropping the receiver itself tells the sender, which gets its value back.
#[must_use = "the sender is told that nobody wants the value when this is dropped"]
pub struct Receiver<T> {
    /// `None` once it has resolved.
    shared: Option<Arc<Mutex<Shared<T>>>>,
}

impl<T> Receiver<T> {
    /// Fetches the value if it has been sent.
    ///
    /// # Errors
    ///
    /// If it has not been sent yet, or never will be (any more).
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let Some(shared) = &self.shared else {
            return Err(TryRecvError::Closed);
        };
        let fetched = shared.lock().fetch();
        match fetched {
            None => Err(TryRecvError::Empty),
            Some(outcome) => {
                self.shared = None;
                outcome.map_err(|RecvError(())| TryRecvError::Closed)
            }
        }
    }

    /// Refuses the value from now on. One that has been sent can still be fetched.
    pub fn close(&mut self) {
        let Some(shared) = &self.shared else {
            return;
        };
        let mut state = shared.lock();
        if matches!(state.stage, Stage::Open) {
            state.stage = Stage::Closed;
        }
        let sender = state.sender.take();
        drop(state);
        if let Some(sender) = sender {
            sender.wake();
        }
    }

    /// Blocks this thread until the value comes; for threads outside of async code.
    ///
    /// # Errors
    ///
    /// If the sender goes without having sent.
    ///
    /// # Panics
    ///
    /// If it is called from async code.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        runtime_core::wait_outside("oneshot::Receiver::blocking_recv", self)
    }

    /// The outcome, without the lock, if the sender has gone already.
    fn fetch_alone(&mut self) -> Option<Result<T, RecvError>> {
        let shared = self
            .shared
            .take_if(|shared| Arc::strong_count(shared) == 1)?;
        let mut state = Arc::into_inner(shared)?.into_inner();
        // There is a sender as long as there may be something to come.
        state.fetch().or(Some(Err(RecvError(()))))
    }

    /// Whether the value has been fetched, or will never come.
    pub fn is_terminated(&self) -> bool {
        self.shared.is_none()
    }

    /// Whether there is nothing to fetch at this moment.
    pub fn is_empty(&self) -> bool {
        match &self.shared {
            Some(shared) => !matches!(shared.lock().stage, Stage::Sent(_)),
            None => true,
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        const AGAIN: &str =
            "a oneshot::Receiver was polled after it had resolved: it gives its value once";
        let spent = ready!(runtime_core::poll_proceed(cx));
        if let Some(outcome) = self.fetch_alone() {
            spent.made_progress();
            return Poll::Ready(outcome);
        }
        let shared = self.shared.as_ref().expect(AGAIN);
        let mut state = shared.lock();
        let Some(outcome) = state.fetch() else {
            let old = replace_waker(&mut state.receiver, cx);
            drop(state);
            drop(old);
            return Poll::Pending;
        };
        drop(state);
        self.shared = None;
        spent.made_progress();
        Poll::Ready(outcome)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let Some(shared) = self.shared.take() else {
            return;
        };
        let mut state = shared.lock();
        let left = mem::replace(&mut state.stage, Stage::Closed);
        let (sender, own) = (state.sender.take(), state.receiver.take());
        drop(state);
        drop((left, own));
        if let Some(sender) = sender {
            sender.wake();
        }
    }
}

/// Gives back the old waker, to be dropped without the lock.
fn replace_waker(place: &mut Option<Waker>, cx: &Context<'_>) -> Option<Waker> {
    match place {
        Some(waker) if waker.will_wake(cx.waker()) => None,
        _ => place.replace(cx.waker().clone()),
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("is_empty", &self.is_empty())
            .finish_non_exhaustive()
    }
}
