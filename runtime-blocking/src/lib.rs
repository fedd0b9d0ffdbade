//! The executors of gristmill: an elastic pool for blocking calls and a bounded pool for computation.
//!
//! A closure that blocks or computes must not run on a thread that serves I/O. This crate takes such a closure (a
//! [`Job`]) and runs it on a thread of its own choosing. It knows nothing of async tasks: whoever wants to await a
//! result wraps that into the job.
//!
//! ```text
//!            Job                          queue                    thread "<name>-<n>"
//!   caller ───────► BlockingPool ──┐    ┌─────────┐  pop           ┌──────────────┐
//!                                  ├──► │ □ □ □ □ │ ─────────────► │ run, look on │
//!   caller ───────► ComputePool  ──┘    └─────────┘                └──────────────┘
//!                     crew/: who serves the queue, who sleeps, who wakes whom, when to start one more
//! ```
//!
//! | pool | threads | for |
//! |---|---|---|
//! | [`BlockingPool`] | elastic, to 512; one more only when a queued job would wait behind stuck ones | files, DNS, foreign libraries that wait |
//! | [`ComputePool`] | as many as the machine has processors, at low priority | hashing, parsing, compressing |
//!
//! # Examples
//!
//! ```
//! use gristmill::executor::{BlockingPool, Executor, Job};
//!
//! let pool = BlockingPool::default();
//! let (answer, answered) = std::sync::mpsc::channel();
//! pool.execute(Job::new(move || answer.send(6 * 7).unwrap()))?;
//! assert_eq!(answered.recv()?, 42);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod sync;

mod job;
mod rejected;

mod executor;

mod config;
mod metrics;

mod crew;

mod blocking;
mod compute;

pub use blocking::BlockingPool;
pub use compute::ComputePool;
pub use config::PoolConfig;
pub use executor::Executor;
pub use job::Job;
pub use metrics::{Joined, PoolMetrics};
pub use rejected::{RejectReason, Rejected};
