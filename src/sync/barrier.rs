//! Waiting for each other.

use super::waiters::{Key, Waiters};
use parking_lot::Mutex;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Lets tasks go on once so many of them have come; then again for the next so many.
///
/// # Examples
///
/// ```
/// use gristmill::sync::Barrier;
/// use gristmill::task::JoinSet;
/// use std::sync::Arc;
///
/// gristmill::run(async {
///     let barrier = Arc::new(Barrier::new(3));
///     let mut tasks = JoinSet::new();
///     for _ in 0..3 {
///         let barrier = Arc::clone(&barrier);
///         tasks.spawn(async move { barrier.wait().await.is_leader() });
///     }
///     let leaders = tasks.join_all().await;
///     assert_eq!(leaders.iter().filter(|is_leader| **is_leader).count(), 1);
/// });
/// ```
pub struct Barrier {
    parties: usize,
    /// Those who have come for the round that has not begun.
    waiters: Mutex<Waiters<()>>,
}

impl Barrier {
    /// A barrier for so many tasks; 0 is taken as 1, at which nobody waits.
    pub fn new(parties: usize) -> Self {
        Self {
            parties: parties.max(1),
            waiters: Mutex::new(Waiters::new()),
        }
    }

    /// Waits until all have come. The last one is the leader, and does not wait.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: one that is dropped before all have come counts as not having come.
    pub fn wait(&self) -> BarrierWait<'_> {
        BarrierWait {
            barrier: self,
            key: None,
        }
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("parties", &self.parties)
            .finish_non_exhaustive()
    }
}

/// Waits at a [`Barrier`]; made by [`Barrier::wait`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct BarrierWait<'a> {
    barrier: &'a Barrier,
    key: Option<Key>,
}

impl Future for BarrierWait<'_> {
    type Output = BarrierWaitResult;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BarrierWaitResult> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        let barrier = self.barrier;
        let mut waiters = barrier.waiters.lock();
        if let Some(key) = self.key {
            if waiters.is_queued(key) {
                let old = waiters.set_waker(key, cx);
                drop(waiters);
                drop(old);
                return Poll::Pending;
            }
            let own = waiters.forget(&mut self.key);
            drop(waiters);
            drop(own);
            spent.made_progress();
            return Poll::Ready(BarrierWaitResult { is_leader: false });
        }
        if waiters.queued() + 1 < barrier.parties {
            let old = waiters.wait(&mut self.key, cx);
            drop(waiters);
            drop(old);
            return Poll::Pending;
        }
        let wakers = waiters.call_all();
        drop(waiters);
        wakers.wake();
        spent.made_progress();
        Poll::Ready(BarrierWaitResult { is_leader: true })
    }
}

impl Drop for BarrierWait<'_> {
    fn drop(&mut self) {
        if self.key.is_some() {
            let own = self.barrier.waiters.lock().forget(&mut self.key);
            drop(own);
        }
    }
}

/// Who somebody was at a [`Barrier`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BarrierWaitResult {
    is_leader: bool,
}

impl BarrierWaitResult {
    /// Whether it was the one that came last: exactly one of each round.
    pub fn is_leader(&self) -> bool {
        self.is_leader
    }
}
