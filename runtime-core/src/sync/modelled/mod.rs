//! The door's other side: everything goes through the model checker `loom`.
//!
//! `loom` cannot see into `parking_lot` or `crossbeam`, so locks wear `parking_lot`'s face over
//! `loom`'s, and the queues are plain ones behind a lock: the models are about the protocols around
//! the queues, whose own proofs are their authors'.

pub(crate) use loom::cell::UnsafeCell;
pub(crate) use loom::hint::spin_loop;

pub(crate) mod atomic;

use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;
use std::time::Instant;

/// `loom`'s lock with `parking_lot`'s face.
#[derive(Debug)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

/// The guard; it is without its lock only while a [`Condvar`] waits.
#[derive(Debug)]
pub(crate) struct MutexGuard<'a, T>(Option<loom::sync::MutexGuard<'a, T>>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok().map(|guard| MutexGuard(Some(guard)))
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("a guard in use holds its lock")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("a guard in use holds its lock")
    }
}

/// `loom`'s condition variable with `parking_lot`'s face.
#[derive(Debug)]
pub(crate) struct Condvar(loom::sync::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(loom::sync::Condvar::new())
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }

    /// Waits in place, which `loom`'s by-value guard does not offer.
    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        if let Some(held) = guard.0.take() {
            guard.0 = Some(self.0.wait(held).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// A wait with a deadline; a model has no clock, so it waits without one.
    pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _deadline: Instant) {
        self.wait(guard);
    }
}

pub(crate) use super::plain_queues as deque;
pub(crate) use std::thread;
pub(crate) use std::thread_local;

/// A model has no clock; what asks for the time is no part of one.
pub(crate) fn now() -> Instant {
    Instant::now()
}
