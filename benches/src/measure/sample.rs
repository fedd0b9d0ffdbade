//! The figures of one process.

use serde::{Deserialize, Serialize};

use super::quantile;

/// What a scenario found out.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// The figure that runtimes are compared by, in the scenario's unit; less is better.
    pub(crate) value: f64,
    /// Operations that were counted.
    pub(crate) ops: u64,
    /// How long they took together.
    pub(crate) wall_ns: f64,
    /// Processor time of all threads meanwhile.
    pub(crate) cpu_ns: f64,
    /// How long single operations took, if each was timed.
    pub(crate) latency: Option<Latency>,
    /// What the value would be if nothing were lost, if that was found out.
    pub(crate) ideal: Option<f64>,
}

/// How long single operations took, in ns.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

impl Latency {
    /// Sorts `times`.
    pub(crate) fn of(times: &mut [f64]) -> Self {
        Self {
            p50: quantile(times, 0.5),
            p99: quantile(times, 0.99),
            p999: quantile(times, 0.999),
        }
    }
}

/// What a process tells the one that started it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) sample: Sample,
    /// Processor seconds of the whole process, and of those that it started, up to its report.
    pub(crate) cpu_seconds: f64,
    /// Most memory that they ever had resident, each at its own time, in bytes.
    pub(crate) peak_rss: u64,
    /// Share of the processors that other processes had meanwhile; the parent fills it in.
    pub(crate) others: Option<f64>,
}
