//! Drop accounting: a value for a job to own, and the count of those that are gone.

#![allow(unreachable_pub, reason = "a module of several test programs")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the jobs that hold it and are gone, by having run or by having been dropped.
#[derive(Clone, Default)]
pub struct Gone(Arc<AtomicUsize>);

/// One holder.
pub struct Probe(Gone);

impl Gone {
    /// One more holder.
    pub fn probe(&self) -> Probe {
        Probe(self.clone())
    }

    /// How many are gone.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
    }
}
