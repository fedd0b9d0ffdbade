//! Timers for hyper.

use crate::time::{Duration, Instant, Sleep, sleep, sleep_until};
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Gives hyper the timers of this runtime, for its timeouts: pass it to `timer` of hyper's builders.
///
/// On a runtime with a paused clock these follow that clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct HyperTimer;

impl HyperTimer {
    /// The one there is.
    pub const fn new() -> Self {
        Self
    }
}

impl hyper::rt::Timer for HyperTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        let sleep = sleep(duration);
        Box::pin(HyperSleep { sleep })
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        let sleep = sleep_until(deadline.into());
        Box::pin(HyperSleep { sleep })
    }

    fn now(&self) -> std::time::Instant {
        Instant::now().into()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn hyper::rt::Sleep>>, deadline: std::time::Instant) {
        match sleep.as_mut().downcast_mut_pin::<HyperSleep>() {
            // Without a new allocation.
            Some(own) => own.project().sleep.reset(deadline.into()),
            None => *sleep = self.sleep_until(deadline),
        }
    }
}

pin_project! {
    /// A sleep in the form that hyper asks for.
    struct HyperSleep {
        #[pin]
        sleep: Sleep,
    }
}

impl Future for HyperSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().sleep.poll(cx)
    }
}

impl hyper::rt::Sleep for HyperSleep {}
