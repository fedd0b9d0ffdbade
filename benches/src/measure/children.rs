//! Processes that work for this one: what the kernel has booked on them, and their end.

use std::io;
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;

use super::usage::status_bytes;

/// The workers of this process, all of them running.
static CHILDREN: Mutex<Vec<Child>> = Mutex::new(Vec::new());

fn children() -> MutexGuard<'static, Vec<Child>> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts `child` as a part of this process from now on.
pub(crate) fn adopt(child: Child) {
    children().push(child);
}

/// Ends and reaps them all.
pub(crate) fn end() -> io::Result<()> {
    for mut child in children().drain(..) {
        child.kill()?;
        child.wait()?;
    }
    Ok(())
}

/// Processor time that they have taken, in ns.
pub(super) fn cpu_ns() -> f64 {
    let taken = |child: &Child| {
        let process = Pid::from_raw(i32::try_from(child.id()).expect("ids fit"));
        let clock = ClockId::pid_cpu_clock_id(process).expect("the process runs");
        let time = clock_gettime(clock).expect("a parent may read the clock");
        time.tv_sec() as f64 * 1e9 + time.tv_nsec() as f64
    };
    children().iter().map(taken).sum()
}

/// Most memory that each ever had resident, in bytes, together.
pub(super) fn peak_rss() -> u64 {
    let peak = |child: &Child| status_bytes(&child.id().to_string(), "VmHWM:");
    children().iter().filter_map(|child| peak(child).ok()).sum()
}
