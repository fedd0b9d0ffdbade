//! Which settings of a runtime are refused, and what is said then.

use super::Builder;
use crate::scheduler::house::Flavor;
use std::io;

/// The most workers that a runtime can have.
pub(super) const MAX_WORKERS: usize = 1024;
/// The most threads that a pool can have; the same as `runtime_blocking` refuses to exceed.
const MAX_POOL_THREADS: usize = 32_767;

impl Builder {
    /// Refuses settings that no runtime could work with; the message names the fix.
    pub(super) fn validate(&self) -> io::Result<()> {
        let workers = self.workers.unwrap_or(1);
        if workers == 0 {
            return refuse(
                "worker_threads is 0, so no task could ever run: set it to 1 or more, or leave it out for one per \
                 processor",
            );
        }
        if workers > MAX_WORKERS {
            return refuse(
                "worker_threads is above 1024: lower it, more threads than processors do not help",
            );
        }
        if self.flavor == Flavor::CurrentThread && workers != 1 {
            return refuse(
                "worker_threads is set on a current-thread or simulated runtime, which has one: leave it out; \
                 Builder::new() makes runtimes with more",
            );
        }
        if self.flavor == Flavor::MultiThread && self.start_paused {
            return refuse(
                "start_paused needs a runtime that runs tasks on one thread: use Builder::new_current_thread(), \
                 or flavor = \"current_thread\"",
            );
        }
        if self.max_relief.is_some_and(|threads| threads > MAX_WORKERS) {
            return refuse("max_relief_threads is above 1024: lower it");
        }
        if self.report_stalls.is_some() && self.stall_threshold.is_none() {
            return refuse(
                "report_stalls needs the watch that stall_threshold(None) turns off: leave one of the two out",
            );
        }
        if self.name.contains('\0') {
            return refuse(
                "thread_name contains a NUL byte, which no operating system takes: remove it",
            );
        }
        if self.stack_size == Some(0) {
            return refuse(
                "thread_stack_size is 0, so no thread could run: leave it out for 2 MiB",
            );
        }
        self.validate_pools()
    }

    fn validate_pools(&self) -> io::Result<()> {
        if self.max_blocking == 0 {
            return refuse(
                "max_blocking_threads is 0, so no blocking call could ever run: set it to 1 or more",
            );
        }
        if self.max_blocking > MAX_POOL_THREADS {
            return refuse(
                "max_blocking_threads is above 32767, which is more than a pool can count: lower it",
            );
        }
        if self
            .compute
            .is_some_and(|threads| threads > MAX_POOL_THREADS)
        {
            return refuse(
                "compute_threads is above 32767, which is more than a pool can count: lower it",
            );
        }
        if self.compute == Some(0) {
            return refuse(
                "compute_threads is 0, so no computation could ever run: set it to 1 or more, or leave it out",
            );
        }
        Ok(())
    }
}

fn refuse(problem: &str) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
}
