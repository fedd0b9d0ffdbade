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

use super::shutdown_report::{
    LISTED, Origin, UnfinishedJob, UnfinishedJobState, UnfinishedTask, UnfinishedTaskState,
};
use crate::sync::{Arc, Mutex};
use crate::task::header::TaskRef;
use crate::task::{ClaimOutcome, Id, JoinError, Standing};
use std::collections::HashSet;
use std::thread;

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
    /// The report has been made.
    is_reported: bool,
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
        if !state.is_reported {
            state.cancelled.add(job());
        }
    }

    /// Takes everything out. `thread_of` says which thread polls a task.
    pub(crate) fn take(&self, thread_of: impl Fn(Id) -> Option<String>) -> Noted {
        let State {
            hands,
            expected,
            cut_off,
            cancelled,
            ..
        } = std::mem::replace(
            &mut *self.state.lock(),
            State {
                is_reported: true,
                ..State::default()
            },
        );
        let mut noted = Noted {
            more_tasks: cut_off.more,
            more_jobs: cancelled.more,
            ..Noted::default()
        };
        for job in cancelled.list {
            let state = UnfinishedJobState::Cancelled;
            noted.jobs.push(UnfinishedJob { job, state });
        }
        let mut over = Vec::new();
        for hand in hands {
            let hand = std::mem::take(&mut *hand.lock());
            noted.tasks.extend(hand.dropping.map(|task| UnfinishedTask {
                state: UnfinishedTaskState::Dropping,
                thread: hand.thread,
                ..task
            }));
            for task in &hand.polled {
                noted.still_running(task, &cut_off.list, &thread_of);
            }
            noted.more_tasks += hand.dropped.more;
            over.extend(hand.dropped.list);
        }
        let polled = |task| UnfinishedTask::new(task, UnfinishedTaskState::Polled);
        over.extend(cut_off.list.into_iter().map(polled));
        over.extend(expected);
        noted.add(over);
        noted
    }
}

impl Noted {
    /// Lists further tasks, but for those that are listed already.
    fn add(&mut self, tasks: Vec<UnfinishedTask>) {
        let mut listed: HashSet<Id> = self.tasks.iter().map(UnfinishedTask::id).collect();
        let is_new = |task: &UnfinishedTask| listed.insert(task.id());
        self.tasks.extend(tasks.into_iter().filter(is_new));
        self.more_tasks += self.tasks.len().saturating_sub(LISTED);
        self.tasks.truncate(LISTED);
    }

    /// A task that was being polled when a sweep came to it, and may still be.
    fn still_running(
        &mut self,
        task: &TaskRef,
        cut_off: &[Origin],
        thread_of: impl Fn(Id) -> Option<String>,
    ) {
        if task.is_complete() {
            return;
        }
        let meta = task.meta();
        let state = if cut_off.iter().any(|task| task.meta.id == meta.id) {
            UnfinishedTaskState::Dropping
        } else {
            UnfinishedTaskState::Polling
        };
        self.tasks.push(UnfinishedTask {
            task: Origin::of(task),
            state,
            thread: thread_of(meta.id),
        });
    }
}

/// The dropping of futures by one thread.
pub(crate) struct Sweep<'a> {
    leftovers: &'a Leftovers,
    /// Once there was something to note.
    hand: Option<Arc<Mutex<Hand>>>,
}

impl Sweep<'_> {
    /// Ends a task as cancelled, on this thread; if it is being polled, at the end of that poll.
    pub(crate) fn end(&mut self, task: TaskRef) {
        let dropped = self.end_quietly(task);
        if let (Some(dropped), Some(hand)) = (dropped, &self.hand) {
            hand.lock().dropped.add(dropped);
        }
    }

    /// As [`end`](Self::end) for a task that was [expected](Leftovers::expect), and so listed: tells only if that hangs. Gives what
    /// there would be to list.
    pub(crate) fn end_quietly(&mut self, task: TaskRef) -> Option<UnfinishedTask> {
        let error = JoinError::shut_down(task.meta().id);
        let state = match task.standing() {
            Standing::Asleep | Standing::Running => UnfinishedTaskState::Waiting,
            Standing::Scheduled => UnfinishedTaskState::Runnable,
            Standing::Ended => return None,
        };
        let Some(hand) = self.hand() else {
            task.end(error);
            return None;
        };
        hand.lock().dropping = Some(UnfinishedTask::new(Origin::of(&task), state));
        // L1: destructors run in here.
        let outcome = task.claim_and_end(error);
        let mut hand = hand.lock();
        let dropping = hand.dropping.take();
        match outcome {
            ClaimOutcome::Claimed => dropping,
            ClaimOutcome::Running => {
                hand.polled.push(task);
                None
            }
            ClaimOutcome::Ended => None,
        }
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
