//! What a task knows about itself.

use super::Id;
use std::panic::Location;

/// A task's identity and origin, for metrics and reports.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    pub(crate) id: Id,
    /// Where the user spawned it.
    pub(crate) site: &'static Location<'static>,
}

impl Meta {
    /// A new task spawned at `site`.
    #[inline]
    pub(crate) fn new(site: &'static Location<'static>) -> Self {
        Self {
            id: Id::next(),
            site,
        }
    }
}
