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
    /// The longest that the queue was at the last looks; what is past is forgotten by and by.
    longest_queue: Cell<usize>,
    /// The worker will look no more.
    is_over: Cell<bool>,
    /// Room for notes on their way out of the list.
    notes: RefCell<Vec<Note>>,
}

impl Rechecking {
    pub(super) fn new() -> Self {
        Self {
            until_turn: Cell::new(LEAST_LOOKS),
            longest_queue: Cell::new(0),
            is_over: Cell::new(false),
            notes: RefCell::new(Vec::new()),
        }
    }

    /// Whether the worker will look no more, so that it must not note anything.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    /// Counts a look; whether it is time for a turn. From one turn to the next a worker handles, where two tasks talk to each other, an
    /// answer for most sources that it took for drained before.
    fn is_due(&self, queue: usize) -> bool {
        let past = self.longest_queue.get();
        let longest = queue.max(past - past.div_ceil(4));
        self.longest_queue.set(longest);
        let looks = LEAST_LOOKS + longest / TASKS_FOR_A_LOOK;
        let left = self.until_turn.get().min(looks) - 1;
        let is_due = left == 0;
        self.until_turn.set(if is_due { looks } else { left });
        is_due
    }
}

impl Worker {
    /// The worker has looked at its pollers: if it is time, has those sources tried that have been in doubt since before the last turn.
    #[inline]
    pub(super) fn turn_if_due(&self) {
        let lane = self.lane();
        if !lane.rechecks.is_empty() && self.rechecking.is_due(lane.queue.len()) {
            let _ = self.recheck(|notes| lane.rechecks.turn(notes));
        }
    }

    /// Has all sources tried that are still in doubt: the worker is about to look no more. Whether a task was woken for that.
    #[inline]
    pub(super) fn recheck_all(&self) -> bool {
        let rechecks = &self.lane().rechecks;
        !rechecks.is_empty() && self.recheck(|notes| rechecks.take_all(notes))
    }

    /// The same, for good.
    pub(super) fn look_no_more(&self) {
        self.rechecking.is_over.set(true);
        let _ = self.recheck_all();
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
        let _ = looks(&rechecking, 320);
        assert_eq!(looks(&rechecking, 320), LEAST_LOOKS + 10);
    }

    #[test]
    fn a_queue_that_was_long_is_forgotten() {
        let rechecking = Rechecking::new();
        for _ in 0..2 {
            let _ = looks(&rechecking, 20_000);
        }
        assert!(looks(&rechecking, 0) < 40);
        for _ in 0..10 {
            let _ = looks(&rechecking, 0);
        }
        assert_eq!(looks(&rechecking, 0), LEAST_LOOKS);
    }
}
