//! Queues for producers and consumers that count unfinished work, as those of asyncio.
//!
//! One mechanism ([`core`]) with three orders: first in, first out ([`Queue`]); last in, first out ([`LifoQueue`]); smallest
//! first ([`PriorityQueue`]).

mod core;
mod error;
mod kinds;

pub use self::error::{QueueShutDown, TryGetError, TryPutError};
pub use self::kinds::{LifoQueue, PriorityQueue, Queue};
