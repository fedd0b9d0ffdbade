//! The right to wait in the poller.
//!
//! The lease is a lock with a buffer for events behind it: whoever holds the guard, and nobody else, waits
//! in the poller. Holding it is never waited for: a thread that does not get it sleeps elsewhere.
//!
//! # Invariants
//!
//! * Z1 — While every worker sleeps, some thread waits in the poller, or the reactor thread is awake and on
//!   its way there. A worker that cannot get the lease knows its holder to be awake (a worker having a quick look,
//!   which will look again before it sleeps) or to be the reactor thread, which gives the lease back only after
//!   it has made somebody runnable, or looks again at its next tick. If that worker is a relief worker, which leaves instead of looking
//!   again, the reactor thread, which ticks because it was awake, comes at its next tick.
//! * Z2 — A deadline that becomes earlier while somebody waits is not slept through: the waiter publishes
//!   until when it will wait and then looks at the timers again; who makes a deadline earlier publishes that
//!   and then looks at the waiter (edge Z). One of the two sees the other.
//!
//! # Edges
//!
//! * Z — `wait_until` against the timers' cached next deadline: announce, SeqCst, look, on both sides.
//! * ZL — `wait_until` against what is lent, see [`lending`](crate::scheduler::lending).

use super::inbox::Event;
use super::poller::{Events, Poller};
use super::registry::Registry;
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use crate::sync::{Mutex, MutexGuard};
use std::io;
use std::time::Duration;

/// Nobody waits in the poller: whoever is awake looks at the timers by itself.
const NOBODY: u64 = 0;
/// A wait without an end.
pub(crate) const FOREVER: u64 = u64::MAX;

/// The right to wait in the poller.
#[derive(Debug)]
pub(crate) struct Lease {
    events: Mutex<Events>,
    /// Until when the holder waits, in the timers' nanoseconds, or `NOBODY`.
    wait_until: AtomicU64,
    /// How often somebody looked at the poller or came back from it.
    looks: AtomicU64,
    /// A worker would have liked to have the lease while the reactor thread had it.
    wanted: AtomicBool,
}

/// The lease, held.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    events: MutexGuard<'a, Events>,
    lease: &'a Lease,
}

impl Lease {
    pub(crate) fn new() -> Self {
        Self {
            events: Mutex::new(Events::new()),
            wait_until: AtomicU64::new(NOBODY),
            looks: AtomicU64::new(0),
            wanted: AtomicBool::new(false),
        }
    }

    /// Takes the lease, if nobody has it.
    #[inline]
    pub(crate) fn try_take(&self) -> Option<Held<'_>> {
        self.events.try_lock().map(|events| Held {
            events,
            lease: self,
        })
    }

    /// A worker that did not get the lease asks the reactor thread to give it back when it can.
    pub(crate) fn want(&self) {
        // ORDERING: Relaxed; a hint that may be late.
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked for the lease since the last call.
    pub(super) fn was_wanted(&self) -> bool {
        // ORDERING: Relaxed; a hint that may be late.
        self.wanted.swap(false, Ordering::Relaxed)
    }

    /// A number that changes whenever somebody looks at the poller.
    pub(super) fn looks(&self) -> u64 {
        // ORDERING: Relaxed; only compared with an earlier value.
        self.looks.load(Ordering::Relaxed)
    }

    /// Until when the holder waits, in the timers' nanoseconds, if it does.
    pub(crate) fn waits_until(&self) -> Option<u64> {
        // ORDERING: SeqCst, edge ZL of `scheduler::lending`, the lender's end: after the loan, and the fence. For who holds the lock of the sleepers
        // (D4 of `park::idle`) it is the wait of the one in the poller.
        Some(self.wait_until.load(Ordering::SeqCst)).filter(|&until| until != NOBODY)
    }

    /// After a deadline has become earlier: whether the waiter must be told.
    ///
    /// The caller has published the deadline with SeqCst before (edge Z).
    pub(crate) fn sleeps_past(&self, deadline: u64) -> bool {
        // ORDERING: edge Z, the registering end: the deadline is published before this look.
        fence(Ordering::SeqCst);
        self.wait_until.load(Ordering::SeqCst) > deadline
    }
}

impl Held<'_> {
    /// Announces a wait until `deadline`; the caller looks at the timers once more before it waits.
    pub(crate) fn announce_wait(&self, deadline: u64) {
        // ORDERING: SeqCst with the fence, edges Z and ZL, the waiting end.
        self.lease.wait_until.store(deadline, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }

    /// Takes the announcement back.
    pub(crate) fn end_wait(&self) {
        // ORDERING: SeqCst as the announcement. A registration that still sees it tells the poller for
        // nothing.
        self.lease.wait_until.store(NOBODY, Ordering::SeqCst);
    }

    /// Forgets what the last wait brought.
    pub(crate) fn clear(&mut self) {
        self.events.clear();
    }

    /// Waits in the poller.
    pub(crate) fn wait(
        &mut self,
        registry: &Registry,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        // ORDERING: Relaxed; a count that is only compared. The holder is its only writer.
        self.lease.looks.fetch_add(1, Ordering::Relaxed);
        registry.poller.wait(&mut self.events, timeout)
    }

    /// As [`wait`](Self::wait), but also ends when `branch` has something, which it leaves there.
    pub(crate) fn wait_beside(
        &mut self,
        registry: &Registry,
        branch: &Poller,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        self.events.clear();
        registry.poller.wait_beside(branch, timeout)?;
        self.wait(registry, Some(Duration::ZERO))
    }

    /// Which workers' grafted branches have something.
    pub(crate) fn branches(&self) -> impl Iterator<Item = usize> {
        self.events.branches()
    }

    /// What the wait brought, for [`Registry::dispatch`].
    pub(crate) fn events(&self) -> impl Iterator<Item = Event> {
        self.events.iter()
    }
}
