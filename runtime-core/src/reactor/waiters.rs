//! Which tasks wait for a source.
//!
//! One place for each direction serves the `poll_*` methods, where a later caller takes the place of an
//! earlier one; a list serves the async methods, of which any number may wait at a time.

use super::ready::{Direction, Interest, Ready};
use std::task::Waker;

/// The tasks that wait for one source.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    reader: Option<Waker>,
    writer: Option<Waker>,
    list: Vec<Waiter>,
    /// The number of the next entry of the list; numbers are not reused.
    next_number: u64,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    interest: Interest,
    waker: Waker,
}

impl Waiters {
    /// Puts a waker into its direction's place; gives back the one that it displaces.
    pub(super) fn set(&mut self, direction: Direction, waker: Waker) -> Option<Waker> {
        match direction {
            Direction::Read => self.reader.replace(waker),
            Direction::Write => self.writer.replace(waker),
        }
    }

    /// Adds a waker to the list, or renews that of entry `number`; gives the entry's number and the waker
    /// that it displaces.
    pub(super) fn add(
        &mut self,
        number: Option<u64>,
        interest: Interest,
        waker: Waker,
    ) -> (u64, Option<Waker>) {
        let held = number.and_then(|number| self.list.iter_mut().find(|w| w.number == number));
        if let Some(held) = held {
            let old = std::mem::replace(&mut held.waker, waker);
            return (held.number, Some(old));
        }
        let number = self.next_number;
        self.next_number += 1;
        self.list.push(Waiter {
            number,
            interest,
            waker,
        });
        (number, None)
    }

    /// Takes entry `number` off the list, if it is still there.
    pub(super) fn remove(&mut self, number: u64) -> Option<Waker> {
        let at = self
            .list
            .iter()
            .position(|waiter| waiter.number == number)?;
        Some(self.list.swap_remove(at).waker)
    }

    /// Moves the wakers that `ready` concerns into `woken`.
    #[inline]
    pub(super) fn take(&mut self, ready: Ready, woken: &mut Vec<Waker>) {
        if ready.is_readable() {
            woken.extend(self.reader.take());
        }
        if ready.is_writable() {
            woken.extend(self.writer.take());
        }
        if !self.list.is_empty() {
            self.take_from_list(|interest| !ready.for_interest(interest).is_empty(), woken);
        }
    }

    /// Moves all wakers into `woken`.
    pub(super) fn take_all(&mut self, woken: &mut Vec<Waker>) {
        woken.extend(self.reader.take());
        woken.extend(self.writer.take());
        self.take_from_list(|_| true, woken);
    }

    fn take_from_list(&mut self, concerned: impl Fn(Interest) -> bool, woken: &mut Vec<Waker>) {
        woken.extend(
            self.list
                .extract_if(.., |w| concerned(w.interest))
                .map(|w| w.waker),
        );
    }
}
