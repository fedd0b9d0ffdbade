//! Side-by-side measurements of gristmill and its peers.
//!
//! ```text
//!   compare ──starts──▶ one <scenario> <runtime>      a process for every measurement, runtimes taking turns
//!      │                     │
//!      │                  scenarios ──▶ peer          each scenario is written once, over the trait `Peer`
//!      │                     │
//!      │                  measure                     repeats it, reads clocks and the kernel's accounts
//!      │◀──one line of JSON──┘
//!      ▼
//!   report                                            medians, spreads, ratios; table and JSON
//! ```

mod cli;

mod peer;

mod measure;

mod scenarios;

mod one;

mod child;

mod progress;

mod compare;

mod report;

mod curves;

mod stalls;

mod soak;

use std::process::ExitCode;

fn main() -> ExitCode {
    let done = match cli::parse() {
        Ok(cli::Command::Compare(plan)) => compare::run(&plan),
        Ok(cli::Command::One(job)) => one::run(&job),
        Ok(cli::Command::Curves(plan)) => curves::run(&plan),
        Ok(cli::Command::Point(point)) => one::run_point(&point),
        Ok(cli::Command::Worker(trade)) => scenarios::apart::worker::run(trade),
        Ok(cli::Command::Stalls(plan)) => stalls::run(&plan),
        Ok(cli::Command::Soak(plan)) => soak::run(&plan),
        Ok(cli::Command::List) => {
            scenarios::list();
            Ok(())
        }
        Ok(cli::Command::Help) => {
            println!("{}", cli::USAGE);
            Ok(())
        }
        Err(error) => Err(format!("{error}\n\n{}", cli::USAGE).into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
