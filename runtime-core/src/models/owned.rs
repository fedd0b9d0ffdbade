//! Spawning against shutdown: a task is in the set when it closes and is dropped, or is refused.

use super::{List, check};
use crate::task::{JoinError, Meta, OwnedSet, allocate};
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::panic::Location;
use std::sync::Arc;

/// Counts its drops.
struct Probe(Arc<AtomicUsize>);

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn spawn_beside_shutdown(close_first: bool) {
    check(move || {
        let drops = Arc::new(AtomicUsize::new(0));
        let set = Arc::new(OwnedSet::new());
        let spawner = {
            let (set, drops) = (set.clone(), drops.clone());
            thread::spawn(move || {
                let probe = Probe(drops);
                let future = async move {
                    let _probe = probe;
                    std::future::pending::<()>().await;
                };
                let (runnable, handle, member) =
                    allocate(future, List::new(), Meta::new(Location::caller()), true);
                drop(handle);
                match set.insert(member.expect("registered")) {
                    Ok(()) => runnable.run(),
                    Err(member) => drop((runnable, member)),
                }
            })
        };
        if close_first {
            set.close();
        }
        while let Some(task) = set.pop() {
            task.end(JoinError::shut_down(task.meta().id));
        }
        spawner.join().expect("no panic");
        assert_eq!(drops.load(Ordering::SeqCst), 1, "left over");
    });
}

#[test]
fn a_spawn_beside_a_shutdown_leaves_no_future() {
    spawn_beside_shutdown(true);
}

/// The canary: without the closing, a spawn that comes after the last pop is left over.
#[test]
#[should_panic(expected = "left over")]
fn canary_a_set_that_stays_open_leaves_a_future() {
    spawn_beside_shutdown(false);
}
