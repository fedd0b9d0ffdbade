//! Where the core of a current-thread runtime lies while no thread works with it.

use super::worker::Core;
use crate::park::ThreadWaker;
use crate::sync::{Arc, Mutex};

/// Where the core lies while nobody works.
pub(crate) struct CoreShelf {
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    core: Option<Core>,
    /// Threads that would take it.
    waiting: Vec<Arc<ThreadWaker>>,
}

impl CoreShelf {
    pub(super) fn new() -> Self {
        Self {
            shelf: Mutex::new(Shelf::default()),
        }
    }

    pub(crate) fn put(&self, core: Core) {
        let waiting = {
            let mut shelf = self.shelf.lock();
            shelf.core = Some(core);
            std::mem::take(&mut shelf.waiting)
        };
        waiting.iter().for_each(|thread| thread.unpark());
    }

    pub(crate) fn take(&self) -> Option<Core> {
        self.shelf.lock().core.take()
    }

    /// Takes the core, or else asks to be woken when it is there.
    pub(crate) fn take_or_wait(&self, thread: &Arc<ThreadWaker>) -> Option<Core> {
        let mut shelf = self.shelf.lock();
        let core = shelf.core.take();
        if core.is_none()
            && !shelf
                .waiting
                .iter()
                .any(|waiting| Arc::ptr_eq(waiting, thread))
        {
            shelf.waiting.push(Arc::clone(thread));
        }
        core
    }

    pub(crate) fn stop_waiting(&self, thread: &Arc<ThreadWaker>) {
        self.shelf
            .lock()
            .waiting
            .retain(|waiting| !Arc::ptr_eq(waiting, thread));
    }
}
