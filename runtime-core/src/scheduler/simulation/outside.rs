//! What a simulation does when nothing inside of it is left: it waits for the world outside, for real.
//!
//! Only then is what it waits for outside. A registered descriptor may become ready at any time, so for that there is no bound. That
//! another thread has a waker cannot be known, so it gets a second; after that the simulation is taken to be deadlocked.

use super::script::Script;
use crate::park::Retracted;
use crate::park::idle::Bed;
use crate::reactor::branch::SHARED;
use crate::reactor::lease::FOREVER;
use crate::reactor::thread::report_broken_poller;
use crate::scheduler::worker::Worker;
use crate::sync::atomic::{AtomicBool, Ordering};
use std::fmt::Write;
use std::panic::Location;
use std::time::{Duration, Instant};

/// How long other threads may take, in real time.
const GRACE: Duration = Duration::from_secs(1);

/// A message names so many tasks at most.
const NAMED: usize = 30;

/// Since when nothing could run.
#[derive(Default)]
pub(super) struct Patience {
    since: Option<Instant>,
}

impl Patience {
    /// How much of it is left.
    fn left(&mut self) -> Duration {
        let since = *self.since.get_or_insert_with(Instant::now);
        GRACE.saturating_sub(since.elapsed())
    }
}

impl Worker {
    /// Waits for a descriptor or another thread.
    ///
    /// # Panics
    ///
    /// If patience is at its end.
    #[cold]
    pub(super) fn wait_for_outside(
        &self,
        script: &Script,
        root_woken: &AtomicBool,
        patience: &mut Patience,
        site: &'static Location<'static>,
    ) {
        let limit = if self.engine().reactor.registry.is_empty() {
            let left = patience.left();
            if left.is_zero() {
                panic!("{}", deadlock(script, site));
            }
            Some(left)
        } else {
            *patience = Patience::default();
            None
        };
        self.sleep_outside(script, root_woken, limit);
    }

    /// Sleeps in the poller, for `limit` at most. Announces, looks once more, sleeps and retracts, as every worker.
    fn sleep_outside(&self, script: &Script, root_woken: &AtomicBool, limit: Option<Duration>) {
        let engine = self.engine();
        let Some(mut held) = engine.reactor.lease.try_take() else {
            // There is no other worker and no reactor thread, so nobody keeps it for long.
            return std::thread::yield_now();
        };
        engine.idle.announce(self.index(), Bed::Poller, false);
        held.announce_wait(FOREVER);
        let parker = &self.lane().parker;
        // ORDERING: Acquire, pairs with the Release of whoever woke the root future.
        let is_awake = root_woken.load(Ordering::Acquire)
            || !engine.injector.is_empty()
            || engine.is_shutting_down()
            || engine.timers.next_deadline_of_all().is_some()
            || script.next_job().is_some();
        if !is_awake && parker.enter_poller(SHARED) {
            if let Err(error) = held.wait(&engine.reactor.registry, limit) {
                report_broken_poller(&error);
            }
            parker.leave_poller();
        }
        held.end_wait();
        if engine.idle.retract(self.index()) == Retracted::Searching {
            // Nobody else is there to be woken.
            engine.idle.end_search();
        }
        self.dispatch(held);
    }
}

/// What to say when nothing can go on.
fn deadlock(script: &Script, site: &'static Location<'static>) -> String {
    let seed = script.seed();
    let waiting = script.waiting();
    let mut text = format!(
        "the simulation with seed {seed:#x} is deadlocked: nothing can run, no timer, job or descriptor is left that could \
         change that, and no other thread did within {GRACE:?}. What waits:\n  the future of block_on at {site}"
    );
    for (number, task) in waiting.iter().take(NAMED) {
        let name = task.name().map(|name| format!(" {name:?}"));
        let site = task.spawned_at();
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n  task {number}{}, spawned at {site}",
            name.unwrap_or_default()
        );
    }
    if let Some(more) = waiting.len().checked_sub(NAMED).filter(|&more| more > 0) {
        let _ = write!(text, "\n  and {more} more tasks");
    }
    text
}
