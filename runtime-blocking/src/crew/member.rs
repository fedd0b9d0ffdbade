//! The life of one thread: search, work, rest, and now and then keep the lookout.
//!
//! The states and the edges C1 are drawn in the folder's head.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::crew::Crew;
use super::growth::{FIRST_PATIENCE, Growth, LAST_PATIENCE, Look, Since, reinforcements};
use super::idle::Retired;
use super::parker::{Order, Parker};
use super::priority::Courtesy;
use crate::job::Job;
use crate::sync::{Ordering, fence, now, spin_loop, thread};

/// Looks at the queue between two readings of the clock, while a thread spins.
#[cfg(not(any(gristmill_loom, gristmill_shuttle)))]
const LOOKS_PER_READING: u32 = 16;

/// Looks at the queue between two readings of the clock: one, as more would only add states.
#[cfg(any(gristmill_loom, gristmill_shuttle))]
const LOOKS_PER_READING: u32 = 1;

/// How a search ended.
enum Search {
    /// With a job.
    Found(Job),
    /// The queue stayed empty.
    Empty,
    /// The crew has been shut down.
    Closed,
}

/// How a rest ended.
enum Rest {
    /// With an order.
    Ordered(Order),
    /// The thread has been idle for too long, and is counted no longer.
    Retired,
}

impl Crew {
    /// Serves the crew until it is closed, or has had no job for the thread for long enough.
    pub(super) fn serve(self: Arc<Self>, mut order: Order) {
        self.idle.arrived();
        let parker = Arc::new(Parker::new());
        loop {
            if let Order::Watch(since) = order {
                self.watch(since);
            }
            match self.look_for_job() {
                Search::Found(job) => {
                    self.work(job);
                    order = Order::Search;
                }
                Search::Empty => match self.rest(&parker) {
                    Rest::Ordered(next) => order = next,
                    Rest::Retired => return,
                },
                Search::Closed => {
                    self.cancel_queued();
                    self.idle.leave();
                    return;
                }
            }
        }
    }

    /// Searching: looks at the queue, for a while if nobody else does.
    fn look_for_job(&self) -> Search {
        let mut until = None;
        loop {
            // One that looks for a while is enough. Where many jobs end together each of their threads would.
            let others_look = self.idle.snapshot().searching() > 1;
            let looks = if others_look { 1 } else { LOOKS_PER_READING };
            for _ in 0..looks {
                if self.idle.snapshot().is_closed() {
                    return Search::Closed;
                }
                if let Some(job) = self.queue.pop() {
                    return Search::Found(job);
                }
                spin_loop();
            }
            if others_look {
                return Search::Empty;
            }
            let now = now();
            if now >= *until.get_or_insert(now + self.config.spin) {
                return Search::Empty;
            }
            // Whoever the last job woke may wait for this very processor.
            thread::yield_now();
        }
    }

    /// Searching to busy and back: runs a job, and then all that are there.
    fn work(self: &Arc<Self>, job: Job) {
        let before = self.idle.found();
        // ORDERING: SeqCst, edge C1 <- Crew::execute. A pusher that counted on this search has its job seen here.
        fence(Ordering::SeqCst);
        if before.searching() == 1 && !before.has_lookout() && !self.queue.is_empty() {
            self.relieve();
        }
        let mut courtesy = Courtesy::new(self.config.low_priority);
        let mut next = Some(job);
        while let Some(job) = next {
            if self.idle.snapshot().is_closed() {
                job.cancel();
                break;
            }
            job.run_contained();
            // ORDERING: Relaxed, a count that nothing else hangs on.
            self.completed.fetch_add(1, Ordering::Relaxed);
            courtesy.between_jobs();
            next = self.queue.pop();
        }
        self.idle.search();
    }

    /// Searching to idle: parks until there is an order, or for the keep-alive.
    fn rest(&self, parker: &Arc<Parker>) -> Rest {
        self.idle.lie_down(parker);
        // ORDERING: SeqCst, edge C1 <- Crew::execute. A pusher that saw this thread searching has its job seen here; any
        // other sees it idle and calls it in.
        fence(Ordering::SeqCst);
        let needed = !self.queue.is_empty() || self.idle.snapshot().is_closed();
        if needed && self.idle.get_up(parker) {
            return Rest::Ordered(Order::Search);
        }
        let Some(keep_alive) = self.config.keep_alive else {
            return Rest::Ordered(parker.park());
        };
        match parker.park_for(keep_alive) {
            Some(order) => Rest::Ordered(order),
            None => match self.idle.retire(parker) {
                Retired::Yes => Rest::Retired,
                Retired::LastStays | Retired::CalledIn => Rest::Ordered(parker.park()),
            },
        }
    }

    /// Lookout to searching: calls in threads while jobs wait behind stuck ones, until none wait or none can be had.
    fn watch(self: &Arc<Self>, mut since: Since) {
        debug_assert_eq!(self.growth, Growth::Watched);
        let mut patience = FIRST_PATIENCE;
        loop {
            wait_until(since.at + patience);
            let queued = self.queue.len();
            let census = self.idle.snapshot();
            if queued == 0 || census.is_closed() {
                break;
            }
            let now = self.since_now();
            let needed = reinforcements(Look {
                queued,
                busy: census.busy(),
                searching: census.searching(),
                completed: now.completed - since.completed,
                cores: self.cores,
            });
            since = now;
            if needed == 0 {
                patience = (patience * 4).min(LAST_PATIENCE);
                continue;
            }
            patience = FIRST_PATIENCE;
            // The last of the jobs that wait is for the lookout itself.
            let last_are_served = needed + census.searching() >= queued;
            let others = needed - usize::from(last_are_served);
            let all_came = (0..others).all(|_| self.reinforce());
            if last_are_served || !all_came {
                break;
            }
        }
        // Edge C1: the search that follows looks at the queue.
        self.idle.step_down();
    }
}

/// Sleeps until `deadline`; not at all if that is too near for a sleep to be worth it.
fn wait_until(deadline: Instant) {
    const SHORTEST: Duration = Duration::from_micros(10);
    let left = deadline.saturating_duration_since(now());
    if left >= SHORTEST {
        thread_sleep(left);
    }
}

/// The lookout's pause. The model has no clock: there it is a mere yield.
#[cfg(not(any(gristmill_loom, gristmill_shuttle)))]
fn thread_sleep(time: Duration) {
    thread::sleep(time);
}

/// The lookout's pause. The model has no clock: there it is a mere yield.
#[cfg(gristmill_loom)]
fn thread_sleep(_time: Duration) {
    thread::yield_now();
}

/// The lookout's pause, in modelled time.
#[cfg(gristmill_shuttle)]
fn thread_sleep(time: Duration) {
    runtime_timer::modelled_clock::rest_until(now() + time);
}
