//! A worker's own poller, beside the shared one.
//!
//! In one poller for all workers, each worker that looks meets the sockets of the others: the kernel touches each that it reports,
//! and moves it to the looker's processor. So a source whose events keep being found by the wrong worker moves to a poller
//! that only the right one looks at. Programs in which one worker does all never get that far, and need no second poller.
//!
//! ```text
//!    new source ──▶ shared poller ──its events are found by a sibling──▶ inbox ──adopted──▶ branch of its worker
//!                        ▲                                                                      │
//!                        ├────────── grafted while the worker does not look ◀───────────────────┤
//!                        └────────── released once the worker has little to do ◀────────────────┘
//! ```
//!
//! # Invariants
//!
//! * J3 — A source is registered with one poller; the table of sources says which, and it changes under the table's lock. Between
//!   the two registrations of a move it is in both: an event may come twice, and none is missed.
//! * J4 — Only its worker puts sources into a branch. So a worker that goes to sleep knows whether it has to sleep there.
//! * J5 — While a branch holds sources its worker sleeps in it, or is awake. If it is awake but does not look for a tick of the
//!   reactor thread, the branch is grafted onto the shared poller, level-triggered: then whoever waits there looks at it. It
//!   stays grafted until the worker has looked at every tick for a while, and as long as the worker sleeps elsewhere meanwhile. If the
//!   system refuses the graft the reactor thread looks at the branch itself, at each tick.
//! * J6 — While the worker sleeps in the branch nobody else looks there: a notification is an edge, and meant for the worker.
//!
//! Who looks besides the worker, [`Watched`] says, under its lock. The worker's own looks need no lock: whoever looks has a
//! buffer, and the kernel gives each edge to one of them. No edge of memory order either: what one thread puts into the kernel
//! another one takes out of it.

use super::poller::{Events, Poller};
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Mutex, OnceLock};
use std::io;
use std::time::Duration;

/// What [`Registry::notify`](super::registry::Registry::notify) calls the shared poller. Branches have the numbers above it.
pub(crate) const SHARED: u32 = 0;

/// A branch that the system refused is tried again after so many sources that would have gone there.
const OPEN_AGAIN: u64 = 1_024;

/// The number of a worker's branch.
pub(crate) fn number(worker: usize) -> u32 {
    match u32::try_from(worker) {
        Ok(worker) => worker + 1,
        Err(_) => unreachable!("a runtime has at most 1024 workers"),
    }
}

/// A worker's own poller.
#[derive(Debug)]
pub(crate) struct Branch {
    /// Opened for the first source. While the system refuses it all sources stay in the shared one.
    poller: OnceLock<Poller>,
    /// How often it was refused, or asked for in vain since.
    refusals: AtomicU64,
    sources: AtomicUsize,
    watched: Watched,
}

/// Who sees to a branch, besides the worker while it is awake.
#[derive(Debug)]
pub(crate) struct Watched(Mutex<By>);

/// What became of a graft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Graft {
    New,
    /// There is one already, or the worker sleeps in its branch, or there is nothing in it.
    NotNew,
    /// The system cannot: the reactor thread has to look.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// Nobody: the worker is awake, or sleeps in the shared poller and here at once.
    Worker,
    /// Nobody: the worker sleeps in it.
    Sleeper,
    /// Whoever waits in the shared poller, onto which it is grafted. The worker may look too.
    Grafted,
    /// The same, and the worker sleeps elsewhere and relies on that.
    GraftedForSleeper,
    /// The reactor thread at its ticks, since the system refused the graft. The worker may look too.
    ReactorThread,
}

impl Branch {
    pub(super) fn new() -> Self {
        Self {
            poller: OnceLock::new(),
            refusals: AtomicU64::new(0),
            sources: AtomicUsize::new(0),
            watched: Watched::new(),
        }
    }

    /// The poller, if there are sources in it.
    #[inline]
    pub(crate) fn in_use(&self) -> Option<&Poller> {
        // ORDERING: Relaxed. For the worker the count is exact but for sources that others have just taken out (J4); for others it
        // is a hint.
        if self.sources.load(Ordering::Relaxed) == 0 {
            None
        } else {
            self.poller()
        }
    }

    /// The poller, if it was opened.
    pub(super) fn poller(&self) -> Option<&Poller> {
        self.poller.get()
    }

    /// The poller; opened, if that is possible. Where it was not, that is tried again once in a while. Under the lock of the table of
    /// sources, so by one thread at a time.
    pub(super) fn open(&self) -> Option<&Poller> {
        if self.poller.get().is_none() {
            // ORDERING: Relaxed; a count for a decision that may be late.
            let refusals = self.refusals.fetch_add(1, Ordering::Relaxed);
            if refusals.is_multiple_of(OPEN_AGAIN)
                && let Ok(poller) = Poller::new()
            {
                let _ = self.poller.set(poller);
            }
        }
        self.poller.get()
    }

    /// A source came in.
    pub(super) fn gain(&self) {
        // ORDERING: Relaxed, see `in_use`.
        self.sources.fetch_add(1, Ordering::Relaxed);
    }

    /// A source is out.
    pub(super) fn lose(&self) {
        // ORDERING: Relaxed, see `in_use`.
        self.sources.fetch_sub(1, Ordering::Relaxed);
    }

    /// The right to look, and who has it.
    pub(crate) fn watched(&self) -> &Watched {
        &self.watched
    }

    /// Lets whoever waits in `shared` look here too, unless the worker sleeps here.
    pub(super) fn graft(&self, shared: &Poller, worker: usize) -> Graft {
        self.watched
            .graft(|| self.change(|poller| shared.graft(poller, worker)))
    }

    /// Leaves it to the worker again, unless the worker relies on others.
    pub(super) fn prune(&self, shared: &Poller) {
        self.watched
            .prune(|| self.change(|poller| shared.prune(poller)));
    }

    /// A look by another than the worker. Takes nothing if it is not grafted (any more).
    ///
    /// # Errors
    ///
    /// What the poller says.
    pub(crate) fn look_for_worker(&self, events: &mut Events) -> io::Result<()> {
        events.clear();
        let look = || match self.poller() {
            Some(poller) => poller.wait(events, Some(Duration::ZERO)),
            None => Ok(()),
        };
        self.watched.look(look).unwrap_or(Ok(()))
    }

    fn change(&self, change: impl FnOnce(&Poller) -> io::Result<()>) -> bool {
        self.poller().is_some_and(|poller| change(poller).is_ok())
    }
}

impl Watched {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(By::Worker))
    }

    /// The worker goes to sleep without looking at the shared poller: whether it has to do so in its branch. If not, it may sleep
    /// elsewhere. It calls [`leave`](Self::leave) when it wakes.
    pub(crate) fn enter(&self) -> bool {
        let mut by = self.0.lock();
        *by = match *by {
            By::Worker | By::Sleeper | By::ReactorThread => By::Sleeper,
            By::Grafted | By::GraftedForSleeper => By::GraftedForSleeper,
        };
        *by == By::Sleeper
    }

    /// The worker is awake again.
    pub(crate) fn leave(&self) {
        let mut by = self.0.lock();
        *by = match *by {
            By::Worker | By::Sleeper => By::Worker,
            By::Grafted | By::GraftedForSleeper => By::Grafted,
            By::ReactorThread => By::ReactorThread,
        };
    }

    /// Grafts by `graft`, which says whether it could.
    pub(crate) fn graft(&self, graft: impl FnOnce() -> bool) -> Graft {
        let mut by = self.0.lock();
        if !matches!(*by, By::Worker | By::ReactorThread) {
            return Graft::NotNew;
        }
        if graft() {
            *by = By::Grafted;
            Graft::New
        } else {
            *by = By::ReactorThread;
            Graft::Refused
        }
    }

    /// Prunes by `prune`, which says whether it could.
    pub(crate) fn prune(&self, prune: impl FnOnce() -> bool) {
        let mut by = self.0.lock();
        if *by == By::ReactorThread || (*by == By::Grafted && prune()) {
            *by = By::Worker;
        }
    }

    /// Another than the worker looks, if it may; meanwhile that does not change.
    pub(crate) fn look<R>(&self, look: impl FnOnce() -> R) -> Option<R> {
        let by = self.0.lock();
        let may_look = match *by {
            By::Worker | By::Sleeper => false,
            By::Grafted | By::GraftedForSleeper | By::ReactorThread => true,
        };
        may_look.then(look)
    }
}

#[cfg(all(
    test,
    not(gristmill_loom),
    not(gristmill_portable),
    target_os = "linux"
))]
mod tests;
