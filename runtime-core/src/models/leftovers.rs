//! A shutdown against the last poll of a task that does not end in it, against a worker that empties its queue, and against the report:
//! whoever drops the future, the report tells of it, once. The notes of [`Leftovers`] (L3).

use super::check;
use crate::report::leftovers::Listing;
use crate::report::shutdown_report::Origin;
use crate::report::{Leftovers, Unreached};
use crate::task::header::Header;
use crate::task::{Cause, Meta, OwnedSet, Runnable, Schedule, allocate};
use loom::thread;
use std::panic::Location;
use std::sync::Arc;

/// A scheduler that notes tasks which a shutdown cuts off, as a home does, unless it is broken.
struct Noting {
    leftovers: Arc<Leftovers>,
    is_broken: bool,
}

impl Schedule for Noting {
    const CLAIM_ON_ABORT: bool = false;

    type Address = ();

    fn address(&self) {}

    fn send((): (), runnable: Runnable, _cause: Cause) {
        drop(runnable);
    }

    fn release(&self, _task: &Header) -> bool {
        false
    }

    fn cut_off(&self, meta: &Meta, name: Option<&Arc<str>>) {
        if !self.is_broken {
            self.leftovers.cut_off(|| Origin {
                meta: *meta,
                name: name.cloned(),
            });
        }
    }
}

/// A task in a set that takes no more, and its runnable.
fn task_in_a_closed_set(leftovers: &Arc<Leftovers>, is_broken: bool) -> (Arc<OwnedSet>, Runnable) {
    let set = Arc::new(OwnedSet::new());
    let scheduler = Noting {
        leftovers: Arc::clone(leftovers),
        is_broken,
    };
    let future = std::future::pending::<()>();
    let meta = Meta::new(Location::caller());
    let (runnable, handle, member) = allocate(future, scheduler, meta, true);
    drop(handle);
    set.insert(member.expect("registered")).expect("open");
    set.close();
    (set, runnable)
}

fn sweep(leftovers: &Leftovers, set: &OwnedSet) {
    let mut sweep = leftovers.sweep();
    while sweep.end_next(|| set.pop(), |_| {}, Listing::Here) {}
}

#[track_caller]
fn assert_told_once(leftovers: &Leftovers, set: &OwnedSet) {
    let unreached = || Unreached {
        tasks: set.len(),
        jobs: 0,
    };
    let told = leftovers.take(unreached, |_| None);
    assert_eq!(told.tasks.len() + told.more_tasks, 1, "not told of");
}

fn sweep_beside(worker: impl Fn(&Leftovers, Runnable) + Send + Sync + 'static, is_broken: bool) {
    let worker = Arc::new(worker);
    check(move || {
        let leftovers = Arc::new(Leftovers::new());
        let (set, runnable) = task_in_a_closed_set(&leftovers, is_broken);
        let (theirs, worker) = (Arc::clone(&leftovers), Arc::clone(&worker));
        let worker = thread::spawn(move || worker(&theirs, runnable));
        sweep(&leftovers, &set);
        worker.join().expect("no panic");
        assert_told_once(&leftovers, &set);
    });
}

#[test]
fn a_task_that_is_dropped_is_told_of_once() {
    sweep_beside(|_, runnable| runnable.run(), false);
}

/// The canary: what is cut off at the end of a poll is dropped by the poller, and the sweep does not know.
#[test]
#[should_panic(expected = "not told of")]
fn canary_a_poller_that_does_not_note_loses_the_task_for_the_report() {
    sweep_beside(|_, runnable| runnable.run(), true);
}

#[test]
fn a_task_whose_runnable_another_finds_is_told_of_once() {
    sweep_beside(|leftovers, runnable| leftovers.sweep().end(runnable), false);
}

/// The canary: the sweep has taken the task from its set when the worker ends it.
#[test]
#[should_panic(expected = "not told of")]
fn canary_a_queue_that_is_emptied_without_a_note_loses_the_task_for_the_report() {
    sweep_beside(|_, runnable| drop(runnable), false);
}

fn report_beside_a_sweep(sweep: fn(&Leftovers, &OwnedSet)) {
    check(move || {
        let leftovers = Arc::new(Leftovers::new());
        let (set, runnable) = task_in_a_closed_set(&leftovers, false);
        let (theirs, of) = (Arc::clone(&leftovers), Arc::clone(&set));
        let sweeper = thread::spawn(move || sweep(&theirs, &of));
        assert_told_once(&leftovers, &set);
        sweeper.join().expect("no panic");
        drop(runnable);
    });
}

#[test]
fn a_report_in_the_middle_of_a_sweep_tells_of_each_task_once() {
    report_beside_a_sweep(sweep);
}

/// The sweep has found the task in its poll, whose end meets the report.
#[test]
fn a_report_at_the_end_of_a_poll_that_a_sweep_has_seen_tells_of_its_task_once() {
    check(move || {
        let leftovers = Arc::new(Leftovers::new());
        let (set, runnable) = task_in_a_closed_set(&leftovers, false);
        let worker = thread::spawn(move || runnable.run());
        sweep(&leftovers, &set);
        assert_told_once(&leftovers, &set);
        worker.join().expect("no panic");
    });
}

/// The canary: for a moment the task is neither in its set nor in the sweep's hand.
#[test]
#[should_panic(expected = "not told of")]
fn canary_a_sweep_that_takes_a_task_before_it_notes_it_loses_it_for_the_report() {
    report_beside_a_sweep(|leftovers, set| {
        let mut sweep = leftovers.sweep();
        while let Some(task) = set.pop() {
            sweep.end_next(|| Some(task), |_| {}, Listing::Here);
        }
    });
}
