//! A result that somebody will give by hand.

use super::oneshot;
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Any error, as a promise carries it.
type Cause = Box<dyn Error + Send + Sync>;

/// The obligation to give a result; the other half, [`Promised`], is a future that awaits it.
///
/// It is kept by [`set_result`](Self::set_result) or [`set_error`](Self::set_error), each of which can happen once. Dropped unkept, it
/// is cancelled: whoever awaits it gets an error that says so.
///
/// # Examples
///
/// ```
/// use gristmill::sync::Promise;
///
/// gristmill::run(async {
///     let (promise, result) = Promise::new();
///     std::thread::spawn(move || promise.set_result(42));
///     assert_eq!(result.await?, 42);
///
///     let (promise, result) = Promise::<u32>::new();
///     promise.set_error("no such number").expect("somebody awaits it");
///     assert_eq!(result.await.unwrap_err().to_string(), "no such number");
///
///     let (promise, result) = Promise::<u32>::new();
///     drop(promise);
///     assert!(result.await.unwrap_err().is_cancelled());
///     # Ok::<(), gristmill::sync::PromiseError>(())
/// })
/// # .unwrap();
/// ```
#[derive(Debug)]
#[doc(alias = "Future")]
#[doc(alias = "create_future")]
#[must_use = "whoever awaits it is told that it was cancelled when this is dropped"]
pub struct Promise<T> {
    sender: oneshot::Sender<Result<T, Cause>>,
}

impl<T> Promise<T> {
    /// A promise, and the future that awaits it.
    pub fn new() -> (Self, Promised<T>) {
        let (sender, receiver) = oneshot::channel();
        (Self { sender }, Promised { receiver })
    }

    /// Keeps the promise.
    ///
    /// # Errors
    ///
    /// If nobody awaits it any more; the result comes back.
    pub fn set_result(self, result: T) -> Result<(), T> {
        self.sender.send(Ok(result)).map_err(|unsent| match unsent {
            Ok(result) => result,
            Err(_) => unreachable!("the result comes back as it was sent"),
        })
    }

    /// Ends the promise with an error.
    ///
    /// # Errors
    ///
    /// If nobody awaits it any more; the error comes back.
    #[doc(alias = "set_exception")]
    pub fn set_error(self, error: impl Into<Cause>) -> Result<(), Cause> {
        self.sender
            .send(Err(error.into()))
            .map_err(|unsent| match unsent {
                Err(error) => error,
                Ok(_) => unreachable!("the error comes back as it was sent"),
            })
    }

    /// Ends the promise without a result; as dropping it.
    pub fn cancel(self) {
        drop(self);
    }

    /// Whether nobody awaits it any more.
    pub fn is_abandoned(&self) -> bool {
        self.sender.is_closed()
    }

    /// Waits until nobody awaits it any more. Then whoever computes the result may stop.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn abandoned(&mut self) {
        self.sender.closed().await;
    }
}

/// Awaits a [`Promise`].
///
/// # Errors
///
/// It resolves to an error if the promise ends with one, or is cancelled.
///
/// # Panics
///
/// When it is polled again after it has resolved.
///
/// # Cancel safety
///
/// Awaited as `&mut promised` it is cancel safe. Dropping it tells the other half.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Promised<T> {
    receiver: oneshot::Receiver<Result<T, Cause>>,
}

impl<T> Promised<T> {
    /// The outcome if there is one already; `None` while there is not, and after it was taken.
    pub fn try_take(&mut self) -> Option<Result<T, PromiseError>> {
        if self.receiver.is_terminated() {
            return None;
        }
        match self.receiver.try_recv() {
            Ok(outcome) => Some(outcome.map_err(|cause| PromiseError(Some(cause)))),
            Err(oneshot::error::TryRecvError::Closed) => Some(Err(PromiseError(None))),
            Err(oneshot::error::TryRecvError::Empty) => None,
        }
    }
}

impl<T> Future for Promised<T> {
    type Output = Result<T, PromiseError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver)
            .poll(cx)
            .map(|kept| match kept {
                Ok(outcome) => outcome.map_err(|cause| PromiseError(Some(cause))),
                Err(_) => Err(PromiseError(None)),
            })
    }
}

/// A promise ended without a result.
pub struct PromiseError(
    /// `None` if it was cancelled.
    Option<Cause>,
);

impl PromiseError {
    /// Whether the promise was dropped unkept.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_none()
    }

    /// The error that the promise ended with; `None` if it was cancelled.
    pub fn into_error(self) -> Option<Cause> {
        self.0
    }

    /// The error that the promise ended with, if it is of this type.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.0.as_deref()?.downcast_ref()
    }
}

impl fmt::Debug for PromiseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(cause) => f.debug_tuple("PromiseError").field(cause).finish(),
            None => f.write_str("PromiseError(cancelled)"),
        }
    }
}

impl fmt::Display for PromiseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(cause) => cause.fmt(f),
            None => f.write_str("the promise was dropped before a result was set"),
        }
    }
}

impl Error for PromiseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_deref().and_then(|cause| cause.source())
    }
}
