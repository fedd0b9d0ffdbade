//! The entries of a wheel in one `Vec`, and the circular doubly linked lists that run through them
//! by index.
//!
//! A list needs no tail: the entry before its head is its last. An entry that is not the head of
//! its list can be taken out without knowing which list that is.
//!
//! # Invariants
//! - I1: an entry is in use exactly if its id is not [`FREE`]; then it is in exactly one list and
//!   has a waker.
//! - I2: ids are never used twice, so a key of an entry that is gone matches no entry, whatever
//!   reuses its index.

use std::task::Waker;

/// The index that means "no entry".
pub(super) const NONE: u32 = u32::MAX;
/// The id of an entry that is not in use.
const FREE: u64 = 0;
/// How many entries an empty wheel keeps the memory of.
const KEPT_ENTRIES: usize = 1 << 16;

/// Names one entry of one wheel, for ever: a key is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Where the entry lies in the slab.
    pub index: u32,
    /// Which of the entries that ever lay there it is.
    pub id: u64,
}

/// One timer.
#[derive(Debug)]
struct Entry {
    /// Exact, in nanoseconds; the tick is derived from it.
    deadline: u64,
    /// [`FREE`], or unique within the wheel.
    id: u64,
    /// `Some` exactly while in use.
    waker: Option<Waker>,
    /// The entry after this one in its list, or the next free one.
    next: u32,
    /// The entry before this one in its list; of the head, the last one.
    prev: u32,
}

/// Memory that an empty wheel no longer needs. Giving tens of megabytes back to the system takes
/// milliseconds, so drop it where no lock is held.
#[derive(Debug)]
#[must_use = "it exists to be dropped outside a lock"]
pub struct Excess {
    _entries: Vec<Entry>,
}

/// A list of entries.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    /// The first entry, or [`NONE`].
    pub(super) head: u32,
    /// At most the earliest deadline in the list; `u64::MAX` if it is empty. Exact until an entry
    /// is cancelled.
    pub(super) earliest: u64,
}

impl List {
    pub(super) const EMPTY: Self = Self {
        head: NONE,
        earliest: u64::MAX,
    };

    pub(super) const fn is_empty(&self) -> bool {
        self.head == NONE
    }
}

/// All entries of a wheel.
#[derive(Debug)]
pub(super) struct Slab {
    entries: Vec<Entry>,
    /// Head of the free list, linked by `next`.
    free: u32,
    /// Entries in use.
    len: usize,
    /// The id that was given out last.
    last_id: u64,
}

impl Slab {
    pub(super) const fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: NONE,
            len: 0,
            last_id: FREE,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Stores an entry that is in no list yet.
    #[inline]
    pub(super) fn add(&mut self, deadline: u64, waker: Waker) -> Key {
        self.last_id += 1;
        let id = self.last_id;
        let entry = Entry {
            deadline,
            id,
            waker: Some(waker),
            next: NONE,
            prev: NONE,
        };
        let index = self.free;
        if index == NONE {
            return self.add_slow(entry);
        }
        let place = &mut self.entries[index as usize];
        self.free = place.next;
        *place = entry;
        self.len += 1;
        Key { index, id }
    }

    #[cold]
    fn add_slow(&mut self, entry: Entry) -> Key {
        let index = u32::try_from(self.entries.len()).unwrap_or(NONE);
        assert!(index != NONE, "a timer wheel holds at most {NONE} timers");
        let id = entry.id;
        self.entries.push(entry);
        self.len += 1;
        Key { index, id }
    }

    /// Frees an entry in use that is in no list any more, and returns its waker.
    #[inline]
    pub(super) fn remove(&mut self, index: u32) -> Option<Waker> {
        let entry = &mut self.entries[index as usize];
        let waker = entry.waker.take();
        entry.id = FREE;
        entry.next = self.free;
        self.free = index;
        self.len -= 1;
        waker
    }

    /// Takes out the memory of a burst that is over. Old keys stay harmless: their index lies
    /// outside, or their id does not match.
    #[inline]
    pub(super) fn take_excess(&mut self) -> Option<Excess> {
        if self.len > 0 || self.entries.len() <= KEPT_ENTRIES {
            return None;
        }
        self.free = NONE;
        Some(Excess {
            _entries: std::mem::take(&mut self.entries),
        })
    }

    /// Whether `key` names an entry that is in use.
    #[inline]
    pub(super) fn contains(&self, key: Key) -> bool {
        key.id != FREE
            && self
                .entries
                .get(key.index as usize)
                .is_some_and(|entry| entry.id == key.id)
    }

    /// The deadline of an entry in use.
    #[inline]
    pub(super) fn deadline(&self, index: u32) -> u64 {
        self.entries[index as usize].deadline
    }

    /// The waker of an entry in use.
    #[inline]
    pub(super) fn waker_mut(&mut self, index: u32) -> &mut Option<Waker> {
        &mut self.entries[index as usize].waker
    }

    /// Appends an entry that is in no list to `list`.
    #[inline]
    pub(super) fn push_back(&mut self, list: &mut List, index: u32) {
        let head = list.head;
        let last = if head == NONE {
            list.head = index;
            index
        } else {
            std::mem::replace(&mut self.entries[head as usize].prev, index)
        };
        let entry = &mut self.entries[index as usize];
        entry.next = if head == NONE { index } else { head };
        entry.prev = last;
        list.earliest = list.earliest.min(entry.deadline);
        if last != index {
            self.entries[last as usize].next = index;
        }
    }

    /// Takes `index` out of the list that it is in. If it is the head of it, `list` must be that
    /// list; otherwise `list` is left alone.
    #[inline]
    pub(super) fn unlink(&mut self, list: &mut List, index: u32) {
        let Entry { next, prev, .. } = self.entries[index as usize];
        if next == index {
            *list = List::EMPTY;
            return;
        }
        self.entries[prev as usize].next = next;
        self.entries[next as usize].prev = prev;
        if list.head == index {
            list.head = next;
        }
    }

    /// The earliest deadline in `list`, by looking at every entry.
    pub(super) fn earliest_in(&self, list: &List) -> u64 {
        let mut earliest = u64::MAX;
        let mut index = list.head;
        while index != NONE {
            let entry = &self.entries[index as usize];
            earliest = earliest.min(entry.deadline);
            index = if entry.next == list.head {
                NONE
            } else {
                entry.next
            };
        }
        earliest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(slab: &mut Slab, list: &mut List) -> Vec<u64> {
        let mut deadlines = Vec::new();
        while !list.is_empty() {
            let index = list.head;
            slab.unlink(list, index);
            deadlines.push(slab.deadline(index));
            slab.remove(index);
        }
        deadlines
    }

    fn filled(count: u64) -> (Slab, List, Vec<Key>) {
        let mut slab = Slab::new();
        let mut list = List::EMPTY;
        let keys = (0..count)
            .map(|deadline| {
                let key = slab.add(deadline, Waker::noop().clone());
                slab.push_back(&mut list, key.index);
                key
            })
            .collect();
        (slab, list, keys)
    }

    #[test]
    fn an_entry_is_at_most_forty_bytes() {
        assert!(size_of::<Entry>() <= 40);
    }

    #[test]
    fn a_list_keeps_the_order_of_arrival() {
        let (mut slab, mut list, _) = filled(5);

        assert_eq!(order(&mut slab, &mut list), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn any_one_entry_can_be_unlinked() {
        for gone in 0..4 {
            let (mut slab, mut list, keys) = filled(4);

            slab.unlink(&mut list, keys[gone].index);
            slab.remove(keys[gone].index);

            let left: Vec<u64> = (0..4).filter(|&deadline| deadline != gone as u64).collect();
            assert_eq!(order(&mut slab, &mut list), left);
            assert_eq!(slab.len(), 0);
        }
    }

    #[test]
    fn a_reused_index_does_not_answer_to_the_old_key() {
        let (mut slab, mut list, keys) = filled(1);
        slab.unlink(&mut list, keys[0].index);
        slab.remove(keys[0].index);

        let new = slab.add(9, Waker::noop().clone());

        assert_eq!(new.index, keys[0].index);
        assert!(slab.contains(new));
        assert!(!slab.contains(keys[0]));
    }

    #[test]
    fn memory_of_a_burst_is_given_back_and_old_keys_stay_harmless() {
        let (mut slab, mut list, keys) = filled(KEPT_ENTRIES as u64 + 1);

        assert!(slab.take_excess().is_none());
        order(&mut slab, &mut list);

        assert!(slab.take_excess().is_some());
        assert_eq!(slab.entries.capacity(), 0);
        assert!(!slab.contains(keys[KEPT_ENTRIES]));
    }
}
