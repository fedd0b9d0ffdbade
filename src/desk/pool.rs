//! Closures on the blocking pool of this thread's runtime, for operations that answer with an `io::Result`.

use crate::runtime::Handle;
use crate::task::JoinHandle;
use std::io;

/// Runs a closure on the blocking pool. Without a runtime, a thread, or with a runtime that shuts down: an error that says so.
pub(crate) async fn on_pool<R: Send + 'static>(
    work: impl FnOnce() -> io::Result<R> + Send + 'static,
) -> io::Result<R> {
    let handle = runtime()?;
    handle.spawn_blocking(work).await?
}

/// As [`on_pool`], for what changes nothing: given up before a thread has begun it, it is not done at all.
pub(crate) async fn ask_pool<R: Send + 'static>(
    question: impl FnOnce() -> io::Result<R> + Send + 'static,
) -> io::Result<R> {
    /// A question that nobody needs an answer to once this is gone.
    struct Asked<R>(JoinHandle<io::Result<R>>);
    impl<R> Drop for Asked<R> {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let mut asked = Asked(runtime()?.spawn_blocking(question));
    (&mut asked.0).await?
}

/// The runtime of this thread, or an error that says how to have one.
pub(super) fn runtime() -> io::Result<Handle> {
    Handle::try_current().map_err(io::Error::other)
}
