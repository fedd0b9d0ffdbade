//! Tasks: spawning, joining, aborting, naming, sets, task-local values.
//!
//! A task is a future that a runtime runs by itself. It ends when the future does, when it panics (which ends that task alone, and
//! reaches whoever joins it), when it is aborted, or with its runtime.
//!
//! # Several at a time
//!
//! | what you have | what you want | |
//! |---|---|---|
//! | a list of futures | all outputs in order, whatever fails | [`gather()`] |
//! | | all values in order, or the first error | [`try_gather`] |
//! | | outputs as they come, each future on this task | [`as_completed`] |
//! | tasks that come and go | outputs as they come; one failure is one failure | [`JoinSet`] |
//! | | the first failure ends all, and none is left behind | [`TaskGroup`], [`group()`] |
//! | handles of tasks | the first, or all, or what there is in time | [`wait()`], [`try_wait`] |
//! | two or three futures, of any types, that may borrow | all outputs | [`join!`](crate::join), [`try_join!`](crate::try_join) |
//! | | the first output | [`select!`](crate::select) |
//! | one future | its end, even if nobody waits for it any more | [`shield`], [`spawn()`] |
//!
//! Dropping any of these ends what it started, but for `wait`, `as_completed` over handles, and the last row, which detach.
//!
//! # Examples
//!
//! ```
//! use gristmill::task::JoinSet;
//!
//! gristmill::run(async {
//!     let mut squares = JoinSet::new();
//!     for n in 1..=4 {
//!         squares.spawn(async move { n * n });
//!     }
//!     let mut sum = 0;
//!     while let Some(square) = squares.join_next().await {
//!         sum += square.expect("no task panics");
//!     }
//!     assert_eq!(sum, 30);
//! });
//! ```

mod gather;
mod group;
mod wait;

mod local;

pub use gather::{Gather, TryGather, gather, try_gather};
pub use group::{GroupError, GroupFailure, GroupHandle, GroupTask, NoOutput, TaskGroup, group};
pub use local::{AccessError, LocalKey, TaskLocalFuture};
pub use runtime_core::{
    AbortHandle, Id, JoinError, JoinHandle, JoinSet, PanicLocation, TaskBuilder as Builder,
    Unconstrained, block_in_place, consume_budget, id, spawn, spawn_blocking, spawn_compute,
    try_id, unconstrained, yield_now,
};
pub use wait::{AsCompleted, DoneAndPending, Wait, WaitFor, as_completed, shield, try_wait, wait};
