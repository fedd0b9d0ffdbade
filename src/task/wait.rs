//! Waiting for some of many tasks, taking results as they come, and letting a task outlive its awaiter.

use super::gather::Indexed;
use super::{Id, JoinError, JoinHandle, spawn, unconstrained};
use crate::time::{Duration, Instant, Sleep, sleep_until};
use futures_core::Stream;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// When [`wait`] and [`try_wait`] return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitFor {
    /// As soon as a task has ended, in whatever way.
    FirstCompleted,
    /// As soon as a task has failed; when all have ended, if none does.
    #[doc(alias = "FIRST_EXCEPTION")]
    FirstError,
    /// When all tasks have ended.
    #[doc(alias = "ALL_COMPLETED")]
    All,
}

/// What [`wait`] gives: the tasks that have ended, each with its id and output, and the handles of those that have not; both in the
/// order in which they were given.
pub type DoneAndPending<T> = (Vec<(Id, Result<T, JoinError>)>, Vec<JoinHandle<T>>);

/// Waits until the first of the tasks, or all of them, have ended, and tells them apart.
///
/// No task is aborted, whatever happens: not those that are left, nor any when the time is up (see [`Wait::timeout`]), nor when
/// the returned future is dropped. [`WaitFor::FirstError`] looks for panics and aborts here; [`try_wait`] also for
/// outputs that are `Err`.
///
/// If there are no handles both lists are empty, at once.
///
/// # Examples
///
/// ```
/// use gristmill::task::{self, WaitFor};
/// use gristmill::time::{Duration, sleep};
///
/// gristmill::run(async {
///     let handles = [1, 3600].map(|seconds| {
///         gristmill::spawn(async move {
///             sleep(Duration::from_millis(seconds)).await;
///             seconds
///         })
///     });
///     let (done, pending) = task::wait(handles, WaitFor::FirstCompleted).await;
///     assert_eq!(done.len(), 1);
///     assert_eq!(done[0].1.as_ref().ok(), Some(&1));
///     for late in pending {
///         late.abort();
///     }
/// });
/// ```
///
/// # Cancel safety
///
/// Dropping the future detaches the tasks: they go on, and their outputs are lost. Await `&mut wait` to take it up again.
#[doc(alias = "FIRST_COMPLETED")]
pub fn wait<T>(handles: impl IntoIterator<Item = JoinHandle<T>>, until: WaitFor) -> Wait<T> {
    Wait::new(handles, until, Result::is_err)
}

/// As [`wait`], but an output that is `Err` is a failure too.
///
/// # Cancel safety
///
/// As of [`wait`].
pub fn try_wait<T, E>(
    handles: impl IntoIterator<Item = JoinHandle<Result<T, E>>>,
    until: WaitFor,
) -> Wait<Result<T, E>> {
    Wait::new(handles, until, |output| !matches!(output, Ok(Ok(_))))
}

/// Waits for some of many tasks; made by [`wait`] and [`try_wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct Wait<T> {
    tasks: FuturesUnordered<Indexed<T>>,
    /// With the number that the handle had among those given.
    done: Vec<(usize, Id, Result<T, JoinError>)>,
    until: WaitFor,
    is_failure: fn(&Result<T, JoinError>) -> bool,
    /// Whether a task has failed.
    has_failed: bool,
    time: Option<Sleep>,
}

impl<T> Unpin for Wait<T> {}

impl<T> Wait<T> {
    fn new(
        handles: impl IntoIterator<Item = JoinHandle<T>>,
        until: WaitFor,
        is_failure: fn(&Result<T, JoinError>) -> bool,
    ) -> Self {
        let indexed = |(index, handle)| Indexed { index, handle };
        Self {
            tasks: handles.into_iter().enumerate().map(indexed).collect(),
            done: Vec::new(),
            until,
            is_failure,
            has_failed: false,
            time: None,
        }
    }

    /// Lets the wait end after `duration` at the latest, counted from now, with whatever has ended by then. That is no error.
    pub fn timeout(self, duration: Duration) -> Self {
        let time = Some(sleep_until(Instant::now() + duration));
        Self { time, ..self }
    }

    /// Takes the tasks that have ended.
    fn take_ended(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some((index, id, output))) = self.tasks.poll_next_unpin(cx) {
            self.has_failed |= (self.is_failure)(&output);
            self.done.push((index, id, output));
        }
    }

    fn is_over(&self) -> bool {
        self.tasks.is_empty()
            || match self.until {
                WaitFor::FirstCompleted => !self.done.is_empty(),
                WaitFor::FirstError => self.has_failed,
                WaitFor::All => false,
            }
    }

    /// Takes the result out.
    fn finish(&mut self) -> DoneAndPending<T> {
        // Whatever else has ended by now is done as well, however much of this poll's budget is left.
        let look = std::future::poll_fn(|_| {
            self.take_ended(&mut Context::from_waker(Waker::noop()));
            Poll::Ready(())
        });
        let mut look = std::pin::pin!(unconstrained(look));
        let _ = look.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let mut done = std::mem::take(&mut self.done);
        done.sort_unstable_by_key(|(index, ..)| *index);
        let mut pending: Vec<_> = std::mem::take(&mut self.tasks).into_iter().collect();
        pending.sort_unstable_by_key(|task| task.index);
        (
            done.into_iter()
                .map(|(_, id, output)| (id, output))
                .collect(),
            pending.into_iter().map(|task| task.handle).collect(),
        )
    }
}

impl<T> Future for Wait<T> {
    type Output = DoneAndPending<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        this.take_ended(cx);
        let is_late = |time: &mut Sleep| Pin::new(time).poll(cx).is_ready();
        if this.is_over() || this.time.as_mut().is_some_and(is_late) {
            return Poll::Ready(this.finish());
        }
        Poll::Pending
    }
}

impl<T> fmt::Debug for Wait<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("until", &self.until)
            .field("done", &self.done.len())
            .field("pending", &self.tasks.len())
            .finish()
    }
}

/// The outputs of the futures in the order in which they are ready, as a stream.
///
/// The futures are polled by whoever polls the stream, all on that one task. For tasks of their own pass handles, as in the
/// example; dropping the stream then detaches them, while other futures are dropped with it.
///
/// # Examples
///
/// ```
/// use gristmill::stream::StreamExt;
/// use gristmill::task::as_completed;
/// use gristmill::time::{Duration, sleep};
///
/// gristmill::run(async {
///     let tasks = [30, 10, 20].map(|time| {
///         gristmill::spawn(async move {
///             sleep(Duration::from_millis(time)).await;
///             time
///         })
///     });
///     let mut ended = as_completed(tasks);
///     while let Some(time) = ended.next().await {
///         println!("{} ms", time?);
///     }
///     Ok::<(), gristmill::task::JoinError>(())
/// })
/// # .unwrap();
/// ```
///
/// # Cancel safety
///
/// Giving up a `next` loses nothing: the output stays in the stream.
pub fn as_completed<I>(futures: I) -> AsCompleted<<I::Item as IntoFuture>::IntoFuture>
where
    I: IntoIterator,
    I::Item: IntoFuture,
{
    AsCompleted {
        futures: futures.into_iter().map(I::Item::into_future).collect(),
    }
}

/// The outputs of futures as they are ready; made by [`as_completed`].
#[must_use = "streams do nothing unless polled"]
pub struct AsCompleted<F> {
    futures: FuturesUnordered<F>,
}

impl<F: Future> Stream for AsCompleted<F> {
    type Item = F::Output;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        self.futures.poll_next_unpin(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.futures.len(), Some(self.futures.len()))
    }
}

impl<F> fmt::Debug for AsCompleted<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("left", &self.futures.len())
            .finish()
    }
}

/// Runs the future to its end even if whoever awaits it is dropped or aborted meanwhile.
///
/// The future becomes a task, now; the handle gives its output. Dropping the handle, as a [`timeout`](crate::time::timeout) or an
/// abort of the awaiting task does, leaves the task running; only the runtime's shutdown ends it early. This is
/// [`spawn`](super::spawn) by the name that says why.
///
/// # Examples
///
/// ```
/// use gristmill::task::shield;
/// use gristmill::time::{Duration, sleep, timeout};
///
/// gristmill::run(async {
///     let mut commit = shield(async {
///         sleep(Duration::from_millis(20)).await;
///         "committed"
///     });
///     let early = timeout(Duration::from_millis(1), &mut commit).await;
///     assert!(early.is_err());
///     assert_eq!(commit.await?, "committed");
///     Ok::<(), gristmill::task::JoinError>(())
/// })
/// # .unwrap();
/// ```
///
/// # Panics
///
/// If there is no runtime on this thread.
///
/// # Cancel safety
///
/// Dropping the handle lets the future run on, and its output is dropped when it ends. Await `&mut handle` to take it up again.
#[track_caller]
pub fn shield<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    spawn(future)
}
