//! Runtimes that are one thread each: as many as there are workers, started together.

use std::sync::{Arc, Barrier};
use std::thread;

use crate::measure::{Effort, Sample, Window};
use crate::peer::workers;

/// Deals `connections` out among threads, each of which calls `core` with its share. That connects, meets the others at the
/// start line, and gives the times of the messages that count, in ns.
pub(super) fn echo(
    effort: Effort,
    connections: usize,
    core: impl Fn(usize, &Arc<Window>, &Barrier) -> Vec<f64> + Sync,
) -> Sample {
    let cores = workers().min(connections);
    let window = Window::new();
    let start_line = Barrier::new(cores + 1);
    thread::scope(|scope| {
        let (core, window, start_line) = (&core, &window, &start_line);
        let share = |n| connections / cores + usize::from(n < connections % cores);
        let threads: Vec<_> = (0..cores)
            .map(|n| scope.spawn(move || core(share(n), window, start_line)))
            .collect();
        start_line.wait();
        let timing = window.start(effort);
        let times = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no connection fails"))
            .collect();
        timing.finish(times)
    })
}
