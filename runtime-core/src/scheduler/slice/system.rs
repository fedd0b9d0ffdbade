#![expect(
    unsafe_code,
    reason = "calls a system function that no crate has a safe face for"
)]
//! What a thread has asked the system for, read and written.
//!
//! # Invariants
//!
//! * X3 — The structure that is handed to the system lives on the stack of the call, is of the size that is told, and is not kept.

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
    let outcome = unsafe { syscall(SYS_sched_getattr, THIS, to, SIZE as libc::c_long, NO_FLAGS) };
    (outcome == 0).then_some(attributes)
}

/// Asks for them. A refusal changes nothing.
pub(super) fn set(attributes: &sched_attr) {
    let from = &raw const *attributes;
    // SAFETY: X3. The system reads as many bytes as `size` says, which is those that there are.
    let _ = unsafe { syscall(SYS_sched_setattr, THIS, from, NO_FLAGS) };
}
