//! A task's cell, without a scheduler.

use crate::task::header::Header;
use crate::task::{Cause, JoinHandle, Meta, Runnable, Schedule, allocate};
use std::cell::Cell;
use std::fmt;
use std::panic::Location;

thread_local! {
    /// What was made runnable last on this thread.
    static RUNNABLE: Cell<Option<Item>> = const { Cell::new(None) };
}

/// A runnable.
pub struct Item(pub(super) Runnable);

/// Makes a task; it is in no set of tasks.
#[inline]
pub fn make<F>(future: F) -> (Item, JoinHandle<F::Output>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let meta = Meta::new(Location::caller());
    let (runnable, handle, _) = allocate(future, Here, meta, false);
    (Item(runnable), handle)
}

impl Item {
    /// The runnable of a task that nobody joins and that has nothing to do.
    #[must_use]
    pub fn idle() -> Self {
        make(async {}).0
    }

    /// Polls the task.
    #[inline]
    pub fn run(self) {
        self.0.run();
    }

    /// What was made runnable last on this thread, unless it was taken before.
    #[inline]
    #[must_use]
    pub fn woken() -> Option<Self> {
        RUNNABLE.take()
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A scheduler with room for one runnable.
struct Here;

impl Schedule for Here {
    const CLAIM_ON_ABORT: bool = false;
    type Address = ();

    #[inline]
    fn address(&self) {}

    #[inline]
    fn send((): (), runnable: Runnable, _cause: Cause) {
        RUNNABLE.set(Some(Item(runnable)));
    }

    fn release(&self, _task: &Header) -> bool {
        false
    }
}
