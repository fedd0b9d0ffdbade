//! The bounded pool for computation.
//!
//! The mechanism is the [`crew`](crate::crew); as there are at most as many threads as processors, a queued job calls
//! in the next thread at once.

mod pool;

pub use pool::ComputePool;
