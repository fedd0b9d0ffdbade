//! What timers ask of the scheduler that they live in: the trait through which this crate looks up.

use std::task::{Context, Poll};

/// What timers ask of the scheduler that they live in.
///
/// No lock of the timers is held during a call, so a host may call back into them. A host that owns
/// its [`Timers`](crate::Timers) should be known to them through something smaller, since they keep it alive.
pub trait Host: Send + Sync {
    /// The earliest deadline of `shard` has become `deadline_ns`, which is sooner than what was
    /// published before.
    ///
    /// Called by the thread that started the timer, after the deadline was published and a SeqCst
    /// fence passed (edge T1): a sleeper that would sleep past it has to be unparked. A sleeper,
    /// for its part, has to announce its sleep, pass a SeqCst fence, and only then load
    /// [`Timers::next_deadline`](crate::Timers::next_deadline).
    fn sooner(&self, shard: usize, deadline_ns: u64);

    /// Spends one unit of the running task's budget, before a timer reports that it has fired.
    ///
    /// `Pending` means that the budget is used up, and that the host has arranged for the task to
    /// be woken.
    fn poll_proceed(&self, cx: &mut Context<'_>) -> Poll<()>;

    /// The clock was paused, resumed or advanced: whoever computed how long to sleep has to compute
    /// it again.
    fn clock_moved(&self);
}
