//! The one door of this crate to locks and atomics.
//!
//! Ordinary builds get `parking_lot` and `std`; under `--cfg gristmill_loom` the same names are
//! loom's, so that a model sees every access, and under `--cfg gristmill_shuttle` shuttle's. Nothing else in the crate names
//! these libraries.

pub(crate) use imp::{AtomicBool, AtomicU64, Mutex, fence, now, thread_local};
pub(crate) use std::sync::Arc;
pub(crate) use std::sync::atomic::Ordering;

/// An atomic that may stand in a `static`, which loom's cannot. It is only for hints that belong to
/// no protocol.
pub(crate) type StaticFlag = std::sync::atomic::AtomicBool;

#[cfg(not(any(gristmill_loom, gristmill_shuttle)))]
mod imp {
    pub(crate) use parking_lot::Mutex;
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, fence};
    pub(crate) use std::thread_local;

    /// The system's monotonic clock.
    #[inline(always)]
    pub(crate) fn now() -> std::time::Instant {
        std::time::Instant::now()
    }
}

#[cfg(gristmill_shuttle)]
mod imp {
    pub(crate) use crate::modelled_clock::now;
    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU64, fence};
    pub(crate) use shuttle::thread_local;

    /// `shuttle`'s mutex with `parking_lot`'s face: no poisoning.
    #[derive(Debug)]
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> shuttle::sync::MutexGuard<'_, T> {
            self.0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }
}

#[cfg(gristmill_loom)]
mod imp {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, fence};
    pub(crate) use std::thread_local;

    /// A model has no clock; what asks for the time is no part of one.
    pub(crate) fn now() -> std::time::Instant {
        std::time::Instant::now()
    }

    /// loom's mutex with `parking_lot`'s face: no poisoning.
    #[derive(Debug)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
        }
    }
}
