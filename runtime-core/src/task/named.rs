//! A task with a name.
//!
//! Names are for reports, and few tasks have one. So a name is no part of the header, which every task carries: it lies beside the
//! scheduler, in cells that are made for it, and is found through the vtable.
//!
//! That needs a reference to the task. Who watches a worker from outside knows an id only; for such there is a list, where names
//! stand while their tasks live, if the runtime says stalls.

use super::header::Header;
use super::runnable::Runnable;
use super::schedule::{Cause, Schedule};
use super::{Aborts, Id, JoinError, Meta, Unobserved};
use crate::sync::{Arc, StaticMutex};
use std::collections::BTreeMap;

/// A scheduler, and the name of the task that it is a part of.
pub(crate) struct Named<S> {
    pub(crate) scheduler: S,
    pub(crate) name: Arc<str>,
    /// Where others find the name by the task's id.
    #[expect(dead_code, reason = "its drop takes the name off the list")]
    pub(crate) listed: Option<Listed>,
}

/// The names of living tasks, of those that are listed.
static NAMES: StaticMutex<BTreeMap<Id, Arc<str>>> = StaticMutex::new(BTreeMap::new());

/// The name of a living task, if it has one that is listed.
pub(crate) fn name_of(task: Id) -> Option<Arc<str>> {
    NAMES.lock().get(&task).cloned()
}

/// A place in the list of names.
pub(crate) struct Listed(Id);

impl Listed {
    pub(crate) fn new(task: Id, name: &Arc<str>) -> Self {
        NAMES.lock().insert(task, Arc::clone(name));
        Self(task)
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let name = NAMES.lock().remove(&self.0);
        drop(name);
    }
}

impl<S: Schedule> Schedule for Named<S> {
    const CLAIM_ON_ABORT: bool = S::CLAIM_ON_ABORT;

    type Address = S::Address;

    fn address(&self) -> S::Address {
        self.scheduler.address()
    }

    fn send(address: S::Address, runnable: Runnable, cause: Cause) {
        S::send(address, runnable, cause);
    }

    fn release(&self, task: &Header) -> bool {
        self.scheduler.release(task)
    }

    fn panicked(&self, meta: &Meta, _name: Option<&Arc<str>>, error: &JoinError) {
        self.scheduler.panicked(meta, Some(&self.name), error);
    }

    fn unobserved(&self, meta: &Meta, _name: Option<&Arc<str>>, failure: Unobserved<'_>) {
        self.scheduler.unobserved(meta, Some(&self.name), failure);
    }

    fn aborts(&self) -> Option<&Aborts> {
        self.scheduler.aborts()
    }

    fn cut_off(&self, meta: &Meta, _name: Option<&Arc<str>>) {
        self.scheduler.cut_off(meta, Some(&self.name));
    }

    fn name(&self) -> Option<&Arc<str>> {
        Some(&self.name)
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_listed_for_as_long_as_its_place_is() {
        let (task, name) = (Id::next(), Arc::from("miller"));
        let listed = Listed::new(task, &name);
        assert_eq!(name_of(task), Some(name));
        drop(listed);
        assert_eq!(name_of(task), None);
    }
}
