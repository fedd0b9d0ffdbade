//! Events that one thread got from the poller and another had better handle.
//!
//! The thread in the poller gets the events of all sources. A source's state, and the task that waits for it, are in the cache of the
//! processor where that task runs; to handle the event elsewhere moves all of it there, and then the socket with it. So an event
//! may be put into the inbox of the worker it belongs to. Which one that is, the scheduler says: see [`Steer`].
//!
//! # Invariants
//!
//! * J1 — Events wait in the list, under its lock; `has_events` changes under the lock too, and says whether there are any.
//! * J2 — To a sleeper an inbox is one more queue: who puts something in notifies afterwards, and who goes to sleep looks at the
//!   inboxes of all after its announcement (edge P1 of [`park`](crate::park)).

use super::key::Key;
use super::ready::Ready;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};
use std::os::fd::BorrowedFd;

/// What the poller said of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(super) key: Key,
    pub(super) ready: Ready,
}

/// The lane of a source that is new.
pub(crate) const NEW: u32 = u32::MAX;

/// The home of sources in the shared poller.
pub(crate) const NOBODY: u32 = u32::MAX;

/// Says where events go. Called under the lock of the table of sources: it touches nothing but its own.
pub(crate) trait Steer {
    /// Puts `event` aside if it had better be handled by the worker of `lane`. Whether it did.
    fn puts_aside(&mut self, lane: u32, event: Event) -> bool;

    /// A look at a source whose event is about to be handled here. If it is time to ask, `lane` becomes the one that its events
    /// belong to, this one included.
    fn locate(&mut self, source: BorrowedFd<'_>, lane: &mut u32);

    /// With which worker's own poller a source had better be registered, whose events belong to `lane` and which is registered with
    /// that of `home`: this worker's, or [`NOBODY`]'s, which is the shared one. `None` leaves it. See [`branch`](super::branch).
    fn settles(&mut self, lane: u32, home: u32) -> Option<u32>;
}

/// For who is no worker: events are handled where they are.
pub(crate) struct Anywhere;

impl Steer for Anywhere {
    fn puts_aside(&mut self, _lane: u32, _event: Event) -> bool {
        false
    }

    fn locate(&mut self, _source: BorrowedFd<'_>, _lane: &mut u32) {}

    fn settles(&mut self, _lane: u32, _home: u32) -> Option<u32> {
        None
    }
}

/// The events that wait for one worker.
#[derive(Debug)]
pub(crate) struct Inbox {
    has_events: AtomicBool,
    events: Mutex<Vec<Event>>,
}

#[cfg(all(any(test, gristmill_loom), not(gristmill_shuttle)))]
impl Inbox {
    /// An event, for tests and models.
    pub(crate) fn event(key: usize) -> Event {
        Event {
            key: Key::from_raw(key),
            ready: Ready::READABLE,
        }
    }
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self {
            has_events: AtomicBool::new(false),
            events: Mutex::new(Vec::new()),
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        // ORDERING: Relaxed. For the owner at the begin of a round it is a hint; the look before a sleep has the fence of
        // edge P1 before it, as the poster's look at the counts has one after its store.
        !self.has_events.load(Ordering::Relaxed)
    }

    /// Puts events in, and leaves `events` empty. The caller notifies.
    pub(crate) fn put(&self, events: &mut Vec<Event>) {
        self.change(|waiting| waiting.append(events));
    }

    /// Moves all events to `taken`, which is empty.
    pub(crate) fn take_all(&self, taken: &mut Vec<Event>) {
        self.change(|waiting| std::mem::swap(waiting, taken));
    }

    /// Moves half of the events to `taken`, of one the one: for a thief.
    pub(crate) fn take_half(&self, taken: &mut Vec<Event>) {
        self.change(|waiting| taken.extend(waiting.drain(..waiting.len().div_ceil(2))));
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Event>)) {
        let mut waiting = self.events.lock();
        change(&mut waiting);
        // ORDERING: Relaxed, J1. Of what is put in, edge P1 is made by the fence in the caller's `notify`; who takes events
        // handles them.
        self.has_events
            .store(!waiting.is_empty(), Ordering::Relaxed);
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;

    fn events(keys: std::ops::Range<usize>) -> Vec<Event> {
        keys.map(Inbox::event).collect()
    }

    #[test]
    fn nothing_is_lost_between_owner_and_thief() {
        let inbox = Inbox::new();
        assert!(inbox.is_empty());
        inbox.put(&mut events(0..3));
        inbox.put(&mut events(3..5));
        let mut stolen = Vec::new();
        inbox.take_half(&mut stolen);
        assert!(!inbox.is_empty());
        let mut rest = Vec::new();
        inbox.take_all(&mut rest);
        assert!(inbox.is_empty());
        stolen.append(&mut rest);
        assert_eq!(stolen, events(0..5));
    }

    #[test]
    fn a_thief_takes_a_single_event() {
        let inbox = Inbox::new();
        inbox.put(&mut events(7..8));
        let mut stolen = Vec::new();
        inbox.take_half(&mut stolen);
        assert_eq!(stolen, events(7..8));
        assert!(inbox.is_empty());
    }
}
