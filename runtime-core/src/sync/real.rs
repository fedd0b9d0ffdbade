//! The door's everyday side: `std`, `parking_lot` and `crossbeam-deque`.

pub(crate) use crossbeam_deque as deque;
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
pub(crate) use std::sync::atomic;

pub(crate) use std::hint::spin_loop;
pub(crate) use std::thread;
pub(crate) use std::thread_local;

use std::time::Instant;

/// The system's monotonic clock.
#[inline(always)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// `std`'s cell with the face of the model checker's, which sees each access as a span of time.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// Gives a pointer for reading while `f` runs.
    #[inline(always)]
    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    /// Gives a pointer for writing while `f` runs.
    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}
