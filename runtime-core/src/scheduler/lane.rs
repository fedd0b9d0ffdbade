//! What other threads see of one worker.

use super::cpu_wait;
use super::stats::Stats;
use crate::park::Parker;
use crate::queue;
use crate::reactor::inbox::Inbox;
use crate::sync::CachePadded;
use crate::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::panic::Location;
use std::ptr;
use std::time::Duration;

/// One worker, as seen by others.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) queue: queue::Shared,
    pub(crate) parker: Parker,
    pub(crate) stats: CachePadded<Stats>,
    /// Events that belong to this worker.
    pub(crate) inbox: CachePadded<Inbox>,
    /// Which processor the worker was on when it last handled events.
    processor: AtomicU32,
    /// The worker sleeps, or is about to.
    asleep: AtomicBool,
    /// The worker has been in one poll for long, or says itself that it will be: thieves may take its slot. Set
    /// by the reactor thread or the worker, cleared by the worker.
    stuck: AtomicBool,
    /// The worker has not told its siblings of what its queue holds, and will if it takes long. Set and cleared by the
    /// worker; the reactor thread tells in its stead while it is in a poll.
    owes: AtomicBool,
    /// The thread that works the lane, as [`cpu_wait`](super::cpu_wait) knows it.
    thread: AtomicU32,
    /// Spawn site of the task being polled; null between polls.
    polling: AtomicPtr<Location<'static>>,
}

impl Lane {
    pub(crate) fn new(queue: queue::Shared) -> Self {
        Self {
            queue,
            parker: Parker::new(),
            stats: CachePadded(Stats::new()),
            inbox: CachePadded(Inbox::new()),
            processor: AtomicU32::new(u32::MAX),
            asleep: AtomicBool::new(true),
            stuck: AtomicBool::new(false),
            owes: AtomicBool::new(false),
            thread: AtomicU32::new(0),
            polling: AtomicPtr::new(ptr::null_mut()),
        }
    }

    #[inline]
    pub(crate) fn is_stuck(&self) -> bool {
        // ORDERING: Relaxed; a hint, the slot's own swap decides who gets the runnable.
        self.stuck.load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn set_stuck(&self, stuck: bool) {
        // ORDERING: Relaxed; a hint as above. A worker that marks itself puts a fence behind it, edge P1; the reactor
        // thread looks again at its next tick.
        self.stuck.store(stuck, Ordering::Relaxed);
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
        // ORDERING: Relaxed; a hint. Events that come to a sleeper all the same are found by whoever is notified of them.
        !self.asleep.load(Ordering::Relaxed) && !self.is_stuck()
    }

    pub(super) fn set_asleep(&self, asleep: bool) {
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

    /// How long the thread that works the lane has waited for a processor.
    pub(crate) fn cpu_wait(&self) -> Duration {
        // ORDERING: Relaxed, see `set_thread`.
        cpu_wait::of(self.thread.load(Ordering::Relaxed))
    }

    /// A poll begins or ends.
    #[inline]
    pub(crate) fn set_polling(&self, site: Option<&'static Location<'static>>) {
        let site = site.map_or(ptr::null_mut(), |site| ptr::from_ref(site).cast_mut());
        // ORDERING: Relaxed; the target is immutable and lives for ever.
        self.polling.store(site, Ordering::Relaxed);
    }

    /// Whether a task is being polled.
    pub(crate) fn is_polling(&self) -> bool {
        // ORDERING: Relaxed; a hint.
        !self.polling.load(Ordering::Relaxed).is_null()
    }
}
