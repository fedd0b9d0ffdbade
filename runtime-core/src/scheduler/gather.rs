//! Whether a worker lets a few runnables gather in a queue before its next look at it.
//!
//! Who empties a queue faster than another fills it finds one or two at a time, and each look costs both the lines that they share.

use std::cell::Cell;

/// Runnables that are few to come at once.
const FEW: usize = 3;

/// Pauses of the processor before the next look at a queue that had so few: 2 to 5 µs, as long as it takes to spawn ten tasks
/// or more.
const PAUSES: usize = 128;

/// What a worker remembers of its last fetch from the injector, or from another worker's deque.
pub(super) struct Gather {
    /// How many runnables were left, if few came.
    left: Cell<Option<usize>>,
}

impl Gather {
    pub(super) fn new() -> Self {
        Self {
            left: Cell::new(None),
        }
    }

    /// So many runnables were fetched; `left` tells how many were not.
    pub(super) fn note(&self, fetched: usize, left: impl FnOnce() -> usize) {
        self.left.set((fetched <= FEW).then(left));
    }

    /// Whether somebody fills the queue, and too slowly: the last fetch brought few, and by `has_more_than` there are more now than it
    /// left. Says so at most once for a fetch.
    pub(super) fn is_due(&self, has_more_than: impl FnOnce(usize) -> bool) -> bool {
        self.left.take().is_some_and(has_more_than)
    }
}

/// Lets more come.
#[cold]
pub(super) fn pause() {
    for _ in 0..PAUSES {
        // Of the standard library also where schedules are modelled: nothing is waited for.
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it is due when the queue has so many.
    fn is_due(gather: &Gather, len: usize) -> bool {
        gather.is_due(|left| len > left)
    }

    #[test]
    fn a_queue_that_had_few_and_that_somebody_fills_is_given_time_once() {
        let gather = Gather::new();
        assert!(!is_due(&gather, 9));
        gather.note(FEW, || 2);
        assert!(is_due(&gather, 3));
        assert!(!is_due(&gather, 9));
    }

    #[test]
    fn what_nobody_adds_to_is_fetched_at_once() {
        let gather = Gather::new();
        gather.note(1, || 2);
        assert!(!is_due(&gather, 2));
    }

    #[test]
    fn a_queue_that_had_many_is_not_given_time() {
        let gather = Gather::new();
        gather.note(1, || 0);
        gather.note(FEW + 1, || unreachable!("many came, so nobody asks"));
        assert!(!is_due(&gather, 9));
    }
}
