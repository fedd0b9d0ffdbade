//! A task with a name.
//!
//! Names are for reports, and few tasks have one. So a name is no part of the header, which every task carries: it lies beside the
//! scheduler, in cells that are made for it, and is found through the vtable.

use super::header::Header;
use super::runnable::Runnable;
use super::schedule::{Cause, Schedule};
use super::{Meta, Unobserved};
use crate::sync::Arc;

/// A scheduler, and the name of the task that it is a part of.
pub(crate) struct Named<S> {
    pub(crate) scheduler: S,
    pub(crate) name: Arc<str>,
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

    fn unobserved(&self, meta: &Meta, _name: Option<&Arc<str>>, failure: Unobserved<'_>) {
        self.scheduler.unobserved(meta, Some(&self.name), failure);
    }

    fn name(&self) -> Option<&Arc<str>> {
        Some(&self.name)
    }
}
