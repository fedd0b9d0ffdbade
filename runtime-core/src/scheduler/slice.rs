#![expect(
    unsafe_code,
    reason = "calls a system function that no crate has a safe face for"
)]
//! How long a thread asks to run at a time.
//!
//! Linux lets a thread that runs go on until the end of its slice, some 3 ms, before one that wakes gets its turn, unless that one asks for
//! shorter slices. The reactor thread runs for microseconds, and what it is for is to come in time: while a worker computes on every
//! processor, its looks were late by such a slice. So it asks for [`SHORT`] ones. It gets no more of the processor for it. Relief workers
//! do the same: they are there because others keep their processors. A thread inherits what the one that starts it has asked for, so one that
//! the reactor thread starts begins with it.
//!
//! Without effect on other systems, on Linux before 6.12, and where a sandbox refuses: then those looks are as late as they were. Figures in
//! `docs/decisions/stall-cpu-wait.md`.
//!
//! # Invariants
//!
//! * X3 — The structure that is handed to the system lives on the stack of the call, is of the size that is told, and is not kept.

/// The shortest that the system grants, in nanoseconds.
#[cfg(all(target_os = "linux", not(any(gristmill_loom, gristmill_shuttle, miri))))]
const SHORT: u64 = 100_000;

/// Asks for the shortest slices, for the calling thread.
#[cfg(all(target_os = "linux", not(any(gristmill_loom, gristmill_shuttle, miri))))]
pub(super) fn ask_for_short() {
    let Some(mut attributes) = system::attributes() else {
        return;
    };
    // A thread of the program that chose another policy for its runtime knows better.
    if attributes.sched_policy == libc::SCHED_OTHER as u32 {
        attributes.sched_runtime = SHORT;
        system::set(&attributes);
    }
}

/// Not on this system.
#[cfg(not(all(target_os = "linux", not(any(gristmill_loom, gristmill_shuttle, miri)))))]
pub(super) fn ask_for_short() {}

#[cfg(all(target_os = "linux", not(any(gristmill_loom, gristmill_shuttle, miri))))]
mod system {
    use libc::{SYS_sched_getattr, SYS_sched_setattr, sched_attr, syscall};

    const SIZE: u32 = size_of::<sched_attr>() as u32;
    /// The calling thread.
    const THIS: libc::c_long = 0;
    const NO_FLAGS: libc::c_long = 0;

    /// What the calling thread has asked for, its niceness among it. `None` if the system does not tell.
    pub(super) fn attributes() -> Option<sched_attr> {
        let mut attributes = sched_attr {
            size: SIZE,
            sched_policy: 0,
            sched_flags: 0,
            sched_nice: 0,
            sched_priority: 0,
            sched_runtime: 0,
            sched_deadline: 0,
            sched_period: 0,
        };
        let to = &raw mut attributes;
        // SAFETY: X3. The system writes at most as many bytes as it is told that there are.
        let outcome =
            unsafe { syscall(SYS_sched_getattr, THIS, to, SIZE as libc::c_long, NO_FLAGS) };
        (outcome == 0).then_some(attributes)
    }

    /// Asks for them. A refusal changes nothing.
    pub(super) fn set(attributes: &sched_attr) {
        let from = &raw const *attributes;
        // SAFETY: X3. The system reads as many bytes as `size` says, which is those that there are.
        let _ = unsafe { syscall(SYS_sched_setattr, THIS, from, NO_FLAGS) };
    }
}

#[cfg(all(
    test,
    target_os = "linux",
    not(any(gristmill_loom, gristmill_shuttle, miri))
))]
mod tests {
    use super::*;

    #[test]
    fn to_ask_for_slices_changes_nothing_else() {
        std::thread::spawn(|| {
            let Some(before) = system::attributes() else {
                return;
            };
            ask_for_short();
            let now = system::attributes().expect("it has told before");
            assert_eq!(now.sched_policy, before.sched_policy);
            assert_eq!(now.sched_nice, before.sched_nice);
            assert_eq!(now.sched_flags, before.sched_flags);
        })
        .join()
        .expect("no panic");
    }
}
