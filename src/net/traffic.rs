//! Sending and receiving, written once for streams and once for sockets of datagrams.
//!
//! Macros for the reason that [`methods`](super::methods) gives, and in the same shape.

/// Reading, writing and splitting of a connected stream.
macro_rules! stream {
    ($name:ident, $std:ty, $halves:ident) => {
        impl $name {
            /// Reads what there is, without waiting.
            ///
            /// Zero bytes mean that the peer has ended its way, or that `buf` is empty.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if there is nothing yet; otherwise what the operating system says.
            pub fn try_read(&self, buf: &mut [u8]) -> std::io::Result<usize> {
                byte_stream::try_read(&self.0, buf)
            }

            /// Reads what there is into several buffers in turn, without waiting.
            ///
            /// # Errors
            ///
            /// As of [`try_read`](Self::try_read).
            pub fn try_read_vectored(
                &self,
                bufs: &mut [std::io::IoSliceMut<'_>],
            ) -> std::io::Result<usize> {
                byte_stream::try_read_vectored(&self.0, bufs)
            }

            /// Writes as much as there is room for, without waiting.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if there is no room; otherwise what the operating system says.
            pub fn try_write(&self, buf: &[u8]) -> std::io::Result<usize> {
                byte_stream::try_write(&self.0, buf)
            }

            /// Writes as much of several buffers as there is room for, without waiting.
            ///
            /// # Errors
            ///
            /// As of [`try_write`](Self::try_write).
            pub fn try_write_vectored(
                &self,
                bufs: &[std::io::IoSlice<'_>],
            ) -> std::io::Result<usize> {
                byte_stream::try_write_vectored(&self.0, bufs)
            }

            /// Ends one way of the connection, or both, at once.
            ///
            /// After [`Shutdown::Write`](std::net::Shutdown::Write) the peer reads what was written and then the end.
            /// `AsyncWriteExt::close` does the same.
            ///
            /// # Errors
            ///
            /// `NotConnected` if there is no connection any more.
            pub fn shutdown(&self, how: std::net::Shutdown) -> std::io::Result<()> {
                self.0.get_ref().shutdown(how)
            }

            /// Lends the two ways of the stream to two users in one task.
            pub fn split(&mut self) -> ($halves::ReadHalf<'_>, $halves::WriteHalf<'_>) {
                crate::net::halves::borrowed(self)
            }

            /// Parts the stream into its two ways, so that each can go to a task of its own.
            ///
            /// Dropping the writing half ends that way, so that the peer reads the end. This costs an allocation; [`split`](Self::split)
            /// does not.
            pub fn into_split(self) -> ($halves::OwnedReadHalf, $halves::OwnedWriteHalf) {
                crate::net::halves::owned(self)
            }
        }

        impl crate::net::halves::Stream for $name {
            type Io = $std;

            #[inline]
            fn source(&self) -> &runtime_core::Registered<$std> {
                &self.0
            }
        }

        async_read_write!([] $name, stream => stream.0);
        async_read_write!([] &$name, stream => stream.0);
    };
}

/// The ecosystem's traits for something that holds a registered stream.
macro_rules! async_read_write {
    ([$($generics:tt)*] $name:ty, $this:ident => $source:expr) => {
        async_read!([$($generics)*] $name, $this => $source);
        async_write!([$($generics)*] $name, $this => $source);
    };
}

/// Reading through the ecosystem's trait.
macro_rules! async_read {
    ([$($generics:tt)*] $name:ty, $this:ident => $source:expr) => {
        impl<$($generics)*> futures_io::AsyncRead for $name {
            #[inline]
            fn poll_read(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &mut [u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let $this = self.get_mut();
                crate::net::byte_stream::poll_read(&$source, cx, buf)
            }

            fn poll_read_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bufs: &mut [std::io::IoSliceMut<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let $this = self.get_mut();
                crate::net::byte_stream::poll_read_vectored(&$source, cx, bufs)
            }
        }
    };
}

/// Writing through the ecosystem's trait.
macro_rules! async_write {
    ([$($generics:tt)*] $name:ty, $this:ident => $source:expr) => {
        impl<$($generics)*> futures_io::AsyncWrite for $name {
            #[inline]
            fn poll_write(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let $this = self.get_mut();
                crate::net::byte_stream::poll_write(&$source, cx, buf)
            }

            fn poll_write_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bufs: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let $this = self.get_mut();
                crate::net::byte_stream::poll_write_vectored(&$source, cx, bufs)
            }

            /// Nothing is held back here, so there is nothing to do.
            fn poll_flush(
                self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                std::task::Poll::Ready(Ok(()))
            }

            /// Ends the way to the peer.
            fn poll_close(
                self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                let $this = self.get_mut();
                std::task::Poll::Ready(crate::net::byte_stream::close(&$source))
            }
        }
    };
}

/// Sending to, and receiving from, the one peer that a socket of datagrams is connected to.
macro_rules! datagrams {
    ($name:ident) => {
        impl $name {
            /// Sends a datagram to the peer that this is connected to.
            ///
            /// # Errors
            ///
            /// What the operating system says, such as that the socket is not connected, or that the peer refused an earlier
            /// datagram.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: a datagram is sent as a whole or not at all.
            pub async fn send(&self, buf: &[u8]) -> std::io::Result<usize> {
                self.0
                    .io(crate::io::Interest::WRITABLE, |socket| socket.send(buf))
                    .await
            }

            /// Polls to send a datagram; as [`send`](Self::send), but only the task that polled last to write is woken.
            ///
            /// # Errors
            ///
            /// As of [`send`](Self::send).
            pub fn poll_send(
                &self,
                cx: &mut std::task::Context<'_>,
                buf: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.0
                    .poll_io(runtime_core::Direction::Write, cx, |socket| {
                        socket.send(buf)
                    })
            }

            /// Sends a datagram, without waiting; as [`send`](Self::send).
            ///
            /// # Errors
            ///
            /// `WouldBlock` if there is no room; otherwise as of [`send`](Self::send).
            pub fn try_send(&self, buf: &[u8]) -> std::io::Result<usize> {
                self.0
                    .try_io(crate::io::Interest::WRITABLE, |socket| socket.send(buf))
            }

            /// Waits for a datagram; tells its length. What does not fit into `buf` is lost.
            ///
            /// From a connected socket's peer, or from anyone if the socket is not connected.
            ///
            /// # Errors
            ///
            /// What the operating system says, such as that the peer refused an earlier datagram.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: no datagram is lost.
            pub async fn recv(&self, buf: &mut [u8]) -> std::io::Result<usize> {
                self.0
                    .io(crate::io::Interest::READABLE, |socket| socket.recv(buf))
                    .await
            }

            /// Polls for a datagram; as [`recv`](Self::recv), but only the task that polled last to read is woken.
            ///
            /// # Errors
            ///
            /// As of [`recv`](Self::recv).
            pub fn poll_recv(
                &self,
                cx: &mut std::task::Context<'_>,
                buf: &mut [u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.0
                    .poll_io(runtime_core::Direction::Read, cx, |socket| socket.recv(buf))
            }

            /// Takes a datagram, without waiting; as [`recv`](Self::recv).
            ///
            /// # Errors
            ///
            /// `WouldBlock` if there is none; otherwise as of [`recv`](Self::recv).
            pub fn try_recv(&self, buf: &mut [u8]) -> std::io::Result<usize> {
                self.0
                    .try_io(crate::io::Interest::READABLE, |socket| socket.recv(buf))
            }
        }
    };
}
