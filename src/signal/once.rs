//! Futures that wait for one signal and then give it back its default action.

use super::kind::SignalKind;
use super::post::{self, Claim, Place};
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Waits for a Ctrl-C (`SIGINT`). Listens from this call on.
///
/// Once it has answered, or is dropped, and nobody else listens, Ctrl-C ends the process again. So does the second Ctrl-C if
/// the first has not been taken for a second: see [the module](crate::signal#a-second-ctrl-c-ends-a-hung-program).
///
/// No runtime is needed.
///
/// # Errors
///
/// What the operating system says when it refuses to listen, such as that there are too many open descriptors.
///
/// # Cancel safety
///
/// Between dropping this future and making the next, a Ctrl-C ends the process. In a loop, make it once, before, and await it
/// by reference: a Ctrl-C that comes between two polls is then kept.
///
/// # Examples
///
/// ```no_run
/// use gristmill::signal;
/// use gristmill::time::{Duration, timeout};
///
/// gristmill::run(async {
///     let mut ctrl_c = signal::ctrl_c();
///     while timeout(Duration::from_secs(1), &mut ctrl_c).await.is_err() {
///         println!("working");
///     }
/// });
/// ```
pub fn ctrl_c() -> CtrlC {
    CtrlC(Wait::new(&[SignalKind::interrupt()]))
}

/// Waits for the request to end: Ctrl-C at the terminal (`SIGINT`), or `SIGTERM` from whoever minds the process. Tells which.
///
/// Listens from this call on. Once it has answered, or is dropped, and nobody else listens, both signals end the process
/// again; the second Ctrl-C is as with [`ctrl_c`].
///
/// No runtime is needed.
///
/// # Errors
///
/// What the operating system says when it refuses to listen, such as that there are too many open descriptors.
///
/// # Cancel safety
///
/// As of [`ctrl_c`].
///
/// # Examples
///
/// ```no_run
/// use gristmill::signal;
///
/// gristmill::run(async {
///     let kind = signal::shutdown_signal().await?;
///     println!("ending because of {kind:?}");
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
pub fn shutdown_signal() -> ShutdownSignal {
    ShutdownSignal(Wait::for_shutdown())
}

/// Waits for a Ctrl-C; made by [`ctrl_c`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct CtrlC(Wait);

/// Waits for the request to end; made by [`shutdown_signal`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct ShutdownSignal(Wait);

impl Future for CtrlC {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx).map_ok(|_| ())
    }
}

impl Future for ShutdownSignal {
    type Output = io::Result<SignalKind>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(cx)
    }
}

/// Waits for the first signal of several kinds.
#[derive(Debug)]
pub(super) enum Wait {
    Listening(Vec<(SignalKind, Place)>),
    Refused(io::Error),
    /// It has answered, and listens no more.
    Over,
}

impl Wait {
    /// For whatever asks a program to end.
    pub(super) fn for_shutdown() -> Self {
        Self::new(&[SignalKind::interrupt(), SignalKind::terminate()])
    }

    fn new(kinds: &[SignalKind]) -> Self {
        let listen = |&kind: &SignalKind| {
            let place = post::listen(kind, Claim::Once)?;
            Ok((kind, place))
        };
        match kinds.iter().map(listen).collect() {
            Ok(places) => Self::Listening(places),
            Err(error) => Self::Refused(error),
        }
    }

    /// Tells at once if it could not listen.
    pub(super) fn listening(self) -> io::Result<Self> {
        match self {
            Self::Refused(error) => Err(error),
            wait => Ok(wait),
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<SignalKind>> {
        if let Self::Listening(places) = self {
            let heard = places
                .iter()
                .find(|(_, place)| place.poll_heard(cx).is_ready());
            let Some(&(kind, _)) = heard else {
                return Poll::Pending;
            };
            *self = Self::Over;
            return Poll::Ready(Ok(kind));
        }
        match mem::replace(self, Self::Over) {
            Self::Refused(error) => Poll::Ready(Err(error)),
            _ => panic!("this future has told of its signal: make a new one to wait for another"),
        }
    }
}
