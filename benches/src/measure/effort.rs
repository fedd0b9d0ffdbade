//! How long to measure.

use std::time::Duration;

/// A measurement, or a test that everything still runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Effort {
    Full,
    Quick,
}

impl Effort {
    /// How long a process measures.
    pub(crate) const fn budget(self) -> Duration {
        match self {
            Self::Full => Duration::from_millis(500),
            Self::Quick => Duration::from_millis(100),
        }
    }

    /// How long it runs before, uncounted.
    pub(crate) const fn warm_up(self) -> Duration {
        match self {
            Self::Full => Duration::from_millis(100),
            Self::Quick => Duration::from_millis(20),
        }
    }

    /// A size that `Quick` divides by ten.
    pub(crate) const fn scaled(self, full: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Quick => full / 10,
        }
    }
}
