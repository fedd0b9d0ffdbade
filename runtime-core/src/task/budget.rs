//! How much a task may do in one poll.
//!
//! A task whose sockets, timers and channels are always ready never returns by itself. So each such
//! operation spends one unit of a budget that is renewed at every poll; once it is spent, operations answer
//! `Pending` and wake the task at once, which puts it behind the others.
//!
//! Outside of a task's poll there is no limit. An operation that turns out to be pending anyway gets its
//! unit back.
//!
//! The unit count is a choice of today: 128, as runtimes of this kind have settled on.

#[cfg(gristmill_shuttle)]
use crate::sync::CellKey as _;
use crate::sync::thread_local;
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Units per poll.
const UNITS: u8 = 128;

thread_local! {
    /// What is left; `None` outside of tasks and in unconstrained ones.
    static LEFT: Cell<Option<u8>> = const { Cell::new(None) };
}

/// Runs `f`, one poll of a task, with a fresh budget.
#[inline]
pub(crate) fn with_fresh<R>(f: impl FnOnce() -> R) -> R {
    with_left(Some(UNITS), f)
}

/// Runs `f` without a limit.
pub(crate) fn without<R>(f: impl FnOnce() -> R) -> R {
    with_left(None, f)
}

fn with_left<R>(units: Option<u8>, f: impl FnOnce() -> R) -> R {
    /// Puts the outer budget back, also when `f` panics.
    struct Restore(Option<u8>);
    impl Drop for Restore {
        #[inline]
        fn drop(&mut self) {
            LEFT.set(self.0);
        }
    }
    let _restore = Restore(LEFT.replace(units));
    f()
}

/// A unit that was spent; given back on drop unless progress was made.
#[must_use]
#[derive(Debug)]
pub struct Spent {
    before: Option<u8>,
}

impl Spent {
    /// Keeps the unit spent: the operation did something.
    #[inline]
    pub fn made_progress(mut self) {
        self.before = None;
    }
}

impl Drop for Spent {
    #[inline]
    fn drop(&mut self) {
        if self.before.is_some() {
            LEFT.set(self.before);
        }
    }
}

/// Spends a unit. Pending, with the task woken at once, if none is left.
///
/// For what is built on top of the engine and waits without a socket or timer: locks, channels, queues.
#[inline]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<Spent> {
    match LEFT.get() {
        None => Poll::Ready(Spent { before: None }),
        Some(0) => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        Some(left) => {
            LEFT.set(Some(left - 1));
            Poll::Ready(Spent { before: Some(left) })
        }
    }
}

/// Spends one unit of this task's budget, and yields to the scheduler if there is none left.
///
/// For loops that compute for long without awaiting anything that would do so.
///
/// # Cancel safety
///
/// Cancel safe.
pub async fn consume_budget() {
    poll_fn(|cx| poll_proceed(cx).map(Spent::made_progress)).await;
}

pin_project_lite::pin_project! {
    /// A future without a budget; made by [`unconstrained`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Unconstrained<F> {
        #[pin]
        future: F,
    }
}

/// Lets a future do as much in one poll as it likes.
///
/// It may keep its worker to itself for as long as it is ready; the other tasks wait.
pub fn unconstrained<F: Future>(future: F) -> Unconstrained<F> {
    Unconstrained { future }
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let future = self.project().future;
        without(|| future.poll(cx))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn spend() -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        match poll_proceed(&mut cx) {
            Poll::Ready(spent) => {
                spent.made_progress();
                true
            }
            Poll::Pending => false,
        }
    }

    #[test]
    fn a_poll_may_spend_exactly_its_units() {
        with_fresh(|| {
            for _ in 0..UNITS {
                assert!(spend());
            }
            assert!(!spend());
        });
        assert!(spend(), "no limit outside of a poll");
    }

    #[test]
    fn an_operation_without_progress_costs_nothing() {
        with_fresh(|| {
            let mut cx = Context::from_waker(Waker::noop());
            for _ in 0..1_000 {
                assert!(poll_proceed(&mut cx).is_ready());
            }
            assert!(spend());
        });
    }

    #[test]
    fn an_unconstrained_future_knows_no_limit() {
        with_fresh(|| {
            let mut cx = Context::from_waker(Waker::noop());
            let mut future = std::pin::pin!(unconstrained(async {
                for _ in 0..10_000 {
                    consume_budget().await;
                }
            }));
            assert!(future.as_mut().poll(&mut cx).is_ready());
        });
    }
}
