//! What a signal did before this process first listened for it.
//!
//! The handlers of this crate stay where they are once they are there, so it is up to them to act as if they were not when
//! nobody listens. The handler before, if there was one, is called in any case.

/// What to do when a signal comes for which nobody listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// The default action of the operating system.
    Default,
    /// Nothing: the signal was ignored, or somebody else's handler is called.
    Settled,
}

/// Looks at the masks that the kernel shows of this process.
#[cfg(target_os = "linux")]
pub(super) fn look(number: i32) -> Before {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let is_set = |name: &str| {
        let mask = status.lines().find_map(|line| line.strip_prefix(name));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask.checked_shr(number.unsigned_abs() - 1).unwrap_or(0) & 1 == 1)
    };
    if is_set("SigIgn:") || is_set("SigCgt:") {
        Before::Settled
    } else {
        Before::Default
    }
}

/// There is no way to ask without changing it.
#[cfg(not(target_os = "linux"))]
pub(super) fn look(_number: i32) -> Before {
    Before::Default
}
