#![expect(
    unsafe_code,
    reason = "links tasks through fields of their own headers"
)]
//! The set of living tasks, so that a shutdown can drop every future that is left.
//!
//! Intrusive: membership costs no allocation. A runtime has one set for each worker, so that spawning
//! workers do not meet at one lock.
//!
//! # Invariants
//!
//! * O1 — The links of a task in the set are written only under the set's lock; a task is in at most one
//!   set during its life, the one its scheduler names, so that lock is always the same.
//! * O2 — The set owns one reference to each member, so members live.
//! * O3 — Once closed, a set takes no more members: a spawn that comes too late ends its task instead.

use super::header::{Header, TaskRef};
use crate::sync::Mutex;
use std::ptr::NonNull;

/// A set of living tasks.
pub(crate) struct OwnedSet {
    list: Mutex<List>,
}

struct List {
    /// The newest member.
    head: Option<NonNull<Header>>,
    len: usize,
    closed: bool,
}

// SAFETY: the pointers are to tasks that the set owns references to (O2); tasks may be used from any
// thread, and the links only under the lock (O1).
unsafe impl Send for List {}

impl OwnedSet {
    pub(crate) fn new() -> Self {
        Self {
            list: Mutex::new(List {
                head: None,
                len: 0,
                closed: false,
            }),
        }
    }

    /// Takes a new task in.
    ///
    /// # Errors
    ///
    /// Gives it back if the set is closed.
    pub(crate) fn insert(&self, task: TaskRef) -> Result<(), TaskRef> {
        let mut list = self.list.lock();
        if list.closed {
            drop(list);
            return Err(task);
        }
        let task = task.into_raw();
        let old_head = list.head.replace(task);
        list.len += 1;
        // SAFETY: the reference was passed in, so the task lives.
        let header = unsafe { task.as_ref() };
        // SAFETY: O1, the lock is held.
        header
            .links
            .with_mut(|links| unsafe { (*links).next = old_head });
        if let Some(next) = old_head {
            // SAFETY: O2, members live.
            let next = unsafe { next.as_ref() };
            // SAFETY: O1, the lock is held.
            next.links
                .with_mut(|links| unsafe { (*links).previous = Some(task) });
        }
        Ok(())
    }

    /// Takes a task out. Whether it was in; if so the set's reference is the caller's now.
    ///
    /// The task's scheduler names this set.
    pub(crate) fn remove(&self, task: &Header) -> bool {
        self.list.lock().unlink(task)
    }

    /// Takes no more members from now on.
    pub(crate) fn close(&self) {
        self.list.lock().closed = true;
    }

    /// Takes any one member out.
    pub(crate) fn pop(&self) -> Option<TaskRef> {
        let mut list = self.list.lock();
        let head = list.head?;
        // SAFETY: O2, members live.
        let was_member = list.unlink(unsafe { head.as_ref() });
        debug_assert!(was_member, "the head is a member");
        // SAFETY: the set's reference becomes the caller's.
        Some(unsafe { TaskRef::from_raw(head) })
    }

    /// How many tasks are in.
    pub(crate) fn len(&self) -> usize {
        self.list.lock().len
    }
}

impl List {
    fn unlink(&mut self, task: &Header) -> bool {
        let this = Some(NonNull::from(task));
        // SAFETY: O1, the lock is held.
        let links = task.links.with(|links| unsafe { *links });
        match links.previous {
            None if self.head != this => return false,
            None => self.head = links.next,
            Some(previous) => {
                // SAFETY: O2, members live.
                let previous = unsafe { previous.as_ref() };
                // SAFETY: O1, the lock is held.
                previous
                    .links
                    .with_mut(|its| unsafe { (*its).next = links.next });
            }
        }
        if let Some(next) = links.next {
            // SAFETY: O2, members live.
            let next = unsafe { next.as_ref() };
            // SAFETY: O1, the lock is held.
            next.links
                .with_mut(|its| unsafe { (*its).previous = links.previous });
        }
        // SAFETY: O1, the lock is held.
        task.links
            .with_mut(|its| unsafe { *its = Default::default() });
        self.len -= 1;
        true
    }
}

impl Drop for OwnedSet {
    fn drop(&mut self) {
        while let Some(task) = self.pop() {
            drop(task);
        }
    }
}
