//! The table of scenarios.

use super::{apart, cpu, executors, idle, memory, mixed, spawn, switch, tcp, timers};
use crate::measure::{Effort, Sample};
use crate::peer::{Gristmill, Runtime, Smol, Tokio, TokioPerCore, TokioRayon};
use crate::stalls;

/// Something that runtimes do, and what is measured of it.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What its value is; less is better.
    pub(crate) value: &'static str,
    pub(crate) unit: Unit,
    /// Those that take part.
    pub(crate) runs: &'static [(Runtime, Run)],
}

/// The scenario as one of those that take part does it.
pub(crate) type Run = fn(Effort) -> Sample;

/// What values are counted in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Nanoseconds,
    Bytes,
}

impl Scenario {
    /// Those that take part.
    pub(crate) fn runtimes(&self) -> impl Iterator<Item = Runtime> {
        self.runs.iter().map(|&(runtime, _)| runtime)
    }

    /// Runs it under `runtime`, in this process; `None` if `runtime` takes no part.
    pub(crate) fn run(&self, runtime: Runtime, effort: Effort) -> Option<Sample> {
        let (_, run) = self.runs.iter().find(|&&(own, _)| own == runtime)?;
        Some(run(effort))
    }
}

/// An entry: name, function, unit, what the value is, and who takes part beside those that can do everything.
macro_rules! scenario {
    ($name:literal, $function:path, $unit:ident, $value:literal $(, $runtime:ident => $run:expr)* $(,)?) => {{
        // The function is named once and instantiated thrice.
        use $function as function;
        Scenario {
            name: $name,
            value: $value,
            unit: Unit::$unit,
            runs: &[
                (Runtime::Gristmill, function::<Gristmill> as Run),
                (Runtime::Tokio, function::<Tokio> as Run),
                (Runtime::Smol, function::<Smol> as Run),
                $((Runtime::$runtime, $run as Run),)*
            ],
        }
    }};
}

/// All of them, in the order of the report.
#[rustfmt::skip]
pub(crate) static ALL: &[Scenario] = &[
    scenario!("spawn_local", spawn::spawn_local, Nanoseconds, "20,000 no-op tasks spawned from a task until all have run; each"),
    scenario!("spawn_remote", spawn::spawn_remote, Nanoseconds, "the same, spawned from the thread in block_on; each"),
    scenario!("spawn_join", spawn::spawn_join, Nanoseconds, "spawn one task and await it, in a row, from a task; each"),
    scenario!("spawn_join_all", spawn::spawn_join_all, Nanoseconds, "spawn 20,000 tasks from a task, then await each; each"),
    scenario!("yield", switch::yields, Nanoseconds, "200 tasks that yield 1,000 times; each yield"),
    scenario!("ping_pong", switch::ping_pong, Nanoseconds, "2,000 pairs of tasks that hand a value there and back; each pair"),
    scenario!("chained_spawn", switch::chained_spawn, Nanoseconds, "2,000 tasks, each spawned by the one before; each"),
    scenario!("wake_remote", switch::wake_remote, Nanoseconds, "a value from a task to a foreign thread and back; p50 of a round trip"),
    scenario!("timeout_drop", timers::timeout_drop, Nanoseconds, "timeout(60 s, yield_now()), in a row; each"),
    scenario!("sleep_precision", timers::sleep_precision, Nanoseconds, "single sleeps of 0.3 to 2 ms; p50 of the lateness"),
    scenario!("sleep_storm", timers::sleep_storm, Nanoseconds, "100,000 tasks whose deadlines lie in 0.5 s; p99 of the lateness"),
    scenario!("memory", memory::asleep, Bytes, "1,000,000 tasks asleep; resident bytes each"),
    scenario!("echo_1", tcp::echo_1, Nanoseconds, "64 bytes there and back over one connection; wall time each",
        TokioPerCore => |effort| tcp::echo_per_core::<TokioPerCore>(effort, 1),
        Monoio => |effort| apart::monoio::echo(effort, 1),
        Threads => |effort| apart::threads::echo(effort, 1),
        Processes => |effort| apart::processes::echo(effort, 1)),
    scenario!("echo_64", tcp::echo_64, Nanoseconds, "the same over 64 connections at once; wall time each",
        TokioPerCore => |effort| tcp::echo_per_core::<TokioPerCore>(effort, 64),
        Monoio => |effort| apart::monoio::echo(effort, 64),
        Threads => |effort| apart::threads::echo(effort, 64),
        Processes => |effort| apart::processes::echo(effort, 64)),
    scenario!("echo_1000", tcp::echo_1000, Nanoseconds, "the same over 1,000 connections at once; wall time each",
        TokioPerCore => |effort| tcp::echo_per_core::<TokioPerCore>(effort, 1_000),
        Monoio => |effort| apart::monoio::echo(effort, 1_000),
        Threads => |effort| apart::threads::echo(effort, 1_000),
        Processes => |effort| apart::processes::echo(effort, 1_000)),
    scenario!("connect_storm", tcp::connect_storm, Nanoseconds, "64 tasks that connect, exchange a byte and close; wall time each",
        Threads => apart::threads::connect_storm),
    scenario!("blocking_seq", executors::blocking_seq, Nanoseconds, "a no-op job on the blocking pool, awaited, in a row; p50"),
    scenario!("blocking_batch", executors::blocking_batch, Nanoseconds, "10,000 no-op jobs at once; each"),
    scenario!("blocking_sleep", executors::blocking_sleep, Nanoseconds, "200 jobs at once that block for 20 ms; wall time of all"),
    scenario!("cpu_fanout", cpu::fanout, Nanoseconds, "2,000 tasks of about 17 us of work each, spawned by one; each",
        Rayon => apart::rayon::fanout, Threads => apart::threads::fanout, Processes => apart::processes::fanout),
    scenario!("mixed", mixed::mixed, Nanoseconds, "16 paced echo clients beside 64 loops of jobs of about 4 ms; p99 of an answer; operations are jobs",
        TokioRayon => mixed::mixed::<TokioRayon>, Threads => apart::threads::mixed, Processes => apart::processes::mixed),
    scenario!("idle", idle::idle, Nanoseconds, "100 idle connections; processor time a second",
        Threads => apart::threads::idle),
];

/// The scenario called `name`, of these or of those that `stalls` runs.
pub(crate) fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter()
        .chain(stalls::ALL)
        .find(|scenario| scenario.name == name)
}

/// Prints what there is.
pub(crate) fn list() {
    for scenario in ALL {
        let runtimes: Vec<_> = scenario.runtimes().map(Runtime::name).collect();
        println!("{:<16} {}", scenario.name, scenario.value);
        println!("{:<16} by {}", "", runtimes.join(", "));
    }
}
