//! The end of a runtime against a spawn, with the engine's own parts: the owned set, the injector, the marks of the
//! shutdown, and a worker that may be asleep. Invariant Y1, and N2's second half.

use super::check_bounded;
use crate::park::Retracted;
use crate::park::idle::Bed;
use crate::scheduler::Engine;
use crate::scheduler::home::{Home, HomeRef};
use crate::task::{JoinError, Meta, allocate};
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::panic::Location;
use std::sync::Arc;

/// What is broken on purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// The injector is emptied once after the workers, and who pushes later does not look.
    LeavesNoMark,
    /// The worker's look before its sleep uses up its notification and does not ask what it was for.
    SleepsThroughTheEnd,
}

/// Counts its drops.
struct Probe(Arc<AtomicUsize>);

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A runtime of one worker and one home.
struct Scene {
    engine: Arc<Engine>,
    home: Arc<Home>,
}

impl Scene {
    fn new() -> Arc<Self> {
        let engine = Engine::unmanned(1, 0);
        let home = Home::new(Arc::clone(&engine));
        Arc::new(Self { engine, home })
    }

    /// As `House::spawn_with` on a thread that is no worker, of a future that never ends.
    fn spawn(&self, drops: Arc<AtomicUsize>) {
        let probe = Probe(drops);
        let future = async move {
            let _probe = probe;
            std::future::pending::<()>().await;
        };
        let home = HomeRef::new(Arc::clone(&self.home));
        let (runnable, handle, member) =
            allocate(future, home, Meta::new(Location::caller()), true);
        match self.home.tasks.insert(member.expect("registered")) {
            Ok(()) => self.engine.inject(runnable),
            Err(member) => {
                handle.refuse_late();
                drop(runnable);
                drop(member);
            }
        }
    }

    /// As `Worker::must_stay_awake`.
    fn must_stay_awake(&self, fault: Fault) -> bool {
        let is_notified = self.engine.lanes[0].parker.take_notification();
        let is_asked = fault != Fault::SleepsThroughTheEnd;
        !self.engine.injector.is_empty()
            || (is_asked && (is_notified || self.engine.is_shutting_down()))
    }

    /// As `work_lane`: the worker's loop, and its part of the shutdown.
    fn work(&self, fault: Fault) {
        let (idle, parker) = (&self.engine.idle, &self.engine.lanes[0].parker);
        while !self.engine.is_shutting_down() {
            if let Some(runnable) = self.engine.injector.take() {
                runnable.run();
                continue;
            }
            idle.announce(0, Bed::Condvar, false);
            let chosen = if self.must_stay_awake(fault) {
                idle.retract_to_search(0);
                true
            } else {
                parker.park(None);
                idle.retract(0) == Retracted::Searching
            };
            if chosen {
                idle.end_search();
            }
        }
        self.end_tasks();
        self.engine.empty_unattended();
    }

    /// As `House::end_tasks`.
    fn end_tasks(&self) {
        while let Some(task) = self.home.tasks.pop() {
            task.end(JoinError::shut_down(task.meta().id));
        }
    }

    /// As the first half of `House::close`.
    fn close(&self) {
        self.home.tasks.close();
        self.engine.begin_shutdown();
    }

    /// As `House::finish`.
    fn finish(&self, fault: Fault) {
        self.end_tasks();
        if fault != Fault::LeavesNoMark {
            self.engine.leave_unattended();
        } else {
            while let Some(runnable) = self.engine.injector.take() {
                drop(runnable);
            }
        }
    }
}

/// The runtime ends beside a spawn. Asleep for ever, the worker is a deadlock, which the checker reports.
fn a_spawn_beside_the_end(fault: Fault) {
    check_bounded(3, move || {
        let scene = Scene::new();
        let drops = Arc::new(AtomicUsize::new(0));
        let worker = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.work(fault))
        };
        let spawner = {
            let (scene, drops) = (Arc::clone(&scene), Arc::clone(&drops));
            thread::spawn(move || scene.spawn(drops))
        };
        scene.close();
        worker.join().expect("no panic");
        scene.finish(fault);
        spawner.join().expect("no panic");
        assert_eq!(drops.load(Ordering::SeqCst), 1, "the future is left");
        assert!(scene.engine.injector.is_empty(), "the runnable is left");
    });
}

#[test]
fn a_spawn_beside_the_end_of_the_runtime_leaves_neither_future_nor_runnable() {
    a_spawn_beside_the_end(Fault::Nothing);
}

#[test]
#[should_panic(expected = "the runnable is left")]
fn canary_an_injector_that_is_emptied_once_keeps_a_runnable() {
    a_spawn_beside_the_end(Fault::LeavesNoMark);
}

#[test]
#[should_panic(expected = "deadlock")]
fn canary_a_worker_that_forgets_what_it_was_woken_for_sleeps_through_the_end() {
    a_spawn_beside_the_end(Fault::SleepsThroughTheEnd);
}

#[test]
fn a_poll_beside_the_end_of_the_runtime_leaves_no_future() {
    check_bounded(3, || {
        let scene = Scene::new();
        let drops = Arc::new(AtomicUsize::new(0));
        scene.spawn(Arc::clone(&drops));
        let runnable = scene.engine.injector.take().expect("spawned");
        let polling = thread::spawn(move || runnable.run());
        scene.close();
        scene.finish(Fault::Nothing);
        polling.join().expect("no panic");
        assert_eq!(drops.load(Ordering::SeqCst), 1, "the future is left");
        assert!(scene.engine.injector.is_empty(), "the runnable is left");
    });
}
