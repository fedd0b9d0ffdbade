//! Queues with the face of `crossbeam-deque` that a model checker can see into: plain ones behind a lock.

use super::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

/// What came of trying to steal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Steal<T> {
    Empty,
    Success(T),
    #[expect(dead_code, reason = "only the real queues ask for another try")]
    Retry,
}

#[derive(Debug)]
pub(crate) struct Worker<T>(Arc<Mutex<VecDeque<T>>>);

#[derive(Debug)]
pub(crate) struct Stealer<T>(Arc<Mutex<VecDeque<T>>>);

#[derive(Debug)]
pub(crate) struct Injector<T>(Mutex<VecDeque<T>>);

impl<T> Worker<T> {
    pub(crate) fn new_fifo() -> Self {
        Self(Arc::new(Mutex::new(VecDeque::new())))
    }
    pub(crate) fn push(&self, value: T) {
        self.0.lock().push_back(value);
    }
    pub(crate) fn pop(&self) -> Option<T> {
        self.0.lock().pop_front()
    }
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
    pub(crate) fn stealer(&self) -> Stealer<T> {
        Stealer(Arc::clone(&self.0))
    }
}

impl<T> Stealer<T> {
    pub(crate) fn steal_batch_and_pop(&self, _into: &Worker<T>) -> Steal<T> {
        match self.0.lock().pop_front() {
            Some(value) => Steal::Success(value),
            None => Steal::Empty,
        }
    }
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

impl<T> Injector<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }
    pub(crate) fn push(&self, value: T) {
        self.0.lock().push_back(value);
    }
    pub(crate) fn steal_batch_and_pop(&self, _into: &Worker<T>) -> Steal<T> {
        self.steal()
    }
    pub(crate) fn steal(&self) -> Steal<T> {
        match self.0.lock().pop_front() {
            Some(value) => Steal::Success(value),
            None => Steal::Empty,
        }
    }
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }
    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }
}
