//! The one face of every executor: take a job, or give it back.

use std::sync::Arc;

use crate::job::Job;
use crate::rejected::Rejected;

/// Something that runs jobs, each once, on a thread other than a scheduler's.
///
/// An executor that took a job either runs it or, when it is shut down first, drops it. It never loses one.
pub trait Executor: Send + Sync {
    /// Takes a job, to be run soon.
    ///
    /// Does not wait for the job, nor for room: the queues of the pools in this crate are unbounded.
    ///
    /// # Errors
    ///
    /// Gives the job back if the executor has been shut down, or if there is no thread to run it and the operating
    /// system refuses one.
    fn execute(&self, job: Job) -> Result<(), Rejected>;
}

impl<T: Executor + ?Sized> Executor for &T {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        (**self).execute(job)
    }
}

impl<T: Executor + ?Sized> Executor for Arc<T> {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        (**self).execute(job)
    }
}
