#![expect(
    unsafe_code,
    reason = "registers descriptors that the caller promises to keep open"
)]
//! The table of sources.
//!
//! # Invariants
//!
//! * G1 — A key is an index into the table and a generation. An event that was fetched before its source was
//!   taken out does not reach the one that has the index now.
//! * G2 — Under the table's lock only atomics, the waiters' locks and the pollers' registrations are touched; no user code runs.

use super::branch::{Branch, Graft, SHARED};
use super::inbox::{Event, NEW, NOBODY, Steer};
use super::key::Key;
use super::poller::Poller;
use super::recheck::Note;
use super::source::Source;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Arc, CachePadded, Mutex};
use slab::Slab;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::task::Waker;

/// Sources rechecked at a time, under the table's lock.
const RECHECKED_AT_ONCE: usize = 256;

/// The table of sources, and the pollers that they are registered with.
#[derive(Debug)]
pub(crate) struct Registry {
    /// The shared one.
    pub(crate) poller: Poller,
    /// One for each worker, if there are several and the system can do it.
    pub(crate) branches: Box<[CachePadded<Branch>]>,
    table: Mutex<Table>,
    /// How many sources there are, those that are not registered yet among them.
    count: AtomicUsize,
}

#[derive(Debug)]
struct Table {
    entries: Slab<Entry>,
    /// Grows with every registration.
    generation: usize,
    /// The runtime has ended.
    down: bool,
}

#[derive(Debug)]
struct Entry {
    key: Key,
    source: Arc<Source>,
    fd: RawFd,
    /// Whose worker had better handle its events, as [`Steer`] has it. Written by whoever handles one.
    lane: u32,
    /// The worker whose branch it is registered with, or [`NOBODY`] for the shared poller (J3 of [`branch`](super::branch)).
    home: u32,
    /// [`Poller::watch_hang_up`] was asked for.
    watches_hang_up: bool,
}

impl Registry {
    pub(super) fn new(workers: usize) -> io::Result<Self> {
        let branches = if Poller::CAN_BRANCH && workers > 1 {
            workers
        } else {
            0
        };
        let table = Table {
            entries: Slab::new(),
            generation: 0,
            down: false,
        };
        Ok(Self {
            poller: Poller::new()?,
            branches: (0..branches).map(|_| CachePadded(Branch::new())).collect(),
            table: Mutex::new(table),
            count: AtomicUsize::new(0),
        })
    }

    /// Registers a descriptor.
    ///
    /// # Safety
    ///
    /// The descriptor is passed to [`deregister`](Self::deregister) before it is closed.
    ///
    /// # Errors
    ///
    /// What the poller says; or that the runtime has ended, or that the table is full.
    pub(super) unsafe fn register(
        &self,
        fd: BorrowedFd<'_>,
        source: &Arc<Source>,
    ) -> io::Result<Key> {
        let key = self.table.lock().insert(source, fd.as_raw_fd())?;
        // SAFETY: the caller's promise.
        if let Err(error) = unsafe { self.poller.add(fd, key.raw()) } {
            self.table.lock().remove(key);
            return Err(refused(&error));
        }
        Ok(key)
    }

    /// There is one more source, though it may not be registered yet.
    pub(super) fn count_in(&self) {
        // ORDERING: Relaxed; a count for decisions that may be late.
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// There is one less.
    pub(super) fn count_out(&self) {
        // ORDERING: Relaxed; a count for decisions that may be late.
        self.count.fetch_sub(1, Ordering::Relaxed);
    }

    /// Takes a descriptor out.
    pub(super) fn deregister(&self, key: Key, fd: BorrowedFd<'_>) {
        let Some(entry) = self.table.lock().remove(key) else {
            return;
        };
        // Nobody moves it any more.
        self.take_out(entry.home, fd);
        drop(entry);
    }

    /// Tells the sources what came, but for the events that `steer` puts aside; collects the wakers.
    pub(crate) fn dispatch(
        &self,
        events: impl Iterator<Item = Event>,
        steer: &mut impl Steer,
        woken: &mut Vec<Waker>,
    ) {
        let mut table = self.table.lock();
        for event in events {
            let Some(entry) = table.get(event.key) else {
                continue;
            };
            if steer.puts_aside(entry.lane, event) {
                continue;
            }
            // SAFETY: an entry is taken out of the table by `deregister`, before the descriptor is closed: see `register`. The
            // table's lock is held. Where a registration was leaked and its descriptor closed all the same, the number may be
            // another's by now: then the question is answered for that one, and it may be moved in this one's stead, so that its
            // events are lost. That is a fault of the program, but no unsoundness.
            let fd = unsafe { BorrowedFd::borrow_raw(entry.fd) };
            steer.locate(fd, &mut entry.lane);
            // What it said holds for this event too. Were it for the next, the other end of the connection, which counts the same
            // events, would be asked before it sees a message from there, and the two would change places.
            if steer.puts_aside(entry.lane, event) {
                continue;
            }
            if let Some(home) = steer.settles(entry.lane, entry.home) {
                self.settle(entry, fd, home);
            }
            entry.source.on_event(event.ready, woken);
        }
    }

    /// Has those sources tried that are still in doubt; collects the wakers.
    pub(crate) fn recheck(&self, notes: &[Note], woken: &mut Vec<Waker>) {
        for notes in notes.chunks(RECHECKED_AT_ONCE) {
            let mut table = self.table.lock();
            for note in notes {
                if let Some(entry) = table.get(note.key) {
                    entry.source.recheck(note.seen, woken);
                }
            }
        }
    }

    /// Moves a source to the branch of the calling worker (J4), or to the shared poller. If the system refuses that, it stays
    /// where it is.
    #[cold]
    fn settle(&self, entry: &mut Entry, fd: BorrowedFd<'_>, home: u32) {
        let branch = self.branches.get(home as usize);
        let poller = match branch {
            None => &self.poller,
            Some(branch) => match branch.open() {
                Some(poller) => poller,
                None => return,
            },
        };
        let key = entry.key.raw();
        // SAFETY: `register`'s caller promised to pass the descriptor to `deregister`, which takes it out of its home.
        if unsafe { poller.add(fd, key) }.is_err() {
            return;
        }
        if entry.watches_hang_up && !poller.watch_hang_up(fd, key) {
            let _ = poller.delete(fd);
            return;
        }
        if let Some(branch) = branch {
            branch.gain();
        }
        self.take_out(entry.home, fd);
        entry.home = home;
    }

    /// Takes a descriptor out of the poller where it is.
    fn take_out(&self, home: u32, fd: BorrowedFd<'_>) {
        // A failure means that the descriptor is not in the poller, which is what is wanted.
        let _ = match self.branch_at(home) {
            Some((branch, poller)) => {
                branch.lose();
                poller.delete(fd)
            }
            None => self.poller.delete(fd),
        };
    }

    fn branch_at(&self, home: u32) -> Option<(&Branch, &Poller)> {
        let branch = self.branches.get(home as usize)?;
        Some((branch, branch.poller()?))
    }

    /// As [`Poller::watch_hang_up`], in the poller where the source is.
    pub(super) fn watch_hang_up(&self, key: Key, fd: BorrowedFd<'_>) -> bool {
        let mut table = self.table.lock();
        let Some(entry) = table.get(key) else {
            return false;
        };
        let poller = self
            .branch_at(entry.home)
            .map_or(&self.poller, |(_, poller)| poller);
        entry.watches_hang_up = poller.watch_hang_up(fd, key.raw());
        entry.watches_hang_up
    }

    /// Ends the wait that is going on, or the next, in the poller of this number: see [`branch`](super::branch).
    pub(crate) fn notify(&self, poller: u32) {
        let branch = poller.checked_sub(SHARED + 1);
        let poller = branch
            .and_then(|worker| self.branch_at(worker))
            .map_or(&self.poller, |(_, poller)| poller);
        poller.notify();
    }

    /// Lets whoever waits in the shared poller look at a worker's branch too.
    pub(crate) fn graft(&self, worker: usize) -> Graft {
        let branch = self.branches.get(worker);
        let Some(branch) = branch.filter(|branch| branch.in_use().is_some()) else {
            return Graft::NotNew;
        };
        branch.graft(&self.poller, worker)
    }

    /// Leaves a branch to its worker again.
    pub(crate) fn prune(&self, worker: usize) {
        if let Some(branch) = self.branches.get(worker) {
            branch.prune(&self.poller);
        }
    }

    /// Refuses new sources, and marks the old ones; collects the wakers.
    pub(crate) fn shut_down(&self, woken: &mut Vec<Waker>) {
        let mut table = self.table.lock();
        table.down = true;
        for (_, entry) in &table.entries {
            entry.source.on_shutdown(woken);
        }
    }

    /// Whether there is no source.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many sources there are.
    pub(crate) fn len(&self) -> usize {
        // ORDERING: Relaxed; a count for decisions that may be late.
        self.count.load(Ordering::Relaxed)
    }
}

impl Table {
    fn insert(&mut self, source: &Arc<Source>, fd: RawFd) -> io::Result<Key> {
        if self.down {
            return Err(io::Error::other(
                "the gristmill runtime has shut down: it takes no more descriptors",
            ));
        }
        let slot = self.entries.vacant_entry();
        if slot.key() >= Key::INDEX_END {
            return Err(io::Error::other(
                "too many descriptors are registered with this runtime",
            ));
        }
        self.generation = self.generation.wrapping_add(1);
        let key = Key::new(slot.key(), self.generation);
        slot.insert(Entry {
            key,
            source: Arc::clone(source),
            fd,
            lane: NEW,
            home: NOBODY,
            watches_hang_up: false,
        });
        Ok(key)
    }

    fn get(&mut self, key: Key) -> Option<&mut Entry> {
        let entry = self.entries.get_mut(key.index())?;
        (entry.key == key).then_some(entry)
    }

    fn remove(&mut self, key: Key) -> Option<Entry> {
        self.entries.try_remove(key.index())
    }
}

#[cold]
fn refused(error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("the operating system's poller refused the descriptor: {error}"),
    )
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;
    use crate::reactor::ready::Ready;

    #[test]
    fn an_event_for_a_former_owner_of_an_index_reaches_nobody() {
        let mut table = Table {
            entries: Slab::new(),
            generation: 0,
            down: false,
        };
        let source = Arc::new(Source::new(Ready::EMPTY));
        let old = table.insert(&source, 0).expect("room");
        table.remove(old);
        let new = table.insert(&source, 0).expect("room");
        assert_eq!(old.index(), new.index(), "the index is used again");
        assert!(table.get(old).is_none());
        assert!(table.get(new).is_some());
    }
}
