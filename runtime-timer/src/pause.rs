//! Time that stands still, for tests.
//!
//! While the clock is paused, timers wait for it to be moved: by [`advance`], or by the scheduler,
//! which moves it to the next deadline whenever it has nothing left to run
//! ([`Timers::auto_advance`](crate::Timers::auto_advance)). So a test of hours takes milliseconds,
//! and takes the same course every time.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use crate::Timers;
use crate::clock::Refused;
use crate::context::expect_current;

/// Lets the time of this runtime stand still.
///
/// [`Instant::now`](crate::Instant::now) and timers follow; `std::time::Instant` does not. When no
/// task can run, the clock moves to the next deadline by itself.
///
/// # Panics
/// If there is no gristmill runtime on this thread, if it runs tasks on more than one thread, or if
/// its time is paused already, as that of a simulated runtime always is.
#[track_caller]
pub fn pause() {
    let (timers, _) = expect_current();
    assert!(
        timers.is_pausable(),
        "time can be paused only in a runtime of one thread: use flavor = \"current_thread\" or \
         Builder::new_current_thread()"
    );
    refuse_for_good(&timers);
    if let Err(refused) = timers.clock().pause() {
        refuse(refused);
    }
    timers.host().clock_moved();
}

/// Lets the time of this runtime run again, from where it stands.
///
/// # Panics
/// If there is no gristmill runtime on this thread, or if its time is not paused, or paused for good: that of a simulated
/// runtime.
#[track_caller]
pub fn resume() {
    let (timers, _) = expect_current();
    refuse_for_good(&timers);
    if let Err(refused) = timers.clock().resume() {
        refuse(refused);
    }
    timers.host().clock_moved();
}

/// Moves the paused time of this runtime forward by `duration`, wakes the tasks whose deadline that
/// passes, and yields once so that they can run.
///
/// The time jumps: a task that waits for several deadlines in turn sees the first of them late. To
/// go through them one by one, just sleep: the paused clock moves by itself.
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

/// Leaves a clock that is paused for good alone.
#[track_caller]
fn refuse_for_good(timers: &Timers) {
    assert!(
        !timers.is_paused_for_good(),
        "the time of a simulated runtime is always paused, and moves by itself: leave out pause() and resume()"
    );
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;

    use super::*;
    use crate::sync::Arc;
    use crate::testing::{RecordingHost, Scene, counting_waker};
    use crate::{Clock, Host, Instant, enter, sleep};

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn instants_follow_the_paused_clock() {
        let scene = Scene::new();
        let start = Instant::now();

        scene.advance(HOUR);

        assert_eq!(start.elapsed(), HOUR);
    }

    #[test]
    fn resume_and_pause_keep_the_time_and_tell_the_host() {
        let scene = Scene::new();
        let start = Instant::now();
        scene.advance(HOUR);

        resume();
        assert!(start.elapsed() >= HOUR);
        pause();

        let frozen = start.elapsed();
        assert!(frozen >= HOUR);
        assert_eq!(start.elapsed(), frozen);
        assert_eq!(scene.host.clock_moves.load(SeqCst), 2);
    }

    #[test]
    fn advance_wakes_whom_it_passes_and_yields_once() {
        let scene = Scene::new();
        let (sleeper, mut sleep) = (counting_waker(), sleep(HOUR));
        assert!(sleeper.poll(&mut sleep).is_pending());
        let (task, mut advance) = (counting_waker(), Box::pin(advance(2 * HOUR)));

        assert!(task.poll(&mut advance).is_pending());

        assert_eq!((sleeper.wakes(), task.wakes()), (1, 1));
        assert_eq!(scene.host.clock_moves.load(SeqCst), 1);
        assert!(sleeper.poll(&mut sleep).is_ready());
        assert!(task.poll(&mut advance).is_ready());
        assert_eq!(scene.timers.now_ns(), 7_200_000_000_000);
    }

    #[test]
    #[should_panic(expected = "time is paused already")]
    fn pausing_twice_is_refused() {
        let _scene = Scene::new();

        pause();
    }

    #[test]
    #[should_panic(expected = "time is not paused")]
    fn resuming_a_running_clock_is_refused() {
        let _scene = Scene::new();

        resume();
        resume();
    }

    #[test]
    #[should_panic(expected = "time is not paused")]
    fn advancing_a_running_clock_is_refused() {
        let _scene = Scene::new();
        resume();

        let _ = counting_waker().poll(&mut Box::pin(advance(HOUR)));
    }

    #[test]
    #[should_panic(expected = "leave out pause() and resume()")]
    fn a_clock_that_is_paused_for_good_cannot_run() {
        let host: Arc<dyn Host> = Arc::new(RecordingHost::default());
        let timers = Timers::new(1, Clock::new(), host).pause_for_good();
        let _entered = enter(Arc::new(timers), 0);

        resume();
    }

    #[test]
    #[should_panic(expected = "use flavor = \"current_thread\"")]
    fn pausing_a_runtime_of_many_threads_is_refused_with_the_fix() {
        let host: Arc<dyn Host> = Arc::new(RecordingHost::default());
        let _entered = enter(Arc::new(Timers::new(1, Clock::new(), host)), 0);

        pause();
    }

    #[test]
    #[should_panic(expected = "there is no gristmill runtime on this thread")]
    fn pausing_without_a_runtime_is_refused_with_the_fix() {
        pause();
    }
}
