//! A job: a closure on its way to a thread.
//!
//! A job that is dropped before it ran is a cancelled job; whoever made it notices by what the closure owned being
//! dropped. The pools run and drop jobs through the `contained` functions, so that no panic of user code reaches a pool
//! thread's own frames.

use std::any::Any;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A closure to be run once by an [`Executor`](crate::Executor).
///
/// Dropping a job without running it cancels it: everything that the closure owns is dropped.
///
/// # Examples
///
/// ```
/// use gristmill::executor::Job;
///
/// let (done, wait) = std::sync::mpsc::channel();
/// Job::new(move || done.send("ran").unwrap()).run();
/// assert_eq!(wait.recv()?, "ran");
/// # Ok::<(), std::sync::mpsc::RecvError>(())
/// ```
#[must_use = "a job that is dropped never runs"]
pub struct Job(Box<dyn FnOnce() + Send + 'static>);

impl Job {
    /// Makes a job of a closure.
    pub fn new(work: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(work))
    }

    /// Makes a job of a closure that is boxed already, without boxing it again.
    pub fn from_boxed(work: Box<dyn FnOnce() + Send + 'static>) -> Self {
        Self(work)
    }

    /// Runs the job on the calling thread.
    ///
    /// # Panics
    ///
    /// Passes on a panic of the closure. A pool's thread catches it and goes on; the payload is dropped.
    pub fn run(self) {
        (self.0)();
    }

    /// Drops the job unrun, which cancels it. A panic of a destructor ends in here.
    pub fn cancel(self) {
        contained(|| drop(self));
    }

    /// Runs the job; a panic ends in here.
    pub(crate) fn run_contained(self) {
        contained(|| self.run());
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

/// Calls user code; a panic of it ends in here, and so does one of its payload's destructor.
pub(crate) fn contained(user: impl FnOnce()) {
    // Unwind safety: what the closure may have left broken is its own; nothing of the pool is reachable from it.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(user)) {
        discard(payload);
    }
}

/// Drops a panic's payload, whose destructor may panic in turn.
#[cold]
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // A payload whose destructor panics with another such payload could go on for ever; leaking ends it.
        mem::forget(second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::panic_any;

    struct PanicsOnDrop;

    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic_any(Box::new(7_u8));
        }
    }

    #[test]
    fn panic_of_a_job_is_contained() {
        Job::new(|| panic!("expected by the test")).run_contained();
    }

    #[test]
    fn payload_that_panics_when_dropped_is_contained() {
        Job::new(|| panic_any(PanicsOnDrop)).run_contained();
    }

    #[test]
    fn cancelling_contains_the_panic_of_a_destructor() {
        let bomb = PanicsOnDrop;
        Job::new(move || mem::forget(bomb)).cancel();
    }

    #[test]
    #[should_panic(expected = "passed on")]
    fn run_passes_a_panic_on() {
        Job::new(|| panic!("passed on")).run();
    }
}
