//! What was wrong. One thing is enough.

use std::panic;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// After so many the rest is only counted.
const SAID: usize = 20;

static VIOLATIONS: Mutex<Violations> = Mutex::new(Violations {
    count: 0,
    said: Vec::new(),
});

/// Whether a runtime may be ending.
static ENDING: AtomicBool = AtomicBool::new(false);

struct Violations {
    count: usize,
    said: Vec<String>,
}

/// A panic elsewhere must not hide what was found.
fn lock() -> MutexGuard<'static, Violations> {
    VIOLATIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says whether a runtime is ending.
pub(super) fn set_ending(ending: bool) {
    // ORDERING: SeqCst; set before the shutdown that it explains, and unset after it.
    ENDING.store(ending, SeqCst);
}

/// Enters something that must not happen unless the runtime ends: then tasks and jobs are cancelled that nobody had aborted,
/// and their peers see that.
pub(super) fn fault(what: impl Into<String>) {
    if !ENDING.load(SeqCst) {
        violation(what);
    }
}

/// Enters something that must not happen.
pub(super) fn violation(what: impl Into<String>) {
    let what = what.into();
    let mut violations = lock();
    violations.count += 1;
    if violations.said.len() < SAID {
        eprintln!("soak: violation: {what}");
        violations.said.push(what);
    }
}

/// How many there were, and the first ones.
pub(super) fn violations() -> (usize, Vec<String>) {
    let violations = lock();
    (violations.count, violations.said.clone())
}

/// Makes every panic a violation that nobody planned; but a task of a runtime that is not waited for may go on for a moment
/// after the end, and is then told by a panic that it has no timers any more.
pub(super) fn watch_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        // ORDERING: SeqCst, as in `fault`.
        let is_late = ENDING.load(SeqCst) && info.to_string().contains("has shut down");
        if !is_late {
            before(info);
            violation(info.to_string());
        }
    }));
}
