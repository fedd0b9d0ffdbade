//! The page: targets, whether they were met, and all figures.

use super::table::{COST, MACHINE};
use crate::cli::StallPlan;
use crate::measure::{CALM, Outcome, median};
use crate::peer::Runtime;
use crate::report::{Entry, Summary, machine, show};
use crate::scenarios::Unit;

/// A figure of a scenario.
type Figure = fn(&Summary) -> Option<f64>;

/// Held against a number of nanoseconds: scenario, which figure, what it is called, and the number.
const TARGETS: &[(&str, &str, Figure, f64)] = &[
    ("paced_blocked", "p50", |s| s.p50_ns, 0.2e6),
    ("paced_blocked", "p99", |s| s.p99_ns, 5e6),
    ("paced_computed", "p99", |s| s.p99_ns, 10e6),
    ("timer_blocked", "latest", |s| Some(s.value), 3e6),
    ("timer_computed", "latest", |s| Some(s.value), 3e6),
    ("descriptors", "served again", |s| Some(s.value), 100e6),
];

/// Answers a second beside tasks that block, of those without.
const RATE: f64 = 0.9;

/// What the watch may cost.
const COST_AT_MOST: f64 = 1.01;

/// Everything as Markdown.
pub(super) fn page(plan: &StallPlan, entries: &[Entry]) -> String {
    let mut page = format!(
        "# Beside tasks that keep their workers\n\n{}\n\n{} rounds ({:?}), two workers each, runtimes taking turns, a process for \
         every measurement; medians over processes. What is not met is told in the last column.\n\n\
         | scenario | figure | target | tokio | gristmill | met |\n|---|---|---|---|---|---|\n",
        machine::describe(),
        plan.rounds,
        plan.effort
    );
    for &(scenario, name, figure, target) in TARGETS {
        page += &row(entries, scenario, name, figure, target);
    }
    page += &rate_row(entries);
    page += &cost_rows(entries);
    page += &machine_line(entries);
    page += "\nThe cost of the watch is the ratio of two processes that ran one after the other, with the watch and without; the median \
             of the pairs that nobody disturbed and the interval that holds it with 95 % certainty. It counts as not measurable, which is the target, unless \
             the whole interval lies above 1.01.\n";
    page + &figures(entries)
}

/// What no runtime can be better than, but by chance.
fn machine_line(entries: &[Entry]) -> String {
    let machine = find(entries, MACHINE, Runtime::Threads).and_then(|entry| entry.summary());
    machine.map_or_else(String::new, |machine| {
        format!(
            "\nThe machine itself: threads that only compute, one for each processor and with no runtime, were kept from going on for {} \
             ({} to {}) at the longest. A timer that is due in such a pause is as late.\n",
            time(machine.value),
            time(machine.value_min),
            time(machine.value_max)
        )
    })
}

fn row(entries: &[Entry], scenario: &str, name: &str, figure: Figure, target: f64) -> String {
    let of = |runtime| find(entries, scenario, runtime).and_then(|entry| figure(&entry.summary()?));
    let cell = |value: Option<f64>| value.map_or_else(String::new, time);
    let own = of(Runtime::Gristmill);
    format!(
        "| {scenario} | {name} | ≤ {} | {} | {} | {} |\n",
        time(target),
        cell(of(Runtime::Tokio)),
        cell(own),
        met(whole(entries, scenario).and(own.map(|own| own <= target)))
    )
}

/// The rate of answers beside tasks that block, as a share of the rate alone.
fn rate_row(entries: &[Entry]) -> String {
    let rate = |scenario, runtime| Some(find(entries, scenario, runtime)?.summary()?.rate);
    let share = |runtime| Some(rate("paced_blocked", runtime)? / rate("paced_alone", runtime)?);
    let cell = |share: Option<f64>| {
        share.map_or_else(String::new, |share| format!("{:.1} %", share * 100.0))
    };
    let own = share(Runtime::Gristmill);
    format!(
        "| paced_blocked | rate, of paced_alone | ≥ {:.0} % | {} | {} | {} |\n",
        RATE * 100.0,
        cell(share(Runtime::Tokio)),
        cell(own),
        met(own.map(|own| own >= RATE))
    )
}

fn cost_rows(entries: &[Entry]) -> String {
    let watched = entries
        .iter()
        .filter(|entry| entry.scenario.name.starts_with(COST))
        .filter(|entry| entry.runtime == Runtime::Gristmill);
    let row = |watched: &Entry| {
        let name = watched.scenario.name;
        let unwatched = find(entries, name, Runtime::GristmillUnwatched)?;
        let mut ratios = ratios(watched, unwatched);
        let middle = median(&mut ratios);
        let Some((low, high)) = interval(&ratios) else {
            return Some(format!(
                "| {name} | time with the watch, of that without | not measurable | | fewer than six undisturbed pairs | {} |\n",
                met(None)
            ));
        };
        Some(format!(
            "| {name} | time with the watch, of that without | not measurable | | {middle:.3} ({low:.3} to {high:.3}) | {} |\n",
            met(Some(low <= COST_AT_MOST))
        ))
    };
    watched.filter_map(row).collect()
}

/// Time with the watch, of that without, of each pair that ran undisturbed.
fn ratios(watched: &Entry, unwatched: &Entry) -> Vec<f64> {
    let calm = |outcome: &Outcome| outcome.others.is_none_or(|share| share < CALM);
    let pairs = watched.outcomes.iter().zip(&unwatched.outcomes);
    pairs
        .filter(|(with, without)| calm(with) && calm(without))
        .map(|(with, without)| with.sample.value / without.sample.value)
        .collect()
}

/// The interval that holds the median with 95 % certainty, by rank; `sorted` is. `None` with fewer than six.
fn interval(sorted: &[f64]) -> Option<(f64, f64)> {
    let count = sorted.len();
    if count < 6 {
        return None;
    }
    // The normal approximation of the binomial distribution.
    let reach = 0.98 * (count as f64).sqrt();
    let low = ((count as f64 / 2.0 - reach).floor() as usize).min(count - 1);
    let high = ((count as f64 / 2.0 + reach).ceil() as usize).min(count - 1);
    Some((sorted[low], sorted[high]))
}

/// Every figure, and every process that failed.
fn figures(entries: &[Entry]) -> String {
    let mut text = "\n| scenario | runtime | value | min .. max | p50 | p99 | p99.9 | CPU s | answers or operations/s | others | processes |\n\
                    |---|---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for entry in entries {
        let (name, runtime) = (entry.scenario.name, entry.runtime.name());
        if let Some(s) = entry.summary() {
            let cell = |ns: Option<f64>| ns.map_or_else(String::new, time);
            text += &format!(
                "| {name} | {runtime} | {} | {} .. {} | {} | {} | {} | {:.2} | {:.0} | {} | {} |\n",
                time(s.value),
                time(s.value_min),
                time(s.value_max),
                cell(s.p50_ns),
                cell(s.p99_ns),
                cell(s.p999_ns),
                s.cpu_seconds,
                s.rate,
                s.others
                    .map_or_else(String::new, |share| format!("{:.0} %", share * 100.0)),
                s.processes
            );
        }
        for failure in &entry.failures {
            text += &format!("| {name} | {runtime} | failed: {failure} |\n");
        }
    }
    text += "\nValues:\n\n";
    let mut last = "";
    for entry in entries {
        if entry.scenario.name != last {
            last = entry.scenario.name;
            text += &format!("- `{last}`: {}\n", entry.scenario.value);
        }
    }
    text
}

fn find<'a>(entries: &'a [Entry], scenario: &str, runtime: Runtime) -> Option<&'a Entry> {
    entries
        .iter()
        .find(|entry| entry.scenario.name == scenario && entry.runtime == runtime)
}

/// `None` if a process of gristmill failed: then nothing is met.
fn whole(entries: &[Entry], scenario: &str) -> Option<()> {
    let entry = find(entries, scenario, Runtime::Gristmill)?;
    entry.failures.is_empty().then_some(())
}

fn time(ns: f64) -> String {
    show(Unit::Nanoseconds, ns)
}

fn met(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "**not measured**",
    }
}
