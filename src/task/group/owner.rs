//! The group: who owns it decides when its children end.

use super::child::GroupTask;
use super::error::GroupError;
use super::handle::{GroupHandle, spawn};
use super::state::{Member, Next, Shared};
use crate::runtime::Handle;
use crate::task::{Builder, Id, try_id};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// Tasks that end together: the first that fails aborts the others, and dropping the group aborts them all.
///
/// A child fails if its future gives `Err` or panics. Its siblings are aborted at once, whether or not anybody awaits the group just
/// then; [`join`](Self::join) waits for the end of all and gives every failure. A child that is aborted has not failed.
/// Children may give values of different types, each through the [`GroupTask`] that [`spawn`](Self::spawn) gives, and share one
/// error type; where none can fail that is [`Infallible`](std::convert::Infallible), and panics are all that the group reports.
///
/// Where the children belong to one piece of code, [`group`](super::group()) is shorter. For a set that goes on after failures, and
/// outputs in the order in which they come, see [`JoinSet`](crate::task::JoinSet); for a list of outputs, see
/// [`try_gather`](crate::task::try_gather).
///
/// # Examples
///
/// ```
/// use gristmill::task::TaskGroup;
///
/// gristmill::run(async {
///     let mut group = TaskGroup::new();
///     let number = group.spawn(async { "17".parse::<u32>() });
///     let other = group.spawn(async { "25".parse::<u64>() });
///     group.join().await.expect("both are numbers");
///     assert_eq!((number.await.unwrap(), other.await.unwrap()), (17, 25));
///
///     let mut group = TaskGroup::new();
///     group.spawn(std::future::pending::<Result<(), _>>());
///     group.spawn(async { "no number".parse::<u32>() });
///     let error = group.join().await.unwrap_err();
///     assert_eq!(error.len(), 1);
///     assert_eq!(error.to_string(), "invalid digit found in string");
/// });
/// ```
pub struct TaskGroup<E> {
    pub(super) shared: Arc<Shared<E>>,
    /// The child whose end is awaited.
    current: Option<Member>,
}

impl<E: Send + 'static> TaskGroup<E> {
    /// An empty group, whose children all run at the same time.
    pub fn new() -> Self {
        Self::build(None)
    }

    /// An empty group of whose children at most `limit` run at the same time.
    ///
    /// Further ones wait, without having been polled, and start in the order in which they were spawned. Children that wait can be
    /// aborted like any other.
    ///
    /// # Panics
    ///
    /// If `limit` is zero.
    #[track_caller]
    pub fn with_limit(limit: usize) -> Self {
        assert!(
            limit > 0,
            "TaskGroup::with_limit(0): no child could ever run; the limit is at least 1"
        );
        Self::build(Some(limit))
    }

    fn build(limit: Option<usize>) -> Self {
        Self {
            shared: Shared::new(limit, try_id()),
            current: None,
        }
    }

    /// Starts a child.
    ///
    /// Once a child has failed, [`abort_all`](Self::abort_all) was called, or [`join`](Self::join) has returned, a child that is
    /// spawned is cancelled: its future is dropped at once.
    ///
    /// # Panics
    ///
    /// If there is no runtime on this thread.
    #[doc(alias = "create_task")]
    #[track_caller]
    pub fn spawn<T, F>(&self, future: F) -> GroupTask<T>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
    {
        spawn(&self.shared, Builder::new(), &Handle::current(), future)
    }

    /// As [`spawn`](Self::spawn), on a given runtime.
    #[track_caller]
    pub fn spawn_on<T, F>(&self, future: F, handle: &Handle) -> GroupTask<T>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
    {
        spawn(&self.shared, Builder::new(), handle, future)
    }

    /// As [`spawn`](Self::spawn), with what the builder says of the task, such as its name.
    ///
    /// # Panics
    ///
    /// If there is no runtime on this thread.
    #[track_caller]
    pub fn spawn_with<T, F>(&self, builder: Builder, future: F) -> GroupTask<T>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
    {
        spawn(&self.shared, builder, &Handle::current(), future)
    }

    /// A handle through which the children, or anybody else, can spawn into the group.
    pub fn handle(&self) -> GroupHandle<E> {
        GroupHandle::new(&self.shared)
    }

    /// Waits until every child has ended, those included that are spawned meanwhile. Closes the group then.
    ///
    /// # Errors
    ///
    /// If a child failed, with all failures in the order in which they happened. Children that were aborted are none.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: nothing is lost, and the children go on as long as the group is there.
    pub async fn join(&mut self) -> Result<(), GroupError<E>> {
        poll_fn(|cx| self.poll_join(cx)).await
    }

    fn poll_join(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), GroupError<E>>> {
        loop {
            if let Some(Member { index, handle }) = &mut self.current {
                let (index, end) = (*index, ready!(Pin::new(handle).poll(cx)));
                self.current = None;
                self.shared.settle(index, end);
            }
            match self.shared.next_member(cx.waker()) {
                Next::Member(member) => self.current = Some(member),
                Next::Arriving => return Poll::Pending,
                Next::Nobody => break,
            }
        }
        Poll::Ready(self.shared.take_failures().map_or(Ok(()), Err))
    }
}

impl<E> TaskGroup<E> {
    /// Aborts all children, and lets no further one run. Join the group to know that they are gone.
    ///
    /// That is no failure: joined afterwards, the group gives `Ok` if no child failed.
    #[doc(alias = "cancel")]
    #[track_caller]
    pub fn abort_all(&self) {
        self.shared.abort_all();
    }

    /// How many children have not ended.
    pub fn len(&self) -> usize {
        self.shared.living()
    }

    /// Whether no child is left that has not ended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The task that made the group; `None` if it was made outside of tasks, as in `block_on`.
    pub fn parent(&self) -> Option<Id> {
        self.shared.parent
    }
}

impl<E: Send + 'static> Default for TaskGroup<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> Drop for TaskGroup<E> {
    fn drop(&mut self) {
        self.shared.abandon();
    }
}

impl<E> fmt::Debug for TaskGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("len", &self.len())
            .field("parent", &self.parent())
            .finish_non_exhaustive()
    }
}
