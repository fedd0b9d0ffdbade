//! Tasks that block their worker while what would free them waits behind them.

use super::check;
use crate::{Builder, block_in_place};
use shuttle::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// A door that blocks a whole thread until it is open.
#[derive(Default)]
pub(super) struct Door(Mutex<bool>, Condvar);

impl Door {
    pub(super) fn open(&self) {
        *self.0.lock().expect("no panic") = true;
        self.1.notify_all();
    }

    pub(super) fn pass(&self) {
        let mut open = self.0.lock().expect("no panic");
        while !*open {
            open = self.1.wait(open).expect("no panic");
        }
    }
}

/// One worker; a task on it spawns another and then blocks until that has run.
fn blocked(threshold: Option<Duration>, block: fn(&Door)) {
    let runtime = Builder::new()
        .worker_threads(1)
        .compute_threads(1)
        .debug(false)
        .stall_threshold(threshold)
        .max_relief_threads(1)
        .build()
        .expect("nothing refuses");
    let door = Arc::new(Door::default());
    let opened = runtime.spawn(async move {
        let other = Arc::clone(&door);
        let opener = crate::spawn(async move { other.open() });
        block(&door);
        opener.await.expect("no panic");
    });
    runtime.block_on(opened).expect("no panic");
}

#[test]
fn a_task_that_blocks_for_one_behind_it_is_rescued() {
    check(|| blocked(Some(Duration::from_millis(1)), Door::pass));
}

#[test]
fn a_task_that_says_that_it_blocks_needs_no_watch() {
    check(|| blocked(None, |door| block_in_place(|| door.pass())));
}

#[test]
fn two_that_say_that_they_block_wait_for_each_other_with_one_relief_worker() {
    check(|| {
        let runtime = Builder::new()
            .worker_threads(1)
            .compute_threads(1)
            .debug(false)
            .stall_threshold(None)
            .max_relief_threads(1)
            .build()
            .expect("nothing refuses");
        let doors = Arc::new([Door::default(), Door::default()]);
        let tasks = [0, 1].map(|own| {
            let doors = Arc::clone(&doors);
            runtime.spawn(async move {
                doors[own].open();
                block_in_place(|| doors[1 - own].pass());
            })
        });
        for task in tasks {
            runtime.block_on(task).expect("no panic");
        }
    });
}
