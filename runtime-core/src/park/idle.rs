//! Which workers are parked or searching, and which to wake.
//!
//! # Invariants
//!
//! * D1 — `parked` in the counts is the number of workers on the list, or about to be taken off it: it
//!   changes only under the list's lock.
//! * D2 — A worker taken off the list counts as searching from that moment, before it even wakes. So a
//!   second poster sees it coming and wakes nobody.
//! * D3 — A worker that is taken off the list is unparked by whoever took it off, or is already awake and
//!   learns from `retract` that it was chosen.
//! * D4 — The place in the poller is its sleeper's only while it holds the lease: announced after the lease was taken,
//!   retracted before it is given back.
//! * D5 — A brief sleeper, who looks again within [`BRIEF_SLEEP`], counts as searching from the moment it is off the
//!   list, whether it was chosen or woke by itself: who posted what is in no hurry relies on it as on a searcher. It has
//!   announced that it is one, or was made one under the list's lock, by who saw until when it sleeps.
//!
//! # Edges
//!
//! * P1, P2 — see the [folder's page](super). For who is in no hurry a brief sleeper is a searcher, so P2 holds there too.

use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

const SEARCHING_ONE: u64 = 1;
const PARKED_ONE: u64 = 1 << 32;
/// The sleeper in the poller is a brief one.
const BRIEF: u64 = 1 << 63;

/// How long a brief sleep is at most. Figures in `docs/decisions/unhurried-results.md`.
pub(crate) const BRIEF_SLEEP: Duration = Duration::from_micros(400);

/// Which workers are parked or searching.
#[derive(Debug)]
pub(crate) struct Idle {
    /// Searching workers in the low half, parked ones in the high half, and the flag [`BRIEF`] on top.
    counts: AtomicU64,
    sleepers: Mutex<Sleepers>,
}

#[derive(Debug, Default)]
struct Sleepers {
    /// On a condition variable; the last one went to sleep last.
    parked: Vec<usize>,
    /// In the poller, and its share of the counts.
    polling: Option<(usize, u64)>,
}

/// Where a worker goes to sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bed {
    /// On its condition variable.
    Condvar,
    /// In the poller; only one at a time, see the lease.
    Poller,
    /// In the poller, for [`BRIEF_SLEEP`] at most.
    PollerBriefly,
}

/// What became of a sleeper's announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Retracted {
    /// It is off the list, and not searching.
    Withdrawn,
    /// It counts as searching: somebody has taken it off the list, or it slept briefly.
    Searching,
}

/// A copy of the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts(u64);

impl Counts {
    pub(crate) fn searching(self) -> usize {
        (self.0 & (PARKED_ONE - 1)) as usize
    }

    pub(crate) fn parked(self) -> usize {
        ((self.0 & !BRIEF) / PARKED_ONE) as usize
    }

    pub(crate) fn has_brief_sleeper(self) -> bool {
        self.0 & BRIEF != 0
    }
}

impl Sleepers {
    /// Takes the worker off the list, if it is still on it; gives its share of the counts.
    fn take_off(&mut self, worker: usize) -> Option<u64> {
        if let Some((_, share)) = self.polling.take_if(|(polling, _)| *polling == worker) {
            return Some(share);
        }
        let at = self.parked.iter().rposition(|&parked| parked == worker)?;
        self.parked.remove(at);
        Some(PARKED_ONE)
    }
}

impl Idle {
    pub(crate) fn new() -> Self {
        Self {
            counts: AtomicU64::new(0),
            sleepers: Mutex::new(Sleepers::default()),
        }
    }

    /// How many workers park and search just now.
    #[inline]
    pub(crate) fn counts(&self) -> Counts {
        // ORDERING: SeqCst, after a poster's or sleeper's fence edge P1; else a mere look.
        Counts(self.counts.load(Ordering::SeqCst))
    }

    /// Whether a worker sleeps in the poller.
    pub(crate) fn poller_is_taken(&self) -> bool {
        self.sleepers.lock().polling.is_some()
    }

    /// Lets a worker search, unless `limit` workers do so already: more would only get in each other's way.
    pub(crate) fn begin_search(&self, limit: usize) -> bool {
        if self.counts().searching() >= limit {
            return false;
        }
        // ORDERING: SeqCst, edge P2: a poster that sees it relies on this worker's look before it sleeps.
        self.counts.fetch_add(SEARCHING_ONE, Ordering::SeqCst);
        true
    }

    /// A searching worker has found work. Whether it was the last one searching.
    pub(crate) fn end_search(&self) -> bool {
        // ORDERING: SeqCst, edge P2: what was posted while this worker searched is posted no less; the
        // caller wakes another if it was the last.
        let before = Counts(self.counts.fetch_sub(SEARCHING_ONE, Ordering::SeqCst));
        debug_assert!(before.searching() > 0);
        before.searching() == 1
    }

    /// Puts a worker on the list, and takes it off the searching ones if it was one. The caller looks at
    /// every queue afterwards.
    pub(crate) fn announce(&self, worker: usize, bed: Bed, was_searching: bool) {
        {
            let mut sleepers = self.sleepers.lock();
            let share = match bed {
                Bed::Condvar | Bed::Poller => PARKED_ONE,
                Bed::PollerBriefly => PARKED_ONE + BRIEF,
            };
            if bed == Bed::Condvar {
                sleepers.parked.push(worker);
            } else {
                debug_assert!(sleepers.polling.is_none(), "the lease has one holder");
                sleepers.polling = Some((worker, share));
            }
            let change = share.wrapping_sub(u64::from(was_searching) * SEARCHING_ONE);
            // ORDERING: SeqCst, edges P1 and P2, with the fence below.
            self.counts.fetch_add(change, Ordering::SeqCst);
        }
        // ORDERING: edge P1, the sleeper's end: the look at the queues comes after the announcement.
        fence(Ordering::SeqCst);
    }

    /// Takes a worker off the list because its look after the announcement found work: it is searching again.
    ///
    /// Not merely awake: whoever posted that work may have seen this worker search, and so relied on it to wake
    /// the next one for whatever else was posted (edge P2).
    pub(crate) fn retract_to_search(&self, worker: usize) {
        let mut sleepers = self.sleepers.lock();
        if let Some(share) = sleepers.take_off(worker) {
            self.park_to_search(share);
        }
        // Else it was chosen, and counts as searching already (D2).
    }

    /// Takes a worker off the list, if it is still on it.
    pub(crate) fn retract(&self, worker: usize) -> Retracted {
        let mut sleepers = self.sleepers.lock();
        let share = match sleepers.take_off(worker) {
            None => return Retracted::Searching,
            Some(share) if share & BRIEF != 0 => {
                self.park_to_search(share);
                return Retracted::Searching;
            }
            Some(share) => share,
        };
        // ORDERING: SeqCst as all changes of the counts; a poster that misses this change wakes somebody
        // else at worst.
        self.counts.fetch_sub(share, Ordering::SeqCst);
        Retracted::Withdrawn
    }

    /// After posting work: chooses a worker to wake, if one sleeps and none searches. The caller unparks it.
    #[inline]
    pub(crate) fn choose(&self) -> Option<usize> {
        // ORDERING: edge P1, the poster's end: the push comes before the look at the counts.
        fence(Ordering::SeqCst);
        let counts = self.counts();
        if counts.searching() > 0 || counts.parked() == 0 {
            return None;
        }
        self.choose_slow()
    }

    /// As [`choose`](Self::choose), after posting what is in no hurry: nobody is woken if a brief sleeper will look, or the sleeper in
    /// the poller, who becomes a brief one by that. `looks_soon` says whether its wait ends within [`BRIEF_SLEEP`], or has ended: while this lock is
    /// held nobody else can wait there (D4).
    pub(crate) fn choose_unhurried(&self, looks_soon: impl FnOnce() -> bool) -> Option<usize> {
        // ORDERING: edge P2, the poster's end: the push comes before the look at the counts.
        fence(Ordering::SeqCst);
        let counts = self.counts();
        if counts.has_brief_sleeper() || counts.searching() > 0 || counts.parked() == 0 {
            return None;
        }
        let mut sleepers = self.sleepers.lock();
        if let Some((_, share)) = &mut sleepers.polling {
            if *share & BRIEF != 0 {
                return None;
            }
            if looks_soon() {
                *share += BRIEF;
                // ORDERING: SeqCst as all changes of the counts, D5.
                self.counts.fetch_add(BRIEF, Ordering::SeqCst);
                return None;
            }
        }
        self.choose_of(&mut sleepers)
    }

    /// One sleeper, off the list already, searches from now on.
    fn park_to_search(&self, share: u64) {
        // ORDERING: SeqCst, D2 and D5, edge P2, as `begin_search`.
        self.counts
            .fetch_sub(share - SEARCHING_ONE, Ordering::SeqCst);
    }

    #[cold]
    fn choose_slow(&self) -> Option<usize> {
        self.choose_of(&mut self.sleepers.lock())
    }

    fn choose_of(&self, sleepers: &mut Sleepers) -> Option<usize> {
        if self.counts().searching() > 0 {
            return None;
        }
        // The poller's sleeper first: it sees by itself what the work that it does makes ready, while another worker
        // would do the work and the sleeper would be woken for what came of it.
        let (chosen, share) = match sleepers.polling.take() {
            Some(polling) => polling,
            None => (sleepers.parked.pop()?, PARKED_ONE),
        };
        self.park_to_search(share);
        Some(chosen)
    }
}
