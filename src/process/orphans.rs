//! Children that were dropped before their end was known. Somebody has to ask how they ended: until then the operating
//! system keeps what is left of them, a zombie each.
//!
//! ```text
//!   drop of a child ──▶ adopt ──▶ list ◀── look at each, on every SIGCHLD (on the thread of the signals)
//!                                     ◀── and whenever a child is started or dropped
//! ```
//!
//! # Invariants
//!
//! * I1 — While the list is not empty, `sigchld` listens, if the operating system lets it.
//! * I2 — `sigchld` is armed before the list is looked through, so an end that the look misses brings another look.

use crate::signal::unix::{Signal, SignalKind, signal};
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

static ORPHANS: Mutex<Orphans> = Mutex::new(Orphans {
    children: Vec::new(),
    sigchld: None,
});

struct Orphans {
    children: Vec<Child>,
    sigchld: Option<Signal>,
}

/// Nothing under the lock panics half-way through a change.
fn lock() -> MutexGuard<'static, Orphans> {
    ORPHANS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes over a child, and reaps it when it ends.
pub(super) fn adopt(mut child: Child) {
    if has_ended(&mut child) {
        return;
    }
    let mut orphans = lock();
    orphans.children.push(child);
    if orphans.sigchld.is_none() {
        // Without it the child is reaped when the next one is started or dropped.
        orphans.sigchld = signal(SignalKind::child()).ok();
    }
    orphans.look();
}

/// Reaps those that have ended.
pub(super) fn reap() {
    lock().look();
}

impl Orphans {
    fn look(&mut self) {
        if self.children.is_empty() {
            return;
        }
        if let Some(sigchld) = &mut self.sigchld {
            let waker = Waker::from(Arc::new(Reaper));
            while sigchld
                .poll_recv(&mut Context::from_waker(&waker))
                .is_ready()
            {}
        }
        self.children.retain_mut(|child| !has_ended(child));
        if self.children.is_empty() {
            self.sigchld = None;
        }
    }
}

/// An error means that there is nobody to wait for: somebody else did.
fn has_ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

/// Woken by SIGCHLD, on the thread of the signals.
struct Reaper;

impl Wake for Reaper {
    fn wake(self: Arc<Self>) {
        reap();
    }
}
