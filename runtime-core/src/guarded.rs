#![expect(
    unsafe_code,
    reason = "references to a value in an UnsafeCell, which guards hand out"
)]
//! A value with a count of who uses it: what is under locks whose guards are held across `.await`.
//!
//! It knows no waiting: a borrow is had at once or not at all, and who waits for whom is the business of the lock around it.
//! Unlike those of ordinary locks its guards may be dropped on another thread, and they may own what the value lies in.
//!
//! ```text
//!    0 free ──▶ 1, 2, … shared borrows          only with `Many`
//!       └─────▶ usize::MAX the exclusive one
//! ```
//!
//! # Invariants
//!
//! B1. While an `Exclusive` exists the count is `usize::MAX`, and there is no other guard.
//! B2. While `n` `Shared`s exist the count is `n`, and there is no `Exclusive`.
//! B3. The cell of a guard stays where it is for as long as the guard's owner exists.
//!
//! # Edges
//!
//! B4. The end of a borrow (release) happens before the next one begins (acquire).

use crate::sync::Arc;
use crate::sync::atomic::{AtomicUsize, Ordering};
use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

const EXCLUSIVE: usize = usize::MAX;

/// Only exclusive borrows.
#[derive(Debug)]
pub enum Alone {}

/// Shared borrows too.
#[derive(Debug)]
pub enum Many {}

/// A value that is borrowed at run time.
#[derive(Debug)]
pub struct Guarded<T: ?Sized, S> {
    borrows: AtomicUsize,
    sharing: PhantomData<S>,
    value: UnsafeCell<T>,
}

// SAFETY: it owns its value.
unsafe impl<T: ?Sized + Send, S> Send for Guarded<T, S> {}
// SAFETY: one thread at a time has the value (B1).
unsafe impl<T: ?Sized + Send> Sync for Guarded<T, Alone> {}
// SAFETY: one thread at a time has the value (B1), or several have a shared reference to it (B2).
unsafe impl<T: ?Sized + Send + Sync> Sync for Guarded<T, Many> {}

impl<T, S> Guarded<T, S> {
    /// A cell around the value.
    #[cfg(not(any(gristmill_loom, gristmill_shuttle)))]
    pub const fn new(value: T) -> Self {
        Self {
            borrows: AtomicUsize::new(0),
            sharing: PhantomData,
            value: UnsafeCell::new(value),
        }
    }

    /// The same where the counter is the model checker's, which no static can hold.
    #[cfg(any(gristmill_loom, gristmill_shuttle))]
    pub fn new(value: T) -> Self {
        Self {
            borrows: AtomicUsize::new(0),
            sharing: PhantomData,
            value: UnsafeCell::new(value),
        }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

/// The owner of a borrow that is bound to a reference.
pub type Borrowed<'a, T, S> = PhantomData<&'a Guarded<T, S>>;

impl<T: ?Sized, S> Guarded<T, S> {
    /// The value, of a cell that nobody else can reach.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value for this guard alone, if nobody borrows it.
    #[inline]
    pub fn try_exclusive(&self) -> Option<Exclusive<Borrowed<'_, T, S>, T, S>> {
        self.mark_exclusive().then(|| Exclusive {
            cell: NonNull::from(self),
            owner: PhantomData,
        })
    }

    /// As [`try_exclusive`](Self::try_exclusive), with a guard that owns what the cell lies in.
    #[inline]
    pub fn try_exclusive_owned<M: ?Sized>(
        owner: Arc<M>,
        cell: impl for<'a> FnOnce(&'a M) -> &'a Self,
    ) -> Option<Exclusive<Arc<M>, T, S>> {
        let cell = cell(&owner);
        if !cell.mark_exclusive() {
            return None;
        }
        let cell = NonNull::from(cell);
        Some(Exclusive { cell, owner })
    }

    #[inline]
    fn mark_exclusive(&self) -> bool {
        // ORDERING: Acquire, edge B4: see what the last borrower wrote. Relaxed on failure: nothing is read then.
        self.borrows
            .compare_exchange(0, EXCLUSIVE, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }
}

impl<T: ?Sized> Guarded<T, Many> {
    /// The value together with others, if nobody has it alone.
    #[inline]
    pub fn try_shared(&self) -> Option<Shared<Borrowed<'_, T, Many>, T>> {
        self.mark_shared().then(|| Shared {
            cell: NonNull::from(self),
            owner: PhantomData,
        })
    }

    /// As [`try_shared`](Self::try_shared), with a guard that owns what the cell lies in.
    #[inline]
    pub fn try_shared_owned<M: ?Sized>(
        owner: Arc<M>,
        cell: impl for<'a> FnOnce(&'a M) -> &'a Self,
    ) -> Option<Shared<Arc<M>, T>> {
        let cell = cell(&owner);
        if !cell.mark_shared() {
            return None;
        }
        let cell = NonNull::from(cell);
        Some(Shared { cell, owner })
    }

    #[inline]
    fn mark_shared(&self) -> bool {
        // ORDERING: Acquire, edge B4: see what the last exclusive borrower wrote. Relaxed elsewhere: nothing is read then.
        self.borrows
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |borrows| {
                (borrows < EXCLUSIVE - 1).then(|| borrows + 1)
            })
            .is_ok()
    }
}

/// The value, for the holder alone.
#[derive(Debug)]
pub struct Exclusive<O, T: ?Sized, S> {
    cell: NonNull<Guarded<T, S>>,
    /// Keeps the cell where it is (B3): a borrow, or a reference count of what it lies in.
    owner: O,
}

// SAFETY: it is as good as a `&mut T`, and its owner.
unsafe impl<O: Send, T: ?Sized + Send, S> Send for Exclusive<O, T, S> {}
// SAFETY: by reference it is as good as a `&T`, and a reference to its owner.
unsafe impl<O: Sync, T: ?Sized + Sync, S> Sync for Exclusive<O, T, S> {}

impl<O, T: ?Sized, S> Exclusive<O, T, S> {
    /// What keeps the cell alive.
    pub fn owner(&self) -> &O {
        &self.owner
    }

    fn cell(&self) -> &Guarded<T, S> {
        // SAFETY: the owner keeps the cell where it is (B3), and a cell is only ever referred to by shared references.
        unsafe { self.cell.as_ref() }
    }
}

impl<O, T: ?Sized, S> Deref for Exclusive<O, T, S> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: no other guard exists (B1), and this one is borrowed shared.
        unsafe { &*self.cell().value.get() }
    }
}

impl<O, T: ?Sized, S> DerefMut for Exclusive<O, T, S> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: no other guard exists (B1), and this one is borrowed exclusively.
        unsafe { &mut *self.cell().value.get() }
    }
}

impl<O, T: ?Sized, S> Drop for Exclusive<O, T, S> {
    #[inline]
    fn drop(&mut self) {
        // ORDERING: Release, edge B4: the next borrower sees what this one wrote.
        self.cell().borrows.store(0, Ordering::Release);
    }
}

/// The value, shared with other holders.
#[derive(Debug)]
pub struct Shared<O, T: ?Sized> {
    cell: NonNull<Guarded<T, Many>>,
    /// Keeps the cell where it is (B3): a borrow, or a reference count of what it lies in.
    owner: O,
}

// SAFETY: it is as good as a `&T`, and its owner.
unsafe impl<O: Send, T: ?Sized + Sync> Send for Shared<O, T> {}
// SAFETY: by reference it is as good as a `&T`, and a reference to its owner.
unsafe impl<O: Sync, T: ?Sized + Sync> Sync for Shared<O, T> {}

impl<O, T: ?Sized> Shared<O, T> {
    /// What keeps the cell alive.
    pub fn owner(&self) -> &O {
        &self.owner
    }

    fn cell(&self) -> &Guarded<T, Many> {
        // SAFETY: the owner keeps the cell where it is (B3), and a cell is only ever referred to by shared references.
        unsafe { self.cell.as_ref() }
    }
}

impl<O, T: ?Sized> Deref for Shared<O, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: there is no exclusive guard (B2), so nobody has a `&mut T`.
        unsafe { &*self.cell().value.get() }
    }
}

impl<O, T: ?Sized> Drop for Shared<O, T> {
    #[inline]
    fn drop(&mut self) {
        // ORDERING: Release, edge B4: the next exclusive borrower comes after what this one read.
        self.cell().borrows.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn an_exclusive_borrow_excludes_all_others() {
        let cell = Guarded::<_, Many>::new(1);
        let mut one = cell.try_exclusive().expect("free");
        *one += 1;
        assert!(cell.try_exclusive().is_none());
        assert!(cell.try_shared().is_none());
        drop(one);
        assert_eq!(*cell.try_exclusive().expect("free"), 2);
    }

    #[test]
    fn shared_borrows_exclude_exclusive_ones() {
        let cell = Guarded::<_, Many>::new(1);
        let (one, other) = (cell.try_shared(), cell.try_shared());
        assert!(cell.try_exclusive().is_none());
        drop(one);
        assert!(cell.try_exclusive().is_none());
        drop(other);
        assert!(cell.try_exclusive().is_some());
    }

    #[test]
    fn an_owned_borrow_keeps_the_cell_alive_and_may_end_elsewhere() {
        struct House {
            cell: Guarded<String, Alone>,
        }
        let house = Arc::new(House {
            cell: Guarded::new("mill".to_owned()),
        });
        let mut guard =
            Guarded::try_exclusive_owned(Arc::clone(&house), |house| &house.cell).expect("free");
        assert!(Guarded::try_exclusive_owned(Arc::clone(&house), |house| &house.cell).is_none());
        drop(house);
        std::thread::spawn(move || {
            guard.push_str("stone");
            assert_eq!(*guard, "millstone");
            assert_eq!(Arc::strong_count(guard.owner()), 1);
        })
        .join()
        .expect("no panic");
    }

    #[test]
    fn two_threads_never_have_the_value_at_once() {
        let cell = Guarded::<_, Alone>::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut left = 1_000;
                    while left > 0 {
                        if let Some(mut value) = cell.try_exclusive() {
                            *value += 1;
                            left -= 1;
                        }
                        std::thread::yield_now();
                    }
                });
            }
        });
        assert_eq!(cell.into_inner(), 2_000);
    }
}
