//! What the tests of this crate share: wakers that count, and timers over a paused clock.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::sync::Arc;
use crate::{Clock, EnterGuard, Host, Timers};

/// Counts the wakes of its wakers, and how many of them are alive.
#[derive(Debug)]
pub(crate) struct CountingWaker(Arc<Count>);

#[derive(Debug, Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

pub(crate) fn counting_waker() -> CountingWaker {
    CountingWaker(Arc::default())
}

impl CountingWaker {
    /// Polls once with a waker of this count.
    pub(crate) fn poll<F: Future + Unpin>(&self, future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(&self.waker()))
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.0))
    }

    pub(crate) fn wakes(&self) -> usize {
        self.0.0.load(SeqCst)
    }

    pub(crate) fn alive(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

/// A host that records what it is told, and whose budget can be used up.
#[derive(Debug, Default)]
pub(crate) struct RecordingHost {
    pub(crate) sooner: parking_lot::Mutex<Vec<(usize, u64)>>,
    pub(crate) clock_moves: AtomicUsize,
    pub(crate) spent: AtomicUsize,
    /// How many polls are still to be refused.
    pub(crate) refusals: AtomicUsize,
}

impl Host for RecordingHost {
    fn sooner(&self, shard: usize, deadline_ns: u64) {
        self.sooner.lock().push((shard, deadline_ns));
    }

    fn poll_proceed(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self
            .refusals
            .fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1))
            .is_ok()
        {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.spent.fetch_add(1, SeqCst);
        Poll::Ready(())
    }

    fn clock_moved(&self) {
        self.clock_moves.fetch_add(1, SeqCst);
    }
}

/// Pausable timers whose clock is paused at zero.
pub(crate) fn paused_timers(shards: usize) -> (Arc<Timers>, Arc<RecordingHost>) {
    let host = Arc::new(RecordingHost::default());
    let timers = Timers::new(
        shards,
        Clock::new_paused(),
        Arc::clone(&host) as Arc<dyn Host>,
    );
    (Arc::new(timers.allow_pausing()), host)
}

/// A runtime without tasks: pausable timers at time zero, current on this thread.
pub(crate) struct Scene {
    pub(crate) timers: Arc<Timers>,
    pub(crate) host: Arc<RecordingHost>,
    _entered: EnterGuard,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let (timers, host) = paused_timers(2);
        let _entered = crate::enter(Arc::clone(&timers), 0);
        Self {
            timers,
            host,
            _entered,
        }
    }

    /// Moves the clock and fires what that makes due.
    pub(crate) fn advance(&self, by: Duration) {
        self.timers.clock().advance(by).unwrap();
        self.timers.fire_all_due();
    }

    pub(crate) fn spent(&self) -> usize {
        self.host.spent.load(SeqCst)
    }

    pub(crate) fn refuse_polls(&self, count: usize) {
        self.host.refusals.store(count, SeqCst);
    }
}
