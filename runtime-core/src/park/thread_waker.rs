//! A waker that ends a thread's sleep, for threads that wait for one future.

use super::parker::{Parker, Unpark};
use crate::sync::Arc;
use std::task::Wake;

/// Wakes a thread.
#[derive(Debug)]
pub(crate) struct ThreadWaker(Parker);

impl ThreadWaker {
    pub(crate) fn new() -> Self {
        Self(Parker::new())
    }

    /// Sleeps until woken. Only for the thread that made it.
    pub(crate) fn wait(&self) {
        self.0.park(None);
    }

    /// Ends the sleep, or the next one before it begins.
    pub(crate) fn unpark(&self) {
        let outcome = self.0.unpark();
        debug_assert_eq!(outcome, Unpark::Done, "this bed is never in the poller");
    }
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.unpark();
    }
}
