//! Timers, as sleeps use them, and the wheel that fires them.

use crate::MOST;
use gristmill::time::{Duration, Instant, Sleep, sleep_until};
use runtime_timer::wheel::{Fired, TICK_NS, Wheel};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// A sleep in its place; dropped there, so that no memory is given back.
type Place = Pin<Box<Option<Sleep>>>;

/// Sets a timer: the first poll of a sleep.
pub(crate) async fn insert(times: usize) {
    let mut places = places();
    poll_fn(|cx| {
        set(&mut places[..times], cx);
        Poll::Ready(())
    })
    .await;
    // Not cancelled: this would be counted.
    std::mem::forget(places);
}

/// Cancels a timer: the drop of a sleep that is not over.
pub(crate) async fn cancel(times: usize) {
    let mut places = places();
    poll_fn(|cx| {
        set(&mut places, cx);
        Poll::Ready(())
    })
    .await;
    for place in &mut places[..times] {
        place.set(None);
    }
    std::mem::forget(places);
}

/// Fires a timer, on the wheel alone: no other clock can be told what time it is.
pub(crate) async fn fire(times: usize) {
    /// As many at once as a scheduler takes.
    const BATCH: usize = 64;
    let mut wheel = Wheel::new();
    for n in 1..=MOST {
        let _ = wheel.insert(n as u64 * TICK_NS, Waker::noop().clone());
    }
    let mut due = Vec::with_capacity(BATCH);
    let mut fired = 0;
    for n in (1..=times).step_by(BATCH) {
        let now = (n + BATCH - 1).min(times) as u64 * TICK_NS;
        // One call moves a bounded number of timers from coarse slots to fine ones.
        while wheel.fire(now, BATCH, &mut due) == Fired::More {}
        fired += due.len();
        due.clear();
    }
    assert_eq!(fired, times, "each tick has one timer");
    std::mem::forget(wheel);
}

/// Sleeps that nobody has polled yet, a second apart from the next minute on. Whole seconds, since the arithmetic of times
/// takes a branch when the fraction of a second overflows, and that would depend on when this runs.
fn places() -> Vec<Place> {
    let minute = Instant::now() + Duration::from_secs(60);
    (0..MOST)
        .map(|n| Box::pin(Some(sleep_until(minute + Duration::from_secs(n as u64)))))
        .collect()
}

fn set(places: &mut [Place], cx: &mut Context<'_>) {
    for place in places {
        let sleep = place.as_mut().as_pin_mut().expect("nobody has taken it");
        assert!(sleep.poll(cx).is_pending(), "a minute is long");
    }
}
