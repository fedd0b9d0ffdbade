//! The half that follows the value.

use super::super::waiters::Key;
use super::error::RecvError;
use super::shared::Shared;
use parking_lot::RwLockReadGuard;
use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Follows a value; clones follow the same one, each on its own.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// The version that has been seen.
    seen: u64,
}

impl<T> Receiver<T> {
    pub(super) fn new(shared: Arc<Shared<T>>) -> Self {
        shared.add_receiver();
        let seen = shared.version();
        Self { shared, seen }
    }

    /// The value as it is. It is locked for reading until the result is dropped; do not hold that for long, and not while asking
    /// for it again.
    ///
    /// It does not count as seen by this.
    pub fn borrow(&self) -> Ref<'_, T> {
        let value = self.shared.value.read();
        let has_changed = self.shared.version() != self.seen;
        Ref::new(value, has_changed)
    }

    /// As [`borrow`](Self::borrow); the value counts as seen.
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        look(&self.shared, &mut self.seen)
    }

    /// Whether there is a value that has not been seen.
    ///
    /// # Errors
    ///
    /// If all senders are gone.
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        if self.shared.is_alone() {
            return Err(RecvError(()));
        }
        Ok(self.shared.version() != self.seen)
    }

    /// Makes the value count as not seen.
    pub fn mark_changed(&mut self) {
        self.seen = self.shared.version().wrapping_sub(1);
    }

    /// Makes the value count as seen.
    pub fn mark_unchanged(&mut self) {
        self.seen = self.shared.version();
    }

    /// Waits for a value that has not been seen, and marks it as seen; at once if there is one.
    ///
    /// # Errors
    ///
    /// If all senders are gone and the last value has been seen.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no change is missed.
    pub async fn changed(&mut self) -> Result<(), RecvError> {
        change(&self.shared, &mut self.seen).await
    }

    /// Waits until the value meets the condition, beginning with the one that is there. What was looked at counts as seen.
    ///
    /// # Errors
    ///
    /// If all senders are gone and the last value does not meet it.
    ///
    /// # Panics
    ///
    /// If the condition does.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no value that stays is missed.
    pub async fn wait_for(
        &mut self,
        mut condition: impl FnMut(&T) -> bool,
    ) -> Result<Ref<'_, T>, RecvError> {
        runtime_core::consume_budget().await;
        loop {
            {
                let value = look(&self.shared, &mut self.seen);
                if condition(&value) {
                    return Ok(value);
                }
            }
            change(&self.shared, &mut self.seen).await?;
            // The change is looked at next, as one that has not been seen.
            self.seen = self.seen.wrapping_sub(1);
        }
    }

    /// Whether both follow the same value.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

/// The value, which counts as seen from now on.
fn look<'a, T>(shared: &'a Shared<T>, seen: &mut u64) -> Ref<'a, T> {
    let value = shared.value.read();
    let version = shared.version();
    let has_changed = std::mem::replace(seen, version) != version;
    Ref::new(value, has_changed)
}

/// Waits for a version that has not been seen.
async fn change<T>(shared: &Shared<T>, seen: &mut u64) -> Result<(), RecvError> {
    let changed = Changed {
        shared,
        seen: *seen,
        key: None,
    };
    *seen = changed.await.ok_or(RecvError(()))?;
    Ok(())
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.shared.add_receiver();
        Self {
            shared: Arc::clone(&self.shared),
            seen: self.seen,
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.drop_receiver();
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("value", &self.shared.value.read())
            .field("has_changed", &(self.shared.version() != self.seen))
            .finish()
    }
}

/// Waits for a change.
struct Changed<'a, T> {
    shared: &'a Shared<T>,
    seen: u64,
    key: Option<Key>,
}

impl<T> Future for Changed<'_, T> {
    type Output = Option<u64>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u64>> {
        let (shared, seen) = (self.shared, self.seen);
        shared.poll_changed(seen, &mut self.key, cx)
    }
}

impl<T> Drop for Changed<'_, T> {
    fn drop(&mut self) {
        self.shared.forget_follower(&mut self.key);
    }
}

/// A value that is followed, locked for reading until this is dropped.
#[must_use = "the value is locked until this is dropped"]
#[clippy::has_significant_drop]
pub struct Ref<'a, T> {
    value: RwLockReadGuard<'a, T>,
    has_changed: bool,
}

impl<'a, T> Ref<'a, T> {
    pub(super) fn new(value: RwLockReadGuard<'a, T>, has_changed: bool) -> Self {
        Self { value, has_changed }
    }

    /// Whether the receiver had not seen this value.
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Ref<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for Ref<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
