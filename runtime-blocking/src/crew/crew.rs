//! The crew's face to the pools: take a job, call somebody in, shut down.
//!
//! What a thread does once it is there is in [`member`](super::member).

use std::sync::Arc;
use std::time::Duration;

use super::growth::{Growth, Since};
use super::idle::{Called, Idle, Need};
use super::parker::Order;
use super::roster::{NotStarted, Roster};
use crate::config::PoolConfig;
use crate::job::Job;
use crate::metrics::{Joined, PoolMetrics};
use crate::rejected::{RejectReason, Rejected};
use crate::sync::{AtomicU64, Mutex, Ordering, Queue, fence, now};

/// Threads that serve one queue.
pub(crate) struct Crew {
    pub(super) config: Arc<PoolConfig>,
    pub(super) growth: Growth,
    /// Processors of this process.
    pub(super) cores: usize,
    /// Jobs that no thread has taken.
    pub(super) queue: Queue<Job>,
    pub(super) idle: Idle,
    /// Jobs that have ended. Each thread adds its own.
    pub(super) completed: AtomicU64,
    roster: Arc<Roster>,
    /// Held by who starts the first thread, so that others wait for the outcome.
    opening: Mutex<()>,
}

impl Crew {
    /// A crew without a thread. The configuration has been validated.
    pub(crate) fn new(config: PoolConfig, growth: Growth) -> Self {
        Self {
            growth,
            cores: num_cpus::get().max(1),
            queue: Queue::new(),
            idle: Idle::new(config.max_threads),
            completed: AtomicU64::new(0),
            roster: Arc::new(Roster::new()),
            opening: Mutex::new(()),
            config: Arc::new(config),
        }
    }

    /// Queues a job, and sees to it that somebody looks after the queue.
    pub(crate) fn execute(self: &Arc<Self>, job: Job) -> Result<(), Rejected> {
        let census = self.idle.snapshot();
        if census.is_closed() {
            return Err(Rejected::new(job, RejectReason::shut_down()));
        }
        if !census.is_open()
            && let Err(reason) = self.open()
        {
            return Err(Rejected::new(job, reason));
        }
        self.queue.push(job);
        // ORDERING: SeqCst, edges C1 and C2 -> Member::work, Member::rest, Crew::shutdown. Who changes the census after
        // the load below sees the job just pushed.
        fence(Ordering::SeqCst);
        let census = self.idle.snapshot();
        if census.is_closed() {
            self.cancel_queued();
        } else if !census.is_covered() {
            self.cover();
        }
        Ok(())
    }

    /// Stops the intake, drops the queued jobs, and tells all threads to end.
    pub(crate) fn shutdown(&self) {
        self.close().into_iter().for_each(Job::cancel);
    }

    /// Stops the intake, takes the queued jobs out, and tells all threads to end.
    pub(crate) fn close(&self) -> Vec<Job> {
        self.roster.close();
        if !self.idle.close() {
            return Vec::new();
        }
        // ORDERING: SeqCst, edge C2 <- Crew::execute. A pusher that missed the closing has its job drained here.
        fence(Ordering::SeqCst);
        std::iter::from_fn(|| self.queue.pop()).collect()
    }

    /// Shuts down and waits for the threads.
    pub(crate) fn join(&self, timeout: Option<Duration>) -> Joined {
        self.shutdown();
        // A deadline that the clock cannot hold is as good as none.
        let deadline = timeout.and_then(|timeout| now().checked_add(timeout));
        Joined::new(self.roster.join(deadline))
    }

    /// What the threads are called that have not ended, but for the calling one.
    pub(crate) fn thread_names(&self) -> Vec<String> {
        self.roster.names()
    }

    /// Whether jobs wait and nobody is on the way to them.
    pub(crate) fn has_backlog(&self) -> bool {
        !self.queue.is_empty() && !self.idle.snapshot().is_covered()
    }

    pub(crate) fn metrics(&self) -> PoolMetrics {
        let census = self.idle.snapshot();
        PoolMetrics {
            threads: census.threads(),
            idle: census.idle(),
            queued: self.queue.len(),
            completed: self.completed(),
            threads_started: self.roster.started(),
            max_threads: self.config.max_threads,
        }
    }

    /// Drops every job in the queue.
    pub(super) fn cancel_queued(&self) {
        while let Some(job) = self.queue.pop() {
            job.cancel();
        }
    }

    /// Jobs that have ended.
    pub(super) fn completed(&self) -> u64 {
        // ORDERING: Relaxed, a count that nothing else hangs on; the lookout only compares it with an earlier one.
        self.completed.load(Ordering::Relaxed)
    }

    /// From now on, for the lookout.
    pub(super) fn since_now(&self) -> Since {
        Since {
            at: now(),
            completed: self.completed(),
        }
    }

    /// Has somebody look after the queue, whom a pusher found uncovered.
    ///
    /// An idle thread takes the job. A new one, if others are busy, comes as the lookout: until it is there they may
    /// well be done.
    #[cold]
    fn cover(self: &Arc<Self>) {
        let new = match self.growth {
            Growth::Eager => Order::Search,
            Growth::Watched => Order::Watch(self.since_now()),
        };
        self.call_in(Need::Cover, Order::Search, new);
    }

    /// Has somebody look after the jobs that a member leaves in the queue, as the last one who did.
    #[cold]
    pub(super) fn relieve(self: &Arc<Self>) {
        let order = match self.growth {
            Growth::Eager => Order::Search,
            Growth::Watched => Order::Watch(self.since_now()),
        };
        self.call_in(Need::Cover, order, order);
    }

    /// Calls in one more thread; `false` if there is none to be had.
    pub(super) fn reinforce(self: &Arc<Self>) -> bool {
        self.call_in(Need::More, Order::Search, Order::Search)
    }

    /// Calls in an idle thread with one order, or starts a new one with the other; `false` if there is none to be had.
    fn call_in(self: &Arc<Self>, mut need: Need, idle: Order, new: Order) -> bool {
        loop {
            match self.idle.call_in(need, idle, new) {
                Called::Covered | Called::Unparked => return true,
                Called::Nobody => return false,
                Called::Start => {}
            }
            if self.start(new).is_ok() {
                return true;
            }
            // Pushers may have counted on the thread that does not come, and a member may have lain down meanwhile.
            // ORDERING: SeqCst, edge C1 -> Crew::execute, after the change of the census in `Idle::refused`.
            fence(Ordering::SeqCst);
            let census = self.idle.snapshot();
            if census.idle() == 0 || self.queue.is_empty() {
                return false;
            }
            need = Need::Cover;
        }
    }

    /// Starts the first thread, before the first job is queued (I2).
    #[cold]
    fn open(self: &Arc<Self>) -> Result<(), RejectReason> {
        let _others_wait = self.opening.lock();
        if self.idle.snapshot().is_open() {
            return Ok(());
        }
        match self.idle.call_in(Need::More, Order::Search, Order::Search) {
            Called::Start => {}
            Called::Nobody => return Err(RejectReason::shut_down()),
            Called::Covered | Called::Unparked => unreachable!("no thread exists yet"),
        }
        match self.start(Order::Search) {
            Ok(()) => {
                self.idle.open();
                Ok(())
            }
            Err(NotStarted::Closed) => Err(RejectReason::shut_down()),
            Err(NotStarted::Refused(error)) => Err(RejectReason::thread_refused(error)),
        }
    }

    /// Starts a thread that the census counts already, and takes it back if it is refused.
    fn start(self: &Arc<Self>, order: Order) -> Result<(), NotStarted> {
        let crew = Arc::clone(self);
        let started = self.roster.start(&self.config, move || crew.serve(order));
        if started.is_err() {
            self.idle.refused(order);
        }
        started
    }
}
