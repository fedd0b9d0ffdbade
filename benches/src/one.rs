//! One measurement: a scenario under a runtime, in this process.

use std::error::Error;
use std::io::{self, Write};
use std::process;

use crate::cli::Job;
use crate::measure::{Outcome, Usage, raise_descriptor_limit};

/// Measures, and prints the outcome as a line of JSON.
pub(crate) fn run(job: &Job) -> Result<(), Box<dyn Error>> {
    raise_descriptor_limit()?;
    let sample = job.scenario.run(job.runtime, job.effort);
    let usage = Usage::now();
    let outcome = Outcome {
        sample,
        cpu_seconds: usage.cpu_ns / 1e9,
        peak_rss: usage.peak_rss,
        others: None,
    };
    println!("{}", serde_json::to_string(&outcome)?);
    io::stdout().flush()?;
    // Threads of a runtime that cannot be shut down are left behind.
    process::exit(0)
}
