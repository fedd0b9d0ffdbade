//! Permits to be had, first come, first served: what is under semaphores, locks, and bounded channels and queues.
//!
//! While nobody waits, taking and giving back is one compare-and-swap each. Those who wait are served in order: whoever asks
//! for many collects what comes until it has them all, and nobody overtakes it.
//!
//! # Invariants
//!
//! I1. WAITED is set exactly while the list has somebody queued. It changes under the lock only.
//! I2. While WAITED is set, no permit is free: what is given back goes to the first of the list.
//! I3. CLOSED is set under the lock, and nobody joins the list afterwards.
//!
//! # Edges
//!
//! F1. Giving back (release) happens before taking (acquire) the same permits, whether through the word or through the lock:
//! whoever has the permits of a lock sees what the last owner wrote.

use super::waiters::{Key, Waiters, Wakers};
use parking_lot::Mutex;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

const CLOSED: usize = 0b01;
const WAITED: usize = 0b10;
/// How far the count is shifted.
const SHIFT: u32 = 2;
const ONE: usize = 1 << SHIFT;

/// A count of permits, and those who wait for some.
pub(super) struct Permits {
    /// The free permits, CLOSED and WAITED.
    word: AtomicUsize,
    waiters: Mutex<Waiters<Claim>>,
}

/// What a waiter has been promised so far.
#[derive(Debug)]
struct Claim {
    wanted: usize,
    missing: usize,
}

/// Why permits are not to be had at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Closed,
    NotNow,
}

impl Permits {
    /// The most that there can be.
    pub(super) const MAX: usize = usize::MAX >> 3;

    pub(super) const fn new(count: usize) -> Self {
        assert!(
            count <= Self::MAX,
            "a semaphore cannot have more than Semaphore::MAX_PERMITS permits"
        );
        Self {
            word: AtomicUsize::new(count << SHIFT),
            waiters: Mutex::new(Waiters::new()),
        }
    }

    pub(super) fn available(&self) -> usize {
        // ORDERING: Acquire, edge F1: a channel that finds all its permits back must see what their holders did.
        self.word.load(Ordering::Acquire) >> SHIFT
    }

    pub(super) fn is_closed(&self) -> bool {
        // ORDERING: Acquire: whoever sees it closed sees what was done before.
        self.word.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Takes `count` permits if they are free and nobody waits.
    pub(super) fn try_take(&self, count: usize) -> Result<(), Refusal> {
        let taken = self.update(|word| {
            if word & CLOSED != 0 {
                Err(Refusal::Closed)
            } else if word >> SHIFT < count {
                Err(Refusal::NotNow)
            } else {
                Ok(word - (count << SHIFT))
            }
        });
        taken.map(drop)
    }

    /// Takes up to `count` free permits, and says how many.
    pub(super) fn take_some(&self, count: usize) -> usize {
        let taken = self.update(|word| Ok::<_, ()>(word - ((word >> SHIFT).min(count) << SHIFT)));
        taken.map_or(0, |before| (before >> SHIFT).min(count))
    }

    /// Gives back permits, or adds new ones.
    ///
    /// # Panics
    ///
    /// If there were more than [`MAX`](Self::MAX).
    #[track_caller]
    pub(super) fn give(&self, count: usize) {
        if count == 0 {
            return;
        }
        let given = self.update(|word| {
            if word & WAITED != 0 {
                Err(())
            } else {
                Ok(increased(word, count))
            }
        });
        if given.is_err() {
            self.give_to_waiters(count);
        }
    }

    #[cold]
    #[track_caller]
    fn give_to_waiters(&self, count: usize) {
        let mut waiters = self.waiters.lock();
        let wakers = self.distribute(&mut waiters, count);
        drop(waiters);
        wakers.wake();
    }

    /// Serves the list in its order; what is left becomes free.
    #[track_caller]
    fn distribute(&self, waiters: &mut Waiters<Claim>, mut count: usize) -> Wakers {
        let mut wakers = Wakers::new();
        while count > 0 {
            let Some(claim) = waiters.first_mut() else {
                break;
            };
            let part = claim.missing.min(count);
            claim.missing -= part;
            count -= part;
            if claim.missing == 0 {
                wakers.extend(waiters.pop().and_then(|(_, waker)| waker));
            }
        }
        self.settle(waiters, count);
        wakers
    }

    /// Frees `count` permits and sets WAITED to what is true; under the lock.
    #[track_caller]
    fn settle(&self, waiters: &Waiters<Claim>, count: usize) {
        let is_waited = !waiters.is_empty();
        let _ = self.update(|word| {
            let word = if is_waited {
                word | WAITED
            } else {
                word & !WAITED
            };
            Ok::<_, ()>(increased(word, count))
        });
    }

    /// Refuses every request from now on, and those of all who wait.
    pub(super) fn close(&self) {
        let mut waiters = self.waiters.lock();
        let mut wakers = Wakers::new();
        let mut returned = 0;
        while let Some((claim, waker)) = waiters.pop() {
            returned += claim.wanted - claim.missing;
            // Marks the refusal: called, and yet not served.
            claim.missing = claim.wanted;
            wakers.extend(waker);
        }
        self.settle(&waiters, returned);
        let _ = self.update(|word| Ok::<_, ()>(word | CLOSED));
        drop(waiters);
        wakers.wake();
    }

    /// Starts to wait for `count` permits.
    pub(super) fn take(&self, count: usize) -> Take<'_> {
        Take {
            permits: self,
            ticket: Ticket::new(count),
        }
    }

    /// Applies `change` to the word until nobody interferes. Gives back the word before.
    fn update<E>(&self, change: impl Fn(usize) -> Result<usize, E>) -> Result<usize, E> {
        // ORDERING: Relaxed, only a first guess; the exchange decides.
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let new = change(word)?;
            // ORDERING: AcqRel, edge F1; Relaxed on failure, since the value is only tried again.
            match self
                .word
                .compare_exchange_weak(word, new, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(before) => return Ok(before),
                Err(current) => word = current,
            }
        }
    }
}

#[track_caller]
fn increased(word: usize, count: usize) -> usize {
    assert!(
        (word >> SHIFT)
            .checked_add(count)
            .is_some_and(|total| total <= Permits::MAX),
        "a semaphore cannot have more than Semaphore::MAX_PERMITS permits"
    );
    word + count * ONE
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permits")
            .field("available", &self.available())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// A request for permits, apart from the permits themselves; its owner keeps the two together.
#[derive(Debug)]
pub(super) struct Ticket {
    count: usize,
    place: Option<Key>,
}

impl Ticket {
    pub(super) fn new(count: usize) -> Self {
        Self { count, place: None }
    }

    /// Waits for the permits; `false` when they are closed. Spends the budget.
    pub(super) fn poll(&mut self, permits: &Permits, cx: &mut Context<'_>) -> Poll<bool> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        let outcome = match self.place {
            Some(place) => self.poll_place(place, permits, cx),
            None => match permits.try_take(self.count) {
                Ok(()) => Poll::Ready(true),
                Err(Refusal::Closed) => Poll::Ready(false),
                Err(Refusal::NotNow) => self.line_up(permits, cx),
            },
        };
        if outcome.is_ready() {
            spent.made_progress();
        }
        outcome
    }

    #[cold]
    fn line_up(&mut self, permits: &Permits, cx: &Context<'_>) -> Poll<bool> {
        let mut waiters = permits.waiters.lock();
        // Once more, now that nobody can leave the list: all at once, or what there is.
        let count = self.count;
        let before = permits.update(|word| {
            let free = word >> SHIFT;
            if word & CLOSED != 0 {
                Err(())
            } else if free >= count {
                Ok(word - (count << SHIFT))
            } else {
                Ok((word & !(free << SHIFT)) | WAITED)
            }
        });
        let Ok(before) = before else {
            return Poll::Ready(false);
        };
        let free = before >> SHIFT;
        if free >= count {
            return Poll::Ready(true);
        }
        let claim = Claim {
            wanted: count,
            missing: count - free,
        };
        self.place = Some(waiters.join(claim, Some(cx.waker().clone())));
        Poll::Pending
    }

    fn poll_place(&mut self, place: Key, permits: &Permits, cx: &Context<'_>) -> Poll<bool> {
        let mut waiters = permits.waiters.lock();
        if waiters.is_queued(place) {
            let old = waiters.set_waker(place, cx);
            drop(waiters);
            drop(old);
            return Poll::Pending;
        }
        let (claim, waker) = waiters.leave(place);
        self.place = None;
        drop(waiters);
        drop(waker);
        Poll::Ready(claim.missing == 0)
    }

    /// Gives up; what had been promised goes to the others.
    pub(super) fn give_up(&mut self, permits: &Permits) {
        if let Some(place) = self.place.take() {
            give_up_place(place, permits);
        }
    }
}

#[cold]
fn give_up_place(place: Key, permits: &Permits) {
    let mut waiters = permits.waiters.lock();
    let (claim, waker) = waiters.leave(place);
    let wakers = permits.distribute(&mut waiters, claim.wanted - claim.missing);
    drop(waiters);
    drop(waker);
    wakers.wake();
}

/// Waits for permits; made by [`Permits::take`]. Those that come belong to whoever awaited it.
#[derive(Debug)]
pub(super) struct Take<'a> {
    permits: &'a Permits,
    ticket: Ticket,
}

impl Future for Take<'_> {
    /// `false` when the permits are closed.
    type Output = bool;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let permits = self.permits;
        self.ticket.poll(permits, cx)
    }
}

impl Drop for Take<'_> {
    #[inline]
    fn drop(&mut self) {
        self.ticket.give_up(self.permits);
    }
}

/// Permits that go back when this is dropped, for the guards of locks.
#[derive(Debug)]
pub(super) struct Held<'a> {
    permits: &'a Permits,
    count: usize,
}

impl<'a> Held<'a> {
    /// For permits that have just been taken.
    pub(super) fn new(permits: &'a Permits, count: usize) -> Self {
        Self { permits, count }
    }

    /// Keeps `left`, and gives back the others now.
    pub(super) fn keep(&mut self, left: usize) {
        let surplus = self.count - left;
        self.count = left;
        self.permits.give(surplus);
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.permits.give(self.count);
    }
}
