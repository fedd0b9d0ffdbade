//! Many futures as tasks, their outputs in the order of the futures.
//!
//! [`Gather`] awaits its tasks one after the other: it needs all of them, so in which order they end makes no difference, and one
//! waker on one handle is all that it takes. [`TryGather`] has to see the first failure, so it watches all of them.

use super::{AbortHandle, Id, JoinError, JoinHandle, spawn};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::any::Any;
use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Runs each of the futures as a task, and gives all their outputs, in the order of the futures.
///
/// The tasks start now, not at the first await. Errors, that is panics and aborts, are collected like values: each takes the place
/// of the output that it stands for, and the other tasks go on. To stop at the first failure, use [`try_gather`]; for futures
/// that borrow, or that are few and of several types, [`join!`](crate::join).
///
/// Dropping the returned future aborts the tasks that have not ended.
///
/// # Examples
///
/// ```
/// use gristmill::task::gather;
/// use gristmill::time::{Duration, sleep};
///
/// gristmill::run(async {
///     let outputs = gather((0..3).map(async |n| {
///         sleep(Duration::from_millis(3 - n)).await;
///         10 * n
///     }))
///     .await;
///     let numbers: Result<Vec<u64>, _> = outputs.into_iter().collect();
///     assert_eq!(numbers?, [0, 10, 20]);
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
/// Awaiting `&mut gather` can be given up and taken up again; nothing is lost.
#[doc(alias = "return_exceptions")]
#[track_caller]
pub fn gather<I>(futures: I) -> Gather<<I::Item as Future>::Output>
where
    I: IntoIterator,
    I::Item: Future + Send + 'static,
    <I::Item as Future>::Output: Send + 'static,
{
    // In a loop and not in `map`, so that the spawn site is that of the caller.
    let futures = futures.into_iter();
    let mut handles = Vec::with_capacity(futures.size_hint().0);
    for future in futures {
        handles.push(spawn(future));
    }
    Gather {
        outputs: Vec::with_capacity(handles.len()),
        waiting: handles.into_iter(),
        current: None,
    }
}

/// The outputs of many tasks, in order; made by [`gather`].
#[must_use = "dropping it aborts the tasks"]
pub struct Gather<T> {
    /// Those of the tasks that were awaited.
    outputs: Vec<Result<T, JoinError>>,
    /// The task that is being awaited.
    current: Option<JoinHandle<T>>,
    /// The tasks behind it.
    waiting: std::vec::IntoIter<JoinHandle<T>>,
}

impl<T> Unpin for Gather<T> {}

impl<T> Gather<T> {
    /// Aborts the tasks that have not ended. Awaited afterwards, this gives the outputs of those that had, and an error for each
    /// of the others.
    #[doc(alias = "cancel")]
    #[track_caller]
    pub fn abort_all(&self) {
        // In a loop and not in `for_each`, so that the place is that of the caller.
        for task in self.waiting.as_slice().iter().chain(&self.current) {
            task.abort();
        }
    }
}

impl<T> Future for Gather<T> {
    type Output = Vec<Result<T, JoinError>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            if this.current.is_none() {
                this.current = this.waiting.next();
            }
            let Some(current) = &mut this.current else {
                return Poll::Ready(std::mem::take(&mut this.outputs));
            };
            let output = ready!(Pin::new(current).poll(cx));
            this.current = None;
            this.outputs.push(output);
        }
    }
}

impl<T> Drop for Gather<T> {
    fn drop(&mut self) {
        self.abort_all();
    }
}

impl<T> fmt::Debug for Gather<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather")
            .field("ended", &self.outputs.len())
            .finish_non_exhaustive()
    }
}

/// Runs each of the futures as a task, and gives all their values, in the order of the futures, or the first error.
///
/// The tasks start now, not at the first await. At the first error that is seen while this is awaited, the other tasks are aborted,
/// and their end is awaited before the error is given: no task is left. Further errors are dropped; [`TaskGroup`](super::TaskGroup) collects them.
///
/// Dropping the returned future aborts the tasks that have not ended.
///
/// # Examples
///
/// ```
/// use gristmill::task::try_gather;
///
/// gristmill::run(async {
///     let parse = |texts: &'static [&'static str]| {
///         try_gather(texts.iter().map(async |text| text.parse::<u32>()))
///     };
///     assert_eq!(parse(&["1", "2", "3"]).await, Ok(vec![1, 2, 3]));
///     assert!(parse(&["1", "two", "3"]).await.is_err());
/// });
/// ```
///
/// # Panics
///
/// If there is no runtime on this thread. When a task panics the others are aborted, as with an error, and the panic goes on in
/// whoever awaits; also if a task was dropped by the shutdown of its runtime.
///
/// # Errors
///
/// The first error, in time, of a future.
///
/// # Cancel safety
///
/// Awaiting `&mut try_gather` can be given up and taken up again; nothing is lost.
#[track_caller]
pub fn try_gather<I, T, E>(futures: I) -> TryGather<T, E>
where
    I: IntoIterator,
    I::Item: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let tasks = FuturesUnordered::new();
    let mut aborts = Vec::new();
    for (index, future) in futures.into_iter().enumerate() {
        let handle = spawn(future);
        aborts.push(handle.abort_handle());
        tasks.push(Indexed { index, handle });
    }
    TryGather {
        values: aborts.iter().map(|_| None).collect(),
        aborts,
        tasks,
        failure: None,
    }
}

/// The values of many tasks, in order, or the first error; made by [`try_gather`].
#[must_use = "dropping it aborts the tasks"]
pub struct TryGather<T, E> {
    tasks: FuturesUnordered<Indexed<Result<T, E>>>,
    /// Of all the tasks, those included that have ended.
    aborts: Vec<AbortHandle>,
    /// One place for each task.
    values: Vec<Option<T>>,
    /// The first; from then on the tasks are only awaited.
    failure: Option<Failure<E>>,
}

/// Why there will be no values.
enum Failure<E> {
    Error(E),
    Panic(Box<dyn Any + Send>),
    /// The runtime of the tasks has shut down.
    Lost(JoinError),
}

impl<T, E> Unpin for TryGather<T, E> {}

impl<T, E> TryGather<T, E> {
    fn fail(&mut self, failure: Failure<E>) {
        if self.failure.is_none() {
            self.failure = Some(failure);
            self.aborts.iter().for_each(AbortHandle::abort);
        }
    }
}

impl<T, E> Future for TryGather<T, E> {
    type Output = Result<Vec<T>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        while let Some((index, _, output)) = ready!(this.tasks.poll_next_unpin(cx)) {
            match output {
                Ok(Ok(value)) => this.values[index] = Some(value),
                Ok(Err(error)) => this.fail(Failure::Error(error)),
                Err(error) => this.fail(match error.try_into_panic() {
                    Ok(payload) => Failure::Panic(payload),
                    Err(error) => Failure::Lost(error),
                }),
            }
        }
        this.aborts.clear();
        match this.failure.take() {
            None => Poll::Ready(Ok(this.values.drain(..).flatten().collect())),
            Some(Failure::Error(error)) => Poll::Ready(Err(error)),
            Some(Failure::Panic(payload)) => resume_unwind(payload),
            Some(Failure::Lost(error)) => panic!("{error}"),
        }
    }
}

impl<T, E> Drop for TryGather<T, E> {
    fn drop(&mut self) {
        self.aborts.iter().for_each(AbortHandle::abort);
    }
}

impl<T, E> fmt::Debug for TryGather<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryGather")
            .field("running", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

/// A task among others, by its number.
pub(super) struct Indexed<T> {
    pub(super) index: usize,
    pub(super) handle: JoinHandle<T>,
}

impl<T> Future for Indexed<T> {
    type Output = (usize, Id, Result<T, JoinError>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (index, id) = (self.index, self.handle.id());
        Pin::new(&mut self.handle)
            .poll(cx)
            .map(|output| (index, id, output))
    }
}
