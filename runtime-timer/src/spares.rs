//! References that a thread keeps for what it makes next.
//!
//! A timer owns a reference to its timers, as a task does to its home. Taken for each and given back at its end, often by another
//! thread, they make all threads write to one count, and wait for each other's caches. So a thread takes them many at a time, and keeps
//! those of what ends on it.
//!
//! # Invariants
//! - I1: what is kept is bounded, and of what the spares are references to, which they own one of besides. So to give a kept one back
//!   runs nobody's code, but where the spares themselves are dropped.

use std::cell::{Cell, RefCell};
use std::{fmt, iter};

use crate::sync::Arc;

/// So many are taken or given back at a time, at most.
const BURST: usize = 64;
/// So many are kept at most.
const MOST: usize = 2 * BURST;

/// References to one value, for one thread.
pub struct Spares<T> {
    // Dropped before the one that makes them no last ones.
    kept: RefCell<Vec<Arc<T>>>,
    to: Arc<T>,
    /// How many to take next: who makes little takes few.
    next: Cell<usize>,
}

impl<T> Spares<T> {
    /// No spares yet.
    pub const fn new(to: Arc<T>) -> Self {
        Self {
            kept: RefCell::new(Vec::new()),
            to,
            next: Cell::new(1),
        }
    }

    /// What they are references to.
    #[inline]
    pub const fn to(&self) -> &Arc<T> {
        &self.to
    }

    /// A reference.
    #[inline]
    pub fn take(&self) -> Arc<T> {
        let mut kept = self.kept.borrow_mut();
        kept.pop().unwrap_or_else(|| self.fetch(&mut kept))
    }

    #[cold]
    fn fetch(&self, kept: &mut Vec<Arc<T>>) -> Arc<T> {
        let count = self.next.get();
        self.next.set((count * 2).min(BURST));
        kept.extend(iter::repeat_with(|| Arc::clone(&self.to)).take(count - 1));
        Arc::clone(&self.to)
    }

    /// Keeps a reference, if it is one to the same value.
    ///
    /// # Errors
    /// Gives it back if not.
    #[inline]
    pub fn keep(&self, reference: Arc<T>) -> Result<(), Arc<T>> {
        if !Arc::ptr_eq(&reference, &self.to) {
            return Err(reference);
        }
        let mut kept = self.kept.borrow_mut();
        if kept.len() == MOST {
            kept.truncate(MOST - BURST);
        }
        kept.push(reference);
        Ok(())
    }
}

impl<T> fmt::Debug for Spares<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spares")
            .field("kept", &self.kept.borrow().len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_taken_again_and_all_is_given_back() {
        let value = Arc::new(());
        let spares = Spares::new(Arc::clone(&value));

        let taken: Vec<_> = (0..10).map(|_| spares.take()).collect();
        let count = Arc::strong_count(&value);
        for reference in taken {
            assert!(spares.keep(reference).is_ok());
        }
        let again: Vec<_> = (0..10).map(|_| spares.take()).collect();
        assert_eq!(Arc::strong_count(&value), count);

        drop((spares, again));
        assert_eq!(Arc::strong_count(&value), 1);
    }

    #[test]
    fn who_takes_one_takes_no_others() {
        let value = Arc::new(());
        let spares = Spares::new(Arc::clone(&value));

        let _one = spares.take();

        assert_eq!(Arc::strong_count(&value), 3);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let value = Arc::new(());
        let spares = Spares::new(Arc::clone(&value));

        for _ in 0..10 * BURST {
            assert!(spares.keep(Arc::clone(&value)).is_ok());
        }

        assert!(Arc::strong_count(&value) <= 2 + 2 * BURST);
    }

    #[test]
    fn a_reference_to_another_value_is_refused() {
        let spares = Spares::new(Arc::new(1));
        let other = Arc::new(1);

        let refused = spares.keep(Arc::clone(&other));

        assert!(refused.is_err_and(|refused| Arc::ptr_eq(&refused, &other)));
    }
}
