//! Something that holds at most so many at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Who is inside of something, at most so many.
#[derive(Clone)]
pub(crate) struct Room {
    inside: Arc<AtomicUsize>,
    peak: Arc<AtomicUsize>,
    most: usize,
}

impl Room {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            inside: Arc::default(),
            peak: Arc::default(),
            most,
        }
    }

    /// Goes in, for `count`. Panics if there is no room.
    pub(crate) fn enter(&self, count: usize) -> Inside {
        let now = self.inside.fetch_add(count, Ordering::SeqCst) + count;
        assert!(now <= self.most, "{now} inside of {}", self.most);
        self.peak.fetch_max(now, Ordering::SeqCst);
        Inside(self.clone(), count)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.inside.load(Ordering::SeqCst) == 0
    }

    /// How many were inside at once, at the most.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }
}

/// Goes out on drop: so also who is aborted is out.
pub(crate) struct Inside(Room, usize);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(self.1, Ordering::SeqCst);
    }
}
