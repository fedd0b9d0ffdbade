//! How many workers every runtime of this process has.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Set once, before any runtime starts.
static WORKERS: AtomicUsize = AtomicUsize::new(2);

/// How many workers a runtime gets.
pub(crate) fn workers() -> usize {
    // ORDERING: Relaxed; the thread that set it starts all others.
    WORKERS.load(Relaxed)
}

/// Has the runtimes that are yet to start get `count` workers.
pub(crate) fn set_workers(count: usize) {
    // ORDERING: Relaxed; as above.
    WORKERS.store(count, Relaxed);
}
