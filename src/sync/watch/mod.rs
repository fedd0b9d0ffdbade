//! A value that many follow: each sees the latest, and not necessarily every one.
//!
//! # Examples
//!
//! ```
//! use gristmill::sync::watch;
//!
//! gristmill::run(async {
//!     let (speed, mut dial) = watch::channel(0);
//!     let follower = gristmill::spawn(async move {
//!         let last = dial.wait_for(|speed| *speed >= 3).await?;
//!         Ok::<_, watch::error::RecvError>(*last)
//!     });
//!     for faster in 1..=3 {
//!         speed.send(faster).expect("somebody follows");
//!     }
//!     assert_eq!(follower.await.expect("no panic"), Ok(3));
//! });
//! ```

mod shared;

mod receiver;
mod sender;

pub mod error;

pub use receiver::{Receiver, Ref};
pub use sender::{Sender, channel};
