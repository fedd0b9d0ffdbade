//! The scenarios of `stalls`.

use super::{descriptors, paced, timers};
use crate::peer::{Gristmill, GristmillUnwatched, Runtime, Tokio};
use crate::scenarios::{Run, Scenario, Unit, spawn, switch, tcp};

/// Scenarios whose names begin so compare gristmill with itself, with and without the watch.
pub(super) const COST: &str = "watch_";

/// What the machine does to threads without any runtime.
pub(super) const MACHINE: &str = "machine";

/// An entry for gristmill and tokio.
macro_rules! beside {
    ($name:literal, $function:path, $value:literal) => {{
        use $function as function;
        Scenario {
            name: $name,
            value: $value,
            unit: Unit::Nanoseconds,
            runs: &[
                (Runtime::Gristmill, function::<Gristmill> as Run),
                (Runtime::Tokio, function::<Tokio> as Run),
            ],
        }
    }};
}

/// An entry for gristmill with and without its watch.
macro_rules! cost {
    ($name:literal, $function:path, $value:literal) => {{
        use $function as function;
        Scenario {
            name: $name,
            value: $value,
            unit: Unit::Nanoseconds,
            runs: &[
                (Runtime::Gristmill, function::<Gristmill> as Run),
                (
                    Runtime::GristmillUnwatched,
                    function::<GristmillUnwatched> as Run,
                ),
            ],
        }
    }};
}

/// All of them, in the order of the report.
#[rustfmt::skip]
pub(crate) static ALL: &[Scenario] = &[
    beside!("paced_alone", paced::alone, "16 paced echo clients, nothing else; wall time an answer"),
    beside!("paced_blocked", paced::blocked, "the same beside 4 tasks that each block for 50 ms at a time"),
    beside!("paced_computed", paced::computed, "the same beside 4 tasks that each compute for 50 ms at a time"),
    beside!("timer_blocked", timers::blocked, "1 ms timers while every worker is in polls that block for 100 ms; how late the latest was"),
    beside!("timer_computed", timers::computed, "1 ms timers while every worker is in polls that compute for 100 ms; how late the latest was"),
    Scenario {
        name: MACHINE,
        value: "threads that only compute, and nothing else; the longest that one was kept from going on",
        unit: Unit::Nanoseconds,
        runs: &[(Runtime::Threads, timers::machine as Run)],
    },
    beside!("descriptors", descriptors::freed, "8 new connections while no descriptor is left; from the first free one until all have an answer"),
    cost!("watch_spawn", spawn::spawn_local, "spawn_local"),
    cost!("watch_spawn_long", spawn::spawn_long, "spawn_local, 100,000 tasks out of each poll, which is a long one on any machine"),
    cost!("watch_yield", switch::yields, "yield"),
    cost!("watch_echo_1", tcp::echo_1, "echo_1"),
    cost!("watch_echo_64", tcp::echo_64, "echo_64"),
];
