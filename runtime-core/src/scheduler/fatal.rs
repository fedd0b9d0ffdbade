//! The panic that ends a runtime: with [`UnhandledPanic::Shutdown`] the first of a task or job does.
//!
//! The task's own thread begins the shutdown, in the middle of the poll: it lets nothing new in and wakes the workers, which drop
//! what is left. The rest waits for the owner's drop, as with any shutdown. Threads in `block_on` may wait for what never
//! comes now, so they are woken, and panic.
//!
//! # Edges
//!
//! * F — the panic is stored, then the list of waiting threads is locked and read; a thread enters itself in the list under that
//!   lock, then looks for the panic. So it sees the panic, or is woken for it.

use super::engine::Engine;
use super::house::House;
use crate::park::ThreadWaker;
use crate::report::{ReportedTask, TaskPanic, UnhandledPanic};
use crate::sync::{Arc, Mutex, OnceLock};
use crate::task::JoinError;
use std::sync::Weak;

/// The panic that ends a runtime, and who has to hear of it.
pub(crate) struct Fatal {
    /// What to shut down.
    house: OnceLock<Weak<House>>,
    panic: OnceLock<TaskPanic>,
    /// Threads in `block_on`.
    blocked: Mutex<Vec<Arc<ThreadWaker>>>,
}

/// The runtime was ended by this panic.
#[derive(Debug)]
pub(crate) struct Ended(TaskPanic);

impl Fatal {
    pub(super) fn new() -> Self {
        Self {
            house: OnceLock::new(),
            panic: OnceLock::new(),
            blocked: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn belongs_to(&self, house: Weak<House>) {
        let _ = self.house.set(house);
    }

    /// Whether a panic has ended the runtime.
    pub(crate) fn look(&self) -> Result<(), Ended> {
        match self.panic.get() {
            None => Ok(()),
            Some(panic) => Err(Ended(panic.clone())),
        }
    }

    fn shut_down(&self, panic: TaskPanic) {
        let Some(house) = self.house.get().and_then(Weak::upgrade) else {
            return;
        };
        if house.engine.is_shutting_down() || self.panic.set(panic).is_err() {
            return;
        }
        house.close();
        // Edge F. First, for a destructor of the jobs may not return.
        let blocked = self.blocked.lock().clone();
        blocked.iter().for_each(|thread| thread.unpark());
        house.unrun.drop_all(&house.engine.leftovers);
    }
}

impl Ended {
    /// Tells whoever waits in `block_on`.
    #[cold]
    #[track_caller]
    pub(crate) fn panic(&self) -> ! {
        panic!(
            "the runtime has shut down because a task panicked, as Builder::unhandled_panic says: {}",
            self.0
        )
    }
}

impl Engine {
    /// A task or job ends by a panic.
    pub(super) fn task_panicked(&self, task: ReportedTask, error: &JoinError) {
        match self.reporter.policy() {
            UnhandledPanic::Abort => TaskPanic::new(task, error).abort_process(),
            UnhandledPanic::Shutdown => self.fatal.shut_down(TaskPanic::new(task, error)),
            _ => {}
        }
    }

    /// Has a thread in `block_on` woken if a panic ends the runtime, until the guard is dropped.
    pub(crate) fn watch_for_end<'a>(&'a self, thread: &'a Arc<ThreadWaker>) -> EndWatch<'a> {
        let may_end = matches!(self.reporter.policy(), UnhandledPanic::Shutdown);
        let fatal = may_end.then_some(&self.fatal);
        if let Some(fatal) = fatal {
            // Edge F.
            fatal.blocked.lock().push(Arc::clone(thread));
        }
        EndWatch { fatal, thread }
    }
}

/// Keeps a thread on the list of those that wait.
pub(crate) struct EndWatch<'a> {
    /// None if no panic ends this runtime.
    fatal: Option<&'a Fatal>,
    thread: &'a Arc<ThreadWaker>,
}

impl EndWatch<'_> {
    /// Whether a panic has ended the runtime.
    pub(crate) fn look(&self) -> Result<(), Ended> {
        self.fatal.map_or(Ok(()), Fatal::look)
    }
}

impl Drop for EndWatch<'_> {
    fn drop(&mut self) {
        if let Some(fatal) = self.fatal {
            let mut blocked = fatal.blocked.lock();
            blocked.retain(|thread| !Arc::ptr_eq(thread, self.thread));
        }
    }
}
