//! One value, once, from one task to another.
//!
//! # Examples
//!
//! ```
//! use gristmill::sync::oneshot;
//!
//! gristmill::run(async {
//!     let (answer, question) = oneshot::channel();
//!     gristmill::spawn(async move { answer.send(6 * 7) });
//!     assert_eq!(question.await, Ok(42));
//! });
//! ```

mod channel;

pub mod error;

pub use channel::{Receiver, Sender, channel};
