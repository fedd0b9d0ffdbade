//! What the kernel has booked on this process.

use std::fs;
use std::io;

use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::time::TimeValLike;

use super::children;

/// A reading of the account.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    /// Processor time of all threads of this process and of its children, user and system, in ns.
    pub(crate) cpu_ns: f64,
    /// Most memory ever resident, in bytes.
    pub(crate) peak_rss: u64,
}

impl Usage {
    pub(crate) fn now() -> Self {
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("a process may read its own account");
        let microseconds =
            usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        Self {
            cpu_ns: microseconds as f64 * 1e3 + children::cpu_ns(),
            // Linux counts kilobytes.
            peak_rss: u64::try_from(usage.max_rss()).unwrap_or(0) * 1024 + children::peak_rss(),
        }
    }

    /// Processor time since `self`, in ns.
    pub(crate) fn cpu_ns_since(self) -> f64 {
        Self::now().cpu_ns - self.cpu_ns
    }
}

/// Memory resident now, in bytes.
pub(crate) fn resident_bytes() -> io::Result<u64> {
    status_bytes("self", "VmRSS:")
}

/// The line `field` of `/proc/<process>/status`, in bytes.
pub(super) fn status_bytes(process: &str, field: &str) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse::<u64>().ok())
        .ok_or_else(|| io::Error::other(format!("no {field} in the status of a process")))?;
    Ok(kilobytes * 1024)
}

/// Allows as many open descriptors as the system lets this process have.
pub(crate) fn raise_descriptor_limit() -> nix::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard)
}
