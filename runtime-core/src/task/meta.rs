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
    pub(crate) name: Option<Arc<str>>,
}

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
        if let Some(name) = &self.name {
            write!(f, " {name:?}")?;
        }
        write!(f, " spawned at {}", self.site)
    }
}
