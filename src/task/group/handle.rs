//! Handles through which anybody can spawn into a group, and how a child is spawned.

use super::child::{Child, GroupTask};
use super::state::Shared;
use crate::runtime::Handle;
use crate::task::{Builder, Id};
use std::fmt;
use std::sync::Arc;

/// Spawns into a [`TaskGroup`](super::TaskGroup) from anywhere; cheap to clone.
///
/// It does not keep the group alive: after the [`TaskGroup`](super::TaskGroup) is dropped or joined, children that are spawned here are cancelled
/// without being polled.
pub struct GroupHandle<E> {
    shared: Arc<Shared<E>>,
}

impl<E: Send + 'static> GroupHandle<E> {
    /// Starts a child; see [`TaskGroup::spawn`](super::TaskGroup::spawn).
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
}

impl<E> GroupHandle<E> {
    pub(super) fn new(shared: &Arc<Shared<E>>) -> Self {
        Self {
            shared: Arc::clone(shared),
        }
    }

    /// Aborts all children; see [`TaskGroup::abort_all`](super::TaskGroup::abort_all).
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

    /// The task that made the group; see [`TaskGroup::parent`](super::TaskGroup::parent).
    pub fn parent(&self) -> Option<Id> {
        self.shared.parent
    }
}

impl<E> Clone for GroupHandle<E> {
    fn clone(&self) -> Self {
        Self::new(&self.shared)
    }
}

impl<E> fmt::Debug for GroupHandle<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupHandle")
            .field("len", &self.len())
            .field("parent", &self.parent())
            .finish_non_exhaustive()
    }
}

/// Starts a child of the group.
#[track_caller]
pub(super) fn spawn<T, E, F>(
    shared: &Arc<Shared<E>>,
    builder: Builder,
    handle: &Handle,
    future: F,
) -> GroupTask<T>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let ticket = shared.reserve();
    let index = ticket.as_ref().map(|ticket| ticket.index);
    // A child that comes too late is no member whose end anybody awaits, so its future ends here.
    let future = ticket.is_some().then_some(future);
    let (child, place) = Child::new(future, ticket);
    let task = builder.spawn_on(child, handle);
    let abort = task.abort_handle();
    if let Some(index) = index {
        shared.enrol(index, task);
    }
    GroupTask::new(place, abort)
}
