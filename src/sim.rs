//! Deterministic simulation: a program under many schedules, each of which can be had again by its seed.
//!
//! A bug that shows once in ten thousand runs, when three tasks meet in an unlucky order, shows under some seed of a simulation, and
//! then every time under that seed. [`check`] goes through seeds; a
//! [simulated runtime](crate::runtime::Builder::new_simulated) is what runs under each: one thread, virtual time, and the next step
//! drawn from all that could run.
//!
//! # Examples
//!
//! ```
//! use gristmill::sync::mpsc;
//! use gristmill::time::{Duration, sleep, timeout};
//!
//! gristmill::sim::check(0..100, async || {
//!     let (sender, mut receiver) = mpsc::channel(1);
//!     for number in 0..3 {
//!         let sender = sender.clone();
//!         gristmill::spawn(async move {
//!             sleep(Duration::from_secs(60)).await;
//!             let text = gristmill::spawn_blocking(move || number.to_string()).await.unwrap();
//!             sender.send(text).await.unwrap();
//!         });
//!     }
//!     drop(sender);
//!     let mut sum = 0;
//!     let all = async {
//!         while let Some(text) = receiver.recv().await {
//!             sum += text.parse::<u32>().unwrap();
//!         }
//!     };
//!     timeout(Duration::from_secs(61), all).await.unwrap();
//!     assert_eq!(sum, 3);
//! });
//! ```
//!
//! # When it fails
//!
//! Standard error says under which seed:
//!
//! ```text
//! gristmill: simulation failed with seed 0x2a; replay with Builder::new_simulated(0x2a), or GRISTMILL_SEED=0x2a under sim::check
//! ```
//!
//! With `GRISTMILL_SEED=0x2a` in the environment [`check`] runs that seed alone.
//!
//! # What has to hold
//!
//! The program must draw on nothing from outside the simulation: real time, other threads, sockets, the order of a `HashMap` with
//! the default hasher, random numbers other than those of `fastrand`. All of that works, but makes the schedule another one
//! each time. [`RuntimeMetrics::schedule_digest`](crate::runtime::RuntimeMetrics::schedule_digest) shows whether it does.

pub use runtime_core::check;
