//! What bounded and unbounded halves have in common.

use super::super::waiters::Key;
use super::chan::{Chan, Inlet};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The methods of every sender, and its weak form.
macro_rules! sender {
    ($sender:ident, $weak:ident) => {
        impl<T> $sender<T> {
            /// Waits until the receiver is gone or closed. Then whoever computes what to send may stop.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe.
            pub async fn closed(&self) {
                Closed::new(&self.chan).await;
            }

            /// Whether the receiver is gone or closed.
            pub fn is_closed(&self) -> bool {
                self.chan.is_closed()
            }

            /// Whether both send into the same channel.
            pub fn same_channel(&self, other: &Self) -> bool {
                Arc::ptr_eq(&self.chan, &other.chan)
            }

            /// A sender that does not keep the channel from ending.
            pub fn downgrade(&self) -> $weak<T> {
                $weak {
                    chan: Arc::downgrade(&self.chan),
                }
            }

            /// How many senders there are, without weak ones.
            pub fn strong_count(&self) -> usize {
                self.chan.strong_count()
            }
        }

        impl<T> Clone for $sender<T> {
            fn clone(&self) -> Self {
                self.chan.add_sender();
                Self {
                    chan: Arc::clone(&self.chan),
                }
            }
        }

        impl<T> Drop for $sender<T> {
            fn drop(&mut self) {
                self.chan.drop_sender();
            }
        }

        impl<T> fmt::Debug for $sender<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($sender))
                    .field("is_closed", &self.is_closed())
                    .finish_non_exhaustive()
            }
        }

        /// A sender that does not keep the channel from ending.
        pub struct $weak<T> {
            chan: Weak<Chan<T>>,
        }

        impl<T> $weak<T> {
            /// A sender, if the channel still has one.
            pub fn upgrade(&self) -> Option<$sender<T>> {
                let chan = self.chan.upgrade()?;
                // Made only then: dropping it would count.
                chan.revive_sender().then(|| $sender { chan })
            }

            /// How many senders there are, without weak ones.
            pub fn strong_count(&self) -> usize {
                self.chan.upgrade().map_or(0, |chan| chan.strong_count())
            }
        }

        impl<T> Clone for $weak<T> {
            fn clone(&self) -> Self {
                Self {
                    chan: self.chan.clone(),
                }
            }
        }

        impl<T> fmt::Debug for $weak<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($weak)).finish_non_exhaustive()
            }
        }
    };
}
pub(super) use sender;

/// The methods of every receiver.
macro_rules! receiver {
    ($receiver:ident) => {
        impl<T> $receiver<T> {
            /// Waits for the next item; `None` when nothing is left and nothing will come.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: no item is lost.
            pub async fn recv(&mut self) -> Option<T> {
                let mut wait = Wait::new(&mut self.inlet);
                poll_fn(|cx| wait.poll(|inlet| inlet.poll_recv(cx))).await
            }

            /// Waits for the next item, and takes up to `limit` of those that are there; says how many were put at the end of
            /// `buffer`. 0 means that nothing is left and nothing will come, or that the limit is 0.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: no item is lost.
            pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                let mut wait = Wait::new(&mut self.inlet);
                poll_fn(|cx| wait.poll(|inlet| inlet.poll_recv_many(cx, buffer, limit))).await
            }

            /// The next item if there is one.
            ///
            /// # Errors
            ///
            /// If there is none yet, or none will come.
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                self.inlet.try_recv()
            }

            /// As [`recv`](Self::recv), blocking this thread; for threads outside of async code.
            ///
            /// # Panics
            ///
            /// If it is called from async code.
            #[track_caller]
            pub fn blocking_recv(&mut self) -> Option<T> {
                runtime_core::wait_outside("mpsc::Receiver::blocking_recv", self.recv())
            }

            /// As [`recv_many`](Self::recv_many), blocking this thread; for threads outside of async code.
            ///
            /// # Panics
            ///
            /// If it is called from async code.
            #[track_caller]
            pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                let many = self.recv_many(buffer, limit);
                runtime_core::wait_outside("mpsc::Receiver::blocking_recv_many", many)
            }

            /// Polls for the next item; as [`recv`](Self::recv).
            pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
                self.inlet.poll_recv(cx)
            }

            /// Polls for the next items; as [`recv_many`](Self::recv_many).
            pub fn poll_recv_many(
                &mut self,
                cx: &mut Context<'_>,
                buffer: &mut Vec<T>,
                limit: usize,
            ) -> Poll<usize> {
                self.inlet.poll_recv_many(cx, buffer, limit)
            }

            /// Refuses what is sent from now on. What has been sent, or has a place reserved, can still be received.
            pub fn close(&mut self) {
                self.inlet.close();
            }

            /// Whether nothing more can be sent: this is closed, or no sender is left.
            pub fn is_closed(&self) -> bool {
                self.inlet.is_closed()
            }

            /// How many items are there to be received.
            pub fn len(&self) -> usize {
                self.inlet.len()
            }

            /// Whether nothing is there to be received.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// How many senders there are, without weak ones.
            pub fn sender_strong_count(&self) -> usize {
                self.inlet.chan.strong_count()
            }
        }

        /// The items, until nothing is left and nothing will come.
        impl<T> futures_core::Stream for $receiver<T> {
            type Item = T;

            fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
                self.inlet.poll_recv(cx)
            }
        }

        // The items are not pinned.
        impl<T> Unpin for $receiver<T> {}

        impl<T> fmt::Debug for $receiver<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($receiver))
                    .field("len", &self.len())
                    .field("is_closed", &self.is_closed())
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(super) use receiver;

/// A wait of the receiver's; once it is over or given up, the channel knows of no task that waits.
pub(super) struct Wait<'a, T> {
    inlet: &'a mut Inlet<T>,
    is_waiting: bool,
}

impl<'a, T> Wait<'a, T> {
    pub(super) fn new(inlet: &'a mut Inlet<T>) -> Self {
        Self {
            inlet,
            is_waiting: false,
        }
    }

    pub(super) fn poll<R>(&mut self, poll: impl FnOnce(&mut Inlet<T>) -> Poll<R>) -> Poll<R> {
        let outcome = poll(self.inlet);
        self.is_waiting = outcome.is_pending();
        outcome
    }
}

impl<T> Drop for Wait<'_, T> {
    fn drop(&mut self) {
        if self.is_waiting {
            self.inlet.forget_waker();
        }
    }
}

/// Waits for a receiver to close.
pub(super) struct Closed<'a, T> {
    chan: &'a Chan<T>,
    key: Option<Key>,
}

impl<'a, T> Closed<'a, T> {
    pub(super) fn new(chan: &'a Chan<T>) -> Self {
        Self { chan, key: None }
    }
}

impl<T> Future for Closed<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let chan = self.chan;
        chan.poll_closed(&mut self.key, cx)
    }
}

impl<T> Drop for Closed<'_, T> {
    fn drop(&mut self) {
        self.chan.forget_closer(&mut self.key);
    }
}
