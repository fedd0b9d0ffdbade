#![expect(
    unsafe_code,
    reason = "answers for registered descriptors being taken out before they close"
)]
//! A descriptor that is registered with a reactor: what sockets and everything else that waits are made of.
//!
//! To register and to take out are two system calls, and an event that nobody needs. A connection of one request and one reply is often
//! done before it ever has to wait. So the kernel is told of a stream when it is first found not to be ready; or when it still is not,
//! after others have had their turn ([`guess`](super::guess)).
//!
//! # Invariants
//!
//! * R1 — The descriptor is taken out of the reactor before the value that owns it is dropped or handed
//!   back, on every path.
//! * R2 — Whoever finds a source not ready, or makes it so, registers it unless it is, or wakes who waits as if there were an event: before
//!   it waits or returns. What the kernel sees at a registration is an event, so whatever came before is not missed.

use super::current;
use super::guess::Guesses;
use super::key::Key;
use super::ready::{Direction, Interest, Ready};
use super::recheck::Note;
use super::source::Source;
use super::thread::wake;
use super::{Reactor, readiness::Seen};
use crate::sync::atomic::{AtomicU8, Ordering};
use crate::sync::{Arc, Mutex, OnceLock};
use crate::task::budget;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// A non-blocking descriptor, registered with the runtime of the thread that made this.
///
/// The value may be used on any thread and under any runtime; its events come from the runtime that it was
/// registered with, and end with it.
///
/// The methods that take `&self` may be used by many tasks at once, with one exception: of the `poll_*` methods,
/// each direction remembers the task that polled last.
#[derive(Debug)]
pub struct Registered<T: AsFd> {
    /// `None` only once `into_inner` has taken it out.
    io: Option<T>,
    /// Once it is registered with the poller.
    key: OnceLock<Key>,
    /// Held by whoever registers it.
    registering: Mutex<()>,
    source: Arc<Source>,
    reactor: Arc<Reactor>,
    guesses: Guesses,
    /// How far this source has come towards trusting short reads.
    trust: Trust,
}

/// What to assume of a new source before the first event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initial {
    /// That it can be read and written: the first attempt will show.
    Ready,
    /// That it can be written only, as a socket that has just connected.
    Writable,
    /// That it can do neither yet, as a socket that is connecting.
    NotReady,
}

/// Whether a short read means that the source is drained; see [`poller`](super::poller).
#[derive(Debug)]
struct Trust(AtomicU8);

/// After so many reads a source counts as long-lived enough to be worth the system call that makes short reads
/// trustworthy. Connections of one request and one reply never pay for it.
const READS_BEFORE_TRUST: u8 = 4;
const TRUSTED: u8 = u8::MAX;
const NEVER: u8 = u8::MAX - 1;

impl<T: AsFd> Registered<T> {
    /// Registers a descriptor, which must be non-blocking, with this thread's runtime.
    ///
    /// # Errors
    ///
    /// If there is no runtime on this thread, the runtime has shut down, or the operating system's poller
    /// refuses the descriptor (a regular file, or no room: the message says which).
    pub fn new(io: T, initial: Initial) -> io::Result<Self> {
        let registered = Self::new_lazy(io, initial)?;
        registered.register()?;
        Ok(registered)
    }

    /// As [`new`](Self::new), but the operating system's poller is told when the descriptor is first found not to be ready, or still is not
    /// when a few other tasks have been polled. Whoever finds that is told if it refuses. For what a poller takes unless there is no room,
    /// and may never have to wait: streams.
    ///
    /// # Errors
    ///
    /// If there is no runtime on this thread.
    pub fn new_lazy(io: T, initial: Initial) -> io::Result<Self> {
        let reactor = current::get().ok_or_else(no_runtime)?;
        let initial = match initial {
            Initial::Ready => Ready::BOTH,
            Initial::Writable => Ready::WRITABLE,
            Initial::NotReady => Ready::EMPTY,
        };
        reactor.registry.count_in();
        Ok(Self {
            io: Some(io),
            key: OnceLock::new(),
            registering: Mutex::new(()),
            source: Arc::new(Source::new(initial)),
            reactor,
            guesses: Guesses::new(),
            trust: Trust(AtomicU8::new(0)),
        })
    }

    /// Registers the descriptor unless it is (R2).
    #[inline]
    fn ensure_registered(&self) -> io::Result<()> {
        match self.key.get() {
            Some(_) => Ok(()),
            None => self.register(),
        }
    }

    #[cold]
    fn register(&self) -> io::Result<()> {
        let _one_at_a_time = self.registering.lock();
        if self.key.get().is_none() {
            let registry = &self.reactor.registry;
            // SAFETY: R1, `drop` and `into_inner` take the descriptor out before `io` goes.
            let key = unsafe { registry.register(self.as_fd(), &self.source) }?;
            let _ = self.key.set(key);
        }
        Ok(())
    }

    /// The value itself.
    #[inline]
    pub fn get_ref(&self) -> &T {
        match &self.io {
            Some(io) => io,
            None => unreachable!("`into_inner` takes the whole"),
        }
    }

    /// Takes the descriptor out of the reactor and gives the value back, still non-blocking.
    pub fn into_inner(mut self) -> T {
        self.deregister();
        match self.io.take() {
            Some(io) => io,
            None => unreachable!("`into_inner` takes the whole"),
        }
    }

    fn deregister(&self) {
        let Some(io) = &self.io else { return };
        match self.key.get() {
            Some(&key) => self.reactor.registry.deregister(key, io.as_fd()),
            None => self.guesses.were_right(),
        }
        self.reactor.registry.count_out();
    }

    /// Waits until the source is ready for any part of `interest`, and tells for which.
    ///
    /// The answer can be wrong: only the attempt will show. Any number of tasks may wait.
    ///
    /// # Errors
    ///
    /// If the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: readiness stays until an attempt uses it up.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        poll_fn(budget::poll_proceed).await.made_progress();
        let seen = self.wait(interest).await?;
        Ok(seen.ready().for_interest(interest))
    }

    /// Waits on the source's list.
    async fn wait(&self, interest: Interest) -> io::Result<Seen> {
        let mut wait = self.source.ready(interest);
        poll_fn(|cx| {
            let outcome = Pin::new(&mut wait).poll(cx);
            if outcome.is_pending() {
                self.ensure_registered()?;
            }
            outcome
        })
        .await
    }

    /// Waits in the place of one direction.
    #[inline]
    fn poll_source(&self, direction: Direction, cx: &mut Context<'_>) -> Poll<io::Result<Seen>> {
        let outcome = self.source.poll_ready(direction, cx);
        if outcome.is_pending() {
            self.ensure_registered()?;
        }
        outcome
    }

    /// As [`ready`](Self::ready) for one direction, in that direction's one place.
    pub fn poll_ready(&self, direction: Direction, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let spent = ready!(budget::poll_proceed(cx));
        let outcome = self.poll_source(direction, cx).map_ok(|_| ());
        if outcome.is_ready() {
            spent.made_progress();
        }
        outcome
    }

    /// Makes an attempt if the source seems ready.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not ready, before or after the attempt; otherwise what the attempt says.
    pub fn try_io<R>(
        &self,
        interest: Interest,
        attempt: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        let seen = self.source.seen();
        let may_be_readable = seen.is_doubtful() && interest.is_readable();
        if seen.ready().for_interest(interest).is_empty() && !may_be_readable {
            self.ensure_registered()?;
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.settle(seen, interest, attempt(self.get_ref()))
    }

    /// Makes attempts, each when the source seems ready, until one does not say `WouldBlock`.
    ///
    /// Any number of tasks may wait.
    ///
    /// # Errors
    ///
    /// What the attempt says; or that the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe if the attempt does everything or nothing.
    pub async fn io<R>(
        &self,
        interest: Interest,
        mut attempt: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        poll_fn(budget::poll_proceed).await.made_progress();
        loop {
            let seen = self.wait(interest).await?;
            match self.settle(seen, interest, attempt(self.get_ref())) {
                Err(error) if is_temporary(&error) => {}
                outcome => return outcome,
            }
        }
    }

    /// As [`io`](Self::io) for one direction, in that direction's one place.
    #[inline]
    pub fn poll_io<R>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_attempt(direction, cx, |io, _| attempt(io))
    }

    /// Reads from a stream of bytes, such as a socket or a pipe, in the reader's one place.
    ///
    /// `read` is given the value and answers how many of at most `room` bytes it got. Not for sources where
    /// a short read does not mean that nothing is left: see [`poll_read_pieces`](Self::poll_read_pieces).
    #[inline]
    pub fn poll_read_stream(
        &self,
        cx: &mut Context<'_>,
        room: usize,
        mut read: impl FnMut(&T) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        self.poll_attempt(Direction::Read, cx, |io, seen| {
            let count = read(io)?;
            // A read stops short at urgent data too, with more behind it.
            let is_urgent = seen.ready().is_priority();
            if count == room {
                self.leave_open(count, seen);
            } else if count > 0 {
                self.source.odds.on_more();
                if !is_urgent && self.trusts_short_reads() {
                    self.source.clear_used_up(seen, Direction::Read);
                }
            }
            Ok(count)
        })
    }

    /// As [`poll_read_stream`](Self::poll_read_stream), where no read tells whether there is more behind it: Unix streams
    /// that carry descriptors end it at each of them.
    pub fn poll_read_pieces(
        &self,
        cx: &mut Context<'_>,
        mut read: impl FnMut(&T) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        self.poll_attempt(Direction::Read, cx, |io, seen| {
            let count = read(io)?;
            self.leave_open(count, seen);
            Ok(count)
        })
    }

    /// A read leaves it open whether there is more behind it. If there is likely not the attempt is spared, or put off: see
    /// [`recheck`](super::recheck). Not before hang-ups are reported, so that the end of the stream is no such thing.
    #[inline]
    fn leave_open(&self, count: usize, seen: Seen) {
        let odds = &self.source.odds;
        if count == 0 {
            return;
        }
        let may_take = !seen.ready().is_priority() && odds.may_take() && self.trusts_short_reads();
        if may_take && self.take_for_drained(seen) {
            odds.on_taken();
        } else {
            odds.on_full_read();
        }
    }

    /// Takes the source for drained, as it is now. Whether it did.
    #[cfg(all(test, gristmill_shuttle))]
    pub(crate) fn doubt(&self) -> bool {
        self.take_for_drained(self.source.seen())
    }

    /// Whether it did.
    #[inline]
    fn take_for_drained(&self, seen: Seen) -> bool {
        let Some(&key) = self.key.get() else {
            return false;
        };
        let mut is_taken = false;
        (self.reactor.here.with_rechecks)(&self.reactor, &mut |rechecks| {
            is_taken = rechecks.note(Note { key, seen }, || self.source.doubt(seen));
        });
        is_taken
    }

    /// Writes to a stream of bytes in the writer's one place; as
    /// [`poll_read_stream`](Self::poll_read_stream).
    #[inline]
    pub fn poll_write_stream(
        &self,
        cx: &mut Context<'_>,
        length: usize,
        mut write: impl FnMut(&T) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        self.poll_attempt(Direction::Write, cx, |io, seen| {
            let count = write(io)?;
            self.source.odds.on_write();
            if count < length && count > 0 {
                // The buffer is full. The edge that says there is room again is yet to come.
                self.source.clear_used_up(seen, Direction::Write);
                // An error will be there again for who goes on writing: this one has written.
                let _ = self.ensure_registered();
            }
            Ok(count)
        })
    }

    #[inline]
    fn poll_attempt<R>(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
        mut attempt: impl FnMut(&T, Seen) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let spent = ready!(budget::poll_proceed(cx));
        loop {
            let Poll::Ready(seen) = self.source.poll_ready(direction, cx) else {
                if self.key.get().is_none() {
                    self.begin_to_wait(direction)?;
                }
                return Poll::Pending;
            };
            let seen = seen?;
            match attempt(self.get_ref(), seen) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if direction == Direction::Read {
                        self.source.odds.on_nothing();
                    }
                    self.source.clear(seen, direction.into());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => {
                    spent.made_progress();
                    return Poll::Ready(outcome);
                }
            }
        }
    }

    /// Registers a source that somebody waits for, or has another attempt made when others have had their turn.
    #[cold]
    fn begin_to_wait(&self, direction: Direction) -> io::Result<()> {
        if self.guesses.may_guess(self.reactor.here.others_wait) {
            let mut woken = Vec::new();
            self.source.on_event(direction.ready(), &mut woken);
            woken.into_iter().for_each(wake);
            return Ok(());
        }
        self.ensure_registered()
    }

    /// Takes readiness back if the attempt showed that it is used up.
    #[inline]
    fn settle<R>(&self, seen: Seen, interest: Interest, outcome: io::Result<R>) -> io::Result<R> {
        let found_nothing =
            matches!(&outcome, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        if interest.is_readable() && !interest.is_writable() {
            match &outcome {
                Ok(_) => self.source.odds.on_more(),
                Err(_) if found_nothing => self.source.odds.on_nothing(),
                Err(_) => {}
            }
        }
        if found_nothing {
            self.source.clear(seen, interest);
            self.ensure_registered()?;
        }
        outcome
    }

    #[inline]
    fn trusts_short_reads(&self) -> bool {
        // ORDERING: Relaxed; whatever value is seen, acting on it is right: see `earn_trust`.
        match self.trust.0.load(Ordering::Relaxed) {
            TRUSTED => true,
            NEVER => false,
            reads => self.earn_trust(reads),
        }
    }

    #[cold]
    fn earn_trust(&self, reads: u8) -> bool {
        let Some(&key) = self.key.get() else {
            // It has never had to wait.
            return false;
        };
        let registry = &self.reactor.registry;
        let next = if reads < READS_BEFORE_TRUST {
            reads + 1
        } else if registry.watch_hang_up(key, self.get_ref().as_fd()) {
            TRUSTED
        } else {
            NEVER
        };
        // ORDERING: Relaxed; the kernel reports hang-ups from the call above on, so any thread that sees
        // TRUSTED may trust. Two threads that get here at once ask the kernel twice.
        self.trust.0.store(next, Ordering::Relaxed);
        // The read at hand came before the kernel was asked, but what it says of the state at the asking
        // is an event of a new generation, which the clear of the old one will not touch.
        next == TRUSTED
    }
}

/// Whether an attempt should be repeated.
fn is_temporary(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

impl<T: AsFd> Drop for Registered<T> {
    fn drop(&mut self) {
        self.deregister();
    }
}

impl<T: AsFd> AsFd for Registered<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.get_ref().as_fd()
    }
}

impl<T: AsFd> AsRawFd for Registered<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

#[cold]
fn no_runtime() -> io::Error {
    io::Error::other(crate::NO_RUNTIME)
}
