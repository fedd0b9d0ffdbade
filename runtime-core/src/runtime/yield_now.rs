//! Stepping back for others.

use std::pin::Pin;
use std::task::{Context, Poll};

/// Lets the other tasks of this worker run before this one goes on.
///
/// The task goes to the back of its worker's queue. Nothing is promised about who runs next: with an empty queue it is
/// this task again.
///
/// # Cancel safety
///
/// Cancel safe.
#[doc(alias = "sleep0")]
pub async fn yield_now() {
    YieldNow { yielded: false }.await;
}

struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
