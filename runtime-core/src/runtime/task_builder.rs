//! Tasks with names.

use super::{Handle, handle};
use crate::scheduler::House;
use crate::scheduler::context::{self, Inside};
use crate::scheduler::spares::HomeSpares;
use crate::task::{JoinHandle, Meta};
use std::panic::Location;
use std::sync::Arc;

/// Starts tasks and jobs that carry a name, for metrics and reports.
///
/// | setting | default |
/// |---|---|
/// | `name` | none |
#[derive(Clone, Debug, Default)]
#[must_use = "a builder starts nothing by itself"]
pub struct TaskBuilder {
    name: Option<Arc<str>>,
}

impl TaskBuilder {
    /// A builder with the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the task. Names need not be unique.
    pub fn name(self, name: impl Into<Arc<str>>) -> Self {
        Self {
            name: Some(name.into()),
        }
    }

    /// Starts a task; see [`spawn`](super::spawn).
    ///
    /// # Panics
    ///
    /// If there is no runtime on this thread.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let Inside { house, spares } = &*handle::here();
        self.start(future, Meta::new(Location::caller()), house, Some(spares))
    }

    /// As [`spawn`](Self::spawn), on a given runtime.
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let meta = Meta::new(Location::caller());
        let house = &handle.house;
        context::with_spares_of(house, |spares| self.start(future, meta, house, spares))
    }

    fn start<F>(
        self,
        future: F,
        meta: Meta,
        house: &House,
        spares: Option<&HomeSpares>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match self.name {
            None => house.spawn(future, meta, spares),
            Some(name) => house.spawn_named(future, meta, spares, name),
        }
    }

    /// Runs a closure that may block; see [`spawn_blocking`](super::spawn_blocking).
    ///
    /// # Panics
    ///
    /// If there is no runtime on this thread.
    #[track_caller]
    pub fn spawn_blocking<R, F>(self, work: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let meta = Meta::new(Location::caller());
        let house = Handle::current().house;
        match self.name {
            None => house.run_on(&house.blocking, work, meta),
            Some(name) => house.run_named(&house.blocking, work, meta, name),
        }
    }
}
