//! A poll that keeps its worker for too long: what is known of it, and when it is said.
//!
//! ```text
//!   reactor thread, at a tick:  finds the lane in the same poll ──▶ marks it, notes the task, counts the stall
//!                               at later ticks ───────────────────▶ how long it has lasted by now; said at ten times the length, …
//!   the worker, when it is back and sees the mark ────────────────▶ takes the note out: how long it lasted in all; said
//! ```
//!
//! So the worker's part is on a path that it takes only when it was marked, and what never comes back is reported all the same. The
//! worker measures the end itself, because the reactor thread may sleep for good by then. The beginning is known to a tick.
//!
//! What waits behind a marked lane is anybody's. A worker that runs dry finds it when it steals; one that always has something to do
//! would not, so it looks there when it looks around, unless it has stolen there since its last look: once in so many rounds, and when the reactor thread asks it to, at each tick at which
//! something waits there and no relief worker is called, or anything waits in the injector. Not when it has just come back from such a
//! poll itself.

use super::engine::Engine;
use super::lane::{Found, Lane, Moving};
use super::worker::Worker;
use crate::report::ReportedTask;
use crate::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// While a poll goes on it is said each time that it has become so many times as long.
const AGAIN: u32 = 10;

/// Less than this is not worth saying again and again, however short the reported ones are.
const SHORTEST: Duration = Duration::from_millis(1);

/// What a stuck worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// It sleeps in its poll, as far as is known, or says that it will be long.
    Blocking,
    /// It computes, or would if it had a processor.
    Computing,
}

/// How many lanes are marked as stuck just now, and how often one was that blocks.
#[derive(Debug)]
pub(super) struct Stuck(AtomicU64);

/// In the low half of the word those that are; in the high half, which may run over, how often.
const STUCK_ONE: u64 = 1;
const TIMES_ONE: u64 = 1 << 32;

impl Stuck {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    fn begin(&self, kind: Kind) {
        let one = match kind {
            Kind::Blocking => TIMES_ONE + STUCK_ONE,
            Kind::Computing => STUCK_ONE,
        };
        // ORDERING: Relaxed; a hint, with a fence behind it where a look at it must not be missed, edge P1.
        self.0.fetch_add(one, Ordering::Relaxed);
    }

    /// One that computed blocks.
    fn turn_to_blocking(&self) {
        // ORDERING: Relaxed, as above.
        self.0.fetch_add(TIMES_ONE, Ordering::Relaxed);
    }

    fn end(&self) {
        // ORDERING: Relaxed, as above.
        self.0.fetch_sub(STUCK_ONE, Ordering::Relaxed);
    }

    /// How many are. With a fence before it where it decides, see `StandIn::choose`.
    #[inline]
    pub(super) fn now(&self) -> usize {
        // ORDERING: Relaxed; a hint. Who misses one looks again, or has a fence before this.
        (self.0.load(Ordering::Relaxed) % TIMES_ONE) as usize
    }

    /// A number that changes whenever one becomes so that blocks.
    pub(super) fn times(&self) -> u64 {
        // ORDERING: Relaxed; only compared with an earlier value.
        self.0.load(Ordering::Relaxed) / TIMES_ONE
    }
}

/// What is known of a long poll.
#[derive(Debug)]
pub(super) struct Stall {
    task: ReportedTask,
    /// The lane's round, by which it is known that the poll is the same one.
    round: u64,
    /// When the lane was first seen in this poll.
    since: Instant,
    /// How long it had lasted at the last tick.
    lasted: Duration,
    /// The length at which it is said that it goes on.
    say_at: Duration,
}

impl Stall {
    /// Whether it is time to say that the poll goes on.
    fn is_news(&mut self) -> bool {
        let is_news = self.lasted >= self.say_at;
        if is_news {
            while self.lasted >= self.say_at {
                self.say_at = self.say_at.saturating_mul(AGAIN);
            }
        }
        is_news
    }
}

impl Engine {
    /// The reactor thread has found that a lane is still in the poll in which it has been for too long `since` then.
    pub(super) fn notice_stall(
        &self,
        lane: &Lane,
        (round, kind): (u64, Kind),
        since: Instant,
        now: Instant,
    ) {
        let lasted = now.duration_since(since);
        let mut stall = lane.stall.lock();
        // Under the lock, which whoever clears the mark takes too, after the end of the poll: one that is over is not marked.
        if lane.stats.rounds.get() != round || !lane.polled.is_some() {
            return;
        }
        let found = lane.mark_stuck(kind);
        if found == Found::BlocksNow {
            self.stuck.turn_to_blocking();
        }
        if found == Found::New {
            self.stuck.begin(kind);
            *stall = lane.polled.get().map(|task| Stall {
                task,
                round,
                since,
                lasted,
                say_at: self
                    .reporter
                    .stalls_from()
                    .map_or(Duration::MAX, |shortest| {
                        shortest.max(SHORTEST).saturating_mul(AGAIN)
                    }),
            });
            self.reporter.count_stall();
        }
        let Some(stall) = &mut *stall else {
            // The worker has said beforehand that it will be long.
            return;
        };
        stall.lasted = lasted;
        self.reporter.has_lasted(lasted);
        if stall.is_news() {
            let is_relieved = self.moving() > 0;
            // Under the lock, so before the worker says that it is over.
            self.reporter
                .stall_goes_on(stall.task.clone(), lasted, is_relieved);
        }
    }

    /// The worker says that it will be in this poll for long.
    pub(crate) fn announce_stall(&self, lane: &Lane) {
        loop {
            // Under the lock: a mark that comes now either waits, and finds the announcement, or has come.
            let noted = lane.stall.lock();
            if !lane.is_stuck() {
                lane.announce_stuck();
                self.stuck.begin(Kind::Blocking);
                return;
            }
            drop(noted);
            // What was long up to here was not announced.
            let _ = self.clear_mark(lane);
        }
    }

    /// Asks those that move to look around before their next round.
    pub(super) fn ask_all(&self) {
        self.lanes.iter().for_each(Lane::ask);
    }

    /// Whether any lane is marked.
    #[inline]
    pub(super) fn has_stuck(&self) -> bool {
        self.stuck.now() > 0
    }

    /// Clears the mark of a worker that is back from the poll for which its lane was marked, says now that it will be longer, or was
    /// asked for help. What the mark was.
    #[cold]
    pub(super) fn clear_mark(&self, lane: &Lane) -> Moving {
        let is_relieved = self.moving() > 0;
        let (mark, stall) = {
            let mut stall = lane.stall.lock();
            let mark = lane.set_moving();
            if mark == Moving::Again {
                self.stuck.end();
            }
            // There is none but of a worker that was stuck.
            (mark, stall.take())
        };
        let Some(stall) = stall else {
            return mark;
        };
        // If the mark came just after the end of the poll, the worker sees it a poll too late.
        let lasted = if stall.round == lane.stats.rounds.get() {
            stall.since.elapsed()
        } else {
            stall.lasted
        };
        self.reporter.stall_is_over(stall.task, lasted, is_relieved);
        mark
    }
}

impl Worker {
    /// Takes half of what waits behind each stuck worker, as much as one steal takes, and what is in its slot, to the back of the own queue.
    /// Not from whom it has stolen since its last look: half of that deque has been taken already, and who runs dry comes again.
    #[cold]
    pub(super) fn take_from_stuck(&self, last_victim: Option<usize>) {
        let lanes = self.engine().lanes.iter().enumerate();
        let others = lanes.filter(|&(i, _)| i != self.index() && Some(i) != last_victim);
        let stuck = others.map(|(_, lane)| lane).filter(|l| l.is_stuck());
        let mut any = false;
        for lane in stuck {
            let first = self.queue().steal_from(&lane.queue);
            for runnable in first.into_iter().chain(lane.queue.steal_slot()) {
                self.queue().push_back(runnable);
                any = true;
            }
        }
        if any {
            self.lane().stats.steals.add(1);
            // A sleeper's look can have missed what was on its way.
            self.engine().notify();
        }
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;
    use std::panic::Location;

    #[test]
    fn what_goes_on_is_said_each_time_it_is_ten_times_as_long() {
        let mut stall = Stall {
            task: ReportedTask::root(Location::caller()),
            round: 1,
            since: Instant::now(),
            lasted: Duration::ZERO,
            say_at: Duration::from_millis(100),
        };
        let said: Vec<u64> = (0..20_000)
            .filter(|&ms| {
                stall.lasted = Duration::from_millis(ms);
                stall.is_news()
            })
            .collect();
        assert_eq!(said, [100, 1_000, 10_000]);
        stall.lasted = Duration::from_secs(5_000);
        assert!(stall.is_news(), "however late it is looked at");
        assert!(!stall.is_news(), "and once");
    }
}
