//! The standard stream that is read, and the thread that reads it.
//!
//! A read of the terminal ends when somebody presses a key, so a job of the blocking pool that made one would keep the runtime
//! from ending. The thread here belongs to no runtime: it starts with the first read, reads once for each time that bytes are
//! wanted and there are none, and ends with the process.
//!
//! ```text
//!   Stdin::poll_read ── asks ──▶ Demand::Wanted ──▶ the thread reads ──▶ Demand::Met(bytes, end or error) ── takes ──▶
//! ```
//!
//! # Rejected
//!
//! Making the descriptor non-blocking and waiting for it in the poller: every process at the same terminal shares that flag, and
//! a redirected file cannot be waited for.

use super::AsyncRead;
use crate::desk::{ROOM, poll_budget};
use crate::lone_thread;
use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

static SHARED: Shared = Shared {
    state: Mutex::new(State {
        demand: Demand::None,
        has_thread: false,
        waiters: Vec::new(),
    }),
    wanted: Condvar::new(),
};

/// What the thread and all handles share.
struct Shared {
    state: Mutex<State>,
    /// The demand has become `Wanted`.
    wanted: Condvar,
}

struct State {
    demand: Demand,
    /// Whether the thread has been started.
    has_thread: bool,
    /// Whom to wake when the demand is met.
    waiters: Vec<Waker>,
}

/// Whether bytes are wanted.
enum Demand {
    /// Nobody has asked since the last were used up.
    None,
    /// The thread reads, or is about to.
    Wanted,
    /// Bytes from the index on, at least one.
    Bytes(Vec<u8>, usize),
    /// The end, or an error, for the next read.
    Ended(io::Result<()>),
}

impl State {
    /// A look for bytes; `None` while the thread reads.
    fn read(&mut self, into: &mut [u8]) -> Option<io::Result<usize>> {
        match mem::replace(&mut self.demand, Demand::None) {
            Demand::Bytes(bytes, start) => {
                let count = into.len().min(bytes.len() - start);
                into[..count].copy_from_slice(&bytes[start..start + count]);
                if start + count < bytes.len() {
                    self.demand = Demand::Bytes(bytes, start + count);
                }
                Some(Ok(count))
            }
            Demand::Ended(outcome) => Some(outcome.map(|()| 0)),
            Demand::None | Demand::Wanted => {
                self.demand = Demand::Wanted;
                None
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_read(&'static self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        if into.is_empty() {
            return Poll::Ready(Ok(0));
        }
        // Cloned, and dropped, outside of the lock.
        let waker = cx.waker().clone();
        let mut state = self.lock();
        if let Some(outcome) = state.read(into) {
            drop(state);
            return Poll::Ready(outcome);
        }
        if !state.has_thread {
            if let Err(error) = lone_thread::start("gristmill-stdin", || self.serve()) {
                state.demand = Demand::None;
                drop(state);
                return Poll::Ready(Err(error));
            }
            state.has_thread = true;
        }
        self.wanted.notify_one();
        if !state.waiters.iter().any(|known| known.will_wake(&waker)) {
            state.waiters.push(waker);
            return Poll::Pending;
        }
        drop(state);
        Poll::Pending
    }

    /// The life of the thread.
    fn serve(&self) {
        let mut state = self.lock();
        loop {
            if !matches!(state.demand, Demand::Wanted) {
                state = self
                    .wanted
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            drop(state);
            let found = read_once();
            state = self.lock();
            state.demand = found;
            let waiters = mem::take(&mut state.waiters);
            drop(state);
            waiters.into_iter().for_each(Waker::wake);
            state = self.lock();
        }
    }
}

/// Waits for what comes next.
fn read_once() -> Demand {
    let mut buffer = vec![0; ROOM];
    loop {
        match io::stdin().read(&mut buffer) {
            Ok(0) => return Demand::Ended(Ok(())),
            Ok(count) => {
                buffer.truncate(count);
                return Demand::Bytes(buffer, 0);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Demand::Ended(Err(error)),
        }
    }
}

/// The process's standard input.
///
/// # Examples
///
/// ```no_run
/// use gristmill::io::{self, AsyncBufReadExt, BufReader};
///
/// gristmill::run(async {
///     let mut input = BufReader::new(io::stdin());
///     let mut line = String::new();
///     while input.read_line(&mut line).await? > 0 {
///         println!("{}", line.trim_end().to_uppercase());
///         line.clear();
///     }
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[doc(alias = "connect_read_pipe")]
pub fn stdin() -> Stdin {
    Stdin(io::stdin())
}

/// The process's standard input; made by [`stdin`].
///
/// A thread of its own reads, because a terminal can be waited for in no other way that leaves it as it is for other programs. It
/// belongs to no runtime and ends with the process, so nobody has to press a key for a runtime to end. It begins to read when
/// a task asks, at most 64 KiB in one go.
///
/// All handles are one stream: each byte goes to whichever reads first, and what came too late for a read that was dropped goes to
/// the next one. A [`BufReader`](super::BufReader) keeps what it has read: make one and keep it, rather than one for each
/// line. For a program that talks to a person and does nothing else meanwhile, plain [`std::io::stdin`] in
/// [`spawn_blocking`](crate::spawn_blocking) is no better: its thread would be waited for when the runtime ends.
///
/// # Errors
///
/// What the operating system says of a read; or that it has no thread.
///
/// # Cancel safety
///
/// A read that is dropped loses nothing.
pub struct Stdin(io::Stdin);

impl AsyncRead for Stdin {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        ready!(poll_budget(cx));
        SHARED.poll_read(cx, into)
    }
}

impl AsFd for Stdin {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Stdin {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for Stdin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdin").finish_non_exhaustive()
    }
}
