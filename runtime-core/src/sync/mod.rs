//! The one door to threads, locks, atomics and lock-free queues.
//!
//! Every other module of this crate takes these things from here, so that a model checker can stand
//! in for them: with `--cfg gristmill_loom` the door opens on `loom`, with `--cfg gristmill_shuttle` on `shuttle`, otherwise
//! on `std`, `parking_lot` and `crossbeam`. All sides offer the same names with the same meaning. `loom` tries every
//! interleaving of a small model; `shuttle` runs the whole runtime in many, and never the same twice.
//!
//! ```text
//!               sync::{atomic, Mutex, Condvar, UnsafeCell, deque, …}
//!                        /                              \
//!      real: std, parking_lot, crossbeam      modelled: loom     shuttled: shuttle
//!                                             and plain queues behind a lock
//! ```
//!
//! What is deliberately not modelled: sockets, and with `loom` the operating system's poller and time. Models feed the
//! protocols by hand instead. With `shuttle` time is a number that grows by leaps.
//!
//! A static cannot hold an atomic of the model checker, so counters that live in statics take
//! [`static_atomic`], which is always `std`'s, and [`StaticMutex`]; no protocol may rest on one.

#[cfg(not(any(gristmill_loom, gristmill_shuttle)))]
mod real;
#[cfg(not(any(gristmill_loom, gristmill_shuttle)))]
pub(crate) use real::*;

#[cfg(gristmill_loom)]
mod modelled;
#[cfg(gristmill_loom)]
pub(crate) use modelled::*;

#[cfg(gristmill_shuttle)]
mod shuttled;
#[cfg(gristmill_shuttle)]
pub(crate) use shuttled::*;

#[cfg(any(gristmill_loom, gristmill_shuttle))]
pub(crate) mod plain_queues;

pub(crate) mod cache_padded;

pub(crate) use cache_padded::{CachePadded, Gap};
/// A lock for statics; never part of a protocol.
pub(crate) use parking_lot::Mutex as StaticMutex;
pub(crate) use std::sync::Arc;
/// Written once, under a lock of the door's, so that the checker need not see it.
pub(crate) use std::sync::OnceLock;
/// Atomics for statics: identities and counters, never part of a protocol.
pub(crate) use std::sync::atomic as static_atomic;
