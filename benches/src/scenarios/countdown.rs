//! Waiting until many detached tasks have been somewhere.
//!
//! One counter that is decremented once a task, and one wake at the end: less would not be sound, and more would be measured.

use std::sync::atomic::{AtomicUsize, Ordering::AcqRel, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use futures_channel::oneshot;

/// Counts arrivals and tells of the last.
pub(crate) struct Countdown {
    /// How many are still to come.
    left: AtomicUsize,
    /// Told by the last.
    last: Mutex<Option<oneshot::Sender<()>>>,
}

impl Countdown {
    /// One for the rest of the process, so that tasks share it without counting references.
    pub(crate) fn leaked() -> &'static Self {
        Box::leak(Box::new(Self {
            left: AtomicUsize::new(0),
            last: Mutex::new(None),
        }))
    }

    /// Expects `arrivals`, of which there is at least one. The last arming has run out.
    pub(crate) fn arm(&self, arrivals: usize) -> oneshot::Receiver<()> {
        let (told, done) = oneshot::channel();
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
        // ORDERING: Relaxed; spawning publishes it to those who arrive.
        self.left.store(arrivals, Relaxed);
        done
    }

    /// Counts one arrival.
    #[inline]
    pub(crate) fn arrive(&self) {
        // ORDERING: AcqRel; what each did before it arrived happens before the last one tells.
        if self.left.fetch_sub(1, AcqRel) == 1
            && let Some(told) = self
                .last
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
        {
            // Nobody listens any more only when the scenario has been dropped.
            let _ = told.send(());
        }
    }
}
