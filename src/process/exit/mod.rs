//! Hearing of a child's end.
//!
//! What is heard is only a hint: whether the child has ended is what `try_wait` says.
//!
//! * a pidfd on the reactor — on Linux, if the kernel gives one: each child wakes whoever waits for it, and nobody else
//! * SIGCHLD — everywhere else, with `--cfg gristmill_portable`, when there is no descriptor left for the pidfd, and once the
//!   runtime that the pidfd was registered with has shut down: the end of any child makes all look

#[cfg(all(target_os = "linux", not(gristmill_portable)))]
#[path = "pidfd.rs"]
mod descriptor;

#[cfg(not(all(target_os = "linux", not(gristmill_portable))))]
#[path = "no_pidfd.rs"]
mod descriptor;

mod hint;

pub(super) use hint::Hint;
