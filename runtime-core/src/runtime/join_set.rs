//! Many tasks, awaited in the order in which they end.
//!
//! Built on `FuturesUnordered`, which polls only the handle whose task has ended.

use super::{Handle, spawn};
use crate::task::{AbortHandle, Id, JoinError, JoinHandle, budget};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A set of tasks with the same output, awaited in the order in which they end.
///
/// Dropping the set aborts the tasks that are in it.
pub struct JoinSet<T> {
    tasks: FuturesUnordered<Entry<T>>,
}

/// A task of the set; gives its id along with its output.
struct Entry<T>(JoinHandle<T>);

impl<T> Future for Entry<T> {
    type Output = (Id, Result<T, JoinError>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let id = self.0.id();
        Pin::new(&mut self.0).poll(cx).map(|output| (id, output))
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> JoinSet<T> {
    /// An empty set.
    pub fn new() -> Self {
        Self {
            tasks: FuturesUnordered::new(),
        }
    }

    /// How many tasks are in the set, those included that have ended and were not awaited.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether no task is in the set.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Aborts every task in the set; they stay in it until awaited.
    #[track_caller]
    pub fn abort_all(&self) {
        // In a loop and not in `for_each`, so that the place is that of the caller.
        for entry in self.tasks.iter() {
            entry.0.abort();
        }
    }

    /// Aborts every task in the set; nobody will see their errors.
    fn abort_unseen(&self) {
        self.tasks.iter().for_each(|entry| entry.0.abort_unseen());
    }

    /// Takes all tasks out of the set and lets them go on.
    pub fn detach_all(&mut self) {
        drop(std::mem::take(&mut self.tasks));
    }
}

impl<T: 'static> JoinSet<T> {
    /// Starts a task in the set.
    ///
    /// # Panics
    ///
    /// If there is no runtime on this thread.
    #[track_caller]
    pub fn spawn<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(spawn(future))
    }

    /// Starts a task in the set, on a given runtime.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, future: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn(future))
    }

    /// Runs a closure that may block, as part of the set.
    ///
    /// # Panics
    ///
    /// If there is no runtime on this thread.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, work: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(super::spawn_blocking(work))
    }

    /// As [`spawn_blocking`](Self::spawn_blocking), on a given runtime.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, work: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn_blocking(work))
    }

    /// Takes a task that runs already into the set, such as one with a name or one on an executor.
    pub fn insert(&mut self, handle: JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        self.tasks.push(Entry(handle));
        abort
    }

    /// Waits until a task has ended, and gives its output; `None` if the set is empty.
    ///
    /// # Errors
    ///
    /// The output is an error if the task was aborted or panicked.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a task whose output was not given stays in the set.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.tasks.next().await.map(|(_, output)| output)
    }

    /// As [`join_next`](Self::join_next), with the task's id.
    ///
    /// # Errors
    ///
    /// As `join_next`; the error has the id.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as `join_next`.
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        self.tasks.next().await.map(with_id)
    }

    /// The output of a task that has ended, if there is one just now.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.try_next().map(|(_, output)| output)
    }

    /// As [`try_join_next`](Self::try_join_next), with the task's id.
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        self.try_next().map(with_id)
    }

    fn try_next(&mut self) -> Option<(Id, Result<T, JoinError>)> {
        let mut cx = Context::from_waker(Waker::noop());
        // Without a limit: a task that has ended must not look unended because this poll's budget is spent.
        match budget::without(|| self.tasks.poll_next_unpin(&mut cx)) {
            Poll::Ready(ended) => ended,
            Poll::Pending => None,
        }
    }

    /// The poll behind [`join_next`](Self::join_next).
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.tasks
            .poll_next_unpin(cx)
            .map(|next| next.map(|(_, output)| output))
    }

    /// The poll behind [`join_next_with_id`](Self::join_next_with_id).
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        self.tasks.poll_next_unpin(cx).map(|next| next.map(with_id))
    }

    /// Awaits all tasks and gives their outputs in the order in which they ended.
    ///
    /// # Panics
    ///
    /// If a task panicked, with its panic; the others are aborted then. Also if one was aborted.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the tasks that have not ended are aborted, and the outputs of the others are lost.
    pub async fn join_all(mut self) -> Vec<T> {
        let mut outputs = Vec::with_capacity(self.len());
        while let Some(output) = self.join_next().await {
            match output {
                Ok(output) => outputs.push(output),
                Err(error) => match error.try_into_panic() {
                    Ok(payload) => std::panic::resume_unwind(payload),
                    Err(error) => panic!("{error}"),
                },
            }
        }
        outputs
    }

    /// Aborts all tasks and waits until they have ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the tasks are aborted all the same.
    pub async fn shutdown(&mut self) {
        self.abort_unseen();
        poll_fn(|cx| {
            while let Poll::Ready(next) = self.poll_join_next(cx) {
                if next.is_none() {
                    return Poll::Ready(());
                }
            }
            Poll::Pending
        })
        .await;
    }
}

/// The id beside the output instead of beside the result; an error has it anyway.
fn with_id<T>((id, output): (Id, Result<T, JoinError>)) -> Result<(Id, T), JoinError> {
    output.map(|output| (id, output))
}

/// Starts a task for each of the futures.
///
/// # Panics
///
/// If there is no runtime on this thread.
impl<F> FromIterator<F> for JoinSet<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn from_iter<I: IntoIterator<Item = F>>(futures: I) -> Self {
        let mut set = Self::new();
        set.extend(futures);
        set
    }
}

/// Starts a task for each of the futures.
///
/// # Panics
///
/// If there is no runtime on this thread.
impl<F> Extend<F> for JoinSet<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn extend<I: IntoIterator<Item = F>>(&mut self, futures: I) {
        for future in futures {
            self.spawn(future);
        }
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.abort_unseen();
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}
