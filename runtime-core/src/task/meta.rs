//! What a task knows about itself.

use super::Id;
use crate::sync::Arc;
use std::fmt;
use std::panic::Location;

/// A task's identity, name and origin, for metrics and reports.
#[derive(Clone)]
pub(crate) struct Meta {
    pub(crate) id: Id,
    /// Where the user spawned it.
    pub(crate) site: &'static Location<'static>,
    /// What the user called it.
    pub(crate) name: Option<Box<Name>>,
}

/// A task's name. In a box of its own, so that the many tasks without one do not carry the two words of a string.
#[derive(Clone, Debug)]
pub(crate) struct Name(pub(crate) Arc<str>);

impl Meta {
    /// A nameless task spawned at `site`.
    #[inline]
    pub(crate) fn new(site: &'static Location<'static>) -> Self {
        Self {
            id: Id::next(),
            site,
            name: None,
        }
    }
}

impl fmt::Debug for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}", self.id)?;
        if let Some(Name(name)) = self.name.as_deref() {
            write!(f, " {name:?}")?;
        }
        write!(f, " spawned at {}", self.site)
    }
}
