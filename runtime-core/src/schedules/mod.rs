//! The whole runtime in schedules that `shuttle` chooses: hangs, and what is lost, that need more than a model holds.
//!
//! Run with `RUSTFLAGS="--cfg gristmill_shuttle" cargo test --release -p runtime-core --lib schedules`. Workers, relief workers, the
//! reactor thread, the pools and the timers are the real ones; the poller is one that is told by hand what comes, and time grows
//! by leaps. A schedule in which all wait for each other is a deadlock, one that never ends has too many steps: both fail, and
//! the schedule is left in a file whose name is printed. `GRISTMILL_SCHEDULE=<file>` runs that one again, of the test that is named,
//! and `GRISTMILL_SCHEDULES=<number>` sets how many of each kind are tried.

mod ends;

mod failing_poller;

mod refused_threads;

mod stalls;

mod tasks;

mod waits;

use crate::{Builder, Runtime};
use runtime_timer::{modelled_clock, modelled_faults};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many schedules of each kind a test tries unless it is told.
const SCHEDULES: usize = 100;

/// More steps than a schedule of these tests takes, many times over.
const STEPS: usize = 300_000;

/// Runs a scenario in many schedules: random ones, and such that stop a thread at few, but any, places.
fn check(scenario: fn()) {
    check_in(SCHEDULES, scenario);
}

/// As [`check`], in so many schedules of each kind unless it is told.
fn check_in(schedules: usize, scenario: fn()) {
    let scenario = move || {
        modelled_clock::restart();
        modelled_faults::restart();
        // Where thieves begin to look is a part of the schedule.
        fastrand::seed(7);
        scenario();
    };
    if let Ok(schedule) = std::env::var("GRISTMILL_SCHEDULE") {
        shuttle::replay_from_file(scenario, schedule);
        return;
    }
    let told = std::env::var("GRISTMILL_SCHEDULES").ok();
    let schedules = told.map_or(schedules, |told| told.parse().expect("a number"));
    run(RandomScheduler::new(schedules), scenario);
    run(PctScheduler::new(3, schedules), scenario);
}

fn run(scheduler: impl Scheduler + 'static, scenario: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    config.stack_size = 0x4_0000;
    config.max_steps = MaxSteps::FailAfter(STEPS);
    config.failure_persistence = FailurePersistence::File(Some(std::env::temp_dir()));
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(scenario);
}

/// A runtime of so many workers.
fn runtime(workers: usize) -> Runtime {
    let builder = Builder::new().worker_threads(workers).debug(false);
    builder.compute_threads(1).build().expect("nothing refuses")
}

/// Yields for ever, also to the scheduler of schedules: one of its kinds lets a thread run for as long as it wants to.
async fn yield_for_ever() {
    loop {
        shuttle::thread::yield_now();
        crate::runtime::yield_now().await;
    }
}

/// Counts its drops.
struct Probe(Arc<AtomicUsize>);

impl Probe {
    fn new() -> (Self, Arc<AtomicUsize>) {
        let drops = Arc::new(AtomicUsize::new(0));
        (Self(Arc::clone(&drops)), drops)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
