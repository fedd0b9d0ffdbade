//! One measurement: a scenario under a runtime, in this process.

use std::error::Error;
use std::io::{self, Write};
use std::process;

use crate::cli::{Job, Point};
use crate::measure::{Outcome, Sample, Usage, children, raise_descriptor_limit};

/// Measures, and prints the outcome as a line of JSON.
pub(crate) fn run(job: &Job) -> Result<(), Box<dyn Error>> {
    let (scenario, runtime) = (job.scenario, job.runtime);
    if let Some(obstacle) = runtime.obstacle() {
        return Err(format!("{} cannot run: {obstacle}", runtime.name()).into());
    }
    report(|| {
        let sample = scenario.run(runtime, job.effort);
        sample.ok_or_else(|| format!("{} takes no part in {}", runtime.name(), scenario.name))
    })
}

/// Measures a point of a curve in the same way.
pub(crate) fn run_point(point: &Point) -> Result<(), Box<dyn Error>> {
    report(|| {
        let sample = point.curve.run(point.runtime, point.size, point.effort);
        sample.ok_or_else(|| format!("{} has no such curve", point.runtime.name()))
    })
}

/// Calls `measure`, prints the outcome and ends this process.
fn report(measure: impl FnOnce() -> Result<Sample, String>) -> Result<(), Box<dyn Error>> {
    raise_descriptor_limit()?;
    let sample = measure()?;
    let usage = Usage::now();
    let outcome = Outcome {
        sample,
        cpu_seconds: usage.cpu_ns / 1e9,
        peak_rss: usage.peak_rss,
        others: None,
    };
    println!("{}", serde_json::to_string(&outcome)?);
    io::stdout().flush()?;
    children::end()?;
    // Threads of a runtime that cannot be shut down are left behind.
    process::exit(0)
}
