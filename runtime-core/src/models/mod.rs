//! Models of the crate's protocols, for the checker `loom`, which tries every interleaving and every reordering that
//! the memory model allows.
//!
//! Run with `RUSTFLAGS="--cfg gristmill_loom" cargo test --release -p runtime-core --lib models`. One race a test. Each file has a
//! canary: a protocol broken on purpose, which the checker must catch; a canary that passes means that the model sees
//! nothing.

mod task;

mod slot;

mod park;

mod idle;

mod lease;

mod inbox;

mod branch;

mod guard;

mod owned;

mod leftovers;

mod guarded;

mod readiness;

mod recheck;

mod relief;

mod shutdown;

use crate::sync::{Arc, Mutex};
use crate::task::header::Header;
use crate::task::{Aborts, Cause, Runnable, Schedule};
use loom::sync::atomic::{AtomicUsize, Ordering};
use std::collections::VecDeque;
use std::task::{Wake, Waker};

/// How often a thread is stopped where it could go on, at most, in one run of a model. A race that needs more than two has
/// not been seen; without a bound the largest models would take hours.
const PREEMPTIONS: usize = 4;

/// Runs a model in every interleaving within the bound.
fn check(model: impl Fn() + Send + Sync + 'static) {
    check_bounded(PREEMPTIONS, model);
}

/// As [`check`], for a model that is too large for its bound.
fn check_bounded(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.max_branches = 20_000;
    builder.check(model);
}

/// Counts wake-ups; the count is the checker's, so that orders are checked too.
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A waker that counts, and its count.
fn counting() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count(AtomicUsize::new(0)));
    (Arc::clone(&count), Waker::from(count))
}

/// A scheduler that keeps its runnables in a list.
#[derive(Clone)]
pub(crate) struct List {
    runnables: Arc<Mutex<VecDeque<Runnable>>>,
    aborts: Arc<Aborts>,
}

impl List {
    fn new() -> Self {
        Self {
            runnables: Arc::new(Mutex::new(VecDeque::new())),
            aborts: Arc::new(Aborts::new()),
        }
    }

    fn push(&self, runnable: Runnable) {
        self.runnables.lock().push_back(runnable);
    }

    fn pop(&self) -> Option<Runnable> {
        self.runnables.lock().pop_front()
    }

    /// Runs what is there, and what becomes runnable by that.
    fn run_all(&self) {
        while let Some(runnable) = self.pop() {
            runnable.run();
        }
    }
}

impl Schedule for List {
    const CLAIM_ON_ABORT: bool = false;

    type Address = Self;

    fn address(&self) -> Self {
        self.clone()
    }

    fn send(list: Self, runnable: Runnable, _cause: Cause) {
        list.push(runnable);
    }

    fn release(&self, _task: &Header) -> bool {
        false
    }

    fn aborts(&self) -> Option<&Aborts> {
        Some(&self.aborts)
    }
}
