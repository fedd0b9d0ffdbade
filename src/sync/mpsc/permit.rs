//! Places that are kept for something to send.

use super::bounded::Sender;
use super::chan::Chan;
use std::fmt;
use std::mem::ManuallyDrop;

/// A place in a channel, for one item; made by [`Sender::reserve`]. Dropped unused, it is free again.
#[must_use = "the place is free again when this is dropped"]
pub struct Permit<'a, T> {
    chan: &'a Chan<T>,
}

impl<'a, T> Permit<'a, T> {
    pub(super) fn new(chan: &'a Chan<T>) -> Self {
        Self { chan }
    }

    /// Sends into the place. That never waits, and is received even if the receiver closes meanwhile; if it is gone, the value is dropped.
    pub fn send(self, value: T) {
        drop(self.send_back(value));
    }

    /// As [`send`](Self::send); the value comes back if the receiver is gone.
    pub(super) fn send_back(self, value: T) -> Result<(), T> {
        // The item takes the permit over.
        let this = ManuallyDrop::new(self);
        this.chan.push(value)
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.chan.give_back(1);
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

/// Places in a channel, one after the other; made by [`Sender::reserve_many`]. Those left over are free again.
#[must_use = "the places are free again when this is dropped"]
pub struct PermitIterator<'a, T> {
    chan: &'a Chan<T>,
    left: usize,
}

impl<'a, T> PermitIterator<'a, T> {
    pub(super) fn new(chan: &'a Chan<T>, left: usize) -> Self {
        Self { chan, left }
    }
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        self.left = self.left.checked_sub(1)?;
        Some(Permit::new(self.chan))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}

impl<T> Drop for PermitIterator<'_, T> {
    fn drop(&mut self) {
        self.chan.give_back(self.left);
    }
}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermitIterator")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// A place in a channel, together with a sender; made by [`Sender::reserve_owned`]. Dropped unused, it is free again.
#[must_use = "the place is free again when this is dropped"]
pub struct OwnedPermit<T> {
    /// `None` once the place is used or given back.
    sender: Option<Sender<T>>,
}

impl<T> OwnedPermit<T> {
    pub(super) fn new(sender: Sender<T>) -> Self {
        Self {
            sender: Some(sender),
        }
    }

    /// Sends into the place, as [`Permit::send`], and gives the sender back.
    pub fn send(mut self, value: T) -> Sender<T> {
        let sender = self
            .sender
            .take()
            .expect("taken once, by what consumes this");
        drop(sender.chan.push(value));
        sender
    }

    /// Gives the place up, and the sender back.
    pub fn release(mut self) -> Sender<T> {
        let sender = self
            .sender
            .take()
            .expect("taken once, by what consumes this");
        sender.chan.give_back(1);
        sender
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(sender) = &self.sender {
            sender.chan.give_back(1);
        }
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").finish_non_exhaustive()
    }
}
