//! Who hears from the operating system that a descriptor is ready, and who tells the tasks.
//!
//! ```text
//!    Registered<T> ──register──▶ registry ──add──▶ poller (epoll, kqueue, …)
//!        │                          ▲                  ▲
//!        │ poll_ready               │ dispatch         │ wait: one thread at a time,
//!        ▼                          │                  │ the holder of the lease
//!     source { readiness, waiters } ┘            ┌─────┴──────┐
//!                                             a worker     the reactor thread
//!                                          with no work    when no worker has looked for a while
//! ```
//!
//! **The thread guarantees, the worker shortcuts.** A worker with nothing to run takes the [`lease`] and
//! waits in the poller itself, so an event reaches its task without crossing threads. The reactor
//! [`thread`] takes over when nobody has looked for a tick: then sockets and timers never wait for a busy
//! worker.
//!
//! Sources are registered once, edge-triggered, for reading and writing.
//!
//! * [`ready`] — what one can wait for, and what came; [`readiness`] — the word that stores it
//! * [`waiters`] — which tasks wait for a source; [`source`] — both together
//! * [`poller`] — the operating system's wait, one file a platform; [`registry`] — the table of sources
//! * [`key`] — what a registration is called; [`inbox`] — events, and those for another thread than the one that waited
//! * [`lease`] — the right to wait in the poller; [`branch`] — a worker's own poller, for sources that only it is to look at
//! * [`recheck`] — sources that were taken for drained; [`odds`] — which ones are
//! * [`registered`] — what users hold; [`current`] — the reactor of this thread
//! * [`thread`] — the reactor thread

pub(crate) mod ready;

mod odds;
mod readiness;
mod waiters;

pub(crate) mod source;

mod key;

pub(crate) mod inbox;
pub(crate) mod recheck;

pub(crate) mod branch;
pub(crate) mod poller;
pub(crate) mod registry;

pub(crate) mod lease;

pub(crate) mod current;
mod guess;
pub(crate) mod registered;

pub(crate) mod thread;

pub use ready::{Direction, Interest, Ready};
pub use registered::{Initial, Registered};

use crate::sync::Arc;
use lease::Lease;
use recheck::Rechecks;
use registry::Registry;
use std::io;

/// The table of sources, the poller, and the lease on it.
#[derive(Debug)]
pub(crate) struct Reactor {
    pub(crate) registry: Registry,
    pub(crate) lease: Lease,
    here: Here,
}

/// What the reactor asks about the calling thread; the scheduler answers.
#[derive(Debug)]
pub(crate) struct Here {
    /// Whether it has a few other tasks to poll.
    pub(crate) others_wait: fn() -> bool,
    /// Calls the function with the list of this thread's lane, if the thread is a worker of this reactor's runtime.
    pub(crate) with_rechecks: fn(&Reactor, WithRechecks<'_>),
}

/// What is to be done with a list.
pub(crate) type WithRechecks<'a> = &'a mut dyn FnMut(&Rechecks);

impl Reactor {
    /// A reactor for `workers` workers.
    pub(crate) fn new(workers: usize, here: Here) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            registry: Registry::new(workers)?,
            lease: Lease::new(),
            here,
        }))
    }
}
