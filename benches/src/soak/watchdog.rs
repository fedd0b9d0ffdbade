//! Names those that do not move any more, and ends the program.

use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use gristmill::runtime::RuntimeMetrics;

use super::{lanes, ledger};

/// Nothing here takes a second, on any machine. Who has not moved for so long hangs.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What runs now; for the report of a hang.
static SCENE: Mutex<Scene> = Mutex::new(Scene {
    seed: 0,
    era: String::new(),
    metrics: None,
});

struct Scene {
    seed: u64,
    era: String,
    /// Kept for the time of an era only, since it keeps the runtime's descriptors open.
    metrics: Option<RuntimeMetrics>,
}

fn scene() -> MutexGuard<'static, Scene> {
    SCENE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the thread.
pub(super) fn start(seed: u64) {
    scene().seed = seed;
    thread::Builder::new()
        .name("soak-watchdog".to_owned())
        .spawn(|| {
            loop {
                thread::sleep(Duration::from_millis(500));
                let stuck = lanes::stuck(PATIENCE);
                if !stuck.is_empty() {
                    give_up(&stuck);
                }
            }
        })
        .expect("the system has a thread for the watchdog");
}

/// Says what runs from now on.
pub(super) fn enter_era(era: &str, metrics: RuntimeMetrics) {
    let mut scene = scene();
    era.clone_into(&mut scene.era);
    scene.metrics = Some(metrics);
}

/// Lets go of the runtime.
pub(super) fn leave_era() {
    scene().metrics = None;
}

fn give_up(stuck: &[String]) -> ! {
    let scene = scene();
    eprintln!("soak: hung, with seed {} in {}", scene.seed, scene.era);
    stuck.iter().for_each(|line| eprintln!("  stuck: {line}"));
    ledger::uneven()
        .iter()
        .for_each(|line| eprintln!("  open: {line}"));
    if let Some(metrics) = &scene.metrics {
        print(metrics);
    }
    process::exit(1)
}

fn print(metrics: &RuntimeMetrics) {
    eprintln!(
        "  runtime: {} tasks alive, {} queued for all, {} workers active, {} relief workers started",
        metrics.num_alive_tasks(),
        metrics.global_queue_depth(),
        metrics.num_active_workers(),
        metrics.relief_workers(),
    );
    for worker in 0..metrics.num_workers() {
        eprintln!(
            "  worker {worker}: {} polls, {} parks, {} queued",
            metrics.worker_poll_count(worker),
            metrics.worker_park_count(worker),
            metrics.worker_local_queue_depth(worker),
        );
    }
    eprintln!(
        "  blocking pool: {} threads, {} idle, {} queued; compute pool: {} threads, {} queued",
        metrics.num_blocking_threads(),
        metrics.num_idle_blocking_threads(),
        metrics.blocking_queue_depth(),
        metrics.num_compute_threads(),
        metrics.compute_queue_depth(),
    );
}
