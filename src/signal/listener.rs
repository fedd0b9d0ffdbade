//! Every signal of a kind, for as long as the listener lives.

use super::kind::SignalKind;
use super::post::{self, Claim, Place};
use futures_core::Stream;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Listens for every signal of a kind, from now on.
///
/// Any number of listeners may listen for one kind: each hears each signal. While one of them lives, the signal does not do what
/// it does by default; once the last is dropped, it does again. No runtime is needed.
///
/// # Errors
///
/// `InvalidInput` for a signal that cannot be listened for: `SIGKILL`, `SIGSTOP`, `SIGSEGV`, `SIGILL`, `SIGFPE`, and
/// numbers that are no signal's. Otherwise what the operating system says, such as that there are too many open descriptors.
///
/// # Examples
///
/// ```no_run
/// use gristmill::signal::unix::{SignalKind, signal};
///
/// gristmill::run(async {
///     let mut hangup = signal(SignalKind::hangup())?;
///     while hangup.recv().await.is_some() {
///         println!("reading the settings again");
///     }
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
#[doc(alias = "add_signal_handler")]
pub fn signal(kind: SignalKind) -> io::Result<Signal> {
    post::listen(kind, Claim::Every).map(Signal)
}

/// Hears every signal of a kind; made by [`signal`]. Dropping it stops listening.
#[derive(Debug)]
#[must_use = "a listener that is dropped hears nothing"]
pub struct Signal(Place);

impl Signal {
    /// Waits for the next signal. The answer is always `Some`.
    ///
    /// Signals that came since the last call, however many, are one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a signal that comes meanwhile is heard by the next call.
    pub async fn recv(&mut self) -> Option<()> {
        /// Nobody waits once this is gone.
        struct Wait<'a>(&'a mut Signal);
        impl Drop for Wait<'_> {
            fn drop(&mut self) {
                self.0.0.forget_waker();
            }
        }
        let wait = Wait(self);
        poll_fn(|cx| wait.0.poll_recv(cx)).await
    }

    /// Polls for the next signal; as [`recv`](Self::recv). Only the task that polled last is woken.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.0.poll_heard(cx).map(Some)
    }
}

impl Stream for Signal {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        self.poll_recv(cx)
    }
}
