//! The report for those who read it elsewhere.

use std::fs;
use std::io;
use std::path::Path;

use super::entry::best_peer;
use super::table::show;
use super::{Entry, chart, machine, save, target};
use crate::cli::Plan;
use crate::peer::Runtime;
use crate::scenarios::Unit;

/// Writes `compare.md`, `compare.json` and the charts into `folder`.
pub(crate) fn write(
    plan: &Plan,
    entries: &[Entry],
    folder: &Path,
) -> Result<(), Box<dyn std::error::Error>> {
    fs::create_dir_all(folder)?;
    chart::ratios(entries, &folder.join("ratio.svg"), "value", |s| {
        Some(s.value)
    })?;
    chart::ratios(entries, &folder.join("cpu.svg"), "CPU per operation", |s| {
        Some(s.cpu_ns_per_op)
    })?;
    chart::ratios(entries, &folder.join("p99.svg"), "p99", |s| s.p99_ns)?;
    save(plan, entries, &folder.join("compare.json"))?;
    Ok(page(plan, entries, &folder.join("compare.md"))?)
}

fn page(plan: &Plan, entries: &[Entry], path: &Path) -> io::Result<()> {
    let mut page = format!(
        "# gristmill beside its peers\n\n{}\n\n{} rounds ({:?}), two workers each, runtimes taking turns, a process for every \
         measurement. Figures are medians over processes; the ratio is to the best peer of the same run; less is better in every \
         column but ops/s. Figures of a `Quick` run are no measurement.\n\n\
         ![value](ratio.svg)\n![CPU per operation](cpu.svg)\n![p99](p99.svg)\n\n## Targets\n\n\
         | scenario | target | met |\n|---|---|---|\n",
        machine::describe(),
        plan.rounds,
        plan.effort,
    );
    for entry in entries
        .iter()
        .filter(|entry| entry.runtime == Runtime::Gristmill)
    {
        for (text, met) in target::judge(entries, entry) {
            let met = met.map_or("not measured", |met| if met { "yes" } else { "**no**" });
            page += &format!("| {} | {text} | {met} |\n", entry.scenario.name);
        }
    }
    let mut last = "";
    for entry in entries {
        if entry.scenario.name != last {
            last = entry.scenario.name;
            page += &format!(
                "\n## {last}\n\n{}.\n\n| runtime | value | ratio | min .. max | CPU/op | p50 | p99 | p99.9 | peak memory | CPU s | ops/s | others | processes |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
                entry.scenario.value
            );
        }
        page += &row(entries, entry);
    }
    fs::write(path, page)
}

fn row(entries: &[Entry], entry: &Entry) -> String {
    let name = entry.runtime.name();
    let Some(s) = entry.summary() else {
        let why = entry.skipped.or(entry.failures.first().map(String::as_str));
        return format!(
            "| {name} | left out: {} |\n",
            why.unwrap_or("no process reported")
        );
    };
    let value = |value| show(entry.scenario.unit, value);
    let time = |ns: Option<f64>| ns.map_or_else(String::new, |ns| show(Unit::Nanoseconds, ns));
    let best = best_peer(entries, entry, |s| Some(s.value));
    format!(
        "| {name} | {} | {} | {} .. {} | {} | {} | {} | {} | {} | {:.2} | {:.0} | {} | {} |\n",
        value(s.value),
        best.map_or_else(String::new, |best| format!("{:.2}", s.value / best)),
        value(s.value_min),
        value(s.value_max),
        time(Some(s.cpu_ns_per_op)),
        time(s.p50_ns),
        time(s.p99_ns),
        time(s.p999_ns),
        show(Unit::Bytes, s.peak_rss),
        s.cpu_seconds,
        s.rate,
        s.others
            .map_or_else(String::new, |share| format!("{:.0} %", share * 100.0)),
        s.processes,
    )
}
