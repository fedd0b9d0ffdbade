//! A bound on how long to wait for each item of a stream.

use crate::time::error::Elapsed;
use crate::time::{self, Duration};
use futures_core::Stream;
use std::convert::Infallible;
use std::future::{Pending, pending};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Bounds the time that a stream takes; in scope, its method is there on every stream.
pub trait TimeoutExt: Stream {
    /// Gives an error whenever the next item has not come `duration` after it was first asked for. The stream goes on
    /// afterwards, with a new bound.
    ///
    /// # Examples
    ///
    /// ```
    /// use gristmill::stream::{StreamExt, TimeoutExt, iter, pending};
    /// use gristmill::time::Duration;
    ///
    /// gristmill::run(async {
    ///     let mut items = iter([1]).chain(pending()).timeout(Duration::from_millis(1));
    ///     assert_eq!(items.next().await, Some(Ok(1)));
    ///     assert!(items.next().await.is_some_and(|item| item.is_err()));
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// The stream panics when it has to wait where there is no gristmill runtime.
    ///
    /// # Cancel safety
    ///
    /// Giving up a `next` loses no item; the bound goes on counting.
    fn timeout(self, duration: Duration) -> Timeout<Self>
    where
        Self: Sized,
    {
        Timeout {
            stream: self,
            duration,
            bound: None,
        }
    }
}

impl<S: Stream + ?Sized> TimeoutExt for S {}

pin_project_lite::pin_project! {
    /// A stream whose items come in time or are errors; made by [`TimeoutExt::timeout`].
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Timeout<S> {
        #[pin]
        stream: S,
        duration: Duration,
        // Until the item that was asked for is late.
        bound: Option<time::Timeout<Pending<Infallible>>>,
    }
}

impl<S: Stream> Stream for Timeout<S> {
    type Item = Result<S::Item, Elapsed>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        if let Poll::Ready(item) = this.stream.poll_next(cx) {
            *this.bound = None;
            return Poll::Ready(item.map(Ok));
        }
        let bound = this
            .bound
            .get_or_insert_with(|| time::timeout(*this.duration, pending()));
        let Err(elapsed) = ready!(Pin::new(bound).poll(cx));
        *this.bound = None;
        Poll::Ready(Some(Err(elapsed)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // Any number of errors may stand between the items.
        (self.stream.size_hint().0, None)
    }
}
