//! One at a time.
//!
//! A permit decides whose turn it is; the cell with the data is free for whoever has the permit, and says so at run time. A guard
//! gives up the cell before the permit: its fields are in that order.

use super::permits::{Held, Permits};
use runtime_core::guarded::{Alone, Borrowed, Exclusive, Guarded};
use std::error::Error;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// Why a cell must be free.
pub(super) const FREE: &str = "the cell is free for whoever has the permit";

/// Data that one task at a time may use, also across `.await`.
///
/// Fair: the lock goes to those who wait in the order in which they first polled. It is never poisoned: when a task panics, the
/// next one gets the data as it is. Where no `.await` comes while the lock is held, a lock of the standard library is faster.
///
/// # Examples
///
/// ```
/// use gristmill::sync::Mutex;
/// use gristmill::task::{JoinSet, yield_now};
/// use std::sync::Arc;
///
/// gristmill::run(async {
///     let balance = Arc::new(Mutex::new(0));
///     let mut tasks = JoinSet::new();
///     for _ in 0..10 {
///         let balance = Arc::clone(&balance);
///         tasks.spawn(async move {
///             let mut balance = balance.lock().await;
///             let before = *balance;
///             yield_now().await;
///             *balance = before + 1;
///         });
///     }
///     tasks.join_all().await;
///     assert_eq!(*balance.lock().await, 10);
/// });
/// ```
#[doc(alias = "Lock")]
pub struct Mutex<T: ?Sized> {
    /// One permit: the right to the cell.
    turn: Permits,
    cell: Guarded<T, Alone>,
}

impl<T> Mutex<T> {
    /// A mutex around the value, unlocked.
    pub const fn new(value: T) -> Self {
        Self {
            turn: Permits::new(1),
            cell: Guarded::new(value),
        }
    }

    /// As [`new`](Self::new), under the name that it has elsewhere for statics.
    pub const fn const_new(value: T) -> Self {
        Self::new(value)
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.cell.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until it is this task's turn, and locks. Dropping the guard unlocks.
    ///
    /// A task that locks twice waits for itself for ever.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: only the place in the queue is lost.
    pub async fn lock(&self) -> MutexGuard<'_, T> {
        self.turn.take(1).await;
        self.guard()
    }

    /// Locks if nobody has the lock.
    ///
    /// # Errors
    ///
    /// If somebody has it.
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        match self.turn.try_take(1) {
            Ok(()) => Ok(self.guard()),
            Err(_) => Err(TryLockError(())),
        }
    }

    /// As [`lock`](Self::lock), with a guard that keeps the mutex alive and may move to another task.
    ///
    /// # Cancel safety
    ///
    /// As [`lock`](Self::lock).
    pub async fn lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        self.turn.take(1).await;
        self.owned_guard()
    }

    /// As [`try_lock`](Self::try_lock), with a guard that keeps the mutex alive.
    ///
    /// # Errors
    ///
    /// As [`try_lock`](Self::try_lock).
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        match self.turn.try_take(1) {
            Ok(()) => Ok(self.owned_guard()),
            Err(_) => Err(TryLockError(())),
        }
    }

    /// As [`lock`](Self::lock), blocking this thread; for threads outside of async code.
    ///
    /// # Panics
    ///
    /// If it is called from async code.
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        runtime_core::wait_outside("Mutex::blocking_lock", self.lock())
    }

    /// As [`lock_owned`](Self::lock_owned), blocking this thread; for threads outside of async code.
    ///
    /// # Panics
    ///
    /// If it is called from async code.
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        runtime_core::wait_outside("Mutex::blocking_lock_owned", self.lock_owned())
    }

    /// The value, of a mutex that nobody else can reach.
    pub fn get_mut(&mut self) -> &mut T {
        self.cell.get_mut()
    }

    /// For whoever has just taken the permit.
    fn guard(&self) -> MutexGuard<'_, T> {
        MutexGuard {
            value: self.cell.try_exclusive().expect(FREE),
            _turn: Held::new(&self.turn, 1),
            mutex: self,
        }
    }

    /// For whoever has just taken the permit.
    fn owned_guard(self: Arc<Self>) -> OwnedMutexGuard<T> {
        let value = Guarded::try_exclusive_owned(Arc::clone(&self), |mutex| &mutex.cell);
        OwnedMutexGuard {
            value: value.expect(FREE),
            turn: OwnedTurn(self),
        }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(guard) => written.field("data", &&*guard),
            Err(_) => written.field("data", &format_args!("<locked>")),
        };
        written.finish()
    }
}

/// The right to the data of a [`Mutex`], which is unlocked when this is dropped.
#[must_use = "the mutex is unlocked when this is dropped"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    value: Exclusive<Borrowed<'a, T, Alone>, T, Alone>,
    _turn: Held<'a>,
    mutex: &'a Mutex<T>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The mutex that this locks.
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.mutex
    }
}

/// The right to the data of a [`Mutex`] that it keeps alive; made by [`Mutex::lock_owned`].
#[must_use = "the mutex is unlocked when this is dropped"]
#[clippy::has_significant_drop]
pub struct OwnedMutexGuard<T: ?Sized> {
    value: Exclusive<Arc<Mutex<T>>, T, Alone>,
    turn: OwnedTurn<T>,
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// The mutex that this locks.
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        &this.turn.0
    }
}

/// The permit of a mutex, given back when this is dropped.
struct OwnedTurn<T: ?Sized>(Arc<Mutex<T>>);

impl<T: ?Sized> Drop for OwnedTurn<T> {
    fn drop(&mut self) {
        self.0.turn.give(1);
    }
}

/// The traits of a guard, all by way of the value.
macro_rules! deref_to_value {
    ($([$($generics:tt)*] $guard:ty),* $(,)?) => {$(
        impl<$($generics)*> Deref for $guard {
            type Target = T;

            fn deref(&self) -> &T {
                &self.value
            }
        }

        impl<$($generics)* + fmt::Debug> fmt::Debug for $guard {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<$($generics)* + fmt::Display> fmt::Display for $guard {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (**self).fmt(f)
            }
        }
    )*};
}
pub(super) use deref_to_value;

deref_to_value!(
    ['a, T: ?Sized] MutexGuard<'a, T>,
    [T: ?Sized] OwnedMutexGuard<T>,
);

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: ?Sized> DerefMut for OwnedMutexGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

/// Somebody has the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryLockError(pub(super) ());

impl fmt::Display for TryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("somebody has the lock: await it, or try again later")
    }
}

impl Error for TryLockError {}
