//! Where an entry belongs: pure arithmetic on ticks.
//!
//! The level of a tick is that of the highest bit in which it differs from the wheel's own tick.
//! Hence no slot ever wraps: at each level the occupied slots lie after the wheel's position, and
//! everything at a lower level comes before everything at a higher one.
//!
//! # Invariants
//! - I1: as long as the wheel's tick does not enter an entry's slot, the entry's place does not
//!   change. So a place need not be stored: it can be computed again.

/// log2 of the nanoseconds in a tick.
const TICK_BITS: u32 = 14;
/// log2 of the slots in a level.
const SLOT_BITS: u32 = 8;

/// Nanoseconds in one tick, the width of a slot at level 0.
pub const TICK_NS: u64 = 1 << TICK_BITS;
/// Slots a level.
pub(super) const SLOTS: usize = 1 << SLOT_BITS;
/// Levels of the wheel.
pub(super) const LEVELS: usize = 6;

/// The ticks that one trip round the top level spans, less one.
const HORIZON: u64 = (1 << (SLOT_BITS * LEVELS as u32)) - 1;

/// A slot of the wheel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Below [`LEVELS`].
    pub(super) level: usize,
    /// Below [`SLOTS`].
    pub(super) slot: usize,
}

/// The tick in which `deadline_ns` lies.
#[inline]
pub(super) const fn tick_of(deadline_ns: u64) -> u64 {
    deadline_ns >> TICK_BITS
}

impl Place {
    /// Where an entry of tick `tick` belongs when the wheel stands at tick `now`.
    ///
    /// A tick in the past belongs to the wheel's own slot, one beyond the horizon to the last slot
    /// of the wheel.
    #[inline]
    pub(super) const fn of(tick: u64, now: u64) -> Self {
        let tick = if tick < now { now } else { tick };
        let last = now | HORIZON;
        let tick = if tick > last { last } else { tick };
        // A set lowest digit makes "no difference" come out as level 0.
        let differing = (tick ^ now) | (SLOTS as u64 - 1);
        let level = (differing.ilog2() / SLOT_BITS) as usize;
        Self {
            level,
            slot: (tick >> (SLOT_BITS * level as u32)) as usize & (SLOTS - 1),
        }
    }

    /// The first tick of this slot when the wheel stands at tick `now`.
    #[inline]
    pub(super) const fn first_tick(self, now: u64) -> u64 {
        let shift = SLOT_BITS * self.level as u32;
        let block = now >> (shift + SLOT_BITS) << (shift + SLOT_BITS);
        block | (self.slot as u64) << shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_is_that_of_the_highest_differing_digit() {
        for level in 0..LEVELS {
            for slot in 1..SLOTS {
                let tick = (slot as u64) << (SLOT_BITS * level as u32);

                assert_eq!(Place::of(tick, 0), Place { level, slot });
                assert_eq!(Place { level, slot }.first_tick(0), tick);
            }
        }
    }

    #[test]
    fn past_belongs_to_the_slot_of_now() {
        assert_eq!(Place::of(3, 77), Place::of(77, 77));
        assert_eq!(
            Place::of(77, 77),
            Place {
                level: 0,
                slot: 77 % SLOTS
            }
        );
    }

    #[test]
    fn beyond_the_horizon_is_the_last_slot_and_closes_in_as_now_approaches() {
        let (top, last) = (LEVELS - 1, SLOTS - 1);
        let at = |level, slot| Place { level, slot };
        let far = tick_of(u64::MAX);

        assert_eq!(Place::of(far, 0), at(top, last));
        let in_last_top_slot = (last as u64) << (SLOT_BITS * top as u32);
        assert_eq!(Place::of(far, in_last_top_slot), at(top - 1, last));
        assert_eq!(Place::of(far, HORIZON), at(0, last));
        assert_eq!(Place::of(far, HORIZON + 1), at(top, last));
    }

    #[test]
    fn place_stays_the_same_until_now_enters_the_slot() {
        let tick = 5 << (SLOT_BITS * 3) | 1234;
        let place = Place::of(tick, 0);
        let first = place.first_tick(0);

        for now in [1, SLOTS as u64, first / 2, first - 1] {
            assert_eq!(Place::of(tick, now), place);
            assert_eq!(place.first_tick(now), first);
        }
        assert!(Place::of(tick, first).level < place.level);
    }
}
