//! Keeps note of what a shutdown finds unfinished, while several threads drop it.
//!
//! ```text
//!   owned sets ──pop──▶ sweep of a worker ─────────┐  dropped now:   listed
//!                       sweep of another worker ───┼─ being dropped: by name, in the sweep's hand
//!                       sweep of the caller ───────┘  being polled:  a reference, until the report
//!   end of such a poll, without an output ───────▶ cut off: listed
//!   jobs that are dropped unrun ─────────────────▶ cancelled: listed
//! ```
//!
//! Nothing here costs a program that has not begun to shut down. Lists are bounded; what does not fit is counted.
//!
//! # Invariants
//!
//! * L1 — No lock is held while user code runs, so a destructor that never returns keeps nobody from making the report.
//! * L2 — The report takes everything along; from then on no reference to a task is kept but by a sweep that goes on.
//! * L3 — The report finds a task that is being swept in one place at any time: a sweep takes it from its set under the lock of its hand,
//!   notes there that it drops it, and what came of it, under that lock too; the report holds the state and every hand while it
//!   counts what is left in the sets. Who finds the runnable of such a task in a queue sweeps it likewise. A sweep takes a job out, and
//!   notes it, under the lock of the state.

use super::shutdown_report::{
    LISTED, Origin, UnfinishedJob, UnfinishedJobState, UnfinishedTask, UnfinishedTaskState,
};
use crate::sync::{Arc, Mutex};
use crate::task::header::TaskRef;
use crate::task::{ClaimOutcome, Id, JoinError, Runnable, Standing};
use std::collections::HashSet;
use std::thread::{self, ThreadId};

/// What a shutdown finds unfinished.
pub(crate) struct Leftovers {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// One for each thread that drops futures.
    hands: Vec<Arc<Mutex<Hand>>>,
    /// Tasks that nobody has begun to drop, as they were found.
    expected: Vec<UnfinishedTask>,
    /// Tasks that were aborted in a poll which then came to its end.
    cut_off: Listed<Origin>,
    /// Jobs that were dropped unrun.
    cancelled: Listed<Origin>,
    /// Who has a job in hand that is to be dropped unrun and is not noted yet.
    jobs_in_hand: Vec<ThreadId>,
    /// The report has been made.
    is_reported: bool,
}

impl State {
    /// This thread has no job in hand that is not noted.
    fn put_down_job(&mut self) {
        let this = thread::current().id();
        self.jobs_in_hand.retain(|thread| *thread != this);
    }
}

/// What one thread has dropped, and what it has in hand.
#[derive(Default)]
struct Hand {
    /// The thread, if it has a name.
    thread: Option<String>,
    dropped: Listed<UnfinishedTask>,
    /// Its future is being dropped.
    dropping: Option<UnfinishedTask>,
    /// Tasks that others were polling.
    polled: Vec<TaskRef>,
}

/// A bounded list, and how many do not fit.
struct Listed<T> {
    list: Vec<T>,
    more: usize,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            more: 0,
        }
    }
}

impl<T> Listed<T> {
    fn add(&mut self, item: T) {
        if self.list.len() < LISTED {
            self.list.push(item);
        } else {
            self.more += 1;
        }
    }
}

/// How much no sweep has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unreached {
    pub(crate) tasks: usize,
    pub(crate) jobs: usize,
}

/// What there is to tell, before it is in order.
struct Found {
    state: State,
    hands: Vec<Hand>,
    /// Those of the hands' polled tasks that were still running.
    running: HashSet<Id>,
    unreached: Unreached,
}

/// What was noted: the lists, and how many more there are.
#[derive(Default)]
pub(crate) struct Noted {
    /// Those first that have not ended even now.
    pub(crate) tasks: Vec<UnfinishedTask>,
    pub(crate) more_tasks: usize,
    pub(crate) jobs: Vec<UnfinishedJob>,
    pub(crate) more_jobs: usize,
}

impl Leftovers {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State::default()),
        }
    }

    /// Begins to drop futures on this thread.
    pub(crate) fn sweep(&self) -> Sweep<'_> {
        Sweep {
            leftovers: self,
            hand: None,
        }
    }

    /// A task that somebody will come to, but perhaps not before the report, which is made later by whoever calls this.
    pub(crate) fn expect(&self, task: &TaskRef) {
        let state = match task.standing() {
            Standing::Asleep => UnfinishedTaskState::Waiting,
            Standing::Scheduled => UnfinishedTaskState::Runnable,
            Standing::Running => UnfinishedTaskState::Polling,
            Standing::Ended => return,
        };
        let expected = UnfinishedTask::new(Origin::of(task), state);
        self.state.lock().expected.push(expected);
    }

    /// A task was aborted in a poll which has come to its end, and its future is about to be dropped.
    pub(crate) fn cut_off(&self, task: impl FnOnce() -> Origin) {
        let mut state = self.state.lock();
        if !state.is_reported {
            state.cut_off.add(task());
        }
    }

    /// A job is dropped unrun.
    pub(crate) fn cancelled(&self, job: impl FnOnce() -> Origin) {
        let mut state = self.state.lock();
        state.put_down_job();
        if !state.is_reported {
            state.cancelled.add(job());
        }
    }

    /// Whether this thread has a job in hand that is to be dropped unrun.
    pub(crate) fn has_job_in_hand(&self) -> bool {
        let this = thread::current().id();
        self.state.lock().jobs_in_hand.contains(&this)
    }

    /// Takes a job with `next`, to drop it unrun on this thread; the report finds it where it was, in hand, or noted (L3).
    pub(crate) fn next_job<J>(&self, next: impl FnOnce() -> Option<J>) -> Option<J> {
        let mut state = self.state.lock();
        // The last one, if somebody has reported meanwhile.
        state.put_down_job();
        let job = next()?;
        state.jobs_in_hand.push(thread::current().id());
        Some(job)
    }

    /// Takes everything out. `unreached` counts what no sweep has come to; `thread_of` says which thread polls a task.
    pub(crate) fn take(
        &self,
        unreached: impl FnOnce() -> Unreached,
        thread_of: impl Fn(Id) -> Option<String>,
    ) -> Noted {
        let Found {
            state,
            hands,
            running,
            unreached,
        } = self.find_all(unreached);
        let State {
            expected,
            cut_off,
            cancelled,
            jobs_in_hand,
            ..
        } = state;
        let mut noted = Noted {
            more_tasks: cut_off.more + unreached.tasks,
            more_jobs: cancelled.more + unreached.jobs + jobs_in_hand.len(),
            ..Noted::default()
        };
        for job in cancelled.list {
            let state = UnfinishedJobState::Cancelled;
            noted.jobs.push(UnfinishedJob { job, state });
        }
        // In the order of what is known best of a task that several tell of.
        let (mut dropping, mut polled, mut over) = (Vec::new(), Vec::new(), Vec::new());
        for hand in hands {
            dropping.extend(hand.dropping.map(|task| UnfinishedTask {
                state: UnfinishedTaskState::Dropping,
                thread: hand.thread,
                ..task
            }));
            let found = hand.polled.iter();
            let found = found.filter(|task| running.contains(&task.meta().id));
            polled.extend(found.map(|task| still_running(task, &cut_off.list, &thread_of)));
            noted.more_tasks += hand.dropped.more;
            over.extend(hand.dropped.list);
        }
        let cut_off = cut_off.list.into_iter();
        over.extend(cut_off.map(|task| UnfinishedTask::new(task, UnfinishedTaskState::Polled)));
        over.extend(expected);
        noted.list(dropping.into_iter().chain(polled).chain(over));
        noted
    }

    /// Everything there is to tell, as it is at one moment (L3).
    fn find_all(&self, unreached: impl FnOnce() -> Unreached) -> Found {
        let mut state = self.state.lock();
        let reported = State {
            is_reported: true,
            ..State::default()
        };
        let taken = std::mem::replace(&mut *state, reported);
        let mut hands: Vec<_> = taken.hands.iter().map(|hand| hand.lock()).collect();
        let unreached = unreached();
        // One that is cut off at the end of its poll is noted, under the lock of the state, before it is complete. Nothing is dropped here
        // (L1).
        let polled = hands.iter().flat_map(|hand| &hand.polled);
        let running = polled.filter(|task| !task.is_complete());
        let running = running.map(|task| task.meta().id).collect();
        let contents = hands.iter_mut().map(|hand| std::mem::take(&mut **hand));
        let contents = contents.collect();
        drop(hands);
        Found {
            state: taken,
            hands: contents,
            running,
            unreached,
        }
    }
}

impl Noted {
    /// Lists tasks, each once.
    fn list(&mut self, tasks: impl Iterator<Item = UnfinishedTask>) {
        let mut listed = HashSet::new();
        self.tasks = tasks.filter(|task| listed.insert(task.id())).collect();
        self.more_tasks += self.tasks.len().saturating_sub(LISTED);
        self.tasks.truncate(LISTED);
    }
}

/// A task that was being polled when a sweep came to it, or dropped, and is still.
fn still_running(
    task: &TaskRef,
    cut_off: &[Origin],
    thread_of: impl Fn(Id) -> Option<String>,
) -> UnfinishedTask {
    let meta = task.meta();
    let state = if cut_off.iter().any(|task| task.meta.id == meta.id) {
        UnfinishedTaskState::Dropping
    } else {
        UnfinishedTaskState::Polling
    };
    UnfinishedTask {
        task: Origin::of(task),
        state,
        thread: thread_of(meta.id),
    }
}

/// A task as it is found by who is about to drop its future.
fn begun(task: &TaskRef) -> Option<UnfinishedTask> {
    let state = match task.standing() {
        Standing::Asleep | Standing::Running => UnfinishedTaskState::Waiting,
        Standing::Scheduled => UnfinishedTaskState::Runnable,
        Standing::Ended => return None,
    };
    Some(UnfinishedTask::new(Origin::of(task), state))
}

/// Who lists a task that is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// Who drops it.
    Here,
    /// It was [expected](Leftovers::expect), and so is listed: it is told of only if that hangs.
    Done,
}

/// The dropping of futures by one thread.
pub(crate) struct Sweep<'a> {
    leftovers: &'a Leftovers,
    /// Once there was something to note.
    hand: Option<Arc<Mutex<Hand>>>,
}

impl Sweep<'_> {
    /// Ends a task as cancelled, on this thread, whose runnable the caller has taken from a queue.
    pub(crate) fn end(&mut self, runnable: Runnable) {
        self.end_next(|| Some(runnable.into_task()), |_| {}, Listing::Here);
    }

    /// Ends the task that `next` takes out of a set as cancelled, on this thread; if it is being polled, at the end of that poll. It is
    /// shown to `look` before. Whether there was one.
    pub(crate) fn end_next(
        &mut self,
        next: impl FnOnce() -> Option<TaskRef>,
        look: impl FnOnce(&TaskRef),
        listing: Listing,
    ) -> bool {
        let hand = self.hand();
        let mut held = hand.as_ref().map(|hand| hand.lock());
        let Some(task) = next() else {
            return false;
        };
        if let Some(held) = &mut held {
            held.dropping = begun(&task);
        }
        drop(held);
        look(&task);
        // L1: destructors run in here.
        let outcome = task.claim_and_end(JoinError::shut_down(task.meta().id));
        let Some(hand) = &hand else {
            return true;
        };
        let mut held = hand.lock();
        let dropped = held.dropping.take();
        match outcome {
            ClaimOutcome::Claimed if listing == Listing::Here => {
                dropped.into_iter().for_each(|task| held.dropped.add(task));
            }
            ClaimOutcome::Running => held.polled.push(task),
            ClaimOutcome::Claimed | ClaimOutcome::Ended => {}
        }
        true
    }

    /// Where to note; nowhere if the report was made before.
    fn hand(&mut self) -> Option<Arc<Mutex<Hand>>> {
        if self.hand.is_none() {
            let mut state = self.leftovers.state.lock();
            if !state.is_reported {
                let hand = Arc::new(Mutex::new(Hand {
                    thread: thread::current().name().map(str::to_owned),
                    ..Hand::default()
                }));
                state.hands.push(Arc::clone(&hand));
                self.hand = Some(hand);
            }
        }
        self.hand.clone()
    }
}
