//! The time of a runtime that `shuttle` runs: a number that grows by leaps, chosen with the schedule.
//!
//! Each look at the clock moves it by up to a microsecond, and a rest until a deadline by up to what is left, two milliseconds at
//! most. So near deadlines come in many orders, and a schedule that failed fails again when it is replayed.

use std::cell::Cell;
use std::time::{Duration, Instant};

use shuttle::rand::{Rng, thread_rng};

/// However far a deadline is. Otherwise the long ones, which are there for when something hangs, would come at once.
const LONGEST_LEAP: Duration = Duration::from_millis(2);

std::thread_local! {
    /// All threads of a schedule are one thread of the system.
    static CLOCK: (Instant, Cell<u64>) = (Instant::now(), const { Cell::new(0) });
}

/// Starts a schedule's clock anew.
pub fn restart() {
    CLOCK.with(|(_, nanoseconds)| nanoseconds.set(0));
}

/// The time.
pub fn now() -> Instant {
    pass(thread_rng().gen_range(1..1_000))
}

/// Lets others go on, and time pass: all that is left until `deadline` or a part of it.
pub fn rest_until(deadline: Instant) {
    shuttle::thread::yield_now();
    let left = deadline.saturating_duration_since(now()).min(LONGEST_LEAP);
    let left = u64::try_from(left.as_nanos()).unwrap_or(u64::MAX);
    pass(match thread_rng().gen_range(0..3) {
        0 => left / 10,
        1 => left / 2,
        _ => left,
    });
}

fn pass(step: u64) -> Instant {
    CLOCK.with(|(origin, nanoseconds)| {
        // A century is enough for any schedule; the system's clock must be able to hold it.
        let now = nanoseconds.get().saturating_add(step).min(1 << 61);
        nanoseconds.set(now);
        *origin + Duration::from_nanos(now)
    })
}
