//! Who is under way, what each is at, and when it last moved.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

static LANES: Mutex<BTreeMap<u64, Arc<Place>>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicU64 = AtomicU64::new(0);

/// One that goes its rounds. Gone when it is dropped.
pub(super) struct Lane {
    number: u64,
    place: Arc<Place>,
}

struct Place {
    name: String,
    /// What it is at since when; written by the lane, read by the watchdog.
    step: Mutex<(&'static str, Instant)>,
}

fn lanes() -> MutexGuard<'static, BTreeMap<u64, Arc<Place>>> {
    LANES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lane {
    pub(super) fn new(name: impl Into<String>) -> Self {
        let place = Arc::new(Place {
            name: name.into(),
            step: Mutex::new(("starting", Instant::now())),
        });
        // ORDERING: Relaxed; numbers only have to differ.
        let number = NEXT.fetch_add(1, Relaxed);
        lanes().insert(number, Arc::clone(&place));
        Self { number, place }
    }

    /// Says what it does next, which is also a sign of life.
    pub(super) fn at(&self, step: &'static str) {
        *self.place.step() = (step, Instant::now());
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        lanes().remove(&self.number);
    }
}

impl Place {
    fn step(&self) -> MutexGuard<'_, (&'static str, Instant)> {
        self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those that have not moved for `patience`, a line each.
pub(super) fn stuck(patience: Duration) -> Vec<String> {
    let describe = |place: &Arc<Place>| {
        let (step, since) = *place.step();
        let time = since.elapsed();
        (time >= patience)
            .then(|| format!("{}: {step}, for {:.1} s", place.name, time.as_secs_f64()))
    };
    lanes().values().filter_map(describe).collect()
}

/// How many are under way.
pub(super) fn count() -> usize {
    lanes().len()
}
