//! The outcomes of one scenario under one runtime.

use serde::Serialize;

use crate::measure::{CALM, Outcome, median};
use crate::peer::Runtime;
use crate::scenarios::Scenario;

/// Every process that ran one scenario under one runtime.
pub(crate) struct Entry {
    pub(crate) scenario: &'static Scenario,
    pub(crate) runtime: Runtime,
    pub(crate) outcomes: Vec<Outcome>,
    /// What the processes said that did not report.
    pub(crate) failures: Vec<String>,
    /// Why there are none, if it cannot run here.
    pub(crate) skipped: Option<&'static str>,
}

/// What the outcomes come to: medians over the undisturbed processes unless said otherwise. Less is better unless said otherwise.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Summary {
    /// Processes that count.
    pub(crate) processes: usize,
    pub(crate) value: f64,
    /// Best and worst process.
    pub(crate) value_min: f64,
    pub(crate) value_max: f64,
    pub(crate) cpu_ns_per_op: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) p50_ns: Option<f64>,
    pub(crate) p99_ns: Option<f64>,
    pub(crate) p999_ns: Option<f64>,
    pub(crate) peak_rss: f64,
    /// Share of the ideal that was reached; more is better.
    pub(crate) efficiency: Option<f64>,
    /// Operations per second of wall time; more is better.
    pub(crate) rate: f64,
    /// Share of the processors that other processes had.
    pub(crate) others: Option<f64>,
}

impl Entry {
    pub(crate) fn new(scenario: &'static Scenario, runtime: Runtime) -> Self {
        Self {
            scenario,
            runtime,
            outcomes: Vec::new(),
            failures: Vec::new(),
            skipped: runtime.obstacle(),
        }
    }

    /// The processes that had the processors to themselves, or all if none had.
    fn undisturbed(&self) -> Vec<&Outcome> {
        let calm = |outcome: &&Outcome| outcome.others.is_none_or(|share| share < CALM);
        let undisturbed: Vec<_> = self.outcomes.iter().filter(calm).collect();
        if undisturbed.is_empty() {
            self.outcomes.iter().collect()
        } else {
            undisturbed
        }
    }

    /// `None` if no process reported.
    pub(crate) fn summary(&self) -> Option<Summary> {
        let outcomes = self.undisturbed();
        if outcomes.is_empty() {
            return None;
        }
        let all = |figure: fn(&Outcome) -> f64| {
            outcomes
                .iter()
                .map(|&outcome| figure(outcome))
                .collect::<Vec<_>>()
        };
        let middle = |figure| median(&mut all(figure));
        let optional = |figure: fn(&Outcome) -> Option<f64>| {
            let mut values: Vec<f64> = outcomes
                .iter()
                .filter_map(|&outcome| figure(outcome))
                .collect();
            (!values.is_empty()).then(|| median(&mut values))
        };
        let values = all(|o| o.sample.value);
        Some(Summary {
            processes: outcomes.len(),
            value: middle(|o| o.sample.value),
            value_min: values.iter().copied().fold(f64::INFINITY, f64::min),
            value_max: values.iter().copied().fold(0.0, f64::max),
            cpu_ns_per_op: middle(|o| o.sample.cpu_ns / o.sample.ops.max(1) as f64),
            cpu_seconds: middle(|o| o.cpu_seconds),
            p50_ns: optional(|o| o.sample.latency.map(|l| l.p50)),
            p99_ns: optional(|o| o.sample.latency.map(|l| l.p99)),
            p999_ns: optional(|o| o.sample.latency.map(|l| l.p999)),
            efficiency: optional(|o| o.sample.ideal.map(|ideal| ideal / o.sample.value)),
            peak_rss: middle(|o| o.peak_rss as f64),
            rate: middle(|o| o.sample.ops as f64 * 1e9 / o.sample.wall_ns),
            others: optional(|o| o.others),
        })
    }
}

/// The least of `figure` among the peers that ran what `entry` ran.
pub(crate) fn best_peer(
    entries: &[Entry],
    entry: &Entry,
    figure: impl Fn(&Summary) -> Option<f64>,
) -> Option<f64> {
    entries
        .iter()
        .filter(|other| other.scenario.name == entry.scenario.name)
        .filter(|other| other.runtime != Runtime::Gristmill)
        .filter_map(|other| figure(&other.summary()?))
        .min_by(f64::total_cmp)
}
