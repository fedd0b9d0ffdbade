//! What other threads see of one worker.

use super::cpu_wait;
use super::polled::Polled;
use super::stall::{Kind, Stall};
use super::stats::Stats;
use crate::park::Parker;
use crate::queue;
use crate::reactor::inbox::Inbox;
use crate::reactor::recheck::Rechecks;
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use crate::sync::{CachePadded, Mutex};
use crate::task::Id;
use std::time::Duration;

/// The worker is not known to be in a long poll.
const MOVING: u8 = 0;
/// The reactor thread has found that it is, and that its thread waits there for something.
const BLOCKS: u8 = 1;
/// The worker says itself that it will be.
const ANNOUNCED: u8 = 2;
/// The worker moves, and the reactor thread asks it to look around.
const ASKED: u8 = 3;
/// The reactor thread has found that it is, and that its thread computes there, or would if it had a processor.
const COMPUTES: u8 = 4;

/// The average is over about so many looks.
const LOAD_ONE: u32 = 8;

/// What a worker's mark was when the worker cleared it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Moving {
    /// There was none.
    Already,
    /// It counted as stuck.
    Again,
    /// It was asked to look around.
    Asked,
}

/// What a found stall is to those who count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Found {
    /// The worker moved until now.
    New,
    /// It computed in the same poll when it was last looked at, and blocks now.
    BlocksNow,
    /// Nothing new.
    Known,
}

/// One worker, as seen by others.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) queue: queue::Shared,
    pub(crate) parker: Parker,
    pub(crate) stats: CachePadded<Stats>,
    /// Events that belong to this worker.
    pub(crate) inbox: CachePadded<Inbox>,
    /// Sources that this worker has taken for drained.
    pub(crate) rechecks: CachePadded<Rechecks>,
    /// Which processor the worker was on when it last handled events.
    processor: AtomicU32,
    /// How much waits for the worker when it finds events in its branch: a moving average, times [`LOAD_ONE`].
    load: AtomicU32,
    /// The worker sleeps, or is about to.
    asleep: AtomicBool,
    /// Whether the worker has been in one poll for long (set by the reactor thread, under the lock of `stall`), or says itself
    /// that it will be (set by the worker): thieves may take its slot. Or that it is to look around (set by whoever looks for
    /// a stand-in). Cleared by the worker.
    mark: AtomicU8,
    /// What the reactor thread knows of a long poll; taken out by the worker.
    pub(super) stall: Mutex<Option<Stall>>,
    /// The worker has not told its siblings of what its queue holds, and will if it takes long. Set and cleared by the
    /// worker; the reactor thread tells in its stead while it is in a poll.
    owes: AtomicBool,
    /// The thread that works the lane, as [`cpu_wait`](super::cpu_wait) knows it.
    thread: AtomicU32,
    /// Which task is being polled.
    pub(super) polled: Polled,
}

impl Lane {
    pub(crate) fn new(queue: queue::Shared) -> Self {
        Self {
            queue,
            parker: Parker::new(),
            stats: CachePadded(Stats::new()),
            inbox: CachePadded(Inbox::new()),
            rechecks: CachePadded(Rechecks::new()),
            processor: AtomicU32::new(u32::MAX),
            load: AtomicU32::new(0),
            asleep: AtomicBool::new(true),
            mark: AtomicU8::new(MOVING),
            stall: Mutex::new(None),
            owes: AtomicBool::new(false),
            thread: AtomicU32::new(0),
            polled: Polled::new(),
        }
    }

    /// Whether the worker is in a poll for long, as far as anybody knows.
    #[inline]
    pub(crate) fn is_stuck(&self) -> bool {
        // ORDERING: Relaxed; a hint, the slot's own swap decides who gets the runnable.
        matches!(
            self.mark.load(Ordering::Relaxed),
            BLOCKS | COMPUTES | ANNOUNCED
        )
    }

    /// Whether there is a mark of any kind for the worker to clear.
    #[inline]
    pub(super) fn is_marked(&self) -> bool {
        // ORDERING: Relaxed; a hint. Who misses it sees it a round later.
        self.mark.load(Ordering::Relaxed) != MOVING
    }

    /// Whether the reactor thread has found the worker stuck in a poll in which its thread keeps a processor, at its last tick.
    pub(super) fn is_computing(&self) -> bool {
        // ORDERING: Relaxed; a hint as above.
        self.mark.load(Ordering::Relaxed) == COMPUTES
    }

    /// The worker, which does not count as stuck, says that it will be in this poll for long. Under the lock of `stall`.
    pub(super) fn announce_stuck(&self) {
        // ORDERING: Relaxed; a hint as above. The worker puts a fence behind it, edge P1.
        self.mark.store(ANNOUNCED, Ordering::Relaxed);
    }

    /// The reactor thread has found the worker in one poll for long. Under the lock of `stall`, so against `ask` alone.
    pub(super) fn mark_stuck(&self, kind: Kind) -> Found {
        let mark = match kind {
            Kind::Blocking => BLOCKS,
            Kind::Computing => COMPUTES,
        };
        // ORDERING: Relaxed; a hint as above, and the reactor thread looks again at its next tick.
        let before = self.mark.load(Ordering::Relaxed);
        if before == ANNOUNCED || before == mark {
            return Found::Known;
        }
        // ORDERING: Relaxed, as above.
        match (self.mark.swap(mark, Ordering::Relaxed), kind) {
            (MOVING | ASKED, _) => Found::New,
            (_, Kind::Blocking) => Found::BlocksNow,
            (_, Kind::Computing) => Found::Known,
        }
    }

    /// Asks the worker to look around before its next round. Of no effect on one that is stuck itself.
    pub(super) fn ask(&self) {
        // ORDERING: Relaxed; a hint as above. It can fail because it is asked already, or stuck.
        let _ = self
            .mark
            .compare_exchange(MOVING, ASKED, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The worker is back, or about to do what it was asked for.
    pub(super) fn set_moving(&self) -> Moving {
        // ORDERING: Relaxed; a hint as above.
        match self.mark.swap(MOVING, Ordering::Relaxed) {
            MOVING => Moving::Already,
            ASKED => Moving::Asked,
            _ => Moving::Again,
        }
    }

    /// Whether there is something that another worker could run.
    #[inline]
    pub(crate) fn has_more(&self) -> bool {
        self.queue.has_stealable()
            || !self.inbox.is_empty()
            || (self.is_stuck() && self.queue.has_slot())
    }

    /// Whether events had better be left to this worker.
    #[inline]
    pub(super) fn takes_events(&self) -> bool {
        // A hint. Events that come to a sleeper all the same are found by whoever is notified of them.
        !self.sleeps() && !self.is_stuck()
    }

    /// Whether the worker sleeps, or is about to.
    pub(super) fn sleeps(&self) -> bool {
        // ORDERING: Relaxed; a hint.
        self.asleep.load(Ordering::Relaxed)
    }

    pub(super) fn set_asleep(&self, asleep: bool) {
        if asleep {
            // ORDERING: Relaxed; a hint. Nothing waits for it.
            self.load.store(0, Ordering::Relaxed);
        }
        // ORDERING: Relaxed, a hint as above.
        self.asleep.store(asleep, Ordering::Relaxed);
    }

    /// Whether the worker was on `processor` when it last handled events.
    pub(super) fn was_on(&self, processor: u32) -> bool {
        // ORDERING: Relaxed; a hint.
        self.processor.load(Ordering::Relaxed) == processor
    }

    /// The worker runs on `processor`.
    pub(super) fn set_processor(&self, processor: u32) {
        if !self.was_on(processor) {
            // ORDERING: Relaxed; a hint.
            self.processor.store(processor, Ordering::Relaxed);
        }
    }

    /// How many events and runnables wait for the worker when it finds events in its branch, on the average of the last such looks.
    pub(super) fn load(&self) -> u32 {
        // ORDERING: Relaxed; a hint.
        self.load.load(Ordering::Relaxed) / LOAD_ONE
    }

    /// The worker has found that so many wait.
    pub(super) fn count_load(&self, waiting: usize) {
        // ORDERING: Relaxed; a hint, with one writer.
        let load = self.load.load(Ordering::Relaxed);
        let most = u32::MAX / LOAD_ONE;
        let waiting = u32::try_from(waiting).map_or(most, |waiting| waiting.min(most));
        self.load
            .store(load - load / LOAD_ONE + waiting, Ordering::Relaxed);
    }

    /// Whether siblings have not been told.
    pub(crate) fn owes(&self) -> bool {
        // ORDERING: Relaxed; the reactor thread looks again at its next tick.
        self.owes.load(Ordering::Relaxed)
    }

    pub(crate) fn set_owes(&self, owes: bool) {
        // ORDERING: Relaxed, as above.
        self.owes.store(owes, Ordering::Relaxed);
    }

    /// The calling thread works the lane from now on.
    pub(crate) fn set_thread(&self) {
        // ORDERING: Relaxed; a reader that is late looks at another thread's statistics, once.
        self.thread.store(cpu_wait::thread(), Ordering::Relaxed);
    }

    /// The task that the worker polls.
    pub(crate) fn polled_task(&self) -> Option<Id> {
        self.polled.task()
    }

    /// Whether the thread that works the lane sleeps, if the system tells.
    pub(super) fn is_asleep(&self) -> Option<bool> {
        // ORDERING: Relaxed, see `set_thread`.
        cpu_wait::is_asleep(self.thread.load(Ordering::Relaxed))
    }

    /// How long the thread that works the lane has run, if the system tells.
    pub(super) fn cpu_time(&self) -> Option<Duration> {
        // ORDERING: Relaxed, see `set_thread`.
        cpu_wait::cpu_time(self.thread.load(Ordering::Relaxed))
    }
}
