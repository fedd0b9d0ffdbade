//! What an error of `accept` means for the next attempt, and how long to wait before it.
//!
//! ```text
//!   of one connection (it was given up before it was taken)     pass over: the next one may be there already
//!   of the process or the system (descriptors, memory)          pause: nobody tells when there is room again
//!   of the listener (closed by its number, no listener at all)  end: it will not become better
//! ```
//!
//! While there is a pause the connections wait in the operating system's queue, and none is lost. The listener's readiness stays,
//! since only "would block" takes it back: so the attempt after the pause is made, though no event comes for what is there
//! already.

use crate::runtime::Handle;
use crate::time::{Duration, Sleep, sleep};
use rustix::io::Errno;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// The pause after the first error, and the longest one.
const SHORTEST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(50);

/// What an error means for the next attempt.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mishap {
    /// One connection failed before it was taken.
    Connection,
    /// There is no room for a connection now.
    Shortage,
    /// The listener is of no use any more.
    Listener,
}

impl Mishap {
    #[cold]
    pub(super) fn of(error: &io::Error) -> Self {
        match Errno::from_io_error(error) {
            Some(errno) => Self::of_errno(errno),
            // What the runtime says, in words: the poller's refusal passes, the end of the runtime does not.
            None => match error.kind() {
                ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset => Self::Connection,
                ErrorKind::Interrupted => Self::Connection,
                ErrorKind::OutOfMemory | ErrorKind::StorageFull => Self::Shortage,
                _ => Self::Listener,
            },
        }
    }

    fn of_errno(errno: Errno) -> Self {
        /// Linux hands errors of the network on that wait at the new connection.
        const OF_CONNECTION: [Errno; 10] = [
            Errno::CONNABORTED,
            Errno::CONNRESET,
            Errno::INTR,
            Errno::PROTO,
            Errno::NOPROTOOPT,
            Errno::NETDOWN,
            Errno::NETUNREACH,
            Errno::HOSTDOWN,
            Errno::HOSTUNREACH,
            Errno::TIMEDOUT,
        ];
        const OF_LISTENER: [Errno; 4] =
            [Errno::BADF, Errno::INVAL, Errno::NOTSOCK, Errno::OPNOTSUPP];
        if OF_CONNECTION.contains(&errno) {
            Self::Connection
        } else if OF_LISTENER.contains(&errno) {
            Self::Listener
        } else {
            Self::Shortage
        }
    }
}

/// The pauses between attempts that fail: 5 ms, twice as long each time, 50 ms at most.
#[derive(Debug)]
pub(super) struct Pauses {
    next: Duration,
    current: Option<Sleep>,
}

impl Pauses {
    pub(super) const fn new() -> Self {
        Self {
            next: SHORTEST,
            current: None,
        }
    }

    /// An attempt has failed. Where there is no runtime, and so no timers, nothing is waited for.
    #[cold]
    pub(super) fn begin(&mut self) {
        if Handle::try_current().is_ok() {
            self.current = Some(sleep(self.next));
            self.next = LONGEST.min(self.next * 2);
        }
    }

    /// An attempt was successful.
    #[inline]
    pub(super) fn reset(&mut self) {
        self.next = SHORTEST;
    }

    /// Waits for the end of the pause, if there is one.
    #[inline]
    pub(super) fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(sleep) = &mut self.current {
            ready!(Pin::new(sleep).poll(cx));
            self.current = None;
        }
        Poll::Ready(())
    }

    /// One more pause.
    pub(super) async fn wait(&mut self) {
        self.begin();
        poll_fn(|cx| self.poll_over(cx)).await;
    }

    /// The next connection out of `accept`, or an error that is worth telling; after one, what comes next waits for a pause.
    pub(super) fn poll_next<S>(
        &mut self,
        cx: &mut Context<'_>,
        mut accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<S>>,
    ) -> Poll<io::Result<S>> {
        ready!(self.poll_over(cx));
        loop {
            let outcome = ready!(accept(cx));
            match &outcome {
                Ok(_) => self.reset(),
                Err(error) if Mishap::of(error) == Mishap::Connection => continue,
                Err(_) => self.begin(),
            }
            return Poll::Ready(outcome);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(errno: Errno) -> Mishap {
        Mishap::of(&errno.into())
    }

    #[test]
    fn an_error_concerns_the_connection_the_system_or_the_listener() {
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM] {
            assert_eq!(of(errno), Mishap::Shortage, "{errno:?}");
        }
        // A firewall's refusal may concern all connections, and does not take them out of the queue.
        assert_eq!(of(Errno::PERM), Mishap::Shortage);
        for errno in [Errno::CONNABORTED, Errno::PROTO, Errno::HOSTUNREACH] {
            assert_eq!(of(errno), Mishap::Connection, "{errno:?}");
        }
        for errno in [Errno::BADF, Errno::INVAL, Errno::NOTSOCK] {
            assert_eq!(of(errno), Mishap::Listener, "{errno:?}");
        }
    }

    #[test]
    fn the_pollers_refusal_passes_and_the_end_of_the_runtime_does_not() {
        let in_words = |kind| Mishap::of(&io::Error::new(kind, "in words"));
        assert_eq!(in_words(ErrorKind::StorageFull), Mishap::Shortage);
        assert_eq!(in_words(ErrorKind::OutOfMemory), Mishap::Shortage);
        assert_eq!(in_words(ErrorKind::Other), Mishap::Listener);
    }
}
