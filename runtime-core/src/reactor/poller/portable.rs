#![expect(
    unsafe_code,
    reason = "registers descriptors that the caller promises to keep open"
)]
//! The wait through the `polling` crate, on every system that it knows an edge-triggered mode for.

use super::super::ready::Ready;
use super::{Subject, cannot_start};
use crate::reactor::inbox::Event;
use polling::{Event as Watched, PollMode};
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// How many events one wait can bring.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// The poller.
#[derive(Debug)]
pub(crate) struct Poller {
    polling: polling::Poller,
}

/// What a wait brought.
pub(crate) struct Events(polling::Events);

impl Poller {
    /// Whether [`graft`](Self::graft) and [`wait_beside`](Self::wait_beside) work. They are only worth while where the system
    /// tells on which processor a socket's traffic is.
    pub(crate) const CAN_BRANCH: bool = false;

    pub(crate) fn new() -> io::Result<Self> {
        let polling = polling::Poller::new().map_err(|error| cannot_start(&error))?;
        if !polling.supports_edge() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "gristmill needs an edge-triggered poller, which the polling crate does not offer on \
                 this operating system: use Linux, macOS or a BSD",
            ));
        }
        Ok(Self { polling })
    }

    /// Registers a descriptor for reading and writing.
    ///
    /// # Safety
    ///
    /// The descriptor is passed to [`delete`](Self::delete) before it is closed.
    pub(crate) unsafe fn add(&self, fd: BorrowedFd<'_>, key: usize) -> io::Result<()> {
        // SAFETY: the caller's promise is the one asked for.
        unsafe {
            self.polling
                .add_with_mode(fd.as_raw_fd(), Watched::all(key), PollMode::Edge)
        }
    }

    pub(crate) fn delete(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.polling.delete(fd)
    }

    /// The crate does not report hang-ups apart from bytes: short reads cannot be trusted.
    pub(crate) fn watch_hang_up(&self, _fd: BorrowedFd<'_>, _key: usize) -> bool {
        false
    }

    /// Waits until something is ready, a notification, or the end of the time.
    pub(crate) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.0.clear();
        match self.polling.wait(&mut events.0, timeout) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
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
        // It fails only when the poller's own descriptor is broken, which the wait reports.
        let _ = self.polling.notify();
    }
}

impl Events {
    pub(crate) fn new() -> Self {
        Self(polling::Events::with_capacity(CAPACITY))
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// What came of sources, by key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Event> + '_ {
        self.0
            .iter()
            .filter_map(|event| match Subject::of(event.key) {
                Subject::Source(key) => Some(Event {
                    key,
                    ready: ready(&event),
                }),
                _ => None,
            })
    }

    /// Which workers' branches have something: there are none.
    pub(crate) fn branches(&self) -> impl Iterator<Item = usize> + '_ {
        std::iter::empty()
    }
}

fn ready(event: &Watched) -> Ready {
    let mut ready = Ready::EMPTY;
    if event.readable {
        ready |= Ready::READABLE;
    }
    if event.writable {
        ready |= Ready::WRITABLE;
    }
    if event.is_priority() {
        ready |= Ready::PRIORITY;
    }
    if event.is_err().unwrap_or(false) {
        ready |= Ready::BOTH | Ready::ERROR;
    }
    ready
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Events({})", self.0.len())
    }
}
