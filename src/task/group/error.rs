//! All failures of a group together.

use crate::task::{Id, JoinError};
use std::error::Error;
use std::fmt;

/// What went wrong in a [`TaskGroup`](super::TaskGroup): one failure at least, in the order in which they happened.
///
/// The first is the cause. Further ones come from children that failed before they could be aborted, or while they were.
#[doc(alias = "ExceptionGroup")]
pub struct GroupError<E> {
    /// Never empty.
    failures: Vec<GroupFailure<E>>,
}

impl<E> GroupError<E> {
    /// `None` if there are no failures.
    pub(super) fn new(failures: Vec<GroupFailure<E>>) -> Option<Self> {
        (!failures.is_empty()).then_some(Self { failures })
    }

    /// How many failures there are, at least one.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.failures.len()
    }

    /// The failures, the first one first.
    #[doc(alias = "exceptions")]
    pub fn iter(&self) -> std::slice::Iter<'_, GroupFailure<E>> {
        self.failures.iter()
    }

    /// The errors among the failures; panics are left out.
    pub fn errors(&self) -> impl Iterator<Item = &E> {
        self.iter().filter_map(GroupFailure::error)
    }

    /// The failure that ended the group.
    pub fn first(&self) -> &GroupFailure<E> {
        &self.failures[0]
    }

    /// The failure that ended the group; the others are dropped.
    pub fn into_first(mut self) -> GroupFailure<E> {
        self.failures.swap_remove(0)
    }

    /// Whether one of the failures is a panic.
    pub fn has_panic(&self) -> bool {
        self.iter().any(GroupFailure::is_panic)
    }
}

impl<E> IntoIterator for GroupError<E> {
    type Item = GroupFailure<E>;
    type IntoIter = std::vec::IntoIter<GroupFailure<E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.failures.into_iter()
    }
}

impl<'a, E> IntoIterator for &'a GroupError<E> {
    type Item = &'a GroupFailure<E>;
    type IntoIter = std::slice::Iter<'a, GroupFailure<E>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<E: fmt::Debug> fmt::Debug for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GroupError").field(&self.failures).finish()
    }
}

impl<E: fmt::Display> fmt::Display for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first())?;
        match self.len() {
            1 => Ok(()),
            2 => f.write_str(" (and 1 more failure in the group)"),
            all => write!(f, " (and {} more failures in the group)", all - 1),
        }
    }
}

impl<E: Error + 'static> Error for GroupError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.first())
    }
}

/// One failure in a group: an error that a child returned, or its panic.
pub struct GroupFailure<E> {
    id: Option<Id>,
    cause: Cause<E>,
}

enum Cause<E> {
    Error(E),
    Panic(JoinError),
}

impl<E> GroupFailure<E> {
    /// What a child returned, or the body of the scope if `id` is `None`.
    pub(super) fn returned(id: Option<Id>, error: E) -> Self {
        let cause = Cause::Error(error);
        Self { id, cause }
    }

    pub(super) fn panicked(error: JoinError) -> Self {
        Self {
            id: Some(error.id()),
            cause: Cause::Panic(error),
        }
    }

    /// The child that failed, or `None` for the body of [`group`](super::group()).
    pub fn id(&self) -> Option<Id> {
        self.id
    }

    /// The error that the child returned, if it is not a panic.
    pub fn error(&self) -> Option<&E> {
        match &self.cause {
            Cause::Error(error) => Some(error),
            Cause::Panic(_) => None,
        }
    }

    /// Whether the child panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.cause, Cause::Panic(_))
    }

    /// The error that the child returned.
    ///
    /// # Errors
    ///
    /// If the child panicked: [`JoinError::into_panic`] has the payload.
    pub fn into_error(self) -> Result<E, JoinError> {
        match self.cause {
            Cause::Error(error) => Ok(error),
            Cause::Panic(error) => Err(error),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for GroupFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Error(error) => error.fmt(f),
            Cause::Panic(error) => fmt::Debug::fmt(error, f),
        }
    }
}

impl<E: fmt::Display> fmt::Display for GroupFailure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Error(error) => error.fmt(f),
            Cause::Panic(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for GroupFailure<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Cause::Error(error) => error.source(),
            Cause::Panic(error) => error.source(),
        }
    }
}
