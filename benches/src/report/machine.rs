//! The machine that the figures come from.

use std::fs;
use std::thread;

/// One sentence: processors, their model, memory, and the kernel.
pub(crate) fn describe() -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown model".to_owned());
    let memory = field("/proc/meminfo", "MemTotal").unwrap_or_else(|| "unknown".to_owned());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // What follows the number is the name that somebody gave to a build.
    let kernel = kernel.trim().split('-').next().unwrap_or_default();
    format!("{cores} processors ({model}), {memory} of memory, Linux {kernel}.")
}

/// Memory that a process can still have, in bytes; `None` where the system does not tell.
pub(crate) fn memory_left() -> Option<u64> {
    let available = field("/proc/meminfo", "MemAvailable")?;
    let kilobytes: u64 = available.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// What stands behind `name:` in the file at `path`.
fn field(path: &str, name: &str) -> Option<String> {
    let file = fs::read_to_string(path).ok()?;
    let (_, value) = file
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}
