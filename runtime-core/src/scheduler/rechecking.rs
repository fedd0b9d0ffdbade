//! When a worker looks once more at the sources that it took for drained: see [`recheck`](crate::reactor::recheck).

use super::worker::Worker;
use crate::reactor::recheck::Note;
use std::cell::{Cell, RefCell};

/// Looks between two turns of the list, at the least.
const LEAST_LOOKS: usize = 4;

/// For so many tasks that wait in the queue it is one look more. A worker with a long queue looks once in 61 rounds; so until the next turn it
/// comes through its queue about twice.
const TASKS_FOR_A_LOOK: usize = 32;

/// A worker's part in it.
pub(super) struct Rechecking {
    /// Looks until the next turn.
    until_turn: Cell<usize>,
    /// The longest that the queue was at a look since the last one.
    longest_queue: Cell<usize>,
    /// Room for notes on their way out of the list.
    notes: RefCell<Vec<Note>>,
}

impl Rechecking {
    pub(super) fn new() -> Self {
        Self {
            until_turn: Cell::new(LEAST_LOOKS),
            longest_queue: Cell::new(0),
            notes: RefCell::new(Vec::new()),
        }
    }

    /// Counts a look; whether it is time for a turn. From one turn to the next a worker handles, where two tasks talk to each other, an
    /// answer for most sources that it took for drained before.
    fn is_due(&self, queue: usize) -> bool {
        let longest = self.longest_queue.get().max(queue);
        let left = self.until_turn.get() - 1;
        let is_due = left == 0;
        self.longest_queue.set(if is_due { 0 } else { longest });
        self.until_turn.set(match is_due {
            true => LEAST_LOOKS + longest / TASKS_FOR_A_LOOK,
            false => left,
        });
        is_due
    }
}

impl Worker {
    /// The worker has looked at its pollers.
    #[inline]
    pub(super) fn count_look(&self) {
        let rechecks = &self.lane().rechecks;
        rechecks.count_look();
        if !rechecks.is_empty() {
            self.turn_if_due();
        }
    }

    fn turn_if_due(&self) {
        let lane = self.lane();
        if self.rechecking.is_due(lane.queue.len()) {
            let _ = self.recheck(|notes| lane.rechecks.turn(notes));
        }
    }

    /// Has all sources tried that are still in doubt: the worker is about to look no more. Whether a task was woken for that.
    #[inline]
    pub(super) fn recheck_all(&self) -> bool {
        let rechecks = &self.lane().rechecks;
        !rechecks.is_empty() && self.recheck(|notes| rechecks.take_all(notes))
    }

    fn recheck(&self, take: impl FnOnce(&mut Vec<Note>)) -> bool {
        let mut notes = self.rechecking.notes.take();
        take(&mut notes);
        let mut wakers = self.wakers.take();
        let registry = &self.engine().reactor.registry;
        registry.recheck(&notes, &mut wakers);
        notes.clear();
        self.rechecking.notes.replace(notes);
        let any = !wakers.is_empty();
        self.wake_all(wakers);
        any
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;

    /// Looks until the next turn, that one included.
    fn looks(rechecking: &Rechecking, queue: usize) -> usize {
        (1..)
            .find(|_| rechecking.is_due(queue))
            .expect("there is a turn")
    }

    #[test]
    fn a_turn_takes_a_few_looks_and_more_with_a_long_queue() {
        let rechecking = Rechecking::new();
        for _ in 0..3 {
            assert_eq!(looks(&rechecking, 0), LEAST_LOOKS);
        }
        assert_eq!(
            looks(&rechecking, 320),
            LEAST_LOOKS,
            "until now it was short"
        );
        assert_eq!(looks(&rechecking, 0), LEAST_LOOKS + 10);
        assert_eq!(looks(&rechecking, 0), LEAST_LOOKS);
    }
}
