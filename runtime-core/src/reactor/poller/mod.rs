//! The operating system's wait.
//!
//! Two implementations with one face. On Linux the wait goes straight to the descriptor of the
//! `polling` crate's poller: `Poller::wait` costs five system calls a turn there, a plain `epoll_wait`
//! one. Everywhere else, and on Linux with `--cfg gristmill_portable`, it goes through `Poller::wait`. A third is for
//! `shuttle`, and is told by hand what comes and what fails.
//!
//! ```text
//!   Poller::new()                     Events: what a wait brought
//!         ::add(fd, key)                    ::iter() -> what came, by key
//!         ::delete(fd)
//!         ::wait(&mut Events, timeout)      at the shared one a thread at a time: the lease sees to it
//!         ::notify()                        any thread: ends the wait that is going on, or the next
//!         ::watch_hang_up(fd, key)          see below
//!         ::graft(branch), ::prune(branch)      another poller's readiness counts as this one's, or no more
//!         ::wait_beside(branch, timeout)    waits for either, takes nothing
//! ```
//!
//! **Short reads.** A read that fills only part of its buffer has drained the socket, and asking again would
//! cost a system call to learn that. But bytes and the end of the stream may arrive in one edge; only a
//! poller that reports the hang-up with the bytes lets a reader trust a short read. `watch_hang_up` asks for
//! that, and says whether it will be reported.

#[cfg(not(gristmill_shuttle))]
use super::key::Key;

#[cfg(all(target_os = "linux", not(gristmill_portable), not(gristmill_shuttle)))]
mod linux;
#[cfg(all(target_os = "linux", not(gristmill_portable), not(gristmill_shuttle)))]
pub(crate) use linux::{Events, Poller};

#[cfg(all(
    not(all(target_os = "linux", not(gristmill_portable))),
    not(gristmill_shuttle)
))]
mod portable;
#[cfg(all(
    not(all(target_os = "linux", not(gristmill_portable))),
    not(gristmill_shuttle)
))]
pub(crate) use portable::{Events, Poller};

#[cfg(gristmill_shuttle)]
mod shuttled;
#[cfg(gristmill_shuttle)]
pub(crate) use shuttled::{Events, Poller};

/// The key of the poller's own notifications. `polling` keeps `usize::MAX` for itself.
#[cfg(not(gristmill_shuttle))]
const NOTIFY_KEY: usize = usize::MAX - 1;

/// The key of the first of the pollers grafted onto this one. Sources' keys are below it.
#[cfg(not(gristmill_shuttle))]
const FIRST_BRANCH_KEY: usize = 1 << (usize::BITS - 1);

/// What an event is about.
#[cfg(not(gristmill_shuttle))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Source(Key),
    /// The branch of this worker.
    Branch(usize),
    Notification,
}

#[cfg(not(gristmill_shuttle))]
impl Subject {
    fn of(key: usize) -> Self {
        match key {
            ..FIRST_BRANCH_KEY => Self::Source(Key::from_raw(key)),
            FIRST_BRANCH_KEY..NOTIFY_KEY => Self::Branch(key - FIRST_BRANCH_KEY),
            _ => Self::Notification,
        }
    }
}

/// Turns a refusal to make a poller into words.
#[cold]
fn cannot_start(error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(
        error.kind(),
        format!(
            "cannot open the operating system's poller: {error}; \
             if descriptors have run out, close some or raise RLIMIT_NOFILE"
        ),
    )
}
