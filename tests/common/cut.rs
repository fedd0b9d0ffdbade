//! Drops a future after each number of polls that it may have had, to see that nothing is lost with it.

use super::CountingWaker;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// How many polls the future under test gets before it is dropped.
pub(crate) struct Cut {
    polls: usize,
    was_cut: bool,
}

/// Runs the scenario with 0 polls for its future, with 1, 2, and so on, until the future ends before it is dropped.
pub(crate) fn at_each_poll(mut scenario: impl FnMut(&mut Cut)) {
    const MOST: usize = 50;
    for polls in 0..MOST {
        let mut cut = Cut {
            polls,
            was_cut: false,
        };
        scenario(&mut cut);
        if !cut.was_cut {
            return;
        }
    }
    panic!("the future did not end within {MOST} polls");
}

impl Cut {
    /// Polls the future as often as it may be, then drops it. `between` is called with the number of polls after each that was
    /// pending, and is to bring the future a step further.
    pub(crate) fn drive<F: Future>(
        &mut self,
        future: F,
        mut between: impl FnMut(usize),
    ) -> Option<F::Output> {
        let waker = Waker::from(CountingWaker::new());
        let mut future = pin!(future);
        for poll in 1..=self.polls {
            let outcome = future.as_mut().poll(&mut Context::from_waker(&waker));
            if let Poll::Ready(output) = outcome {
                return Some(output);
            }
            between(poll);
        }
        self.was_cut = true;
        None
    }
}

/// A future that is polled by hand, and what its waker has counted.
pub(crate) struct ByHand<F> {
    future: std::pin::Pin<Box<F>>,
    waker: Arc<CountingWaker>,
}

impl<F: Future> ByHand<F> {
    pub(crate) fn new(future: F) -> Self {
        Self {
            future: Box::pin(future),
            waker: CountingWaker::new(),
        }
    }

    /// One that has been polled once, and is pending.
    #[track_caller]
    pub(crate) fn waiting(future: F) -> Self {
        let mut this = Self::new(future);
        assert!(this.poll().is_pending(), "it has to wait");
        this
    }

    pub(crate) fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(&self.waker));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    pub(crate) fn wakes(&self) -> usize {
        self.waker.wakes()
    }

    /// The output of one that has been woken and must be ready.
    #[track_caller]
    pub(crate) fn woken(mut self) -> F::Output {
        assert!(self.wakes() > 0, "it has to be woken");
        self.now()
    }

    /// The output of one that must be ready.
    #[track_caller]
    pub(crate) fn now(&mut self) -> F::Output {
        match self.poll() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it has to be ready"),
        }
    }
}

/// The output of a future that must be ready at once.
#[track_caller]
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    ByHand::new(future).now()
}

/// Polls a future once, lets others run, and drops it unless it was ready: wherever it is by then.
pub(crate) async fn fickle<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let output = futures_lite::future::poll_once(future.as_mut()).await;
    if output.is_none() {
        gristmill::task::yield_now().await;
    }
    output
}
