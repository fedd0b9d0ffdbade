//! The future that waits for a point in time.
//!
//! ```text
//!   new ──poll──► waiting ──the wheel fires──► fired ──poll──► ready
//!    │ ▲               │ ▲                         │             │  ▲
//!    │ │               └─┴─ reset: moved           │             │  │
//!    │ └──────────────── reset ────────────────────┴─────────────┘  │
//!    └─poll, the deadline has passed───────────────────────────────►┘
//! ```
//!
//! Making one touches nothing but the clock: it takes a place in a wheel on the first poll that is
//! pending. That is the first poll of all for one that was made to wait for a while: to look at the clock again would
//! cost more than a place in the wheel, and nearly always for nothing.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use crate::sync::Arc;
use crate::wheel::Key;
use crate::{Instant, Timers, context};

/// Waits until `duration` has passed.
///
/// Precise to the nanosecond on the side of "not early"; how late a task runs depends on the
/// machine's load. A duration that is too long saturates. Zero is ready at once; any other lets
/// other tasks run, if only until the worker's next look at its timers, also if it has passed by the first poll.
///
/// Work that should happen again and again is better served by an [`interval`](crate::interval()).
///
/// # Panics
/// The future panics when it is polled where there is no gristmill runtime.
///
/// # Cancel safety
/// Dropping the future cancels the timer.
pub fn sleep(duration: Duration) -> Sleep {
    Sleep {
        state: State::Unregistered {
            deadline: Instant::now() + duration,
            is_ahead: !duration.is_zero(),
        },
    }
}

/// Waits until `deadline`. A deadline in the past is ready at once.
///
/// # Panics
/// The future panics when it is polled where there is no gristmill runtime.
///
/// # Cancel safety
/// Dropping the future cancels the timer.
#[doc(alias = "call_at")]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep {
        state: State::at(deadline),
    }
}

/// The future of [`sleep`] and [`sleep_until`].
///
/// It is `Unpin`, so it can be polled through a plain `&mut` and kept in a `struct` without
/// pinning.
///
/// # Cancel safety
/// Dropping it cancels the timer. Polling it in a `select` again and again keeps its place.
#[must_use = "futures do nothing unless they are polled"]
pub struct Sleep {
    state: State,
}

/// Whether it has a place in a wheel.
enum State {
    /// Not before the first pending poll, nor after the poll that found it fired.
    Unregistered {
        deadline: Instant,
        /// It was to come when the clock was read last, for this very sleep.
        is_ahead: bool,
    },
    Registered(Registration),
}

impl State {
    /// To be held against the clock at the next poll.
    fn at(deadline: Instant) -> Self {
        Self::Unregistered {
            deadline,
            is_ahead: false,
        }
    }
}

/// The message for a timer that will never fire.
const RUNTIME_GONE: &str = "the gristmill runtime of this timer has shut down: keep the Runtime alive \
                            until everything that waits is done";

/// A place in a wheel. The key is taken apart, because as a struct it would be padded.
struct Registration {
    timers: Arc<Timers>,
    /// By the clock of `timers`. In a program there may be a million of these, so the deadline is kept once.
    deadline_ns: u64,
    id: u64,
    index: u32,
    shard: u32,
}

impl Registration {
    /// Takes a place in a wheel.
    fn new(timers: Arc<Timers>, shard: usize, deadline_ns: u64, waker: Waker) -> Self {
        let Key { index, id } = timers.start(shard, deadline_ns, waker);
        let shard = u32::try_from(shard).expect("a runtime has fewer than 2^32 workers");
        Self {
            timers,
            deadline_ns,
            id,
            index,
            shard,
        }
    }

    /// Gives the place back; the waker, if it had not been woken.
    fn cancel(&self) -> Option<Waker> {
        self.timers.cancel(self.shard(), self.key())
    }

    /// The timers have ended, so nobody would say when it is over. Not kept in any case: whoever catches the panic and polls again
    /// hears the same again.
    #[cold]
    fn over_or_panic(self) -> Arc<Timers> {
        drop(self.cancel());
        assert!(
            !is_hopeless(&self.timers, self.deadline_ns),
            "{RUNTIME_GONE}"
        );
        self.timers
    }

    fn deadline(&self) -> Instant {
        self.timers.clock().instant_at(self.deadline_ns)
    }

    fn key(&self) -> Key {
        Key {
            index: self.index,
            id: self.id,
        }
    }

    fn shard(&self) -> usize {
        self.shard as usize
    }
}

impl Sleep {
    /// When it will be ready.
    ///
    /// While it waits this is what its timer was set to: no later than some 584 years after the start of the runtime.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        match &self.state {
            State::Unregistered { deadline, .. } => *deadline,
            State::Registered(registration) => registration.deadline(),
        }
    }

    /// Whether the deadline has passed.
    #[must_use]
    pub fn is_elapsed(&self) -> bool {
        Instant::now() >= self.deadline()
    }

    /// Sets another deadline, whether the old one has passed or not.
    ///
    /// A task that waits for this future already will be woken at the new deadline instead of the
    /// old one. If it was ready before, it has to be polled again to wait.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        self.get_mut().set_deadline(deadline);
    }

    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        let old = std::mem::replace(&mut self.state, State::at(deadline));
        let State::Registered(old) = old else {
            return;
        };
        let Some(waker) = old.cancel() else {
            context::let_go(old.timers);
            return;
        };
        // Not the old shard: its owner may be asleep until a later deadline, and would not hear of this
        // one. This thread is awake and minds its own shard.
        let shard = context::shard_here(&old.timers);
        let deadline_ns = old.timers.clock().ns_at(deadline);
        let new = Registration::new(old.timers, shard, deadline_ns, waker);
        // The timers may have ended between the two places: then the poll is to say so, as nobody fires this one.
        let stranded = new.timers.is_closed().then(|| new.cancel()).flatten();
        self.state = State::Registered(new);
        if let Some(waker) = stranded {
            waker.wake();
        }
    }

    /// Polls and, where that is ready, spends budget.
    fn poll_spending(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timers = ready!(self.poll_elapsed(cx));
        // Out of budget, the next poll finds the deadline passed and asks again. Only what is ready
        // costs: otherwise a task that polls more sleeps at once than its budget has units would
        // never get to start the last ones.
        context::poll_proceed(timers, cx)
    }

    /// Polls without spending budget, and gives back the timers that it went by.
    pub(crate) fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<Arc<Timers>> {
        match &self.state {
            State::Registered(registration) => {
                ready!(registration.timers.poll_fired(
                    registration.shard(),
                    registration.key(),
                    cx.waker()
                ));
                let deadline = registration.deadline();
                let fired = std::mem::replace(&mut self.state, State::at(deadline));
                let State::Registered(fired) = fired else {
                    unreachable!("it was registered just above");
                };
                assert!(
                    !is_hopeless(&fired.timers, fired.deadline_ns),
                    "{RUNTIME_GONE}"
                );
                Poll::Ready(fired.timers)
            }
            &State::Unregistered { deadline, is_ahead } => {
                let (timers, shard) = context::expect_current();
                let deadline_ns = timers.clock().ns_at(deadline);
                // A clock that is paused may have been moved since, and costs nothing to read.
                let may_be_over = !is_ahead || timers.clock().is_paused();
                if may_be_over && deadline_ns <= timers.now_ns() {
                    return Poll::Ready(timers);
                }
                let registration =
                    Registration::new(timers, shard, deadline_ns, cx.waker().clone());
                if registration.timers.is_closed() {
                    return Poll::Ready(registration.over_or_panic());
                }
                self.state = State::Registered(registration);
                Poll::Pending
            }
        }
    }
}

/// Whether the timers have ended before the deadline: waiting would never be over, and being ready
/// would be a lie.
fn is_hopeless(timers: &Timers, deadline_ns: u64) -> bool {
    timers.is_closed() && deadline_ns > timers.now_ns()
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.get_mut().poll_spending(cx)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let State::Registered(registration) = &self.state else {
            return;
        };
        // Nobody will ask any more, and this deadline takes no division.
        let over = State::at(registration.timers.clock().instant_at(0));
        if let State::Registered(registration) = std::mem::replace(&mut self.state, over) {
            // The waker is dropped here, with the lock free again.
            drop(registration.cancel());
            context::let_go(registration.timers);
        }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
