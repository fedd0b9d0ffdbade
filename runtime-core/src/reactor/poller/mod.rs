//! The operating system's wait.
//!
//! Two implementations with one face. On Linux the wait goes straight to the descriptor of the
//! `polling` crate's poller: `Poller::wait` costs five system calls a turn there, a plain `epoll_wait`
//! one. Everywhere else, and on Linux with `--cfg gristmill_portable`, it goes through `Poller::wait`. A third is for
//! `shuttle`, and is told by hand what comes.
//!
//! ```text
//!   Poller::new()                     Events: what a wait brought
//!         ::add(fd, key)                    ::iter() -> what came, by key
//!         ::delete(fd)
//!         ::wait(&mut Events, timeout)      one thread at a time: the lease sees to it
//!         ::notify()                        any thread: ends the wait that is going on, or the next
//!         ::watch_hang_up(fd, key)          see below
//! ```
//!
//! **Short reads.** A read that fills only part of its buffer has drained the socket, and asking again would
//! cost a system call to learn that. But bytes and the end of the stream may arrive in one edge; only a
//! poller that reports the hang-up with the bytes lets a reader trust a short read. `watch_hang_up` asks for
//! that, and says whether it will be reported.

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
pub(super) const NOTIFY_KEY: usize = usize::MAX - 1;

/// Turns a refusal to make a poller into words.
#[cfg(not(gristmill_shuttle))]
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
