//! A source: its readiness, and who waits for it.
//!
//! # Invariants
//!
//! * U1 — A waiter puts its waker in place and then looks at the readiness again; an event raises the
//!   readiness and then takes the wakers. Both go through the waiters' lock in between, so one of the two
//!   sees the other and no event passes a waiter by.
//! * U2 — Wakers are cloned before the lock is taken, and woken and dropped after it is released.

use super::odds::Odds;
use super::readiness::{Readiness, Seen};
use super::ready::{Direction, Interest, Ready};
use super::waiters::Waiters;
use crate::sync::{Gap, Mutex};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// What the reactor knows of one descriptor.
///
/// Each event writes to it. So it keeps a distance from its neighbours in memory, which may belong to other workers.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Source {
    _before: Gap,
    readiness: Readiness,
    /// What a read that fills its buffer means.
    pub(super) odds: Odds,
    waiters: Mutex<Waiters>,
    _after: Gap,
}

impl Source {
    pub(crate) fn new(initial: Ready) -> Self {
        Self {
            _before: Gap::new(),
            readiness: Readiness::new(initial),
            odds: Odds::new(),
            waiters: Mutex::new(Waiters::default()),
            _after: Gap::new(),
        }
    }

    /// An event has come: collects the wakers that it concerns.
    #[inline]
    pub(crate) fn on_event(&self, ready: Ready, woken: &mut Vec<Waker>) {
        self.odds.on_event();
        let ready = self.readiness.raise(ready);
        self.waiters.lock().take(ready, woken);
    }

    /// Takes the source for drained, if nothing has come since it was `seen`. Whether it did: then the caller notes it.
    #[inline]
    pub(crate) fn doubt(&self, seen: Seen) -> bool {
        self.readiness.doubt(seen)
    }

    /// The note of a doubt is taken: unless it is settled, collects the wakers of readers, who are to try.
    pub(crate) fn recheck(&self, seen: Seen, woken: &mut Vec<Waker>) {
        if self.readiness.recheck(seen) {
            let before = woken.len();
            self.waiters.lock().take(Ready::READABLE, woken);
            // Whoever was not waiting has missed nothing.
            if woken.len() > before {
                self.odds.on_miss();
            }
        }
    }

    /// The runtime ends: collects all wakers.
    pub(crate) fn on_shutdown(&self, woken: &mut Vec<Waker>) {
        self.readiness.shut_down();
        self.waiters.lock().take_all(woken);
    }

    /// What the source is ready for just now.
    #[inline]
    pub(crate) fn seen(&self) -> Seen {
        self.readiness.load()
    }

    /// Waits in the place of one direction.
    #[inline]
    pub(crate) fn poll_ready(
        &self,
        direction: Direction,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Seen>> {
        let look = || look(self.readiness.load(), direction.into());
        if let Some(outcome) = look() {
            return Poll::Ready(outcome);
        }
        let waker = cx.waker().clone();
        let displaced = self.waiters.lock().set(direction, waker);
        let_go(displaced);
        look().map_or(Poll::Pending, Poll::Ready)
    }

    /// Waits on the list.
    pub(crate) fn ready(&self, interest: Interest) -> WaitReady<'_> {
        WaitReady {
            source: self,
            interest,
            number: None,
        }
    }

    /// An attempt found the source not ready, whatever was seen: not even the end of a stream is there any more, as with
    /// a pipe that has got a new writer.
    #[inline]
    pub(crate) fn clear(&self, seen: Seen, interest: Interest) {
        self.readiness.clear(seen, interest.mask());
    }

    /// An attempt used up the bytes, or the room, that was seen. That the peer has closed stays true.
    #[inline]
    pub(super) fn clear_used_up(&self, seen: Seen, direction: Direction) {
        self.readiness.clear(seen, direction.ready());
    }
}

/// What a wait for `interest` makes of what is seen: nothing yet, readiness, or the end of the runtime.
#[inline]
fn look(seen: Seen, interest: Interest) -> Option<io::Result<Seen>> {
    if seen.is_down() {
        return Some(Err(runtime_is_gone()));
    }
    (!seen.ready().for_interest(interest).is_empty()).then_some(Ok(seen))
}

#[cold]
fn runtime_is_gone() -> io::Error {
    io::Error::other(
        "the gristmill runtime that this descriptor is registered with has shut down: \
         keep the Runtime alive for as long as its sockets are in use",
    )
}

/// Drops the waker of somebody else, or of somebody who goes; its panic is not this task's.
fn let_go(waker: Option<Waker>) {
    let Some(waker) = waker else { return };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(waker))) {
        // Dropping the payload could panic again; the panic hook has reported it.
        std::mem::forget(payload);
    }
}

/// The future behind the async methods; any number may wait for one source.
#[derive(Debug)]
pub(crate) struct WaitReady<'a> {
    source: &'a Source,
    interest: Interest,
    /// The entry on the list.
    number: Option<u64>,
}

impl Future for WaitReady<'_> {
    type Output = io::Result<Seen>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            source,
            interest,
            number,
        } = &mut *self;
        if let Some(outcome) = look(source.readiness.load(), *interest) {
            return Poll::Ready(outcome);
        }
        let waker = cx.waker().clone();
        let (entry, displaced) = source.waiters.lock().add(*number, *interest, waker);
        let_go(displaced);
        *number = Some(entry);
        look(source.readiness.load(), *interest).map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for WaitReady<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            let waker = self.source.waiters.lock().remove(number);
            let_go(waker);
        }
    }
}
