//! The table of scenarios.

use super::{cpu, executors, memory, spawn, switch, tcp, timers};
use crate::measure::{Effort, Sample};
use crate::peer::{Gristmill, Runtime, Smol, Tokio};

/// Something that every runtime does, and what is measured of it.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What its value is; less is better.
    pub(crate) value: &'static str,
    pub(crate) unit: Unit,
    gristmill: fn(Effort) -> Sample,
    tokio: fn(Effort) -> Sample,
    smol: fn(Effort) -> Sample,
}

/// What values are counted in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Nanoseconds,
    Bytes,
}

impl Scenario {
    /// Runs it under `runtime`, in this process.
    pub(crate) fn run(&self, runtime: Runtime, effort: Effort) -> Sample {
        match runtime {
            Runtime::Gristmill => (self.gristmill)(effort),
            Runtime::Tokio => (self.tokio)(effort),
            Runtime::Smol => (self.smol)(effort),
        }
    }
}

/// An entry: name, function, unit, and what the value is.
macro_rules! scenario {
    ($name:literal, $function:path, $unit:ident, $value:literal) => {{
        // The function is named once and instantiated thrice.
        use $function as function;
        Scenario {
            name: $name,
            value: $value,
            unit: Unit::$unit,
            gristmill: function::<Gristmill>,
            tokio: function::<Tokio>,
            smol: function::<Smol>,
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
    scenario!("echo_1", tcp::echo_1, Nanoseconds, "64 bytes there and back over one connection; wall time each"),
    scenario!("echo_64", tcp::echo_64, Nanoseconds, "the same over 64 connections at once; wall time each"),
    scenario!("echo_1000", tcp::echo_1000, Nanoseconds, "the same over 1,000 connections at once; wall time each"),
    scenario!("connect_storm", tcp::connect_storm, Nanoseconds, "64 tasks that connect, exchange a byte and close; wall time each"),
    scenario!("blocking_seq", executors::blocking_seq, Nanoseconds, "a no-op job on the blocking pool, awaited, in a row; p50"),
    scenario!("blocking_batch", executors::blocking_batch, Nanoseconds, "10,000 no-op jobs at once; each"),
    scenario!("blocking_sleep", executors::blocking_sleep, Nanoseconds, "200 jobs at once that block for 20 ms; wall time of all"),
    scenario!("cpu_fanout", cpu::fanout, Nanoseconds, "2,000 tasks of about 17 us of work each, spawned by one; each"),
];

/// The scenario called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}

/// Prints what there is.
pub(crate) fn list() {
    for scenario in ALL {
        println!("{:<16} {}", scenario.name, scenario.value);
    }
}
