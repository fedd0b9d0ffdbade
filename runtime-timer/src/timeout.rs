//! A future with a deadline.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::error::Elapsed;
use crate::{Instant, Sleep, context, sleep, sleep_until};

/// Waits for `future`, but no longer than `duration`.
///
/// The future is always polled first: if it is ready together with the deadline, its value wins. A
/// duration that is too long saturates. The time counts from this call, not from the first poll.
///
/// # Errors
/// [`Elapsed`] if the time is up first.
///
/// # Panics
/// The future panics when it has to wait where there is no gristmill runtime.
///
/// # Cancel safety
/// Dropping the `Timeout`, before or after the time is up, drops `future`; whether that loses anything
/// is up to `future`. To go on with it after the deadline, pass `&mut future`.
#[doc(alias = "wait_for")]
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F::IntoFuture> {
    Timeout {
        future: future.into_future(),
        sleep: sleep(duration),
        has_waited: false,
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
        has_waited: false,
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
        // Whether a poll was pending, so that the scheduler had its turn.
        has_waited: bool,
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
        let elapsed = this.sleep.poll_elapsed(cx);
        let outcome = match elapsed {
            // A loop over timeouts that elapse at once must not keep its worker to itself. One that has waited spends
            // nothing, or a future that uses all the budget up could never time out.
            Poll::Ready(timers) if !*this.has_waited => context::poll_proceed(timers, cx),
            elapsed => elapsed.map(context::let_go),
        };
        *this.has_waited = true;
        outcome.map(|()| Err(Elapsed::new()))
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::testing::{Scene, counting_waker};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_value_that_is_ready_together_with_the_deadline_wins() {
        let _scene = Scene::new();
        let mut timeout = timeout(Duration::ZERO, ready(7));

        assert_eq!(counting_waker().poll(&mut timeout), Poll::Ready(Ok(7)));
    }

    #[test]
    fn it_elapses_at_the_deadline() {
        let scene = Scene::new();
        let (task, mut timeout) = (counting_waker(), timeout(SECOND, pending::<()>()));
        assert!(task.poll(&mut timeout).is_pending());

        scene.advance(SECOND);

        assert_eq!(task.wakes(), 1);
        assert_eq!(task.poll(&mut timeout), Poll::Ready(Err(Elapsed::new())));
    }

    #[test]
    fn a_future_that_used_the_budget_up_still_times_out() {
        let scene = Scene::new();
        let (task, mut timeout) = (counting_waker(), timeout(SECOND, pending::<()>()));
        assert!(task.poll(&mut timeout).is_pending());
        scene.advance(SECOND);
        scene.refuse_polls(usize::MAX);

        assert!(task.poll(&mut timeout).is_ready());
        assert_eq!(scene.spent(), 0);
    }

    #[test]
    fn one_that_elapses_at_once_spends_budget_and_waits_its_turn_once() {
        let scene = Scene::new();
        let (task, mut timeout) = (counting_waker(), timeout(Duration::ZERO, pending::<()>()));
        scene.refuse_polls(usize::MAX);

        assert!(task.poll(&mut timeout).is_pending());
        assert_eq!(task.wakes(), 1);
        assert!(task.poll(&mut timeout).is_ready());
    }

    #[test]
    fn a_value_in_time_leaves_no_timer_behind() {
        let scene = Scene::new();
        let task = counting_waker();
        let mut timeout = timeout(SECOND, crate::sleep(SECOND / 2));
        assert!(task.poll(&mut timeout).is_pending());
        scene.advance(SECOND / 2);

        assert_eq!(task.poll(&mut timeout), Poll::Ready(Ok(())));
        drop(timeout);

        assert!(scene.timers.is_empty());
        assert_eq!(task.alive(), 0);
    }

    #[test]
    fn the_future_inside_can_be_reached_and_kept() {
        let mut timeout = timeout_at(Instant::now(), ready(1));

        *timeout.get_mut() = ready(2);

        assert_eq!(timeout.get_ref().clone().into_inner(), 2);
        assert_eq!(timeout.into_inner().into_inner(), 2);
    }
}
