//! The wheel itself: insert, refresh, cancel and fire over the slab and the levels.
//!
//! # Invariants
//! - I1: every entry in use is either in the slot that [`Place::of`] gives for it, or in the
//!   cascade.
//! - I2: the wheel's tick never passes that of an entry which is in a slot, save entries that were
//!   inserted late.
//! - I3: `fire` hands out no waker whose deadline lies after the time that it was told.

use std::task::Waker;

use super::levels::Levels;
use super::place::{Place, tick_of};
use super::slab::{Excess, Key, List, Slab};

/// How many entries one call of [`Wheel::fire`] puts back into slots at most, beyond those that it
/// fires.
const MOVES_PER_CALL: usize = 256;

/// What [`Wheel::refresh`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Refreshed {
    /// The entry is gone: it has fired or was cancelled.
    Fired,
    /// The entry is still there and would wake the right task.
    Waiting,
    /// The entry is still there but has another task's waker: clone the new one and call
    /// [`Wheel::replace`].
    Stale,
}

/// Whether a call of [`Wheel::fire`] got to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Fired {
    /// Nothing that is due is left.
    Done,
    /// The call's bounds were reached: call again, something may still be due.
    More,
}

/// A hierarchical timer wheel over nanoseconds, for one thread at a time.
///
/// It never runs foreign code: wakers come in and go out by value, so a caller that guards the
/// wheel with a lock can clone, wake and drop them outside it.
///
/// ```
/// use runtime_timer::wheel::{Fired, Wheel};
/// use std::task::Waker;
///
/// let mut wheel = Wheel::new();
/// wheel.insert(1_000, Waker::noop().clone());
///
/// let mut due = Vec::new();
/// assert_eq!(wheel.fire(999, 64, &mut due), Fired::Done);
/// assert!(due.is_empty());
/// assert_eq!(wheel.fire(1_000, 64, &mut due), Fired::Done);
/// assert_eq!(due.len(), 1);
/// ```
#[derive(Debug)]
pub struct Wheel {
    slab: Slab,
    levels: Levels,
    /// The tick that places are relative to. It moves only in `fire`, and never back.
    tick: u64,
    /// A slot's list that `fire` has taken out and not yet worked through.
    cascade: List,
}

impl Default for Wheel {
    fn default() -> Self {
        Self::new()
    }
}

impl Wheel {
    /// An empty wheel at time zero.
    #[must_use]
    pub fn new() -> Self {
        Self {
            slab: Slab::new(),
            levels: Levels::new(),
            tick: 0,
            cascade: List::EMPTY,
        }
    }

    /// How many entries wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether no entry waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.slab.len() == 0
    }

    /// Adds an entry that fires once the time is at least `deadline_ns`; a deadline in the past is
    /// allowed.
    ///
    /// # Panics
    /// If the wheel already holds 2^32 - 1 entries.
    #[inline]
    pub fn insert(&mut self, deadline_ns: u64, waker: Waker) -> Key {
        let key = self.slab.add(deadline_ns, waker);
        self.put(key.index, deadline_ns);
        key
    }

    /// Takes an entry out and returns its waker, for the caller to drop where no lock is held.
    /// `None` if it has fired or was cancelled before.
    #[inline]
    pub fn cancel(&mut self, key: Key) -> Option<Waker> {
        if !self.slab.contains(key) {
            return None;
        }
        if self.cascade.head == key.index {
            self.slab.unlink(&mut self.cascade, key.index);
        } else {
            // If the entry is in the cascade after its head, this place is wrong and stays
            // untouched.
            let place = Place::of(tick_of(self.slab.deadline(key.index)), self.tick);
            self.levels.unlink(&mut self.slab, place, key.index);
        }
        self.slab.remove(key.index)
    }

    /// Looks whether an entry still waits, and with a waker that wakes the same task as `waker`.
    #[inline]
    pub fn refresh(&mut self, key: Key, waker: &Waker) -> Refreshed {
        if !self.slab.contains(key) {
            return Refreshed::Fired;
        }
        match self.slab.waker_mut(key.index) {
            Some(current) if current.will_wake(waker) => Refreshed::Waiting,
            _ => Refreshed::Stale,
        }
    }

    /// Gives an entry another waker and returns the old one, for the caller to drop where no lock
    /// is held.
    ///
    /// # Errors
    /// The new waker itself if the entry has fired or was cancelled.
    pub fn replace(&mut self, key: Key, waker: Waker) -> Result<Option<Waker>, Waker> {
        if !self.slab.contains(key) {
            return Err(waker);
        }
        Ok(self.slab.waker_mut(key.index).replace(waker))
    }

    /// When `fire` should be called next, in nanoseconds; `None` if the wheel is empty.
    ///
    /// Never later than the earliest deadline. After cancels it may be earlier; `fire` corrects it
    /// when it comes.
    #[inline]
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        let first = self
            .levels
            .first()
            .map(|place| self.levels.list(place).earliest);
        match first {
            Some(earliest) => Some(earliest.min(self.cascade.earliest)),
            None if self.cascade.is_empty() => None,
            None => Some(self.cascade.earliest),
        }
    }

    /// Like [`next_deadline`](Self::next_deadline), but exact: it looks at every entry of the
    /// earliest slot.
    pub fn exact_next_deadline(&mut self) -> Option<u64> {
        if !self.cascade.is_empty() {
            self.cascade.earliest = self.slab.earliest_in(&self.cascade);
        }
        if let Some(place) = self.levels.first() {
            self.levels.recount(&self.slab, place);
        }
        self.next_deadline()
    }

    /// If the wheel is empty but still has the memory of many entries, takes that out, for the
    /// caller to drop where no lock is held. Worth a call after `cancel` and `fire`.
    #[inline]
    pub fn take_excess(&mut self) -> Option<Excess> {
        self.slab.take_excess()
    }

    /// Takes out the entries whose deadline is at most `now_ns` and appends their wakers to `due`.
    ///
    /// At most `limit` entries a call, those of earlier ticks first; the work besides is bounded
    /// too. An entry is gone as soon as its waker is in `due`. A `now_ns` before that of an earlier
    /// call is allowed.
    pub fn fire(&mut self, now_ns: u64, limit: usize, due: &mut Vec<Waker>) -> Fired {
        let mut fires_left = limit;
        let mut moves_left = MOVES_PER_CALL;
        loop {
            while !self.cascade.is_empty() {
                if fires_left == 0 || moves_left == 0 {
                    return Fired::More;
                }
                let index = self.cascade.head;
                self.slab.unlink(&mut self.cascade, index);
                let deadline = self.slab.deadline(index);
                // What is due but of a later tick goes back first, so that earlier ticks come out
                // first.
                if deadline <= now_ns && tick_of(deadline) <= self.tick {
                    due.extend(self.slab.remove(index));
                    fires_left -= 1;
                } else {
                    self.put(index, deadline);
                    moves_left -= 1;
                }
            }
            let Some(place) = self.levels.first() else {
                return Fired::Done;
            };
            let earliest = self.levels.list(place).earliest;
            if earliest > now_ns {
                return Fired::Done;
            }
            // No entry of any slot is earlier than `earliest`, so the wheel may go there at once,
            // however far.
            let start = place.first_tick(self.tick);
            self.tick = tick_of(earliest).max(start);
            self.cascade = self.levels.take(place);
        }
    }

    /// Puts an entry that is in no list into the slot where it belongs.
    #[inline]
    fn put(&mut self, index: u32, deadline: u64) {
        let place = Place::of(tick_of(deadline), self.tick);
        self.levels.push_back(&mut self.slab, place, index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wheel::TICK_NS;

    fn noop() -> Waker {
        Waker::noop().clone()
    }

    fn fire_all(wheel: &mut Wheel, now: u64) -> usize {
        let mut due = Vec::new();
        while wheel.fire(now, usize::MAX, &mut due) == Fired::More {}
        due.len()
    }

    #[test]
    fn nothing_fires_a_nanosecond_early_even_within_its_tick() {
        let mut wheel = Wheel::new();
        let deadline = 5 * TICK_NS + 100;
        wheel.insert(deadline, noop());

        assert_eq!(fire_all(&mut wheel, deadline - 1), 0);
        assert_eq!(wheel.next_deadline(), Some(deadline));
        assert_eq!(fire_all(&mut wheel, deadline), 1);
        assert_eq!(wheel.next_deadline(), None);
    }

    #[test]
    fn the_limit_bounds_a_call_and_the_rest_follows() {
        let mut wheel = Wheel::new();
        for _ in 0..10 {
            wheel.insert(7, noop());
        }
        let mut due = Vec::new();

        assert_eq!(wheel.fire(7, 4, &mut due), Fired::More);
        assert_eq!((due.len(), wheel.len()), (4, 6));
        assert_eq!(wheel.next_deadline(), Some(7));
        assert_eq!(wheel.fire(7, 6, &mut due), Fired::Done);
        assert_eq!((due.len(), wheel.len()), (10, 0));
    }

    #[test]
    fn an_entry_inside_an_interrupted_cascade_can_be_cancelled() {
        let mut wheel = Wheel::new();
        let keys: Vec<Key> = (0..5).map(|_| wheel.insert(7, noop())).collect();
        let mut due = Vec::new();
        assert_eq!(wheel.fire(7, 1, &mut due), Fired::More);

        assert!(wheel.cancel(keys[0]).is_none());
        assert!(wheel.cancel(keys[3]).is_some());
        assert!(wheel.cancel(keys[1]).is_some());
        wheel.insert(3, noop());

        assert_eq!(wheel.next_deadline(), Some(3));
        assert_eq!(fire_all(&mut wheel, 7), 3);
        assert!(wheel.is_empty());
    }

    #[test]
    fn a_crowded_far_slot_is_cascaded_in_bounded_calls() {
        let mut wheel = Wheel::new();
        let far = 1 << 40;
        let crowd = 3 * MOVES_PER_CALL;
        for i in 0..crowd as u64 {
            wheel.insert(far + i * TICK_NS, noop());
        }
        let mut due = Vec::new();

        let mut calls = 1;
        while wheel.fire(far, 64, &mut due) == Fired::More {
            calls += 1;
        }

        assert_eq!(due.len(), 1);
        assert!(calls >= 3);
        assert_eq!(wheel.next_deadline(), Some(far + TICK_NS));
    }

    #[test]
    fn deadlines_beyond_the_horizon_are_exact_too() {
        let mut wheel = Wheel::new();
        let deadlines = [
            1 << 56,
            (1 << 56) + 1,
            1 << 60,
            (1 << 62) - 1,
            1 << 62,
            (1 << 62) + 1,
            (1 << 63) + 12_345,
            u64::MAX,
        ];
        for deadline in deadlines.into_iter().rev() {
            wheel.insert(deadline, noop());
        }

        for deadline in deadlines {
            assert_eq!(wheel.next_deadline(), Some(deadline));
            assert_eq!(fire_all(&mut wheel, deadline - 1), 0);
            assert_eq!(fire_all(&mut wheel, deadline), 1);
        }
    }

    #[test]
    fn exact_next_deadline_forgets_what_was_cancelled() {
        let mut wheel = Wheel::new();
        let early = wheel.insert(1 << 40, noop());
        wheel.insert((1 << 40) + 500, noop());
        wheel.cancel(early);

        assert_eq!(wheel.next_deadline(), Some(1 << 40));
        assert_eq!(wheel.exact_next_deadline(), Some((1 << 40) + 500));
        assert_eq!(wheel.next_deadline(), Some((1 << 40) + 500));
    }

    #[test]
    fn a_new_waker_takes_the_place_of_the_old_one_until_the_entry_fires() {
        let mut wheel = Wheel::new();
        let first = crate::testing::counting_waker();
        let second = crate::testing::counting_waker();
        let key = wheel.insert(5, first.waker());

        assert_eq!(wheel.refresh(key, &first.waker()), Refreshed::Waiting);
        assert_eq!(wheel.refresh(key, &second.waker()), Refreshed::Stale);
        assert!(
            wheel
                .replace(key, second.waker())
                .is_ok_and(|old| old.is_some())
        );
        assert_eq!(wheel.refresh(key, &second.waker()), Refreshed::Waiting);
        assert_eq!(fire_all(&mut wheel, 5), 1);
        assert_eq!(wheel.refresh(key, &second.waker()), Refreshed::Fired);
        assert!(wheel.replace(key, first.waker()).is_err());
    }
}
