//! What wakes the reactor thread if a worker does not go back to sleep soon.
//!
//! Whoever wakes a sleeping thread pays for it, and so does the thread. A worker that wakes for a few microseconds, as most do in a
//! program that mostly waits, sets the alarm instead, which is one system call; if it wakes again before the alarm rings, it sets it
//! anew. So while workers come and go, the thread sleeps on. Figures in `docs/decisions/reactor-tick.md`.
//!
//! On Linux it is a timer in a descriptor, which the thread reads. Elsewhere, or where the system has no descriptor left, there is none,
//! and workers unpark the thread. The alarm knows nothing of who sets it and why, see [`Guard`](super::thread::Guard).

use std::io;
use std::time::Duration;

/// A timer that one thread sleeps on, and any may set.
#[derive(Debug)]
pub(super) struct Alarm(Timer);

#[cfg(all(
    target_os = "linux",
    not(any(gristmill_portable, gristmill_loom, gristmill_shuttle))
))]
use timer_fd::Timer;

/// There is none.
#[cfg(not(all(
    target_os = "linux",
    not(any(gristmill_portable, gristmill_loom, gristmill_shuttle))
)))]
type Timer = std::convert::Infallible;

#[cfg(all(
    target_os = "linux",
    not(any(gristmill_portable, gristmill_loom, gristmill_shuttle))
))]
impl Alarm {
    /// `None` if the system has no descriptor left.
    pub(super) fn open() -> Option<Self> {
        Timer::open().ok().map(Self)
    }

    /// Makes it ring after `time`, and not at the time before.
    pub(super) fn ring_in(&self, time: Duration) -> io::Result<()> {
        self.0.set(time)
    }

    /// Sleeps until it rings, or has rung since the last call.
    pub(super) fn wait(&self) -> io::Result<()> {
        self.0.wait()
    }
}

#[cfg(not(all(
    target_os = "linux",
    not(any(gristmill_portable, gristmill_loom, gristmill_shuttle))
)))]
impl Alarm {
    /// This system has none.
    pub(super) fn open() -> Option<Self> {
        None
    }

    pub(super) fn ring_in(&self, _time: Duration) -> io::Result<()> {
        match self.0 {}
    }

    pub(super) fn wait(&self) -> io::Result<()> {
        match self.0 {}
    }
}

#[cfg(all(
    target_os = "linux",
    not(any(gristmill_portable, gristmill_loom, gristmill_shuttle))
))]
mod timer_fd {
    use rustix::io::{Errno, read};
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    /// A timer in a descriptor.
    #[derive(Debug)]
    pub(super) struct Timer(OwnedFd);

    impl Timer {
        pub(super) fn open() -> io::Result<Self> {
            let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
            Ok(Self(timer))
        }

        pub(super) fn set(&self, time: Duration) -> io::Result<()> {
            let out_of_range = || io::Error::from(io::ErrorKind::InvalidInput);
            let once = Itimerspec {
                it_interval: Timespec::default(),
                it_value: Timespec::try_from(time).map_err(|_| out_of_range())?,
            };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
            Ok(())
        }

        pub(super) fn wait(&self) -> io::Result<()> {
            loop {
                match read(&self.0, &mut [0; 8]) {
                    Ok(_) => return Ok(()),
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
}

#[cfg(all(
    test,
    target_os = "linux",
    not(any(gristmill_portable, gristmill_loom, gristmill_shuttle))
))]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn it_rings_once_at_the_time_that_was_set_last() {
        let alarm = Alarm::open().expect("a descriptor");
        alarm.ring_in(Duration::from_secs(3_600)).expect("set");
        let start = Instant::now();
        alarm.ring_in(Duration::from_millis(5)).expect("set");
        alarm.wait().expect("it rings");
        assert!(start.elapsed() >= Duration::from_millis(5));
        // What has rung is over: the next wait is for the next time.
        alarm.ring_in(Duration::from_millis(5)).expect("set");
        let start = Instant::now();
        alarm.wait().expect("it rings");
        assert!(start.elapsed() >= Duration::from_millis(4));
    }
}
