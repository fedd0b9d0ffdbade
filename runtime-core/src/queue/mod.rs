//! Where runnables wait.
//!
//! ```text
//!   woken or spawned on a worker           woken or spawned elsewhere
//!             │                                      │
//!             ▼   displaces                          ▼
//!     ┌─ LIFO slot ─┐───────▶ local FIFO      ┌─ injector ─┐
//!     │  (1 task)   │         (a deque)       │  (shared)  │
//!     └──────┬──────┘            │            └─────┬──────┘
//!            │ owner, at most    │ owner             │ any worker, in batches
//!            │ 3 in a row        │ thieves, in       │
//!            ▼                   ▼ batches           ▼
//! ```
//!
//! * [`slot`] — the LIFO slot, which thieves may take from while its owner is stuck in a poll
//! * [`local`] — a worker's own end: slot and deque
//! * [`injector`] — the shared queue, with a count that is cheap to look at
//!
//! The deques are `crossbeam-deque`'s. Nothing here wakes anybody.

pub(crate) mod slot;

pub(crate) mod injector;
pub(crate) mod local;

pub(crate) use injector::Injector;
pub(crate) use local::{LocalQueue, Shared};

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod model_tests;
