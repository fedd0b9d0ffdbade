//! Each way in a process of its own, so that what it costs is its own.
//!
//! ```text
//!   comparison                              process of one way
//!   starts this program again, in DIR
//!   stdin:  the plan               ----->   goes the way
//!           the bar                <-----   stdout: Progress, now and then
//!           checks the digests     <-----   stdout: Finished or Failed, once
//! ```
//!
//! Messages are JSON, one a line. A process that does not end in good time is killed; the
//! processes that it has started see that their input has ended, and end too. In the same way it ends
//! itself if the comparison is killed.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{self, Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::failure::{Context, Failure};
use crate::heartbeat::Figures;
use crate::ledger::Ledger;
use crate::plain::Reference;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::usage;
use crate::ways::Way;

/// Time between two lines that tell how far the work is.
const PROGRESS: Duration = Duration::from_millis(100);

/// What a way has found out and what it has cost.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Finished {
    /// One for each file.
    pub(crate) digests: Vec<Digest>,
    /// Seconds from nothing to the last digest, with everything stopped again.
    pub(crate) wall: f64,
    /// Processor seconds of the process and its children.
    pub(crate) cpu: Option<f64>,
    /// Bytes of memory at the peak; the sum of the peaks if there are several processes.
    pub(crate) memory: Option<u64>,
    /// The waiting times meanwhile.
    pub(crate) heartbeat: Figures,
}

/// A line from the process of a way.
#[derive(Serialize, Deserialize)]
enum Message {
    /// So many files are done.
    Progress(usize),
    /// The work is done.
    Finished(Finished),
    /// The work cannot be done, and why.
    Failed(String),
}

/// Goes a way in a process of its own.
pub(crate) fn run(
    way: Way,
    dir: &Path,
    plan: &Plan,
    reference: &Reference,
    progress: &Progress,
) -> Result<Finished, Failure> {
    let name = way.name();
    let mut child = again()
        .and_then(|mut program| program.args(["--way", name]).current_dir(dir).spawn())
        .context(format_args!("cannot start a process for the way of {name}"))?;
    let outcome = converse(&mut child, plan, limit(plan, reference), progress);
    // Whatever has been said, the process is not left behind. Killing one that has ended is no
    // harm, and an error of it tells nothing new.
    if outcome.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().context(name)?;
    match outcome {
        Ok(Message::Finished(finished)) => Ok(finished),
        Ok(Message::Failed(reason)) => Err(Failure::Run(format!("{name}: {reason}"))),
        Ok(Message::Progress(_)) => Err(Failure::Run(format!("{name}: no result ({status})"))),
        Err(error) => Err(Failure::Run(format!("{name}: {error} ({status})"))),
    }
}

/// This program once more, with its input and output in our hands.
pub(crate) fn again() -> io::Result<Command> {
    let mut program = Command::new(std::env::current_exe()?);
    program.stdin(Stdio::piped()).stdout(Stdio::piped());
    Ok(program)
}

/// Hands over the plan and listens until the last message.
fn converse(
    child: &mut Child,
    plan: &Plan,
    limit: Duration,
    progress: &Progress,
) -> io::Result<Message> {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("it has no input or output"));
    };
    let (to_us, lines) = mpsc::channel();
    thread::Builder::new()
        .name("listener".to_owned())
        .spawn(move || {
            for line in BufReader::new(stdout).lines() {
                if to_us.send(line).is_err() {
                    break;
                }
            }
        })?;
    writeln!(stdin, "{}", serde_json::to_string(plan)?)?;

    let deadline = Instant::now() + limit;
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => match serde_json::from_str(&line?)? {
                Message::Progress(done) => progress.set(done),
                last => return Ok(last),
            },
            Err(RecvTimeoutError::Disconnected) => {
                return Err(io::Error::other("its process ended without a result"));
            }
            Err(RecvTimeoutError::Timeout) => {
                let seconds = limit.as_secs();
                return Err(io::Error::other(format!("stopped after {seconds} seconds")));
            }
        }
    }
}

/// When to give up on a way: long after the plain loop would have been through.
fn limit(plan: &Plan, reference: &Reference) -> Duration {
    let work = reference
        .pass
        .saturating_mul(u32::try_from(plan.passes).unwrap_or(u32::MAX));
    Duration::from_secs(90).saturating_add(work.saturating_mul(10))
}

/// Goes a way in this process, for the comparison that has started it.
pub(crate) fn run_here(way: Way) -> Result<(), Failure> {
    let mut line = String::new();
    io::stdin()
        .read_line(&mut line)
        .context("cannot read the plan")?;
    let plan: Plan = serde_json::from_str(&line).context("cannot read the plan")?;
    thread::Builder::new()
        .spawn(end_with_comparison)
        .context("cannot start a thread")?;
    let ledger = Arc::new(Ledger::new(plan));
    if ledger.plan.progress {
        let ledger = Arc::clone(&ledger);
        let tell = move || {
            while tell(&Message::Progress(ledger.done())).is_ok() {
                thread::sleep(PROGRESS);
            }
        };
        thread::Builder::new()
            .spawn(tell)
            .context("cannot start a thread")?;
    }
    match go(way, &ledger) {
        Ok(finished) => tell(&Message::Finished(finished)),
        Err(failure) => tell(&Message::Failed(failure.to_string())),
    }
}

/// Ends this process when its input ends, for then the comparison is gone.
fn end_with_comparison() {
    while let Ok(1..) = io::stdin().read(&mut [0; 64]) {}
    process::exit(1);
}

/// Goes the way and reads the meters.
fn go(way: Way, ledger: &Arc<Ledger>) -> Result<Finished, Failure> {
    let start = Instant::now();
    let outcome = way.go(ledger)?;
    let wall = start.elapsed().as_secs_f64();
    Ok(Finished {
        digests: ledger.digests()?,
        wall,
        cpu: usage::cpu_seconds(),
        memory: usage::peak_memory().map(|own| own + outcome.children_memory),
        heartbeat: outcome.heartbeat,
    })
}

/// Sends one message to the comparison.
fn tell(message: &Message) -> Result<(), Failure> {
    let doing = "cannot tell the result";
    let line = serde_json::to_string(message).context(doing)?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .context(doing)
}
