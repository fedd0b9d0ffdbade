//! Assembly: what users hold of a runtime.
//!
//! * [`builder`] — how to make one, [`limits`] — and how not; [`handle`] — how to reach one from anywhere; [`owner`] — who has it;
//!   [`shut_down`] — how that one ends it
//! * [`block_on`] — a thread that waits for one future; [`current_thread`] — the same, working meanwhile
//! * [`spawn`] — the free functions; [`task_builder`] — tasks with names
//! * [`join_set`], [`yield_now`] — on top of tasks; [`metrics`] — what can be measured
//! * [`simulated`] — runtimes whose schedule is a function of a seed, and the search for a seed that fails
//! * [`notice`] — what other crates notice for debug mode

mod block_on;
mod current_thread;

mod builder;
mod handle;
mod limits;
mod metrics;
mod owner;
mod shut_down;
mod simulated;

mod notice;

mod join_set;
mod spawn;
mod task_builder;
mod yield_now;

pub use block_on::wait_outside;
pub use builder::Builder;
pub use handle::{EnterGuard, Handle, TryCurrentError};
pub use join_set::JoinSet;
pub use metrics::RuntimeMetrics;
pub use notice::unwaited_child;
pub use owner::{Runtime, run};
pub use simulated::check;
pub use spawn::{id, run_in_executor, spawn, spawn_blocking, spawn_compute, try_id};
pub use task_builder::TaskBuilder;
pub use yield_now::yield_now;

#[cfg(all(
    test,
    target_os = "linux",
    not(any(gristmill_loom, gristmill_shuttle, gristmill_portable))
))]
mod tests;
