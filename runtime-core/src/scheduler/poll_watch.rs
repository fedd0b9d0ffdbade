//! Debug mode's look at single polls: how long they took, and what the thread did meanwhile.
//!
//! | the thread was | cause |
//! |---|---|
//! | on a processor half of the time or more | computed |
//! | off, and less than half of the time can have been spent on waiting for a processor | blocked |
//! | anything else, or the system does not tell | unknown |
//!
//! The time on a processor is one call of the system before the poll and one after a long one. What a thread has waited for
//! a processor is dearer to read ([`cpu_wait`]), so it is read after a long poll, and before a poll if the last
//! reading is old: what it has grown by since then is at least what the poll has waited.

use super::cpu_wait;
use crate::report::{ReportedTask, Reporter, SlowPollCause};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// A reading of the wait for a processor that is older than this is read anew.
const STALE: Duration = Duration::from_millis(10);

thread_local! {
    /// While a poll is watched: how long it has been in `block_in_place`.
    static EXCUSED: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// Watches the polls on one thread.
#[derive(Debug)]
pub(crate) struct PollWatch {
    threshold: Duration,
    thread: u32,
    /// When the wait for a processor was read last, and what it was.
    waited: Cell<(Instant, Duration)>,
}

impl PollWatch {
    /// A watch for this thread, in debug mode.
    pub(crate) fn new(reporter: &Reporter) -> Option<Self> {
        let threshold = reporter.threshold()?;
        let thread = cpu_wait::thread();
        Some(Self {
            threshold,
            thread,
            waited: Cell::new((Instant::now(), cpu_wait::of(thread))),
        })
    }

    /// Polls; reports what took long.
    pub(crate) fn watch<R>(
        &self,
        reporter: &Reporter,
        task: ReportedTask,
        poll: impl FnOnce() -> R,
    ) -> R {
        let begun = Instant::now();
        let (read, mut waited) = self.waited.get();
        if begun.duration_since(read) > STALE {
            waited = cpu_wait::of(self.thread);
            self.waited.set((begun, waited));
        }
        let on_cpu = on_cpu();
        let excuse = Excuse::new();
        let output = poll();
        let duration = begun.elapsed().saturating_sub(excuse.sum());
        drop(excuse);
        if duration > self.threshold {
            let on_cpu = on_cpu.zip(self::on_cpu());
            let on_cpu = on_cpu.map(|(before, after)| after.saturating_sub(before));
            let now = cpu_wait::of(self.thread);
            self.waited.set((Instant::now(), now));
            let cause = judge(duration, on_cpu, now.saturating_sub(waited));
            reporter.slow_poll(task, duration, cause);
        }
        output
    }
}

/// What a thread did that was `on_cpu` for a part of a poll, and waited for a processor for `waited` at most.
fn judge(duration: Duration, on_cpu: Option<Duration>, waited: Duration) -> SlowPollCause {
    match on_cpu {
        None => SlowPollCause::Unknown,
        Some(on_cpu) if on_cpu >= duration / 2 => SlowPollCause::Computed,
        Some(on_cpu) if duration.saturating_sub(on_cpu + waited) >= duration / 2 => {
            SlowPollCause::Blocked
        }
        Some(_) => SlowPollCause::Unknown,
    }
}

/// How long this thread has been on a processor.
#[cfg(target_os = "linux")]
fn on_cpu() -> Option<Duration> {
    use rustix::time::{ClockId, clock_gettime};

    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).ok()
}

/// It is not known.
#[cfg(not(target_os = "linux"))]
fn on_cpu() -> Option<Duration> {
    None
}

/// Keeps count of `block_in_place` in one poll.
struct Excuse {
    outer: Option<Duration>,
}

impl Excuse {
    fn new() -> Self {
        Self {
            outer: EXCUSED.replace(Some(Duration::ZERO)),
        }
    }

    fn sum(&self) -> Duration {
        EXCUSED.get().unwrap_or_default()
    }
}

impl Drop for Excuse {
    fn drop(&mut self) {
        EXCUSED.set(self.outer);
    }
}

/// Runs what may block, as part of a poll that says so.
pub(super) fn excused<R>(f: impl FnOnce() -> R) -> R {
    /// Adds what it took, also when `f` panics.
    struct Since(Instant);
    impl Drop for Since {
        fn drop(&mut self) {
            if let Some(sum) = EXCUSED.get() {
                EXCUSED.set(Some(sum + self.0.elapsed()));
            }
        }
    }
    let _since = EXCUSED.get().map(|_| Since(Instant::now()));
    f()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn half_of_the_time_on_a_processor_is_computing() {
        assert_eq!(
            judge(10 * MS, Some(5 * MS), Duration::ZERO),
            SlowPollCause::Computed
        );
        assert_eq!(
            judge(10 * MS, Some(10 * MS), 9 * MS),
            SlowPollCause::Computed
        );
    }

    #[test]
    fn off_the_processor_without_waiting_for_one_is_blocking() {
        assert_eq!(
            judge(10 * MS, Some(MS), Duration::ZERO),
            SlowPollCause::Blocked
        );
        assert_eq!(judge(10 * MS, Some(MS), 4 * MS), SlowPollCause::Blocked);
    }

    #[test]
    fn a_thread_that_may_have_waited_for_a_processor_is_not_accused() {
        assert_eq!(judge(10 * MS, Some(MS), 5 * MS), SlowPollCause::Unknown);
        assert_eq!(judge(10 * MS, None, Duration::ZERO), SlowPollCause::Unknown);
    }
}
