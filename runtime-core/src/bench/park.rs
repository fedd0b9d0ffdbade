//! A thread's bed, and the look at who sleeps.

use crate::park::{Idle, Parker, Unpark};
use std::fmt;

/// A thread's bed, on its condition variable.
#[derive(Debug)]
pub struct Bed(Parker);

/// Workers that sleep; there are none.
pub struct Sleepers(Idle);

impl Bed {
    /// A bed that nobody has been told to leave.
    #[must_use]
    pub fn new() -> Self {
        Self(Parker::new())
    }

    /// Sleeps until somebody calls [`unpark`](Self::unpark), or not at all if somebody has. Only for the owner.
    #[inline]
    pub fn park(&self) {
        let _ = self.0.park(None);
    }

    /// Ends the owner's sleep, or the next one before it begins.
    #[inline]
    pub fn unpark(&self) {
        let left = self.0.unpark();
        debug_assert_eq!(left, Unpark::Done, "this bed is never in the poller");
    }
}

impl Default for Bed {
    fn default() -> Self {
        Self::new()
    }
}

impl Sleepers {
    /// Nobody sleeps, nobody searches.
    #[must_use]
    pub fn none() -> Self {
        Self(Idle::new())
    }

    /// What every push pays for: the look whether a worker is to be woken.
    #[inline]
    #[must_use]
    pub fn choose(&self) -> Option<usize> {
        self.0.choose()
    }
}

impl fmt::Debug for Sleepers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.counts().fmt(f)
    }
}
