//! The report for people.

use super::Entry;
use super::entry::{Summary, best_peer};
use crate::cli::Plan;
use crate::peer::Runtime;
use crate::scenarios::Unit;

/// From which ratio on a difference is named as one.
const WORSE: f64 = 1.03;

/// A figure to compare by: its name, and where it stands in a summary.
type Figure = (&'static str, fn(&Summary) -> Option<f64>);

const FIGURES: [Figure; 4] = [
    ("value", |s| Some(s.value)),
    ("cpu/op", |s| Some(s.cpu_ns_per_op)),
    ("p99", |s| s.p99_ns),
    ("rss", |s| Some(s.peak_rss)),
];

/// Prints the table and where gristmill stands behind.
pub(crate) fn print(plan: &Plan, entries: &[Entry]) {
    println!(
        "{} rounds, {:?}; ratios are to the best peer; less is better everywhere",
        plan.rounds, plan.effort
    );
    println!(
        "{:<16} {:<10} {:>9} {:>6} {:>21} {:>9} {:>6} {:>9} {:>9} {:>6} {:>8} {:>7}",
        "scenario",
        "runtime",
        "value",
        "ratio",
        "min .. max",
        "cpu/op",
        "ratio",
        "p50",
        "p99",
        "ratio",
        "rss",
        "cpu s"
    );
    let mut last = "";
    for entry in entries {
        let name = if entry.scenario.name == last {
            ""
        } else {
            entry.scenario.name
        };
        if !last.is_empty() && !name.is_empty() {
            println!();
        }
        last = entry.scenario.name;
        print_row(entries, entry, name);
    }
    print_behind(entries);
}

fn print_row(entries: &[Entry], entry: &Entry, name: &str) {
    let runtime = entry.runtime.name();
    if let Some(summary) = entry.summary() {
        let ratio = |figure: fn(&Summary) -> Option<f64>| {
            let (own, best) = (figure(&summary), best_peer(entries, entry, figure));
            own.zip(best)
                .map_or_else(String::new, |(own, best)| format!("{:.2}", own / best))
        };
        let value = |value| show(entry.scenario.unit, value);
        let time = |ns: Option<f64>| ns.map_or_else(String::new, |ns| show(Unit::Nanoseconds, ns));
        println!(
            "{name:<16} {runtime:<10} {:>9} {:>6} {:>21} {:>9} {:>6} {:>9} {:>9} {:>6} {:>8} {:>7.2}",
            value(summary.value),
            ratio(FIGURES[0].1),
            format!(
                "{} .. {}",
                value(summary.value_min),
                value(summary.value_max)
            ),
            time(Some(summary.cpu_ns_per_op)),
            ratio(FIGURES[1].1),
            time(summary.p50_ns),
            time(summary.p99_ns),
            ratio(FIGURES[2].1),
            show(Unit::Bytes, summary.peak_rss),
            summary.cpu_seconds,
        );
    }
    if let Some(failure) = entry.failures.first() {
        println!(
            "{name:<16} {runtime:<10} {} failed: {failure}",
            entry.failures.len()
        );
    }
}

/// Names every figure of gristmill that is worse than the best peer's.
fn print_behind(entries: &[Entry]) {
    println!();
    for entry in entries
        .iter()
        .filter(|entry| entry.runtime == Runtime::Gristmill)
    {
        let Some(summary) = entry.summary() else {
            continue;
        };
        let behind: Vec<_> = FIGURES
            .iter()
            .filter_map(|&(name, figure)| {
                let ratio = figure(&summary)? / best_peer(entries, entry, figure)?;
                (ratio >= WORSE).then(|| format!("{name} {ratio:.2}"))
            })
            .collect();
        if !behind.is_empty() {
            println!(
                "behind the best peer: {:<16} {}",
                entry.scenario.name,
                behind.join(", ")
            );
        }
    }
}

/// A value with three digits or so.
fn show(unit: Unit, value: f64) -> String {
    let (step, names) = match unit {
        Unit::Nanoseconds => (1e3, ["ns", "us", "ms", "s"]),
        Unit::Bytes => (1024.0, ["B", "KiB", "MiB", "GiB"]),
    };
    let mut value = value;
    let mut name = names[0];
    for &larger in &names[1..] {
        if value < step {
            break;
        }
        value /= step;
        name = larger;
    }
    let digits = usize::from(value < 100.0) + usize::from(value < 10.0);
    format!("{value:.digits$} {name}")
}
