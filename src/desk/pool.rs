//! Closures on the blocking pool of this thread's runtime, for operations that answer with an `io::Result`.

use crate::runtime::Handle;
use std::io;

/// Runs a closure on the blocking pool. Without a runtime, a thread, or with a runtime that shuts down: an error that says so.
pub(crate) async fn on_pool<R: Send + 'static>(
    work: impl FnOnce() -> io::Result<R> + Send + 'static,
) -> io::Result<R> {
    let handle = runtime()?;
    handle.spawn_blocking(work).await?
}

/// The runtime of this thread, or an error that says how to have one.
pub(super) fn runtime() -> io::Result<Handle> {
    Handle::try_current().map_err(io::Error::other)
}
