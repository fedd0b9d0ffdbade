#![expect(
    unsafe_code,
    reason = "registers descriptors that the caller promises to keep open; lets the event buffer move, and the kernel fill it"
)]
//! The wait on Linux: `epoll_pwait2`, or `epoll_pwait` for a look, on the `polling` crate's descriptor.
//!
//! Notifications come through an eventfd of our own, registered edge-triggered: it never needs to be read,
//! for every write is an edge of its own.

use super::super::ready::Ready;
use super::{FIRST_BRANCH_KEY, NOTIFY_KEY, Subject, cannot_start};
use crate::reactor::inbox::Event;
use polling::{Event as Watched, PollMode};
use rustix::buffer::spare_capacity;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, epoll, eventfd, poll};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::time::Duration;

/// How many events one wait can bring.
const CAPACITY: usize = 256;

/// How large the kernel's set of signals is.
const KERNEL_SIGSET_BYTES: usize = 8;

const _: () = assert!(size_of::<epoll::Event>() == size_of::<libc::epoll_event>());

/// The poller.
#[derive(Debug)]
pub(crate) struct Poller {
    polling: polling::Poller,
    /// Every write of it ends a wait. Dropped after the poller, as the registration demands.
    notifier: OwnedFd,
}

/// What a wait brought.
pub(crate) struct Events(Vec<epoll::Event>);

impl Poller {
    /// Whether [`graft`](Self::graft) and [`wait_beside`](Self::wait_beside) work.
    pub(crate) const CAN_BRANCH: bool = true;

    pub(crate) fn new() -> io::Result<Self> {
        let open = || {
            let polling = polling::Poller::new()?;
            let notifier = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
            // SAFETY: the notifier lives in this struct and is dropped after the poller.
            unsafe {
                polling.add_with_mode(
                    notifier.as_raw_fd(),
                    Watched::readable(NOTIFY_KEY),
                    PollMode::Edge,
                )?;
            }
            Ok(Self { polling, notifier })
        };
        let poller = open().map_err(|error: io::Error| cannot_start(&error))?;
        match poller.wait_for(&mut Events::new(), Some(Duration::ZERO)) {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Err(kernel_is_too_old()),
            _ => Ok(poller),
        }
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

    /// Asks for hang-ups to be reported with the last bytes; whether they will be.
    ///
    /// The change makes the kernel look at the descriptor anew, so a hang-up that is already there is
    /// reported too.
    pub(crate) fn watch_hang_up(&self, fd: BorrowedFd<'_>, key: usize) -> bool {
        use epoll::EventFlags as Flags;
        let flags = Flags::IN | Flags::OUT | Flags::PRI | Flags::RDHUP | Flags::ET;
        epoll::modify(
            &self.polling,
            fd,
            epoll::EventData::new_u64(key as u64),
            flags,
        )
        .is_ok()
    }

    /// Waits until something is ready, a notification, or the end of the time.
    #[inline]
    pub(crate) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        events.0.clear();
        match timeout {
            Some(Duration::ZERO) => self.look(events),
            _ => self.wait_for(events, timeout),
        }
    }

    /// Takes what is there. `epoll_pwait2` would do, but half as long again: it fetches the time, though that is none, from this thread's
    /// memory. See `docs/decisions/looks.md`.
    fn look(&self, events: &mut Events) -> io::Result<()> {
        let room = events.0.spare_capacity_mut();
        let length = libc::c_int::try_from(room.len()).unwrap_or(libc::c_int::MAX);
        let no_mask = ptr::null::<libc::sigset_t>();
        // SAFETY: the kernel writes at most `length` events, in its own layout, which is that of `epoll::Event`, to where there is
        // room for them. It reads no mask of signals where there is none.
        let count = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait,
                self.polling.as_raw_fd(),
                room.as_mut_ptr(),
                length,
                0,
                no_mask,
                KERNEL_SIGSET_BYTES,
            )
        };
        let Ok(count) = usize::try_from(count) else {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::Interrupted => Ok(()),
                _ => Err(error),
            };
        };
        // SAFETY: the buffer was empty, and the kernel has written so many events.
        unsafe { events.0.set_len(count) };
        Ok(())
    }

    fn wait_for(&self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        // A time beyond the kernel's range is no time at all.
        let timespec = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let poller = self.polling.as_fd();
        match epoll::wait(poller, spare_capacity(&mut events.0), timespec.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// From now on a wait tells when `branch` has something, for as long as it has. It must be passed to [`prune`](Self::prune)
    /// before it is dropped, or be dropped together with this one.
    pub(crate) fn graft(&self, branch: &Self, worker: usize) -> io::Result<()> {
        let key = FIRST_BRANCH_KEY + worker;
        epoll::add(
            &self.polling,
            &branch.polling,
            epoll::EventData::new_u64(key as u64),
            epoll::EventFlags::IN,
        )?;
        Ok(())
    }

    pub(crate) fn prune(&self, branch: &Self) -> io::Result<()> {
        Ok(epoll::delete(&self.polling, &branch.polling)?)
    }

    /// Waits until this one or `branch` has something, a notification of either, or the end of the time. Takes nothing.
    pub(crate) fn wait_beside(&self, branch: &Self, timeout: Option<Duration>) -> io::Result<()> {
        let timespec = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut both = [
            PollFd::new(&self.polling, PollFlags::IN),
            PollFd::new(&branch.polling, PollFlags::IN),
        ];
        match poll(&mut both, timespec.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let broken = PollFlags::NVAL | PollFlags::ERR;
        match both.iter().any(|one| one.revents().intersects(broken)) {
            true => Err(rustix::io::Errno::BADF.into()),
            false => Ok(()),
        }
    }

    /// Ends the wait that is going on, or the next.
    pub(crate) fn notify(&self) {
        // The only failure left is a full counter, after 2^64 writes: and then the edge is there already.
        let _ = rustix::io::write(&self.notifier, &1_u64.to_ne_bytes());
    }
}

// SAFETY: an event's datum is a union that could hold a pointer; here it only ever holds a key, and the
// buffer owns nothing else.
unsafe impl Send for Events {}

#[cold]
fn kernel_is_too_old() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "this kernel has no epoll_pwait2: gristmill needs Linux 5.11 or newer, or a build with \
         RUSTFLAGS=\"--cfg gristmill_portable\"",
    )
}

impl Events {
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(CAPACITY))
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// What came of sources, by key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Event> + '_ {
        self.0.iter().filter_map(|event| {
            let (key, flags) = (event.data.u64() as usize, event.flags);
            match Subject::of(key) {
                Subject::Source(key) => Some(Event {
                    key,
                    ready: ready(flags),
                }),
                _ => None,
            }
        })
    }

    /// Which workers' branches have something.
    pub(crate) fn branches(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().filter_map(|event| {
            let key = event.data.u64() as usize;
            match Subject::of(key) {
                Subject::Branch(worker) => Some(worker),
                _ => None,
            }
        })
    }
}

/// An error or hang-up makes attempts in both directions worth while: they will report it.
fn ready(flags: epoll::EventFlags) -> Ready {
    use epoll::EventFlags as Flags;
    let mut ready = Ready::EMPTY;
    if flags.contains(Flags::IN) {
        ready |= Ready::READABLE;
    }
    if flags.contains(Flags::OUT) {
        ready |= Ready::WRITABLE;
    }
    if flags.contains(Flags::PRI) {
        ready |= Ready::PRIORITY;
    }
    if flags.contains(Flags::RDHUP) {
        ready |= Ready::READABLE | Ready::READ_CLOSED;
    }
    if flags.contains(Flags::HUP) {
        ready |= Ready::BOTH | Ready::READ_CLOSED | Ready::WRITE_CLOSED;
    }
    if flags.contains(Flags::ERR) {
        ready |= Ready::BOTH | Ready::ERROR;
    }
    ready
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Events({})", self.0.len())
    }
}
