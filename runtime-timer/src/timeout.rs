//! A future with a deadline.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::error::Elapsed;
use crate::{Instant, Sleep, sleep, sleep_until};

/// Waits for `future`, but no longer than `duration`.
///
/// The future is always polled first: if it is ready together with the deadline, its value wins. A duration that is too
/// long saturates. The time counts from this call, not from the first poll.
///
/// # Errors
/// [`Elapsed`] if the time is up first.
///
/// # Panics
/// The future panics when it has to wait where there is no gristmill runtime.
///
/// # Cancel safety
/// Dropping it drops `future`, as does the deadline once the `Timeout` itself is dropped: whether that loses anything
/// is up to `future`. To keep it, pass `&mut future`.
#[doc(alias = "wait_for")]
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        future: future.into_future(),
        sleep: sleep(duration),
    }
}

/// Waits for `future`, but no longer than until `deadline`. In all else like [`timeout`].
///
/// # Errors
/// [`Elapsed`] if the deadline passes first.
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        future: future.into_future(),
        sleep: sleep_until(deadline),
    }
}

pin_project! {
    /// The future of [`timeout`] and [`timeout_at`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are polled"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        sleep: Sleep,
    }
}

impl<F> Timeout<F> {
    /// The future inside.
    pub fn get_ref(&self) -> &F {
        &self.future
    }

    /// The future inside.
    pub fn get_mut(&mut self) -> &mut F {
        &mut self.future
    }

    /// The future inside, without its deadline.
    pub fn into_inner(self) -> F {
        self.future
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        // Without spending budget, or a future that has used it all up could never time out.
        this.sleep.poll_elapsed(cx).map(|_| Err(Elapsed::new()))
    }
}
