//! Many tasks at once, timed from outside.
//!
//! A thread that belongs to no runtime opens and closes the window, so that no timer of the runtime has a part in it. Tasks look at
//! [`Window::phase`], or have [`Window::note`] do so, after every operation:
//!
//! ```text
//!   Warming ──▶ Counting ──▶ Over
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Effort, Latency, Sample, Usage};

/// What to do with the operation that just ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Forget it.
    Warming,
    /// Count it.
    Counting,
    /// Forget it, and stop.
    Over,
}

/// The tasks' view of the window.
pub(crate) struct Window {
    /// The phase as a number; written by the timing thread alone.
    phase: AtomicU8,
}

/// The timing thread, and what it will say.
pub(crate) struct Timing {
    thread: JoinHandle<(Duration, f64)>,
}

impl Window {
    /// A window that is still warming.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            phase: AtomicU8::new(0),
        })
    }

    /// Starts the clock, when the tasks are under way.
    pub(crate) fn start(self: &Arc<Self>, effort: Effort) -> Timing {
        self.start_for(effort.warm_up(), effort.budget())
    }

    /// Starts the clock: `warm_up`, then `budget`.
    pub(crate) fn start_for(self: &Arc<Self>, warm_up: Duration, budget: Duration) -> Timing {
        let window = Arc::clone(self);
        let thread = thread::spawn(move || {
            thread::sleep(warm_up);
            let usage = Usage::now();
            let start = Instant::now();
            // ORDERING: Relaxed here and below; nothing is published with the phase.
            window.phase.store(1, Relaxed);
            thread::sleep(budget);
            window.phase.store(2, Relaxed);
            (start.elapsed(), usage.cpu_ns_since())
        });
        Timing { thread }
    }

    /// Adds the time of the operation that just ended to `times`, in ns, if it counts; whether to go on.
    #[inline]
    pub(crate) fn note(&self, times: &mut Vec<f64>, time: Duration) -> bool {
        match self.phase() {
            Phase::Warming => {}
            Phase::Counting => times.push(time.as_nanos() as f64),
            Phase::Over => return false,
        }
        true
    }

    #[inline]
    pub(crate) fn phase(&self) -> Phase {
        // ORDERING: Relaxed; an operation more or less does not matter.
        match self.phase.load(Relaxed) {
            0 => Phase::Warming,
            1 => Phase::Counting,
            _ => Phase::Over,
        }
    }
}

impl Timing {
    /// The sample that `times`, in ns, of all counted operations give; the value is ns of wall time per operation.
    pub(crate) fn finish(self, mut times: Vec<f64>) -> Sample {
        let (wall_ns, cpu_ns) = self.stop();
        Sample {
            value: wall_ns / times.len().max(1) as f64,
            ops: times.len() as u64,
            wall_ns,
            cpu_ns,
            latency: Some(Latency::of(&mut times)),
            ideal: None,
        }
    }

    /// Waits until the window is over: its length and the processor time of all threads meanwhile, in ns.
    pub(crate) fn stop(self) -> (f64, f64) {
        let (wall, cpu_ns) = self.thread.join().expect("the timing thread does not fail");
        (wall.as_nanos() as f64, cpu_ns)
    }
}
