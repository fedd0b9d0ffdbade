//! The operating system's priority of a thread.

/// The nice value of threads at low priority: 19 is the kindest, 0 the usual one.
#[cfg(target_os = "linux")]
const LOW: i32 = 10;

/// Lowers the calling thread's priority; without effect if the system refuses.
#[cfg(target_os = "linux")]
pub(super) fn lower() {
    // On Linux a nice value belongs to a thread, and no process id means the calling one. A refusal is no reason to
    // do without the thread.
    let _refused = rustix::process::setpriority_process(None, LOW);
}

/// Without effect: this system has no priority of a single thread that the standard means reach.
#[cfg(not(target_os = "linux"))]
pub(super) fn lower() {}
