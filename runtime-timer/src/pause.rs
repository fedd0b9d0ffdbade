//! Time that stands still, for tests.
//!
//! While the clock is paused, timers wait for it to be moved: by [`advance`], or by the scheduler, which moves it to the
//! next deadline whenever it has nothing left to run ([`Timers::auto_advance`](crate::Timers::auto_advance)). So a test
//! of hours takes milliseconds, and takes the same course every time.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use crate::clock::Refused;
use crate::context::expect_current;

/// Lets the time of this runtime stand still.
///
/// [`Instant::now`](crate::Instant::now) and timers follow; `std::time::Instant` does not. When no task can run, the
/// clock moves to the next deadline by itself.
///
/// # Panics
/// If there is no gristmill runtime on this thread, if it runs tasks on more than one thread, or if its time is paused
/// already.
#[track_caller]
pub fn pause() {
    let (timers, _) = expect_current();
    assert!(
        timers.is_pausable(),
        "time can be paused only in a runtime of one thread: use flavor = \"current_thread\" or \
         Builder::new_current_thread()"
    );
    if let Err(refused) = timers.clock().pause() {
        refuse(refused);
    }
    timers.host().clock_moved();
}

/// Lets the time of this runtime run again, from where it stands.
///
/// # Panics
/// If there is no gristmill runtime on this thread, or if its time is not paused.
#[track_caller]
pub fn resume() {
    let (timers, _) = expect_current();
    if let Err(refused) = timers.clock().resume() {
        refuse(refused);
    }
    timers.host().clock_moved();
}

/// Moves the paused time of this runtime forward by `duration`, wakes the tasks whose deadline that passes, and yields
/// once so that they can run.
///
/// The time jumps: a task that waits for several deadlines in turn sees the first of them late. To go through them one
/// by one, just sleep: the paused clock moves by itself.
///
/// # Panics
/// If there is no gristmill runtime on this thread, or if its time is not paused.
///
/// # Cancel safety
/// The time has moved as soon as the future was polled once.
pub async fn advance(duration: Duration) {
    let (timers, _) = expect_current();
    if let Err(refused) = timers.clock().advance(duration) {
        refuse(refused);
    }
    timers.fire_all_due();
    timers.host().clock_moved();
    yield_once().await;
}

/// Lets others run first.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cold]
#[track_caller]
fn refuse(refused: Refused) -> ! {
    match refused {
        Refused::Paused => panic!("time is paused already: call resume() before pausing it again"),
        Refused::Running => {
            panic!("time is not paused: call pause() first, or set start_paused = true")
        }
    }
}
