//! What the rest of the machine took meanwhile.
//!
//! A process that was measured while others computed tells little. So the parent reads the machine's own account around every
//! child, and the report says how much of the processors was neither idle nor the child's.

use std::fs;
use std::thread;
use std::time::Instant;

/// Length of a unit in `/proc/stat`. It has been 10 ms on every Linux for decades.
const UNIT_SECONDS: f64 = 0.01;

/// The share of the processors that others may have before a measurement counts as disturbed.
pub(crate) const CALM: f64 = 0.1;

/// A reading of the machine's account.
pub(crate) struct Bystanders {
    /// When it was read.
    at: Instant,
    /// Seconds that all processors together have been busy.
    busy: Option<f64>,
}

impl Bystanders {
    pub(crate) fn now() -> Self {
        Self {
            at: Instant::now(),
            busy: busy_seconds(),
        }
    }

    /// The share of all processors that others had since `self`, if `own` seconds were not theirs. `None` where the system does
    /// not tell.
    pub(crate) fn share_since(&self, own: f64) -> Option<f64> {
        let busy = busy_seconds()? - self.busy?;
        let processors = thread::available_parallelism().ok()?.get() as f64;
        Some(((busy - own) / (self.at.elapsed().as_secs_f64() * processors)).max(0.0))
    }
}

/// The sum of user, nice, system, irq, softirq and steal on the line of all processors.
fn busy_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let columns: Vec<f64> = line
        .split_whitespace()
        .map_while(|word| word.parse().ok())
        .collect();
    let busy = [0, 1, 2, 5, 6, 7]
        .iter()
        .map(|&column| columns.get(column))
        .sum::<Option<f64>>()?;
    Some(busy * UNIT_SECONDS)
}
