//! Every signal of a kind, as a stream.
//!
//! # Examples
//!
//! ```
//! use gristmill::signal::unix::{SignalKind, signal};
//!
//! gristmill::run(async {
//!     let mut reload = signal(SignalKind::user_defined1())?;
//!     # drop(gristmill::spawn_blocking(|| std::process::Command::new("kill").args(["-USR1", &std::process::id().to_string()]).status()));
//!     // kill -USR1 <this process>
//!     assert_eq!(reload.recv().await, Some(()));
//!     Ok::<(), std::io::Error>(())
//! })
//! # .unwrap();
//! ```

pub use super::kind::SignalKind;
pub use super::listener::{Signal, signal};
