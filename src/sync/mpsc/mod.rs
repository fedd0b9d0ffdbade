//! Many who send, one who receives.
//!
//! ```text
//!    Sender, Sender, …  ──▶  shared: items ──▶  batch of the Receiver ──▶ recv
//!          │                   (a lock)          (nobody else's)
//!          └── permits, as many as the bound ◀── one back for each item received
//! ```
//!
//! Senders put items into a list behind a lock; the receiver takes the whole list at once and hands it out without the
//! lock. A bounded channel has as many permits as places: who sends takes one, first come, first served.
//!
//! # Examples
//!
//! ```
//! use gristmill::sync::mpsc;
//!
//! gristmill::run(async {
//!     let (sender, mut receiver) = mpsc::channel(16);
//!     for name in ["wheat", "rye"] {
//!         let sender = sender.clone();
//!         gristmill::spawn(async move { sender.send(name).await });
//!     }
//!     // The channel ends with its last sender.
//!     drop(sender);
//!     let mut grains = Vec::new();
//!     while let Some(grain) = receiver.recv().await {
//!         grains.push(grain);
//!     }
//!     grains.sort();
//!     assert_eq!(grains, ["rye", "wheat"]);
//! });
//! ```

mod chan;

mod both;
mod bounded;
mod permit;
mod unbounded;

pub mod error;

pub use bounded::{Receiver, Sender, WeakSender, channel};
pub use permit::{OwnedPermit, Permit, PermitIterator};
pub use unbounded::{UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel};
