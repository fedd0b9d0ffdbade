//! The report for people.

use super::Entry;
use super::entry::{Summary, best_peer};
use crate::cli::Plan;
use crate::peer::Runtime;
use crate::scenarios::Unit;

/// A figure to compare by.
struct Figure {
    name: &'static str,
    /// Where it stands in a summary.
    of: fn(&Summary) -> Option<f64>,
    /// From which ratio on a difference is named as one.
    worse: f64,
}

const VALUE: Figure = Figure {
    name: "value",
    of: |s| Some(s.value),
    worse: 1.03,
};
const CPU: Figure = Figure {
    name: "cpu/op",
    of: |s| Some(s.cpu_ns_per_op),
    worse: 1.05,
};
const P99: Figure = Figure {
    name: "p99",
    of: |s| s.p99_ns,
    worse: 1.1,
};
// Code and stacks alone differ by a few hundred kilobytes.
const RSS: Figure = Figure {
    name: "rss",
    of: |s| Some(s.peak_rss),
    worse: 1.25,
};

/// Prints the table and where gristmill stands behind.
pub(crate) fn print(plan: &Plan, entries: &[Entry]) {
    println!("{} rounds, {:?}", plan.rounds, plan.effort);
    println!("ratio: to the best peer; less is better in every column but ops/s");
    println!("others: share of the processors that other processes had");
    println!("n: processes that count, the disturbed ones left out");
    println!(
        "{:<16} {:<13} {:>9} {:>6} {:>21} {:>9} {:>6} {:>9} {:>9} {:>6} {:>9} {:>8} {:>7} {:>9} {:>6} {:>3}",
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
        "p99.9",
        "rss",
        "cpu s",
        "ops/s",
        "others",
        "n"
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
        let ratio = |figure: Figure| {
            let (own, best) = ((figure.of)(&summary), best_peer(entries, entry, figure.of));
            own.zip(best)
                .map_or_else(String::new, |(own, best)| format!("{:.2}", own / best))
        };
        let value = |value| show(entry.scenario.unit, value);
        let time = |ns: Option<f64>| ns.map_or_else(String::new, |ns| show(Unit::Nanoseconds, ns));
        println!(
            "{name:<16} {runtime:<13} {:>9} {:>6} {:>21} {:>9} {:>6} {:>9} {:>9} {:>6} {:>9} {:>8} {:>7.2} {:>9} {:>6} {:>3}",
            value(summary.value),
            ratio(VALUE),
            format!(
                "{} .. {}",
                value(summary.value_min),
                value(summary.value_max)
            ),
            time(Some(summary.cpu_ns_per_op)),
            ratio(CPU),
            time(summary.p50_ns),
            time(summary.p99_ns),
            ratio(P99),
            time(summary.p999_ns),
            show(Unit::Bytes, summary.peak_rss),
            summary.cpu_seconds,
            format!("{:.0}", summary.rate),
            summary
                .others
                .map_or_else(String::new, |share| format!("{:.0} %", share * 100.0)),
            summary.processes,
        );
    }
    if let Some(reason) = entry.skipped {
        println!("{name:<16} {runtime:<13} skipped: {reason}");
    }
    if let Some(failure) = entry.failures.first() {
        println!(
            "{name:<16} {runtime:<13} {} failed: {failure}",
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
        let behind: Vec<_> = [VALUE, CPU, P99, RSS]
            .iter()
            .filter_map(|figure| {
                let ratio = (figure.of)(&summary)? / best_peer(entries, entry, figure.of)?;
                (ratio >= figure.worse).then(|| format!("{} {ratio:.2}", figure.name))
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
pub(crate) fn show(unit: Unit, value: f64) -> String {
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
