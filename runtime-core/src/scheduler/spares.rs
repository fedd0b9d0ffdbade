//! References to homes that a thread keeps for the tasks that it spawns next, and those of tasks that have ended on it.
//!
//! # Invariants
//!
//! * B1 — What is kept goes with the thread's stay inside the runtime, which lives as long as that. So a kept reference keeps nothing
//!   alive.

use super::home::Home;
use super::house::House;
use crate::sync::Arc;
use runtime_timer::Spares;
use std::cell::RefCell;

/// So many references to other homes than the thread's own are given back at a time.
const BURST: usize = 64;

/// What one thread keeps while it is inside a runtime.
pub(crate) struct HomeSpares {
    /// To the home of what this thread spawns, usually.
    own: Spares<Home>,
    others: RefCell<Vec<Arc<Home>>>,
}

impl HomeSpares {
    pub(super) fn new(house: &House, shard: usize) -> Self {
        Self {
            own: Spares::new(Arc::clone(&house.homes[shard])),
            others: RefCell::default(),
        }
    }

    /// A reference to a home, for a new task.
    #[inline]
    pub(super) fn take(&self, home: &Arc<Home>) -> Arc<Home> {
        if Arc::ptr_eq(home, self.own.to()) {
            self.own.take()
        } else {
            Arc::clone(home)
        }
    }

    /// Keeps a reference, if it is one to a home of this runtime.
    ///
    /// # Errors
    ///
    /// Gives it back if not.
    #[inline]
    pub(super) fn keep(&self, reference: Arc<Home>) -> Result<(), Arc<Home>> {
        let Err(reference) = self.own.keep(reference) else {
            return Ok(());
        };
        if !Arc::ptr_eq(&reference.engine, &self.own.to().engine) {
            return Err(reference);
        }
        let mut others = self.others.borrow_mut();
        others.push(reference);
        if others.len() >= BURST {
            others.clear();
        }
        Ok(())
    }
}
