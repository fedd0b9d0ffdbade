//! What every kind of socket offers, written once: its descriptor, and waiting for readiness.
//!
//! Inherent methods cannot come from a trait, so these are macros: each writes one group of methods for a socket type
//! that wraps a `Registered` of its standard counterpart in field 0.

/// To and from the standard library's socket, and to its descriptor.
macro_rules! descriptor {
    ($name:ident, $std:ty) => {
        impl $name {
            /// Takes over a socket of the standard library, and makes it non-blocking.
            ///
            /// # Errors
            ///
            /// If there is no runtime on this thread, or its poller refuses the socket.
            pub fn from_std(socket: $std) -> std::io::Result<Self> {
                socket.set_nonblocking(true)?;
                runtime_core::Registered::new(socket, runtime_core::Initial::Ready).map(Self)
            }

            /// Gives the socket back to the standard library, still non-blocking.
            ///
            /// # Errors
            ///
            /// None at present.
            pub fn into_std(self) -> std::io::Result<$std> {
                Ok(self.0.into_inner())
            }

            /// Takes the error that the operating system holds for this socket, if there is one.
            ///
            /// # Errors
            ///
            /// If the operating system does not answer.
            pub fn take_error(&self) -> std::io::Result<Option<std::io::Error>> {
                self.0.get_ref().take_error()
            }
        }

        impl TryFrom<$std> for $name {
            type Error = std::io::Error;

            /// As [`from_std`](Self::from_std).
            fn try_from(socket: $std) -> std::io::Result<Self> {
                Self::from_std(socket)
            }
        }

        impl std::os::fd::AsFd for $name {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                self.0.as_fd()
            }
        }

        impl std::os::fd::AsRawFd for $name {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                self.0.as_raw_fd()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self.0.get_ref(), f)
            }
        }
    };
}

/// Waiting for readiness, and attempts of the user's own.
macro_rules! readiness {
    ($name:ident) => {
        impl $name {
            /// Waits until the socket is ready for any part of `interest`, and tells for which.
            ///
            /// The answer can be wrong: only an attempt will show. Follow it with a `try_*` method, and be ready for
            /// `WouldBlock`.
            ///
            /// # Errors
            ///
            /// If the socket's runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: readiness stays until an attempt uses it up.
            pub async fn ready(
                &self,
                interest: crate::io::Interest,
            ) -> std::io::Result<crate::io::Ready> {
                self.0.ready(interest).await
            }

            /// Waits until there is something to read, or the end; as [`ready`](Self::ready).
            ///
            /// # Errors
            ///
            /// If the socket's runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: readiness stays until an attempt uses it up.
            pub async fn readable(&self) -> std::io::Result<()> {
                self.0
                    .ready(crate::io::Interest::READABLE)
                    .await
                    .map(|_| ())
            }

            /// Waits until there is room to write; as [`ready`](Self::ready).
            ///
            /// # Errors
            ///
            /// If the socket's runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: readiness stays until an attempt uses it up.
            pub async fn writable(&self) -> std::io::Result<()> {
                self.0
                    .ready(crate::io::Interest::WRITABLE)
                    .await
                    .map(|_| ())
            }

            /// Polls for something to read. Only the task that polled last to read is woken.
            ///
            /// # Errors
            ///
            /// If the socket's runtime has shut down.
            pub fn poll_read_ready(
                &self,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                self.0.poll_ready(runtime_core::Direction::Read, cx)
            }

            /// Polls for room to write. Only the task that polled last to write is woken.
            ///
            /// # Errors
            ///
            /// If the socket's runtime has shut down.
            pub fn poll_write_ready(
                &self,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                self.0.poll_ready(runtime_core::Direction::Write, cx)
            }

            /// Makes an attempt of your own if the socket seems ready.
            ///
            /// The attempt must be on this socket, and say `WouldBlock` only if the socket did: the socket then counts as not
            /// ready until the operating system says otherwise.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if the socket is not ready, before or after the attempt; otherwise what the attempt says.
            pub fn try_io<R>(
                &self,
                interest: crate::io::Interest,
                attempt: impl FnOnce() -> std::io::Result<R>,
            ) -> std::io::Result<R> {
                self.0.try_io(interest, |_| attempt())
            }

            /// Makes attempts of your own, each when the socket seems ready, until one does not say `WouldBlock`.
            ///
            /// The attempt must be on this socket, and say `WouldBlock` only if the socket did.
            ///
            /// # Errors
            ///
            /// What the attempt says; or that the socket's runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe if the attempt does everything or nothing.
            pub async fn async_io<R>(
                &self,
                interest: crate::io::Interest,
                mut attempt: impl FnMut() -> std::io::Result<R>,
            ) -> std::io::Result<R> {
                self.0.io(interest, |_| attempt()).await
            }
        }
    };
}
