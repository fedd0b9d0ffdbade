//! A measurement in a process of its own, as the parent sees it.

use std::env;
use std::error::Error;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::{Bystanders, CALM, Effort, Outcome};

/// Longer than any measurement takes. A process that has not reported by then hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long to wait for calm before a process.
const CALM_WITHIN: Duration = Duration::from_secs(5);

/// Starts this program with `words` and waits for its outcome.
pub(crate) fn measure(words: &[&str], effort: Effort) -> Result<Outcome, Box<dyn Error>> {
    let mut command = Command::new(env::current_exe()?);
    command.args(words);
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

/// Waits until others leave the processors alone, but not for ever.
pub(crate) fn wait_for_calm() {
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
