//! The parent: a process for every measurement, runtimes taking turns.

use std::error::Error;
use std::fs;

use super::report;
use super::table::COST;
use crate::child;
use crate::cli::StallPlan;
use crate::progress::Progress;
use crate::report::Entry;
use crate::scenarios::Scenario;

/// Differences of a percent need more processes: so many turns a round.
const COST_TURNS: usize = 10;

/// Runs the plan, prints the page, and writes it where it is wanted.
pub(crate) fn run(plan: &StallPlan) -> Result<(), Box<dyn Error>> {
    let processes = plan
        .scenarios
        .iter()
        .map(|scenario| turns(plan, scenario) * scenario.runtimes().count());
    let progress = Progress::new(processes.sum());
    let entries: Vec<_> = plan
        .scenarios
        .iter()
        .flat_map(|scenario| measure(plan, scenario, &progress))
        .collect();
    progress.finish();
    let page = report::page(plan, &entries);
    print!("{page}");
    if let Some(folder) = &plan.report {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("stalls.md"), page)?;
    }
    Ok(())
}

/// How often each has its turn.
fn turns(plan: &StallPlan, scenario: &Scenario) -> usize {
    let is_cost = scenario.name.starts_with(COST);
    plan.rounds * if is_cost { COST_TURNS } else { 1 }
}

/// All turns of one scenario.
fn measure(plan: &StallPlan, scenario: &'static Scenario, progress: &Progress) -> Vec<Entry> {
    let mut entries: Vec<_> = scenario
        .runtimes()
        .map(|runtime| Entry::new(scenario, runtime))
        .collect();
    let runtimes = entries.len();
    for turn in 0..turns(plan, scenario) {
        for place in 0..runtimes {
            let entry = &mut entries[(turn + place) % runtimes];
            let words = ["one", scenario.name, entry.runtime.name()];
            progress.begin(&words[1..].join(" "));
            match child::measure(&words, plan.effort) {
                Ok(outcome) => entry.outcomes.push(outcome),
                Err(error) => entry.failures.push(error.to_string()),
            }
            progress.end();
        }
    }
    entries
}
