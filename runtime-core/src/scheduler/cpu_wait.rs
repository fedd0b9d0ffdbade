//! Whether a thread sleeps, and if not, how long it has run, or has been ready to run without a processor to run on.
//!
//! On a machine with more to do than processors, a worker can be in one poll for milliseconds because the system lets
//! others run. A relief worker would not help there: it needs a processor too, and one more thread makes the queue for
//! them longer. So that time does not count as being stuck.
//!
//! Linux keeps the wait of every thread, in nanoseconds, as the second number of
//! `/proc/self/task/<tid>/schedstat`. Reading it costs some microseconds, so that is done in debug mode only, after a long poll; the
//! reactor thread reads how long a thread has run (`cpu_time.rs`). Where there is no such file, no wait is known of.
//! Whether the thread sleeps, so waits for anything but a processor, is the state in `/proc/self/task/<tid>/stat`.

use std::time::Duration;

/// The identity of the calling thread, for [`of`]; zero where there is none.
#[cfg(target_os = "linux")]
pub(super) fn thread() -> u32 {
    rustix::thread::gettid()
        .as_raw_nonzero()
        .get()
        .unsigned_abs()
}

/// Without meaning: this system does not tell.
#[cfg(not(target_os = "linux"))]
pub(super) fn thread() -> u32 {
    0
}

/// How long `thread` has run since it began, if the system tells.
#[cfg(all(target_os = "linux", not(any(gristmill_loom, gristmill_shuttle, miri))))]
pub(super) fn cpu_time(thread: u32) -> Option<Duration> {
    super::cpu_time::of(thread)
}

/// Not known.
#[cfg(not(all(target_os = "linux", not(any(gristmill_loom, gristmill_shuttle, miri)))))]
pub(super) fn cpu_time(_thread: u32) -> Option<Duration> {
    None
}

/// How long `thread` has waited for a processor since it began.
#[cfg(all(target_os = "linux", not(gristmill_shuttle)))]
pub(super) fn of(thread: u32) -> Duration {
    let path = format!("/proc/self/task/{thread}/schedstat");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    Duration::from_nanos(parse(&text).unwrap_or(0))
}

/// None is known of.
#[cfg(not(all(target_os = "linux", not(gristmill_shuttle))))]
pub(super) fn of(_thread: u32) -> Duration {
    Duration::ZERO
}

/// Whether `thread` sleeps at this moment; if not, it runs, or would if it had a processor. Not known of one that does not exist, and not
/// while the process has no descriptor to spare.
#[cfg(all(target_os = "linux", not(gristmill_shuttle)))]
pub(super) fn is_asleep(thread: u32) -> Option<bool> {
    let path = format!("/proc/self/task/{thread}/stat");
    match state(&std::fs::read_to_string(path).ok()?)? {
        'R' => Some(false),
        'S' | 'D' => Some(true),
        _ => None,
    }
}

/// Not known.
#[cfg(not(all(target_os = "linux", not(gristmill_shuttle))))]
pub(super) fn is_asleep(_thread: u32) -> Option<bool> {
    None
}

/// The letter behind the name, which may hold anything, parentheses too.
#[cfg_attr(
    not(all(target_os = "linux", not(gristmill_shuttle))),
    expect(dead_code, reason = "the format is Linux's")
)]
fn state(stat: &str) -> Option<char> {
    let (_, behind) = stat.rsplit_once(')')?;
    behind.trim_start().chars().next()
}

#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "the format is Linux's")
)]
fn parse(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_number_is_the_wait() {
        assert_eq!(parse("123456 789 10\n"), Some(789));
        assert_eq!(parse(""), None);
        assert_eq!(parse("no numbers"), None);
    }

    #[test]
    fn the_state_stands_behind_the_name_whatever_that_is() {
        assert_eq!(state("17 (a) R (b)) S 1 17 17 0\n"), Some('S'));
        assert_eq!(state("17 (name) R 1"), Some('R'));
        assert_eq!(state(""), None);
    }

    #[test]
    #[cfg(all(target_os = "linux", not(gristmill_shuttle)))]
    fn who_asks_is_not_asleep_and_of_nobody_nothing_is_known() {
        assert_eq!(is_asleep(thread()), Some(false));
        assert_eq!(is_asleep(u32::MAX), None);
    }

    #[test]
    fn a_thread_that_does_not_exist_has_not_waited() {
        assert_eq!(of(u32::MAX), Duration::ZERO);
    }
}
