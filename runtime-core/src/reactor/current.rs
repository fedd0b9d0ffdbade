//! The reactor of this thread: where new descriptors are registered.

use super::Reactor;
use crate::sync::{Arc, thread_local};
use std::cell::RefCell;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Reactor>>> = const { RefCell::new(None) };
}

/// Makes `reactor` this thread's; gives the one before back, to be put back later. On a thread that is past its destructors
/// it does nothing.
pub(crate) fn replace(reactor: Option<Arc<Reactor>>) -> Option<Arc<Reactor>> {
    CURRENT
        .try_with(|current| current.replace(reactor))
        .ok()
        .flatten()
}

/// This thread's reactor.
pub(super) fn get() -> Option<Arc<Reactor>> {
    CURRENT
        .try_with(|current| current.borrow().clone())
        .ok()
        .flatten()
}
