//! The parent: a process for every measurement, runtimes taking turns.

use std::error::Error;
use std::fs;

use super::report;
use super::table::COST;
use crate::child;
use crate::cli::StallPlan;
use crate::measure::Effort;
use crate::progress::Progress;
use crate::report::Entry;
use crate::scenarios::Scenario;

/// Differences of a percent need more, shorter processes: so many turns a round. A hundred pairs hold their median within a percent on a noisy machine.
const COST_TURNS: usize = 15;

/// Runs the plan, prints the page, and writes it where it is wanted.
pub(crate) fn run(plan: &StallPlan) -> Result<(), Box<dyn Error>> {
    let processes = plan.scenarios.iter().map(|scenario| {
        let (turns, _) = turns(plan, scenario);
        turns * scenario.runtimes().count()
    });
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

/// How often each has its turn, and for how long.
fn turns(plan: &StallPlan, scenario: &Scenario) -> (usize, Effort) {
    if scenario.name.starts_with(COST) {
        (plan.rounds * COST_TURNS, Effort::Quick)
    } else {
        (plan.rounds, plan.effort)
    }
}

/// All turns of one scenario.
fn measure(plan: &StallPlan, scenario: &'static Scenario, progress: &Progress) -> Vec<Entry> {
    let (turns, effort) = turns(plan, scenario);
    let mut entries: Vec<_> = scenario
        .runtimes()
        .map(|runtime| Entry::new(scenario, runtime))
        .collect();
    let runtimes = entries.len();
    for turn in 0..turns {
        for place in 0..runtimes {
            let entry = &mut entries[(turn + place) % runtimes];
            let words = ["one", scenario.name, entry.runtime.name()];
            progress.begin(&words[1..].join(" "));
            match child::measure(&words, effort) {
                Ok(outcome) => entry.outcomes.push(outcome),
                Err(error) => entry.failures.push(error.to_string()),
            }
            progress.end();
        }
    }
    entries
}
