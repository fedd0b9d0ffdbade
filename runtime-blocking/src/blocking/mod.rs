//! The elastic pool for calls that block.
//!
//! The mechanism is the [`crew`](crate::crew); what makes this pool elastic is that its growth is *watched*: a thread
//! without a job looks out for jobs that wait behind stuck ones, and only then are more threads called in.

mod pool;

pub use pool::BlockingPool;
