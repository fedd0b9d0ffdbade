//! How long a thread asks to run at a time.
//!
//! Linux lets a thread that runs go on until the end of its slice, some 3 ms, before one that wakes gets its turn, unless that one asks for
//! shorter slices. The reactor thread runs for microseconds, and what it is for is to come in time: while a worker computes on every
//! processor, its looks were late by such a slice. So it asks for short ones. It gets no more of the processor for it. Relief workers
//! do the same: they are there because others keep their processors.
//!
//! A thread inherits what the one that starts it has asked for. A relief worker that the reactor thread starts does so, for it is to have its
//! first turn soon; and so does whatever else is started there, by a waker of the user's. What relief workers start, which may be threads and programs of the user's, has the usual slices.
//!
//! Without effect on other systems, on Linux before 6.12, and where a sandbox refuses: then those looks are as late as they were. Figures in
//! `docs/decisions/stall-cpu-wait.md`.

#[cfg(all(target_os = "linux", not(any(gristmill_loom, gristmill_shuttle, miri))))]
mod system;

/// Who has what a thread asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// It and the threads that it starts.
    WithHeirs,
    /// It alone.
    Own,
}

/// Asks for the shortest slices, for the calling thread.
#[cfg(all(target_os = "linux", not(any(gristmill_loom, gristmill_shuttle, miri))))]
pub(super) fn ask_for_short(whose: Whose) {
    /// The shortest that the system grants, in nanoseconds.
    const SHORT: u64 = 100_000;

    let Some(mut attributes) = system::attributes() else {
        return;
    };
    // A program that chose another policy for its threads, or a precedence, which would not be inherited either, knows better.
    if attributes.sched_policy == libc::SCHED_OTHER as u32 && attributes.sched_nice >= 0 {
        attributes.sched_runtime = SHORT;
        if whose == Whose::Own {
            attributes.sched_flags |= libc::SCHED_FLAG_RESET_ON_FORK as u64;
        }
        system::set(&attributes);
    }
}

/// Not on this system.
#[cfg(not(all(target_os = "linux", not(any(gristmill_loom, gristmill_shuttle, miri)))))]
pub(super) fn ask_for_short(_whose: Whose) {}

#[cfg(all(
    test,
    target_os = "linux",
    not(any(gristmill_loom, gristmill_shuttle, miri))
))]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn to_ask_for_slices_changes_nothing_else() {
        thread::spawn(|| {
            let Some(before) = system::attributes() else {
                return;
            };
            ask_for_short(Whose::WithHeirs);
            let now = system::attributes().expect("it has told before");
            assert_eq!(now.sched_policy, before.sched_policy);
            assert_eq!(now.sched_nice, before.sched_nice);
        })
        .join()
        .expect("no panic");
    }

    #[test]
    fn what_a_relief_worker_starts_has_the_usual_slices() {
        thread::spawn(|| {
            let Some(usual) = system::attributes() else {
                return;
            };
            ask_for_short(Whose::Own);
            let child = thread::spawn(system::attributes);
            let theirs = child.join().expect("no panic").expect("it has told before");
            assert_eq!(theirs.sched_runtime, usual.sched_runtime);
            assert_eq!(theirs.sched_nice, usual.sched_nice);
            assert_eq!(theirs.sched_flags, usual.sched_flags);
        })
        .join()
        .expect("no panic");
    }
}
