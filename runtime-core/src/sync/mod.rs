//! The one door to threads, locks, atomics and lock-free queues.
//!
//! Every other module of this crate takes these things from here, so that a model checker can stand
//! in for them: with `--cfg gristmill_loom` the door opens on `loom`, otherwise on `std`,
//! `parking_lot` and `crossbeam`. Both sides offer the same names with the same meaning.
//!
//! ```text
//!               sync::{atomic, Mutex, Condvar, UnsafeCell, deque, …}
//!                        /                              \
//!      real: std, parking_lot, crossbeam      modelled: loom, and a plain queue behind a lock
//! ```
//!
//! What is deliberately not modelled: the operating system's poller, sockets, and time. Models feed
//! the protocols by hand instead.
//!
//! A static cannot hold an atomic of the model checker, so counters that live in statics take
//! [`static_atomic`], which is always `std`'s, and [`StaticMutex`]; no protocol may rest on one.

#[cfg(not(gristmill_loom))]
mod real;
#[cfg(not(gristmill_loom))]
pub(crate) use real::*;

#[cfg(gristmill_loom)]
mod modelled;
#[cfg(gristmill_loom)]
pub(crate) use modelled::*;

pub(crate) mod cache_padded;

pub(crate) use cache_padded::CachePadded;
/// A lock for statics; never part of a protocol.
pub(crate) use parking_lot::Mutex as StaticMutex;
pub(crate) use std::sync::Arc;
/// Written once, under a lock of the door's, so that the checker need not see it.
pub(crate) use std::sync::OnceLock;
/// Atomics for statics: identities and counters, never part of a protocol.
pub(crate) use std::sync::atomic as static_atomic;
