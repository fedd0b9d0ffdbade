//! Mixed work, three ways: waiting for sockets and files, and computing, at the same time.
//!
//! ```text
//! cargo run --release --example mixed -- [DIR] [--json FILE]
//! ```
//!
//! The files below DIR are served over TCP on the loopback address, and 64 clients fetch each of
//! them, compute its SHA-256 and compress it, while a heartbeat measures how long a small request
//! takes in between. The same work is done three times:
//!
//! ```text
//!   way         waiting                           reading files       computing
//!   runtime     tasks of gristmill                blocking pool       compute pool
//!   threads     a thread per end of a connection  the same threads    the same threads
//!   processes   a thread per connection and a     the server's threads  the worker processes
//!               worker process per core
//! ```
//!
//! A plain loop over the files comes first. It says what the right answers are and how often the
//! files have to be repeated to make about two seconds of work. Then each [`Way`] runs in a
//! process of its own, so that its memory and processor seconds are its own, and its digests are
//! compared with those of the loop. In the end stands one table.
//!
//! Reading order: `args`, `files` and `plan` say what is to be done, `digest` and `protocol` what
//! is done with each file, `ledger` keeps the results, `heartbeat` the waiting times; `ways` are
//! the three ways, the runtime's own in `ways/runtime.rs`; `isolated` runs them, `usage` reads
//! what they cost, `report` and `progress` show it.

mod args;
mod digest;
mod failure;
mod files;
mod heartbeat;
mod isolated;
mod ledger;
mod plain;
mod plan;
mod progress;
mod protocol;
mod report;
mod usage;
mod ways;

use std::process::ExitCode;

use crate::args::{Args, Role};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::report::Report;
use crate::ways::Way;

fn main() -> ExitCode {
    let outcome = match args::parse() {
        Ok(Role::Help) => report::print(args::HELP),
        Ok(Role::Compare(args)) => compare(&args),
        Ok(Role::Way(way)) => isolated::run_here(way),
        Ok(Role::Worker) => ways::processes::work(),
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("mixed: {failure}");
            failure.exit_code()
        }
    }
}

/// The story: list, learn the right answers, go each way, check, report.
fn compare(args: &Args) -> Result<(), Failure> {
    args.check()?;
    let files = files::list(&args.dir)?;
    for note in &files.notes {
        eprintln!("mixed: {note}");
    }

    let mut progress = Progress::new();
    progress.begin("plain loop", files.names.len());
    let reference = plain::run(&args.dir, &files.names, &progress)?;

    let plan = plan::plan(&files, &reference, &progress);
    let mut report = Report::new(args, &files, &plan, &reference);
    for way in Way::ALL {
        progress.begin(way.name(), plan.items());
        let result = isolated::run(way, &args.dir, &plan, &reference, &progress)?;
        reference.check(way, &plan.files, &result.digests)?;
        report.add(way, result);
    }
    progress.end();

    report::print(&report.table())?;
    match &args.json {
        Some(file) => report.write_json(file),
        None => Ok(()),
    }
}
