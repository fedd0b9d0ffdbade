//! How one thread sleeps, and the order that wakes it.
//!
//! An order given before the thread sleeps is kept, so the two may come in any sequence. Knows nothing of who is woken
//! when; that is the idle stack's.

use std::time::Duration;

use super::growth::Since;
use crate::sync::{Condvar, Mutex, now};

/// What a thread that is called in shall do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    /// Look for a job. It is counted as searching already.
    Search,
    /// Be the lookout. It is counted as such already.
    Watch(Since),
}

/// The sleeping place of one thread.
#[derive(Debug)]
pub(super) struct Parker {
    /// The order given and not yet taken. There is at most one: who gives it has taken the thread off the idle stack.
    order: Mutex<Option<Order>>,
    /// Notified when there is one.
    given: Condvar,
}

impl Parker {
    pub(super) fn new() -> Self {
        Self {
            order: Mutex::new(None),
            given: Condvar::new(),
        }
    }

    /// Sleeps until there is an order.
    pub(super) fn park(&self) -> Order {
        let mut order = self.order.lock();
        loop {
            if let Some(order) = order.take() {
                return order;
            }
            self.given.wait(&mut order);
        }
    }

    /// Sleeps until there is an order or `timeout` has passed.
    pub(super) fn park_for(&self, timeout: Duration) -> Option<Order> {
        // A time that the clock cannot hold is as good as for ever.
        let Some(deadline) = now().checked_add(timeout) else {
            return Some(self.park());
        };
        let mut order = self.order.lock();
        loop {
            if let Some(order) = order.take() {
                return Some(order);
            }
            if self.given.wait_until(&mut order, deadline).timed_out() {
                return order.take();
            }
        }
    }

    /// Gives an order, and wakes the thread if it sleeps.
    pub(super) fn unpark(&self, order: Order) {
        *self.order.lock() = Some(order);
        self.given.notify_one();
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn order_given_before_the_sleep_is_kept() {
        let parker = Parker::new();
        parker.unpark(Order::Search);
        assert!(matches!(parker.park(), Order::Search));
    }

    #[test]
    fn sleep_without_an_order_ends_with_its_timeout() {
        assert!(Parker::new().park_for(Duration::ZERO).is_none());
    }

    #[test]
    fn endless_timeout_does_not_overflow_the_clock() {
        let parker = Parker::new();
        parker.unpark(Order::Search);
        assert!(parker.park_for(Duration::MAX).is_some());
    }
}
