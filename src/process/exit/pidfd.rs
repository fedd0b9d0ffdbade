//! A descriptor that becomes readable when the child has ended.

use runtime_core::{Initial, Interest, Registered};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::io;
use std::os::fd::OwnedFd;
use std::process::Child;

/// The descriptor, registered with the runtime of the thread that made it.
#[derive(Debug)]
pub(in crate::process) struct ExitDescriptor(Registered<OwnedFd>);

impl ExitDescriptor {
    /// The child must not have been waited for: until then its number is not another's.
    ///
    /// # Errors
    ///
    /// If the kernel is too old, or short of descriptors; or there is no runtime on this thread.
    pub(super) fn new(child: &Child) -> io::Result<Self> {
        let fd = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
        // Nothing is ever read from it, so it does not matter that it would block.
        Registered::new(fd, Initial::NotReady).map(Self)
    }

    /// Waits until the child has ended.
    ///
    /// # Errors
    ///
    /// If the runtime has shut down.
    pub(super) async fn ended(&self) -> io::Result<()> {
        self.0.ready(Interest::READABLE).await.map(|_| ())
    }
}
