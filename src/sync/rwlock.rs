//! Many who read, or one who writes.
//!
//! The lock is a number of permits: a reader takes one, a writer all. So the order is that of the permits, and a writer
//! who waits keeps later readers behind it.

use super::mutex::{FREE, TryLockError, deref_to_value};
use super::permits::{Held, Permits};
use runtime_core::guarded::{Borrowed, Exclusive, Guarded, Many, Shared};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// As many readers as there may be at once.
const ALL: usize = u32::MAX as usize >> 3;

/// Data that many tasks may read or one may write, also across `.await`.
///
/// Fair: the lock goes to those who wait in the order in which they first polled. A writer who waits keeps later readers behind
/// it, so a stream of readers does not starve writers. A task that reads and asks to read again may therefore wait for itself, with
/// a writer between. It is never poisoned.
///
/// # Examples
///
/// ```
/// use gristmill::sync::RwLock;
///
/// gristmill::run(async {
///     let settings = RwLock::new(vec!["fast"]);
///     {
///         let (one, other) = (settings.read().await, settings.read().await);
///         assert_eq!(*one, *other);
///     }
///     settings.write().await.push("safe");
///     assert_eq!(*settings.read().await, ["fast", "safe"]);
/// });
/// ```
pub struct RwLock<T: ?Sized> {
    /// [`ALL`] of them: one is the right to read, all together that to write.
    turn: Permits,
    cell: Guarded<T, Many>,
}

impl<T> RwLock<T> {
    /// A lock around the value, unlocked.
    pub const fn new(value: T) -> Self {
        Self {
            turn: Permits::new(ALL),
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

impl<T: ?Sized> RwLock<T> {
    /// Waits until it may be read. Dropping the guard unlocks.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: only the place in the queue is lost.
    pub async fn read(&self) -> RwLockReadGuard<'_, T> {
        self.turn.take(1).await;
        self.read_guard()
    }

    /// Waits until it may be written. Dropping the guard unlocks.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: only the place in the queue is lost.
    pub async fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.turn.take(ALL).await;
        self.write_guard()
    }

    /// Locks for reading if nobody writes or waits to write.
    ///
    /// # Errors
    ///
    /// If somebody does.
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        match self.turn.try_take(1) {
            Ok(()) => Ok(self.read_guard()),
            Err(_) => Err(TryLockError(())),
        }
    }

    /// Locks for writing if nobody has the lock.
    ///
    /// # Errors
    ///
    /// If somebody has it.
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        match self.turn.try_take(ALL) {
            Ok(()) => Ok(self.write_guard()),
            Err(_) => Err(TryLockError(())),
        }
    }

    /// As [`read`](Self::read), with a guard that keeps the lock alive and may move to another task.
    ///
    /// # Cancel safety
    ///
    /// As [`read`](Self::read).
    pub async fn read_owned(self: Arc<Self>) -> OwnedRwLockReadGuard<T> {
        self.turn.take(1).await;
        self.owned_read_guard()
    }

    /// As [`write`](Self::write), with a guard that keeps the lock alive and may move to another task.
    ///
    /// # Cancel safety
    ///
    /// As [`write`](Self::write).
    pub async fn write_owned(self: Arc<Self>) -> OwnedRwLockWriteGuard<T> {
        self.turn.take(ALL).await;
        self.owned_write_guard()
    }

    /// As [`try_read`](Self::try_read), with a guard that keeps the lock alive.
    ///
    /// # Errors
    ///
    /// As [`try_read`](Self::try_read).
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        match self.turn.try_take(1) {
            Ok(()) => Ok(self.owned_read_guard()),
            Err(_) => Err(TryLockError(())),
        }
    }

    /// As [`try_write`](Self::try_write), with a guard that keeps the lock alive.
    ///
    /// # Errors
    ///
    /// As [`try_write`](Self::try_write).
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        match self.turn.try_take(ALL) {
            Ok(()) => Ok(self.owned_write_guard()),
            Err(_) => Err(TryLockError(())),
        }
    }

    /// As [`read`](Self::read), blocking this thread; for threads outside of async code.
    ///
    /// # Panics
    ///
    /// If it is called from async code.
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        runtime_core::wait_outside("RwLock::blocking_read", self.read())
    }

    /// As [`write`](Self::write), blocking this thread; for threads outside of async code.
    ///
    /// # Panics
    ///
    /// If it is called from async code.
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        runtime_core::wait_outside("RwLock::blocking_write", self.write())
    }

    /// The value, of a lock that nobody else can reach.
    pub fn get_mut(&mut self) -> &mut T {
        self.cell.get_mut()
    }

    // The four that follow are for whoever has just taken the permits.

    fn read_guard(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard {
            value: self.cell.try_shared().expect(FREE),
            _turn: Held::new(&self.turn, 1),
        }
    }

    fn write_guard(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard {
            value: self.cell.try_exclusive().expect(FREE),
            turn: Held::new(&self.turn, ALL),
            lock: self,
        }
    }

    fn owned_read_guard(self: Arc<Self>) -> OwnedRwLockReadGuard<T> {
        let value = Guarded::try_shared_owned(Arc::clone(&self), |lock| &lock.cell);
        OwnedRwLockReadGuard {
            value: value.expect(FREE),
            _turn: OwnedTurn {
                lock: self,
                count: 1,
            },
        }
    }

    fn owned_write_guard(self: Arc<Self>) -> OwnedRwLockWriteGuard<T> {
        let value = Guarded::try_exclusive_owned(Arc::clone(&self), |lock| &lock.cell);
        OwnedRwLockWriteGuard {
            value: value.expect(FREE),
            turn: OwnedTurn {
                lock: self,
                count: ALL,
            },
        }
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = f.debug_struct("RwLock");
        match self.try_read() {
            Ok(guard) => written.field("data", &&*guard),
            Err(_) => written.field("data", &format_args!("<locked>")),
        };
        written.finish()
    }
}

/// The right to read what is in a [`RwLock`], until this is dropped.
#[must_use = "the lock is unlocked when this is dropped"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    value: Shared<Borrowed<'a, T, Many>, T>,
    _turn: Held<'a>,
}

/// The right to write what is in a [`RwLock`], until this is dropped.
#[must_use = "the lock is unlocked when this is dropped"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    value: Exclusive<Borrowed<'a, T, Many>, T, Many>,
    turn: Held<'a>,
    lock: &'a RwLock<T>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Goes on reading, and lets others read too. No writer comes between.
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        let Self {
            value,
            mut turn,
            lock,
        } = self;
        drop(value);
        // Nobody writes until the last permit is back.
        let value = lock.cell.try_shared().expect(FREE);
        turn.keep(1);
        RwLockReadGuard { value, _turn: turn }
    }
}

/// The right to read what is in a [`RwLock`] that it keeps alive.
#[must_use = "the lock is unlocked when this is dropped"]
#[clippy::has_significant_drop]
pub struct OwnedRwLockReadGuard<T: ?Sized> {
    value: Shared<Arc<RwLock<T>>, T>,
    _turn: OwnedTurn<T>,
}

/// The right to write what is in a [`RwLock`] that it keeps alive.
#[must_use = "the lock is unlocked when this is dropped"]
#[clippy::has_significant_drop]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    value: Exclusive<Arc<RwLock<T>>, T, Many>,
    turn: OwnedTurn<T>,
}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    /// As [`RwLockWriteGuard::downgrade`].
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        let Self { value, mut turn } = self;
        drop(value);
        // Nobody writes until the last permit is back.
        let value = Guarded::try_shared_owned(Arc::clone(&turn.lock), |lock| &lock.cell);
        let value = value.expect(FREE);
        turn.count = 1;
        turn.lock.turn.give(ALL - 1);
        OwnedRwLockReadGuard { value, _turn: turn }
    }
}

/// Permits of a lock, given back when this is dropped.
struct OwnedTurn<T: ?Sized> {
    lock: Arc<RwLock<T>>,
    count: usize,
}

impl<T: ?Sized> Drop for OwnedTurn<T> {
    fn drop(&mut self) {
        self.lock.turn.give(self.count);
    }
}

deref_to_value!(
    ['a, T: ?Sized] RwLockReadGuard<'a, T>,
    ['a, T: ?Sized] RwLockWriteGuard<'a, T>,
    [T: ?Sized] OwnedRwLockReadGuard<T>,
    [T: ?Sized] OwnedRwLockWriteGuard<T>,
);

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: ?Sized> DerefMut for OwnedRwLockWriteGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
