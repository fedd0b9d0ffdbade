//! What both ends of a pipe offer, written once; a macro, because inherent methods cannot come from a trait.

use rustix::fs::{FileType, OFlags, fcntl_getfl, fstat};
use std::io;
use std::os::fd::BorrowedFd;

/// To and from descriptors, and waiting, for an end with `of`, `registered` and `into_registered`.
macro_rules! pipe_end {
    ($name:ident, $std:ty, $opposite:ident) => {
        impl $name {
            /// Takes over an open file, which must be a pipe that is open for this way, and makes it non-blocking.
            ///
            /// # Errors
            ///
            /// `InvalidInput` if it is not such a pipe; otherwise if there is no runtime on this thread.
            pub fn from_file(file: std::fs::File) -> std::io::Result<Self> {
                Self::from_owned_fd(file.into())
            }

            /// Takes over an open file without looking what it is; as [`from_file`](Self::from_file).
            ///
            /// # Errors
            ///
            /// If the operating system cannot wait for it, or there is no runtime on this thread.
            pub fn from_file_unchecked(file: std::fs::File) -> std::io::Result<Self> {
                Self::from_owned_fd_unchecked(file.into())
            }

            /// Takes over a descriptor; as [`from_file`](Self::from_file).
            ///
            /// # Errors
            ///
            /// `InvalidInput` if it is not a pipe that is open for this way; otherwise if there is no runtime on this thread.
            pub fn from_owned_fd(fd: std::os::fd::OwnedFd) -> std::io::Result<Self> {
                super::end::check(std::os::fd::AsFd::as_fd(&fd), rustix::fs::OFlags::$opposite)?;
                Self::from_owned_fd_unchecked(fd)
            }

            /// Takes over a descriptor without looking what it is; as [`from_file`](Self::from_file).
            ///
            /// # Errors
            ///
            /// If the operating system cannot wait for it, or there is no runtime on this thread.
            pub fn from_owned_fd_unchecked(fd: std::os::fd::OwnedFd) -> std::io::Result<Self> {
                rustix::io::ioctl_fionbio(&fd, true)?;
                let end = <$std>::from(fd);
                runtime_core::Registered::new(end, runtime_core::Initial::Ready).map(Self::of)
            }

            /// Gives the descriptor back, blocking, as child processes and the standard library expect it.
            ///
            /// # Errors
            ///
            /// If this end was closed, or the operating system refuses.
            pub fn into_blocking_fd(self) -> std::io::Result<std::os::fd::OwnedFd> {
                let fd = self.into_nonblocking_fd()?;
                rustix::io::ioctl_fionbio(&fd, false)?;
                Ok(fd)
            }

            /// Gives the descriptor back, still non-blocking.
            ///
            /// # Errors
            ///
            /// If this end was closed.
            pub fn into_nonblocking_fd(self) -> std::io::Result<std::os::fd::OwnedFd> {
                Ok(self.into_registered()?.into_inner().into())
            }

            /// Waits until the pipe is ready for any part of `interest`, and tells for which.
            ///
            /// The answer can be wrong: only an attempt will show.
            ///
            /// # Errors
            ///
            /// If the pipe's runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: readiness stays until an attempt uses it up.
            pub async fn ready(
                &self,
                interest: crate::io::Interest,
            ) -> std::io::Result<crate::io::Ready> {
                self.registered()?.ready(interest).await
            }
        }

        impl std::os::fd::AsFd for $name {
            /// # Panics
            ///
            /// If this end was closed.
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                match self.registered() {
                    Ok(registered) => registered.as_fd(),
                    Err(error) => panic!("there is no descriptor: {error}"),
                }
            }
        }

        impl std::os::fd::AsRawFd for $name {
            /// # Panics
            ///
            /// If this end was closed.
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                std::os::fd::AsFd::as_fd(self).as_raw_fd()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($name))
                    .field(&self.registered().map(|end| end.get_ref()))
                    .finish()
            }
        }
    };
}

/// Refuses what is no pipe, or is open for the `opposite` way only.
pub(super) fn check(fd: BorrowedFd<'_>, opposite: OFlags) -> io::Result<()> {
    if FileType::from_raw_mode(fstat(fd)?.st_mode) != FileType::Fifo {
        return Err(refused(
            "it is no pipe: use gristmill::io::Async for other descriptors, and gristmill::fs for files",
        ));
    }
    if fcntl_getfl(fd)? & OFlags::ACCMODE == opposite {
        return Err(refused(
            "the pipe is open for the other way only: a Receiver needs one that can be read, a Sender one that can be written",
        ));
    }
    Ok(())
}

#[cold]
fn refused(reason: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("cannot make an end of a pipe of this descriptor: {reason}"),
    )
}
