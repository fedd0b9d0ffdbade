//! The parent: starts a process for every measurement and lets the runtimes take turns.
//!
//! ```text
//!   scenario 1:  A B C   B C A   C A B   …     a round each; who begins moves on, so that nobody always follows the same
//!   scenario 2:  A B C   …
//! ```

use std::env;
use std::error::Error;
use std::io::{IsTerminal, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::cli::Plan;
use crate::measure::{Bystanders, CALM, Effort, Outcome};
use crate::peer::Runtime;
use crate::report::{self, Entry};
use crate::scenarios::Scenario;

/// Longer than any measurement takes. A process that has not reported by then hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait for calm before a process.
const CALM_WITHIN: Duration = Duration::from_secs(5);

/// Runs the plan and prints the report.
pub(crate) fn run(plan: &Plan) -> Result<(), Box<dyn Error>> {
    let mut entries = Vec::new();
    for (n, scenario) in plan.scenarios.iter().enumerate() {
        progress(&format!(
            "[{}/{}] {}",
            n + 1,
            plan.scenarios.len(),
            scenario.name
        ));
        entries.extend(measure(plan, scenario));
    }
    progress("");
    report::print(plan, &entries);
    if let Some(path) = &plan.json {
        report::save(plan, &entries, path)?;
    }
    Ok(())
}

/// All rounds of one scenario.
fn measure(plan: &Plan, scenario: &'static Scenario) -> Vec<Entry> {
    let mut entries: Vec<_> = plan
        .runtimes
        .iter()
        .map(|&runtime| Entry::new(scenario, runtime))
        .collect();
    let runtimes = entries.len();
    for round in 0..plan.rounds {
        for turn in 0..runtimes {
            let entry = &mut entries[(round + turn) % runtimes];
            if plan.calm {
                wait_for_calm();
            }
            match measure_once(scenario, entry.runtime, plan.effort) {
                Ok(outcome) => entry.outcomes.push(outcome),
                Err(error) => entry.failures.push(error.to_string()),
            }
        }
    }
    entries
}

/// Waits until others leave the processors alone, but not for ever.
fn wait_for_calm() {
    let start = Instant::now();
    loop {
        let bystanders = Bystanders::now();
        thread::sleep(Duration::from_millis(60));
        let calm = bystanders.share_since(0.0).is_none_or(|share| share < CALM);
        if calm || start.elapsed() > CALM_WITHIN {
            return;
        }
    }
}

/// One process.
fn measure_once(
    scenario: &Scenario,
    runtime: Runtime,
    effort: Effort,
) -> Result<Outcome, Box<dyn Error>> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["one", scenario.name, runtime.name()]);
    if effort == Effort::Quick {
        command.arg("--quick");
    }
    let bystanders = Bystanders::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (mut stdout, mut stderr) = (
        child.stdout.take().expect("it is piped"),
        child.stderr.take().expect("it is piped"),
    );

    // Reading on a thread, since only a channel can wait for so long and no longer.
    let (told, report) = mpsc::channel();
    let reader = thread::spawn(move || {
        let (mut line, mut complaint) = (String::new(), String::new());
        let read = stdout.read_to_string(&mut line);
        let read = read.and_then(|_| stderr.read_to_string(&mut complaint));
        // Nobody listens any more if it took too long.
        let _ = told.send(read.map(|_| (line, complaint)));
    });
    let report = report.recv_timeout(PATIENCE);
    if report.is_err() {
        child.kill()?;
    }
    let status = child.wait()?;
    reader.join().expect("the reader does not fail");
    let Ok(report) = report else {
        return Err(format!("no report within {PATIENCE:?}").into());
    };
    let (line, complaint) = report?;
    if !status.success() {
        let complaint = complaint.lines().take(3).collect::<Vec<_>>().join(" / ");
        return Err(format!("{status}: {complaint}").into());
    }
    let mut outcome: Outcome = serde_json::from_str(&line)?;
    outcome.others = bystanders.share_since(outcome.cpu_seconds);
    Ok(outcome)
}

/// Says what is going on, where somebody looks on; each line takes the place of the one before.
fn progress(line: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K{line}");
    }
}
