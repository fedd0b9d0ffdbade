//! The parent: starts a process for every measurement and lets the runtimes take turns.
//!
//! ```text
//!   scenario 1:  A B C   B C A   C A B   …     a round each; who begins moves on, so that nobody always follows the same
//!   scenario 2:  A B C   …
//! ```

use std::error::Error;

use crate::child;
use crate::cli::Plan;
use crate::progress::Progress;
use crate::report::{self, Entry};
use crate::scenarios::Scenario;

/// Runs the plan and prints the report.
pub(crate) fn run(plan: &Plan) -> Result<(), Box<dyn Error>> {
    let mut all: Vec<_> = plan
        .scenarios
        .iter()
        .map(|scenario| entries(plan, scenario))
        .collect();
    let processes = all.iter().flatten().filter(|entry| entry.skipped.is_none());
    let progress = Progress::new(processes.count() * plan.rounds);
    for entries in &mut all {
        measure(plan, entries, &progress);
    }
    progress.finish();
    let entries: Vec<_> = all.into_iter().flatten().collect();
    report::print(plan, &entries);
    if let Some(path) = &plan.json {
        report::save(plan, &entries, path)?;
    }
    if let Some(folder) = &plan.report {
        report::write(plan, &entries, folder)?;
    }
    Ok(())
}

/// An entry for each that was asked for and takes part.
fn entries(plan: &Plan, scenario: &'static Scenario) -> Vec<Entry> {
    scenario
        .runtimes()
        .filter(|runtime| plan.runtimes.contains(runtime))
        .map(|runtime| Entry::new(scenario, runtime))
        .collect()
}

/// All rounds of one scenario.
fn measure(plan: &Plan, entries: &mut [Entry], progress: &Progress) {
    let mut running: Vec<_> = entries
        .iter_mut()
        .filter(|entry| entry.skipped.is_none())
        .collect();
    let runtimes = running.len();
    for round in 0..plan.rounds {
        for turn in 0..runtimes {
            let entry = &mut running[(round + turn) % runtimes];
            let words = ["one", entry.scenario.name, entry.runtime.name()];
            progress.begin(&words[1..].join(" "));
            if plan.calm {
                child::wait_for_calm();
            }
            match child::measure(&words, plan.effort) {
                Ok(outcome) => entry.outcomes.push(outcome),
                Err(error) => entry.failures.push(error.to_string()),
            }
            progress.end();
        }
    }
}
