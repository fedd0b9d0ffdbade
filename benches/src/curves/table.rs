//! The curves.

use std::time::Duration;

use crate::measure::{Effort, Sample};
use crate::peer::{Gristmill, Peer, Runtime, Smol, Tokio, set_workers};
use crate::scenarios::countdown::Countdown;
use crate::scenarios::{cpu, executors, in_task, spawn, tcp};

/// A quantity that grows, and what a unit costs.
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    /// What grows, and what is measured; less is better.
    pub(crate) value: &'static str,
    pub(crate) sizes: &'static [usize],
    /// Sizes up to this one are part of a quick run.
    pub(crate) quick: usize,
    /// At most so many bytes a unit under any runtime.
    pub(crate) bytes: u64,
    runs: [(Runtime, Run); 3],
}

/// A point: so many units, and how long to measure.
type Run = fn(usize, Effort) -> Sample;

impl Curve {
    pub(crate) fn runtimes(&self) -> impl Iterator<Item = Runtime> {
        self.runs.iter().map(|&(runtime, _)| runtime)
    }

    /// Runs a point in this process; `None` if `runtime` takes no part.
    pub(crate) fn run(&self, runtime: Runtime, size: usize, effort: Effort) -> Option<Sample> {
        let (_, run) = self.runs.iter().find(|&&(own, _)| own == runtime)?;
        Some(run(size, effort))
    }
}

macro_rules! curve {
    ($name:literal, $function:path, $sizes:expr, $quick:literal, $bytes:literal, $value:literal) => {{
        use $function as function;
        Curve {
            name: $name,
            value: $value,
            sizes: &$sizes,
            quick: $quick,
            bytes: $bytes,
            runs: [
                (Runtime::Gristmill, function::<Gristmill> as Run),
                (Runtime::Tokio, function::<Tokio> as Run),
                (Runtime::Smol, function::<Smol> as Run),
            ],
        }
    }};
}

/// All of them.
#[rustfmt::skip]
pub(crate) static ALL: &[Curve] = &[
    curve!("tasks", tasks, [1_000, 10_000, 100_000, 1_000_000, 10_000_000], 100_000, 600, "no-op tasks spawned at once from a task; wall time each"),
    curve!("timers", timers, [1_000, 10_000, 100_000, 1_000_000], 10_000, 1_000, "tasks that sleep at once; processor time each"),
    curve!("connections", connections, [1, 8, 64, 512, 1_000, 5_000], 512, 40_000, "connections that echo 64 bytes at once; wall time a message"),
    curve!("workers_spawn", workers_spawn, [1, 2, 4, 8], 8, 0, "worker threads; wall time of a no-op task, 20,000 at once"),
    curve!("workers_cpu", workers_cpu, [1, 2, 4, 8], 8, 0, "worker threads; processor time of a piece of about 17 us"),
    curve!("blocking", blocking, [1, 10, 100, 1_000, 10_000, 100_000], 10_000, 2_000, "no-op jobs on the blocking pool at once; wall time each"),
];

/// The curve called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Curve> {
    ALL.iter().find(|curve| curve.name == name)
}

fn tasks<P: Peer>(size: usize, effort: Effort) -> Sample {
    let countdown = Countdown::leaked();
    in_task::repeated::<P, _, _>(effort, size, move || spawn::wave::<P>(countdown, size))
}

fn timers<P: Peer>(size: usize, effort: Effort) -> Sample {
    let countdown = Countdown::leaked();
    let batch = move || async move {
        let done = countdown.arm(size);
        for n in 0..size {
            // One a microsecond, whatever the size.
            let time = Duration::from_millis(20) + Duration::from_micros(n as u64);
            P::spawn_detached(async move {
                P::sleep(time).await;
                countdown.arrive();
            });
        }
        done.await.expect("every task arrives");
    };
    by_processor(in_task::repeated::<P, _, _>(effort, size, batch))
}

fn connections<P: Peer>(size: usize, effort: Effort) -> Sample {
    tcp::echo::<P>(effort, size)
}

fn workers_spawn<P: Peer>(size: usize, effort: Effort) -> Sample {
    set_workers(size);
    spawn::spawn_local::<P>(effort)
}

fn workers_cpu<P: Peer>(size: usize, effort: Effort) -> Sample {
    set_workers(size);
    by_processor(cpu::fanout::<P>(effort))
}

fn blocking<P: Peer>(size: usize, effort: Effort) -> Sample {
    in_task::repeated::<P, _, _>(effort, size, move || executors::at_once::<P>(size, || ()))
}

/// The same sample by processor time, where wall time says something else.
fn by_processor(sample: Sample) -> Sample {
    Sample {
        value: sample.cpu_ns / sample.ops.max(1) as f64,
        ..sample
    }
}
