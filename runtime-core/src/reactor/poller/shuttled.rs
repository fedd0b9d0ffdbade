#![expect(
    unsafe_code,
    reason = "has the face of the others, which ask for open descriptors"
)]
//! The wait as `shuttle` sees it: on a condition variable, until somebody raises an event by hand or notifies.
//!
//! Each call that can fail asks the modelled faults first. A wait that fails takes nothing: the next one brings what came, as the
//! system's do.

use super::super::ready::Ready;
use super::cannot_start;
use crate::reactor::inbox::Event;
use crate::reactor::key::Key;
use crate::sync::{Condvar, Mutex, now};
use runtime_timer::modelled_faults::{self, Fault};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

/// The poller.
#[derive(Debug)]
pub(crate) struct Poller {
    state: Mutex<State>,
    signal: Condvar,
}

#[derive(Debug, Default)]
struct State {
    notified: bool,
    /// Registered descriptors and their keys.
    watched: Vec<(RawFd, usize)>,
    /// What came, and no wait has brought yet.
    events: Vec<Event>,
}

/// What a wait brought.
#[derive(Debug)]
pub(crate) struct Events(Vec<Event>);

impl Poller {
    /// Branches are modelled apart.
    pub(crate) const CAN_BRANCH: bool = false;

    pub(crate) fn new() -> io::Result<Self> {
        modelled_faults::pass(Fault::NoPoller).map_err(|error| cannot_start(&error))?;
        Ok(Self {
            state: Mutex::new(State::default()),
            signal: Condvar::new(),
        })
    }

    /// Registers a descriptor.
    ///
    /// # Safety
    ///
    /// None is needed here.
    pub(crate) unsafe fn add(&self, fd: BorrowedFd<'_>, key: usize) -> io::Result<()> {
        modelled_faults::pass(Fault::NoRoom)?;
        self.state.lock().watched.push((fd.as_raw_fd(), key));
        Ok(())
    }

    pub(crate) fn delete(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        let fd = fd.as_raw_fd();
        self.state.lock().watched.retain(|(own, _)| *own != fd);
        Ok(())
    }

    pub(crate) fn watch_hang_up(&self, _fd: BorrowedFd<'_>, _key: usize) -> bool {
        false
    }

    /// A descriptor becomes ready, once.
    #[cfg(test)]
    pub(crate) fn raise(&self, fd: BorrowedFd<'_>, ready: Ready) {
        let fd = fd.as_raw_fd();
        let mut state = self.state.lock();
        let key = state.watched.iter().find(|(own, _)| *own == fd);
        let Some(&(_, key)) = key else { return };
        state.events.push(Event {
            key: Key::from_raw(key),
            ready,
        });
        drop(state);
        self.signal.notify_all();
    }

    /// Waits until an event, a notification, or the end of the time.
    pub(crate) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.0.clear();
        modelled_faults::pass(Fault::BrokenPoller)?;
        if modelled_faults::pass(Fault::Interruption).is_err() {
            // The face of the others: they do not tell.
            return Ok(());
        }
        let deadline = timeout.map(|timeout| now().checked_add(timeout));
        let mut state = self.state.lock();
        while !state.notified && state.events.is_empty() {
            match deadline {
                None | Some(None) => self.signal.wait(&mut state),
                Some(Some(deadline)) if now() >= deadline => break,
                Some(Some(deadline)) => self.signal.wait_until(&mut state, deadline),
            }
        }
        state.notified = false;
        events.0.append(&mut state.events);
        if modelled_faults::pass(Fault::LostEvents).is_err() {
            events.0.clear();
        }
        Ok(())
    }

    pub(crate) fn graft(&self, _branch: &Self, _worker: usize) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn prune(&self, _branch: &Self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn wait_beside(&self, _branch: &Self, _timeout: Option<Duration>) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Ends the wait that is going on, or the next.
    pub(crate) fn notify(&self) {
        self.state.lock().notified = true;
        self.signal.notify_all();
    }
}

impl Events {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Event> + '_ {
        self.0.iter().copied()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn branches(&self) -> impl Iterator<Item = usize> + '_ {
        std::iter::empty()
    }
}
