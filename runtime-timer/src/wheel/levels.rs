//! The slots of a wheel and a bit mask of the occupied ones a level; finds the earliest occupied
//! slot in a few steps.
//!
//! # Invariants
//! - I1: a slot's bit is set exactly if its list is not empty.

use super::place::{LEVELS, Place, SLOTS};
use super::slab::{List, Slab};

/// All slots of all levels.
#[derive(Debug)]
pub(super) struct Levels {
    /// Bit `s` of word `l` is set if slot `s` of level `l` has entries.
    occupied: [u64; LEVELS],
    slots: Box<[List]>,
}

impl Levels {
    pub(super) fn new() -> Self {
        Self {
            occupied: [0; LEVELS],
            slots: vec![List::EMPTY; LEVELS * SLOTS].into_boxed_slice(),
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
        slab.push_back(&mut self.slots[place.level * SLOTS + place.slot], index);
        self.occupied[place.level] |= 1 << place.slot;
    }

    /// Takes an entry out of its list, which is that of `place` if the entry is a head.
    #[inline]
    pub(super) fn unlink(&mut self, slab: &mut Slab, place: Place, index: u32) {
        let list = &mut self.slots[place.level * SLOTS + place.slot];
        slab.unlink(list, index);
        if list.is_empty() {
            self.occupied[place.level] &= !(1 << place.slot);
        }
    }

    /// Empties a slot and hands its list over.
    #[inline]
    pub(super) fn take(&mut self, place: Place) -> List {
        self.occupied[place.level] &= !(1 << place.slot);
        std::mem::replace(
            &mut self.slots[place.level * SLOTS + place.slot],
            List::EMPTY,
        )
    }

    /// The slot whose entries are earlier than those of every other slot.
    #[inline]
    pub(super) fn first(&self) -> Option<Place> {
        let level = self.occupied.iter().position(|&mask| mask != 0)?;
        Some(Place {
            level,
            slot: self.occupied[level].trailing_zeros() as usize,
        })
    }

    /// Makes the earliest deadline of a slot exact again after cancels, and returns it.
    pub(super) fn recount(&mut self, slab: &Slab, place: Place) -> u64 {
        let list = &mut self.slots[place.level * SLOTS + place.slot];
        list.earliest = slab.earliest_in(list);
        list.earliest
    }
}
