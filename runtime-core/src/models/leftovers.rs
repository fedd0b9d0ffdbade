//! A shutdown against the last poll of a task that does not end in it: whoever drops its future, the report tells of it, once. The
//! notes of [`Leftovers`].

use super::check;
use crate::report::Leftovers;
use crate::report::shutdown_report::Origin;
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

fn last_poll_beside_a_sweep(is_broken: bool) {
    check(move || {
        let leftovers = Arc::new(Leftovers::new());
        let set = OwnedSet::new();
        let scheduler = Noting {
            leftovers: Arc::clone(&leftovers),
            is_broken,
        };
        let future = std::future::pending::<()>();
        let meta = Meta::new(Location::caller());
        let (runnable, handle, member) = allocate(future, scheduler, meta, true);
        drop(handle);
        set.insert(member.expect("registered")).expect("open");
        let worker = thread::spawn(move || runnable.run());
        set.close();
        let mut sweep = leftovers.sweep();
        while let Some(task) = set.pop() {
            sweep.end(task);
        }
        worker.join().expect("no panic");
        let told = leftovers.take(|_| None);
        assert_eq!(told.tasks.len() + told.more_tasks, 1, "not told of");
        assert_eq!(told.tasks[0].id(), meta.id);
    });
}

#[test]
fn a_task_that_is_dropped_is_told_of_once() {
    last_poll_beside_a_sweep(false);
}

/// The canary: what is cut off at the end of a poll is dropped by the poller, and the sweep does not know.
#[test]
#[should_panic(expected = "not told of")]
fn canary_a_poller_that_does_not_note_loses_the_task_for_the_report() {
    last_poll_beside_a_sweep(true);
}
