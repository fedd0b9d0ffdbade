//! Pools for closures that block or compute.
//!
//! Every runtime has two: a [`BlockingPool`] behind [`spawn_blocking`](crate::spawn_blocking), which grows while jobs wait,
//! and a [`ComputePool`] behind [`spawn_compute`](crate::spawn_compute), with one thread a core. More can be made, and any
//! type that implements [`Executor`] can take part.
//!
//! # Examples
//!
//! ```
//! use gristmill::executor::{ComputePool, PoolConfig};
//!
//! gristmill::run(async {
//!     let pool = ComputePool::new(PoolConfig::compute().max_threads(1))?;
//!     let on_default_pool = gristmill::run_in_executor(None, || 1);
//!     let on_own_pool = gristmill::run_in_executor(Some(&pool), || 2);
//!     assert_eq!(on_default_pool.await? + on_own_pool.await?, 3);
//!     Ok::<(), std::io::Error>(())
//! })
//! # .unwrap();
//! ```

pub use runtime_blocking::{
    BlockingPool, ComputePool, Executor, Job, Joined, PoolConfig, PoolMetrics, RejectReason,
    Rejected,
};
pub use runtime_core::run_in_executor;
