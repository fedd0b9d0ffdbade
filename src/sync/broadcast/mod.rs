//! Many who send, many who receive: each receiver gets every item.
//!
//! The channel keeps the latest items, as many as its bound. A sender never waits: a receiver that is further behind than that
//! misses the oldest, and is told how many.
//!
//! # Examples
//!
//! ```
//! use gristmill::sync::broadcast;
//! use gristmill::sync::broadcast::error::RecvError;
//!
//! gristmill::run(async {
//!     let (news, mut reader) = broadcast::channel(2);
//!     let mut other = news.subscribe();
//!     for edition in 1..=3 {
//!         news.send(edition).expect("somebody reads");
//!     }
//!     assert_eq!(reader.recv().await, Err(RecvError::Lagged(1)));
//!     assert_eq!(reader.recv().await, Ok(2));
//!     drop(news);
//!     assert_eq!(reader.recv().await, Ok(3));
//!     assert_eq!(reader.recv().await, Err(RecvError::Closed));
//!     assert_eq!(other.recv().await, Err(RecvError::Lagged(1)));
//! });
//! ```

mod shared;

mod receiver;
mod sender;

pub mod error;

pub use receiver::Receiver;
pub use sender::{Sender, WeakSender, channel};
