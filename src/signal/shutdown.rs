//! Ending in order: take nothing new, ask what runs to stop, wait for it, and tell what came of it.

use super::kind::SignalKind;
use super::once::Wait;
use crate::sync::{CancellationToken, WaitForCancellationFutureOwned};
use crate::task::{JoinError, JoinSet};
use crate::time::{Duration, timeout};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

/// So long tasks that were aborted may take to end: longer is a poll that does not return.
const ABORTED_WITHIN: Duration = Duration::from_secs(1);

/// Ends a program in order, once a signal or the program itself asks for it.
///
/// | step | how |
/// |---|---|
/// | stop intake | [`unless_requested`](Self::unless_requested) gives `None`, [`requested`](Self::requested) returns |
/// | cancel | [`finish`](Self::finish) cancels the [`token`](Self::token), for which tasks wait |
/// | wait | [`finish`](Self::finish) gives the tasks time, and aborts those that are left |
/// | report | [`finish`](Self::finish) tells how many ended in which way |
///
/// The signals are those of [`shutdown_signal`](super::shutdown_signal): Ctrl-C and `SIGTERM`. A second one ends the process at
/// once. Dropping a `Shutdown` aborts its tasks.
///
/// # Examples
///
/// ```
/// use gristmill::signal::Shutdown;
/// use gristmill::time::{Duration, sleep};
///
/// gristmill::run(async {
///     let mut shutdown = Shutdown::new()?;
///     # let token = shutdown.token().clone();
///     # let tired = gristmill::spawn(async move { sleep(Duration::from_millis(20)).await; token.cancel() });
///     // A server would accept connections here.
///     while shutdown.unless_requested(sleep(Duration::from_millis(1))).await.is_some() {
///         let token = shutdown.token().clone();
///         shutdown.spawn(async move {
///             token.run_until_cancelled(sleep(Duration::from_secs(3600))).await;
///         });
///     }
///     let report = shutdown.finish(Duration::from_secs(5)).await;
///     println!("{report}");
///     assert_eq!(report.aborted(), 0);
///     Ok::<(), std::io::Error>(())
/// })
/// # .unwrap();
/// ```
pub struct Shutdown {
    signal: Wait,
    token: CancellationToken,
    /// Tells when somebody has cancelled the token.
    cancelled: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whether the program has been asked to end.
    is_requested: bool,
    tasks: JoinSet<()>,
    report: Report,
}

/// How a program ended in order; made by [`Shutdown::finish`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    signal: Option<SignalKind>,
    finished: usize,
    panicked: usize,
    aborted: usize,
    stuck: usize,
}

impl Shutdown {
    /// Listens for the signals from now on.
    ///
    /// # Errors
    ///
    /// What the operating system says when it refuses to listen, such as that there are too many open descriptors.
    pub fn new() -> io::Result<Self> {
        let token = CancellationToken::new();
        Ok(Self {
            signal: Wait::for_shutdown().listening()?,
            cancelled: Box::pin(token.clone().cancelled_owned()),
            token,
            is_requested: false,
            tasks: JoinSet::new(),
            report: Report::default(),
        })
    }

    /// What tasks wait for to be asked to stop. To end the program from within, cancel it.
    pub fn token(&self) -> &CancellationToken {
        &self.token
    }

    /// Spawns a task that [`finish`](Self::finish) waits for.
    ///
    /// # Panics
    ///
    /// If there is no runtime on this thread.
    #[track_caller]
    pub fn spawn(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(future);
    }

    /// Waits until a signal comes, or the token is cancelled. Tells the signal.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: ask again. After the answer it is the same at once, as often as it is asked.
    pub async fn requested(&mut self) -> Option<SignalKind> {
        poll_fn(|cx| self.poll_requested(cx)).await;
        self.report.signal
    }

    /// Awaits `future`, unless the program is asked to end: then there is `None`, and the future is dropped.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe if the future is.
    pub async fn unless_requested<F: Future>(&mut self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|cx| {
            if self.poll_requested(cx).is_ready() {
                return Poll::Ready(None);
            }
            future.as_mut().poll(cx).map(Some)
        })
        .await
    }

    /// Cancels the token, waits for the tasks, aborts those that have not ended within `grace`, and tells what came of it.
    ///
    /// A task that does not return from its poll within another second cannot be aborted; it is left behind.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the tasks are aborted.
    pub async fn finish(mut self, grace: Duration) -> Report {
        // Whatever has asked: from now on a signal ends the process.
        self.signal = Wait::Over;
        self.token.cancel();
        if timeout(grace, self.join_all()).await.is_err() {
            self.tasks.abort_all();
            // What is left after that is reported as stuck.
            let _ = timeout(ABORTED_WITHIN, self.join_all()).await;
        }
        self.report.stuck = self.tasks.len();
        self.tasks.detach_all();
        self.report
    }

    async fn join_all(&mut self) {
        while let Some(outcome) = self.tasks.join_next().await {
            self.report.count(&outcome);
        }
    }

    fn poll_requested(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // So that the set does not grow with what has ended.
        while let Poll::Ready(Some(outcome)) = self.tasks.poll_join_next(cx) {
            self.report.count(&outcome);
        }
        if self.is_requested {
            return Poll::Ready(());
        }
        // It listens, so there are no errors.
        if let Poll::Ready(outcome) = self.signal.poll(cx) {
            self.report.signal = outcome.ok();
        } else {
            ready!(self.cancelled.as_mut().poll(cx));
        }
        self.is_requested = true;
        Poll::Ready(())
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown")
            .field("is_requested", &self.is_requested)
            .field("tasks", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

impl Report {
    fn count(&mut self, outcome: &Result<(), JoinError>) {
        match outcome {
            Ok(()) => self.finished += 1,
            Err(error) if error.is_panic() => self.panicked += 1,
            Err(_) => self.aborted += 1,
        }
    }

    /// The signal that asked for the end, if it was one.
    pub fn signal(&self) -> Option<SignalKind> {
        self.signal
    }

    /// How many tasks have ended by themselves, from the beginning.
    pub fn finished(&self) -> usize {
        self.finished
    }

    /// How many tasks have panicked, from the beginning.
    pub fn panicked(&self) -> usize {
        self.panicked
    }

    /// How many tasks were aborted because their time was up, or by the program.
    pub fn aborted(&self) -> usize {
        self.aborted
    }

    /// How many tasks were left behind in a poll that did not return.
    pub fn stuck(&self) -> usize {
        self.stuck
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(signal) = self.signal {
            write!(f, "{signal:?}: ")?;
        }
        write!(
            f,
            "{} finished, {} panicked, {} aborted",
            self.finished, self.panicked, self.aborted
        )?;
        match self.stuck {
            0 => Ok(()),
            stuck => write!(f, ", {stuck} stuck"),
        }
    }
}
