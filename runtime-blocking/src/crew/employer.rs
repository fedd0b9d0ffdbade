//! The users' end of a crew: when the last handle of a pool goes, the crew is told to end.
//!
//! The threads hold the crew itself, and so do not keep it open.

use std::sync::Arc;

use super::crew::Crew;

/// What the clones of a pool share.
pub(crate) struct Employer {
    crew: Arc<Crew>,
}

impl Employer {
    pub(crate) fn new(crew: Crew) -> Self {
        Self {
            crew: Arc::new(crew),
        }
    }

    pub(crate) fn crew(&self) -> &Arc<Crew> {
        &self.crew
    }
}

impl Drop for Employer {
    fn drop(&mut self) {
        self.crew.shutdown();
    }
}
