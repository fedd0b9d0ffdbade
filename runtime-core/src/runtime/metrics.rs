//! What can be measured of a runtime.

use crate::scheduler::House;
use crate::scheduler::lane::Lane;
use crate::scheduler::simulation::Script;
use crate::sync::atomic::{AtomicU64, Ordering};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Reads a runtime's counters.
///
/// Every figure is read when its method is called; two figures are not of the same moment. Counters grow from zero and are
/// kept by the workers without synchronization, so reading them costs the workers nothing. Methods that take the number of
/// a worker answer zero for one that does not exist. Relief workers have the numbers after the ordinary ones.
#[derive(Clone)]
pub struct RuntimeMetrics {
    house: Arc<House>,
}

impl RuntimeMetrics {
    pub(super) fn new(house: Arc<House>) -> Self {
        Self { house }
    }

    fn lane(&self, worker: usize) -> Option<&Lane> {
        self.house.engine.lanes.get(worker)
    }

    fn of_lane<R: Default>(&self, worker: usize, read: impl FnOnce(&Lane) -> R) -> R {
        self.lane(worker).map_or_else(R::default, read)
    }

    /// How many ordinary workers there are.
    pub fn num_workers(&self) -> usize {
        self.house.engine.workers
    }

    /// How many threads run tasks at the moment, relief workers included.
    pub fn num_active_workers(&self) -> usize {
        self.house.engine.staffed()
    }

    /// How many tasks have been spawned and not ended.
    pub fn num_alive_tasks(&self) -> usize {
        self.house.alive_tasks()
    }

    /// How many timers are set: sleeps, timeouts, intervals and the like that wait for their deadline.
    ///
    /// This locks each worker's timers in turn, so it is for tests and for a look now and then.
    pub fn num_timers(&self) -> usize {
        self.house.engine.timers.len()
    }

    /// How many descriptors are registered with the reactor: sockets, pipes, children that are waited for.
    #[doc(alias = "io_driver_fd_registered_count")]
    pub fn num_descriptors(&self) -> usize {
        self.house.engine.reactor.registry.len()
    }

    /// How many runnables wait in the queue that all workers share.
    pub fn global_queue_depth(&self) -> usize {
        self.house.engine.injector.len()
    }

    /// How many relief workers have been started since the beginning.
    pub fn relief_workers(&self) -> u64 {
        self.house.staff.reliefs()
    }

    /// How many relief workers there are at the moment. One goes when it has had nothing to do for a second.
    pub fn num_relief_workers(&self) -> usize {
        self.house.staff.relieving()
    }

    /// How many polls kept their worker for longer than [`stall_threshold`](crate::Builder::stall_threshold), as the watch sees it: a
    /// poll of less than three of its looks (6 ms by default) may be missing, one that waited for a processor is none, nor is one in
    /// `block_in_place`. Zero if the watch is turned off.
    pub fn stalls(&self) -> u64 {
        read(&self.house.engine.reporter.counts.stalls)
    }

    /// The longest of the polls that are counted in [`stalls`](Self::stalls), one that goes on included. Zero if there was none.
    ///
    /// Up to one look of the watch (2 ms by default) is missing at the beginning of a poll, which is seen only then. That is what it
    /// takes to measure long polls without any cost for the others.
    pub fn longest_poll(&self) -> Duration {
        Duration::from_nanos(read(&self.house.engine.reporter.counts.longest_poll))
    }

    /// How many polls took longer than the threshold; zero without [debug mode](crate::Builder::debug).
    pub fn slow_polls(&self) -> u64 {
        read(&self.house.engine.reporter.counts.slow_polls)
    }

    /// How many tasks panicked without anybody having awaited their handle.
    pub fn unobserved_panics(&self) -> u64 {
        read(&self.house.engine.reporter.counts.panics)
    }

    /// How many tasks ended with an error, of a type for which that can be known, without anybody having awaited their handle;
    /// see [`Report::UnobservedError`](crate::Report::UnobservedError).
    pub fn unobserved_errors(&self) -> u64 {
        read(&self.house.engine.reporter.counts.errors)
    }

    /// How many tasks had not ended when the runtime shut down.
    pub fn unfinished_tasks(&self) -> u64 {
        read(&self.house.engine.reporter.counts.unfinished)
    }

    /// How many reports of debug mode could not be said: they came too fast, the hook panicked, or standard error is closed.
    pub fn lost_reports(&self) -> u64 {
        self.house.engine.reporter.lost()
    }

    /// The seed of a [simulated](crate::Builder::new_simulated) runtime.
    pub fn simulation_seed(&self) -> Option<u64> {
        self.house.simulation.as_ref().map(Script::seed)
    }

    /// A number that stands for the schedule of a [simulated](crate::Builder::new_simulated) runtime so far: which task, job or
    /// root future ran, in which order, at which virtual times. Schedules that differ have different ones, in all
    /// likelihood.
    ///
    /// Compare it between runs of the same build; what a schedule comes to may change between versions.
    pub fn schedule_digest(&self) -> Option<u64> {
        self.house.simulation.as_ref().map(Script::digest)
    }

    /// How many tasks a worker has polled.
    pub fn worker_poll_count(&self, worker: usize) -> u64 {
        self.of_lane(worker, |lane| lane.stats.polls.get())
    }

    /// How many times a worker has taken work from others; a batch counts once.
    pub fn worker_steal_count(&self, worker: usize) -> u64 {
        self.of_lane(worker, |lane| lane.stats.steals.get())
    }

    /// How many times a worker has gone to sleep.
    pub fn worker_park_count(&self, worker: usize) -> u64 {
        self.of_lane(worker, |lane| lane.stats.parks.get())
    }

    /// How many runnables wait in a worker's own queue.
    pub fn worker_local_queue_depth(&self, worker: usize) -> usize {
        self.of_lane(worker, |lane| lane.queue.len())
    }

    /// How long a worker has been awake, up to the last time it went to sleep.
    pub fn worker_total_busy_duration(&self, worker: usize) -> Duration {
        self.of_lane(worker, |lane| lane.stats.busy())
    }

    /// How many threads the blocking pool has.
    pub fn num_blocking_threads(&self) -> usize {
        self.house.blocking.metrics().threads
    }

    /// How many of them are idle.
    pub fn num_idle_blocking_threads(&self) -> usize {
        self.house.blocking.metrics().idle
    }

    /// How many blocking jobs wait for a thread.
    pub fn blocking_queue_depth(&self) -> usize {
        self.house.blocking.metrics().queued
    }

    /// How many threads the compute pool has.
    pub fn num_compute_threads(&self) -> usize {
        self.house.compute.metrics().threads
    }

    /// How many computations wait for a thread.
    pub fn compute_queue_depth(&self) -> usize {
        self.house.compute.metrics().queued
    }
}

fn read(count: &AtomicU64) -> u64 {
    // ORDERING: Relaxed; statistics order nothing.
    count.load(Ordering::Relaxed)
}

impl fmt::Debug for RuntimeMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeMetrics")
            .field("num_workers", &self.num_workers())
            .field("num_alive_tasks", &self.num_alive_tasks())
            .field("global_queue_depth", &self.global_queue_depth())
            .finish_non_exhaustive()
    }
}
