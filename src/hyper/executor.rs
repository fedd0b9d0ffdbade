//! Tasks for hyper.

use crate::task::spawn;
use std::future::Future;

/// Spawns what hyper wants to run beside a connection, on this thread's runtime.
///
/// HTTP/2 needs it; HTTP/1 does not. Spawning panics on a thread without a runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct HyperExecutor;

impl HyperExecutor {
    /// The one there is.
    pub const fn new() -> Self {
        Self
    }
}

impl<F> hyper::rt::Executor<F> for HyperExecutor
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        drop(spawn(future));
    }
}
