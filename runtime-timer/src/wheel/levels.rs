//! The slots of a wheel and a bit mask of the occupied ones a level; finds the earliest occupied
//! slot in a few steps.
//!
//! # Invariants
//! - I1: a slot's bit is set exactly if its list is not empty.
//! - I2: there is memory for slots once one has had an entry. A wheel that never has a timer, such as that of a worker that is
//!   never needed, so costs nothing.

use super::place::{LEVELS, Place, SLOTS};
use super::slab::{List, Slab};

/// All slots of all levels.
#[derive(Debug)]
pub(super) struct Levels {
    /// For each level, which of its slots have entries.
    occupied: [Mask; LEVELS],
    slots: Box<[List]>,
}

impl Levels {
    pub(super) fn new() -> Self {
        Self {
            occupied: [Mask::EMPTY; LEVELS],
            slots: Box::default(),
        }
    }

    /// The list of one slot.
    #[inline]
    pub(super) fn list(&self, place: Place) -> &List {
        &self.slots[place.level * SLOTS + place.slot]
    }

    /// Appends an entry that is in no list.
    #[inline]
    pub(super) fn push_back(&mut self, slab: &mut Slab, place: Place, index: u32) {
        let slot = place.level * SLOTS + place.slot;
        let list = match self.slots.get_mut(slot) {
            Some(list) => list,
            None => &mut make_slots(&mut self.slots)[slot],
        };
        slab.push_back(list, index);
        self.occupied[place.level].insert(place.slot);
    }

    /// Takes an entry out of its list, which is that of `place` if the entry is a head.
    #[inline]
    pub(super) fn unlink(&mut self, slab: &mut Slab, place: Place, index: u32) {
        let list = &mut self.slots[place.level * SLOTS + place.slot];
        slab.unlink(list, index);
        if list.is_empty() {
            self.occupied[place.level].remove(place.slot);
        }
    }

    /// Empties a slot and hands its list over.
    #[inline]
    pub(super) fn take(&mut self, place: Place) -> List {
        self.occupied[place.level].remove(place.slot);
        std::mem::replace(
            &mut self.slots[place.level * SLOTS + place.slot],
            List::EMPTY,
        )
    }

    /// The slot whose entries are earlier than those of every other slot.
    #[inline]
    pub(super) fn first(&self) -> Option<Place> {
        let mut levels = self.occupied.iter().enumerate();
        levels.find_map(|(level, mask)| mask.first().map(|slot| Place { level, slot }))
    }

    /// Makes the earliest deadline of a slot exact again after cancels, and returns it.
    pub(super) fn recount(&mut self, slab: &Slab, place: Place) -> u64 {
        let list = &mut self.slots[place.level * SLOTS + place.slot];
        list.earliest = slab.earliest_in(list);
        list.earliest
    }
}

#[cold]
#[inline(never)]
fn make_slots(slots: &mut Box<[List]>) -> &mut [List] {
    *slots = vec![List::EMPTY; LEVELS * SLOTS].into_boxed_slice();
    slots
}

/// A set of slots of one level.
#[derive(Clone, Copy, Debug)]
struct Mask([u64; SLOTS / 64]);

impl Mask {
    const EMPTY: Self = Self([0; SLOTS / 64]);

    #[inline]
    fn insert(&mut self, slot: usize) {
        self.0[slot / 64] |= 1 << (slot % 64);
    }

    #[inline]
    fn remove(&mut self, slot: usize) {
        self.0[slot / 64] &= !(1 << (slot % 64));
    }

    #[inline]
    fn first(&self) -> Option<usize> {
        let word = self.0.iter().position(|&word| word != 0)?;
        Some(word * 64 + self.0[word].trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn there_is_memory_for_slots_once_one_has_had_an_entry() {
        let (mut levels, mut slab) = (Levels::new(), Slab::new());
        assert!(levels.slots.is_empty() && levels.first().is_none());

        let key = slab.add(7, Waker::noop().clone());
        let place = Place {
            level: 1,
            slot: SLOTS - 1,
        };
        levels.push_back(&mut slab, place, key.index);

        assert_eq!(levels.first(), Some(place));
        assert_eq!(levels.slots.len(), LEVELS * SLOTS);
    }
}
