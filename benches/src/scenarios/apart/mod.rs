//! Scenarios for those that have none of the functions of `Peer`: each does the same work in its own way.
//!
//! - `monoio`: echo, with buffers that the kernel owns meanwhile
//! - `rayon`: computing
//! - `threads`: a thread for everything that waits
//! - `processes`: the same threads, with worker processes at the other end
//! - `worker`: what such a process does

pub(crate) mod monoio;
pub(crate) mod processes;
pub(crate) mod rayon;
pub(crate) mod threads;
pub(crate) mod worker;
