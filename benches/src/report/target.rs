//! What gristmill is to reach, and whether it did.

use super::Entry;
use super::entry::{Summary, best_peer};
use crate::peer::Runtime;

/// A figure of a summary, turned so that less is better.
#[derive(Clone, Copy)]
enum Figure {
    Value,
    P50,
    P99,
    CpuPerOp,
    TimePerOp,
    Loss,
}

use Figure::{CpuPerOp, Loss, P50, P99, TimePerOp, Value};

/// What a figure is held against.
#[derive(Clone, Copy)]
enum Mark {
    /// So many times the best peer's.
    Best(f64),
    /// So many times that of one peer.
    Peer(Runtime, f64),
    /// A number.
    Fixed(f64),
}

use Mark::{Best, Fixed, Peer};

/// The targets of a scenario: each as people read it, and as it is checked.
fn targets(scenario: &str) -> &'static [(&'static str, Figure, Mark)] {
    match scenario {
        "spawn_local" | "spawn_remote" | "spawn_join_all" | "ping_pong" | "chained_spawn"
        | "blocking_seq" => &[("≤ 0.5 × best", Value, Best(0.5))],
        "spawn_join" => &[("≤ 0.6 × best", Value, Best(0.6))],
        "yield" => &[("≤ 1.0 × best", Value, Best(1.0))],
        "wake_remote" => &[("≤ 0.8 × best", Value, Best(0.8))],
        "cpu_fanout" => &[("≥ 97 % of the ideal", Loss, Fixed(0.03))],
        "timeout_drop" => &[("≤ 0.4 × best", Value, Best(0.4))],
        "sleep_precision" => &[
            ("p50 ≤ 1.0 × best", P50, Best(1.0)),
            ("p99 ≤ 1.0 × best", P99, Best(1.0)),
        ],
        "sleep_storm" => &[
            ("p99 ≤ 1 ms", P99, Fixed(1e6)),
            ("CPU ≤ 0.5 × best", CpuPerOp, Best(0.5)),
        ],
        "memory" => &[("≤ 200 bytes", Value, Fixed(200.0))],
        "echo_1" => &[("rate ≥ 1.0 × best", TimePerOp, Best(1.0))],
        "echo_64" => &[
            (
                "rate ≥ 1.12 × tokio",
                TimePerOp,
                Peer(Runtime::Tokio, 1.0 / 1.12),
            ),
            (
                "rate ≥ 0.97 × tokio-percore",
                TimePerOp,
                Peer(Runtime::TokioPerCore, 1.0 / 0.97),
            ),
        ],
        "echo_1000" => &[
            (
                "rate ≥ 1.2 × tokio",
                TimePerOp,
                Peer(Runtime::Tokio, 1.0 / 1.2),
            ),
            ("p99 ≤ 10 ms", P99, Fixed(1e7)),
        ],
        "connect_storm" => &[("≤ 0.9 × best", Value, Best(0.9))],
        "mixed" => &[
            (
                "p50 ≤ 0.8 × tokio+rayon",
                P50,
                Peer(Runtime::TokioRayon, 0.8),
            ),
            (
                "p99 ≤ 0.8 × tokio+rayon",
                P99,
                Peer(Runtime::TokioRayon, 0.8),
            ),
            ("jobs/s ≥ 1.0 × best", TimePerOp, Best(1.0)),
        ],
        "blocking_batch" => &[("≤ 0.2 × best", Value, Best(0.2))],
        "blocking_sleep" => &[("≤ 1.1 × best", Value, Best(1.1))],
        "idle" => &[("≤ 0.2 ms/s", Value, Fixed(2e5))],
        _ => &[],
    }
}

/// What every scenario is held to beside its own targets.
const CPU: (&str, Figure, Mark) = ("CPU/op ≤ tokio", CpuPerOp, Peer(Runtime::Tokio, 1.0));

impl Figure {
    fn of(self, summary: &Summary) -> Option<f64> {
        match self {
            Self::Value => Some(summary.value),
            Self::P50 => summary.p50_ns,
            Self::P99 => summary.p99_ns,
            Self::CpuPerOp => Some(summary.cpu_ns_per_op),
            Self::TimePerOp => Some(1e9 / summary.rate),
            Self::Loss => summary.efficiency.map(|reached| 1.0 - reached),
        }
    }
}

/// The targets of `entry`, which is gristmill's, and whether each is met; `None` if what it is held against did not run.
pub(super) fn judge(entries: &[Entry], entry: &Entry) -> Vec<(&'static str, Option<bool>)> {
    let own = entry.summary();
    let met = |figure: Figure, mark| {
        let mark = match mark {
            Best(factor) => factor * best_peer(entries, entry, |s| figure.of(s))?,
            Peer(runtime, factor) => factor * figure.of(&of_peer(entries, entry, runtime)?)?,
            Fixed(mark) => mark,
        };
        Some(figure.of(own.as_ref()?)? <= mark)
    };
    targets(entry.scenario.name)
        .iter()
        .chain([&CPU])
        .map(|&(text, figure, mark)| (text, met(figure, mark)))
        .collect()
}

/// What `runtime` did in the scenario of `entry`.
fn of_peer(entries: &[Entry], entry: &Entry, runtime: Runtime) -> Option<Summary> {
    entries
        .iter()
        .find(|other| other.scenario.name == entry.scenario.name && other.runtime == runtime)?
        .summary()
}
