#![expect(
    unsafe_code,
    reason = "reads a clock that no crate has a safe face for"
)]
//! How long a thread has run.
//!
//! Linux has a clock for every thread, which stands still while that one sleeps or lacks a processor. To read another thread's takes
//! half a microsecond, so the reactor thread can do it at every tick.
//!
//! # Invariants
//!
//! * X4 — The structure that is handed to the system lives on the stack of the call, and is not kept.

use std::time::Duration;

/// For how long `thread`, as [`cpu_wait::thread`](super::cpu_wait::thread) names it, has run since it began. `None` where the system does not
/// tell.
pub(super) fn of(thread: u32) -> Option<Duration> {
    /// The clock of a thread instead of a whole process, and the time that the scheduler has counted.
    const OF_THREAD: libc::clockid_t = 4 | 2;

    let thread = libc::clockid_t::try_from(thread).ok()?;
    if !(1..=libc::clockid_t::MAX >> 3).contains(&thread) {
        return None;
    }
    // So the system numbers them, and `pthread_getcpuclockid` gives the same number.
    let clock = (!thread << 3) | OF_THREAD;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let to = &raw mut time;
    // SAFETY: X4. A number that names no clock is an error.
    if unsafe { libc::clock_gettime(clock, to) } != 0 {
        return None;
    }
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let nanoseconds = u32::try_from(time.tv_nsec).ok()?;
    Some(Duration::new(seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::super::cpu_wait;
    use super::*;
    use std::sync::mpsc;
    use std::time::Instant;

    #[test]
    fn of_a_thread_that_sleeps_it_stands_still_and_of_one_that_computes_it_goes_on() {
        let (tell, told) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let sleeper = std::thread::spawn(move || {
            tell.send(cpu_wait::thread()).expect("a receiver");
            let _ = released.recv();
        });
        let thread = told.recv().expect("it tells");
        while cpu_wait::is_asleep(thread) != Some(true) {
            std::thread::yield_now();
        }
        // Long enough for the last of its way into the sleep.
        const WORK: Duration = Duration::from_millis(20);
        let theirs = of(thread).expect("it lives");
        let start = Instant::now();
        let own = of(cpu_wait::thread()).expect("this one lives");
        while of(cpu_wait::thread()).expect("still") < own + WORK {}
        assert!(start.elapsed() >= WORK / 2);
        let after = of(thread).expect("it still lives");
        assert!(after - theirs < WORK / 2, "{theirs:?}, {after:?}");
        drop(release);
        sleeper.join().expect("no panic");
    }

    #[test]
    fn a_thread_that_does_not_exist_has_no_clock() {
        assert_eq!(of(0), None);
        assert_eq!(of(u32::MAX), None);
        assert_eq!(of(i32::MAX.unsigned_abs()), None);
    }
}
