//! The report for programs.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::json;

use super::Entry;
use super::entry::best_peer;
use crate::cli::Plan;
use crate::scenarios::Unit;

/// Writes every outcome and every summary to `path`.
pub(crate) fn save(plan: &Plan, entries: &[Entry], path: &Path) -> io::Result<()> {
    let entries: Vec<_> = entries
        .iter()
        .map(|entry| {
            let summary = entry.summary();
            let best = best_peer(entries, entry, |summary| Some(summary.value));
            json!({
                "scenario": entry.scenario.name,
                "value_is": entry.scenario.value,
                "unit": match entry.scenario.unit {
                    Unit::Nanoseconds => "ns",
                    Unit::Bytes => "bytes",
                },
                "runtime": entry.runtime.name(),
                "summary": summary,
                "ratio_to_best_peer": summary.zip(best).map(|(summary, best)| summary.value / best),
                "outcomes": entry.outcomes,
                "failures": entry.failures,
            })
        })
        .collect();
    let report = json!({
        "rounds": plan.rounds,
        "effort": format!("{:?}", plan.effort),
        "entries": entries,
    });
    let mut file = BufWriter::new(File::create(path)?);
    serde_json::to_writer_pretty(&mut file, &report)?;
    writeln!(file)?;
    file.flush()
}
