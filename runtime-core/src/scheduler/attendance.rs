//! Who works for a runtime just now: threads of its own, and a thread in `block_on` that runs its tasks.
//!
//! A thread of its own counts until it has emptied its thread-local places, whose destructors are the user's: it counts itself out
//! as its very last act. So whoever joins a thread that is not counted any more never waits for user code.
//!
//! # Invariants
//!
//! * T1 — What counts a thread out is the first thing that the thread keeps in a place of its own, and such places are emptied in
//!   the reverse order of their first use.

use crate::sync::{Arc, Condvar, Mutex, now, thread, thread_local};
#[cfg(gristmill_shuttle)]
use crate::sync::{CellKey as _, RefKey as _};
use std::cell::{Cell, RefCell};
use std::time::Instant;

thread_local! {
    /// What counts this thread out (T1).
    static PRESENT: RefCell<Option<Present>> = const { RefCell::new(None) };
    /// The address of the attendance that this thread is in; 0 for a thread that is not a runtime's own. Nothing to destroy, so
    /// it can be read until the very end.
    static BELONGS_TO: Cell<usize> = const { Cell::new(0) };
}

/// What somebody is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Works a lane.
    Lane,
    /// Drops what the shutdown found left.
    Sweep,
    /// The reactor thread.
    Reactor,
}

/// Who works for a runtime just now.
pub(crate) struct Attendance {
    list: Mutex<List>,
    /// Signalled when somebody has left.
    left: Condvar,
}

struct List {
    present: Vec<Entry>,
    /// The number of the next to come.
    next: u64,
}

struct Entry {
    number: u64,
    duty: Duty,
    name: Name,
}

/// How somebody is called.
pub(super) enum Name {
    /// A thread that is about to be started.
    New(String),
    Existing(thread::Thread),
}

impl Attendance {
    pub(super) fn new() -> Arc<Self> {
        let list = List {
            present: Vec::new(),
            next: 0,
        };
        Arc::new(Self {
            list: Mutex::new(list),
            left: Condvar::new(),
        })
    }

    /// Counts somebody in, until the guard is dropped.
    pub(super) fn enter(self: &Arc<Self>, duty: Duty, name: Name) -> Present {
        let mut list = self.list.lock();
        let number = list.next;
        list.next += 1;
        list.present.push(Entry { number, duty, name });
        Present {
            attendance: Arc::clone(self),
            number,
        }
    }

    /// Counts the calling thread in while it works a lane.
    pub(crate) fn enter_this_thread(self: &Arc<Self>) -> Present {
        self.enter(Duty::Lane, Name::Existing(thread::current()))
    }

    pub(super) fn is_present(&self, number: u64) -> bool {
        let list = self.list.lock();
        list.present.iter().any(|entry| entry.number == number)
    }

    /// Waits until nobody is there whom `awaited` names, or the deadline. Whether it came to that.
    pub(crate) fn wait(&self, awaited: impl Fn(Duty) -> bool, deadline: Option<Instant>) -> bool {
        let mut list = self.list.lock();
        while list.present.iter().any(|entry| awaited(entry.duty)) {
            match deadline {
                None => self.left.wait(&mut list),
                Some(deadline) if now() >= deadline => return false,
                Some(deadline) => {
                    self.left.wait_until(&mut list, deadline);
                }
            }
        }
        true
    }

    /// What those are called who are there for this duty, but for the calling thread.
    pub(crate) fn names(&self, of: impl Fn(Duty) -> bool) -> Vec<String> {
        let own = own_number(self);
        let list = self.list.lock();
        let others = list
            .present
            .iter()
            .filter(|entry| of(entry.duty) && Some(entry.number) != own && !entry.is_this_thread());
        others.map(Entry::name).collect()
    }

    /// Whether the calling thread is one of the runtime's own.
    pub(crate) fn is_own_thread(&self) -> bool {
        BELONGS_TO.get() == std::ptr::from_ref(self).addr()
    }
}

impl Entry {
    fn is_this_thread(&self) -> bool {
        match &self.name {
            Name::New(_) => false,
            Name::Existing(thread) => thread.id() == thread::current().id(),
        }
    }

    fn name(&self) -> String {
        match &self.name {
            Name::New(name) => name.clone(),
            Name::Existing(thread) => thread.name().unwrap_or("(without a name)").to_owned(),
        }
    }
}

/// The number under which this thread is in the attendance.
fn own_number(attendance: &Attendance) -> Option<u64> {
    PRESENT
        .try_with(|present| present.borrow().as_ref().map(|present| present.number))
        .ok()
        .flatten()
        .filter(|_| attendance.is_own_thread())
}

/// Counts somebody out when dropped.
pub(crate) struct Present {
    attendance: Arc<Attendance>,
    number: u64,
}

impl Present {
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Counts the calling thread, a new one, out when it ends (T1).
    pub(super) fn until_thread_ends(self) {
        BELONGS_TO.set(Arc::as_ptr(&self.attendance).addr());
        PRESENT.set(Some(self));
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        let entry = {
            let mut list = self.attendance.list.lock();
            let place = list
                .present
                .iter()
                .position(|entry| entry.number == self.number);
            place.map(|place| list.present.swap_remove(place))
        };
        self.attendance.left.notify_all();
        drop(entry);
    }
}
