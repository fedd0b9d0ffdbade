//! What this process has cost so far.

/// Processor seconds, user and system, of this process and of the children that it has waited
/// for. `None` where the system does not tell.
#[cfg(unix)]
pub(crate) fn cpu_seconds() -> Option<f64> {
    use nix::sys::resource::{Usage, UsageWho, getrusage};
    use nix::sys::time::TimeVal;

    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let total = |usage: Usage| seconds(usage.user_time()) + seconds(usage.system_time());
    let own = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let children = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?;
    Some(total(own) + total(children))
}

/// Processor seconds: not known here.
#[cfg(not(unix))]
pub(crate) fn cpu_seconds() -> Option<f64> {
    None
}

/// The most memory that this process has had resident, in bytes. `None` where the system does not
/// tell.
///
/// The kernel's `ru_maxrss` will not do: a new process inherits it from the one that started it.
#[cfg(target_os = "linux")]
pub(crate) fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Peak memory: not known here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn peak_memory() -> Option<u64> {
    None
}
