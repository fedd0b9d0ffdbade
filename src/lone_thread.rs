//! Threads that belong to no runtime, and end with the process.

use std::io;
use std::thread;

/// Starts one.
///
/// # Errors
///
/// If the operating system refuses the thread. The kind is not that of the system, which is "would block": to a reader that
/// means something else.
pub(crate) fn start(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(body);
    started.map(drop).map_err(|error| {
        io::Error::other(format!(
            "the operating system refused the thread {name}: {error}; raise RLIMIT_NPROC or the memory limit"
        ))
    })
}
