//! Relief workers: their start beside a sleeper, their refusal by the system, and their retirement beside a post.
//!
//! The parts are the engine's own: the idle counts, the beds, and the steps of a search. A relief worker's limited sleep is
//! one that ends at once: a model has no clock.

use super::{check, check_bounded};
use crate::park::idle::{Bed, Idle};
use crate::park::{Parker, Retracted, Unpark};
use crate::reactor::inbox::Inbox;
use crate::scheduler::Engine;
use crate::scheduler::staff::StandIn;
use loom::sync::atomic::{AtomicUsize, Ordering, fence};
use loom::thread;
use std::sync::Arc;

/// What is broken on purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// The refusal of a relief worker's thread is taken back without a look for what others left to it.
    ForgetsWhoReliedOnIt,
    /// A relief worker that has had nothing to do ends although it was chosen meanwhile.
    EndsAlthoughChosen,
}

/// Three lanes: an ordinary worker's, one that is stuck, and a relief worker's; and what waits, as a count.
struct Scene {
    idle: Idle,
    beds: [Parker; 3],
    queue: AtomicUsize,
    reliefs: AtomicUsize,
}

const WORKER: usize = 0;
const RELIEF: usize = 2;

impl Scene {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            idle: Idle::new(),
            beds: [Parker::new(), Parker::new(), Parker::new()],
            queue: AtomicUsize::new(0),
            reliefs: AtomicUsize::new(0),
        })
    }

    fn has_more(&self) -> bool {
        self.queue.load(Ordering::Relaxed) > 0
    }

    fn take(&self) -> bool {
        self.queue
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
            .is_ok()
    }

    /// As `Engine::inject`.
    fn post(&self) {
        self.queue.fetch_add(1, Ordering::Relaxed);
        self.notify();
    }

    fn notify(&self) {
        if let Some(lane) = self.idle.choose() {
            assert_eq!(self.beds[lane].unpark(), Unpark::Done);
        }
    }

    /// As `Searching::found`.
    fn end_search(&self) {
        if self.idle.end_search() {
            fence(Ordering::SeqCst);
            if self.has_more() {
                self.notify();
            }
        }
    }

    /// As `Staff::call_relief` where the system refuses the thread.
    fn call_relief_in_vain(&self, fault: Fault) {
        assert!(self.idle.begin_search(usize::MAX));
        if fault == Fault::ForgetsWhoReliedOnIt {
            self.idle.end_search();
        } else {
            self.end_search();
        }
    }

    /// As `block_in_place`, and as the reactor thread's look for stuck workers: somebody is woken, or relief is called.
    /// Whether a relief worker is to start.
    fn calls_relief(&self) -> bool {
        fence(Ordering::SeqCst);
        let counts = self.idle.counts();
        if !self.has_more() || counts.searching() > 0 {
            return false;
        }
        if counts.parked() > 0 {
            self.notify();
            return false;
        }
        assert!(self.idle.begin_search(usize::MAX));
        self.reliefs.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// As the worker's loop: takes one piece of work, asleep until there is one.
    fn work_once(&self, lane: usize) {
        let mut searching = false;
        while !self.take() {
            searching = searching || self.idle.begin_search(1);
            if self.take() {
                break;
            }
            self.idle.announce(lane, Bed::Condvar, searching);
            searching = if self.has_more() {
                self.idle.retract_to_search(lane);
                true
            } else {
                self.beds[lane].park(None);
                self.idle.retract(lane) == Retracted::Searching
            };
        }
        if searching {
            self.end_search();
        }
    }

    /// As a relief worker: one limited sleep, and then the end if nobody has chosen it. Whether it found work.
    fn sleep_or_retire(&self, fault: Fault) -> bool {
        self.idle.announce(RELIEF, Bed::Condvar, false);
        let chosen = if self.has_more() {
            self.idle.retract_to_search(RELIEF);
            true
        } else {
            self.idle.retract(RELIEF) == Retracted::Searching
        };
        if !chosen || fault == Fault::EndsAlthoughChosen {
            return false;
        }
        let found = self.take();
        self.end_search();
        found
    }
}

/// A worker goes to sleep, and a piece of work comes, while a relief worker is called that the system refuses.
fn a_refused_relief_worker(fault: Fault) {
    check_bounded(3, move || {
        let scene = Scene::new();
        let worker = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.work_once(WORKER))
        };
        let caller = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.call_relief_in_vain(fault))
        };
        scene.post();
        caller.join().expect("no panic");
        // Asleep for ever, beside the work, is a deadlock.
        worker.join().expect("no panic");
    });
}

#[test]
fn work_that_was_left_to_a_relief_worker_without_a_thread_is_done() {
    a_refused_relief_worker(Fault::Nothing);
}

#[test]
#[should_panic(expected = "deadlock")]
fn canary_a_refusal_that_forgets_who_relied_on_the_relief_worker_leaves_work_behind() {
    a_refused_relief_worker(Fault::ForgetsWhoReliedOnIt);
}

/// A relief worker's limited sleep ends beside a post; an ordinary worker sleeps until it is woken.
fn a_retirement_beside_a_post(fault: Fault) {
    check_bounded(3, move || {
        let scene = Scene::new();
        let worker = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.work_once(WORKER))
        };
        let relief = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.sleep_or_retire(fault))
        };
        scene.post();
        let found = relief.join().expect("no panic");
        if found {
            // What the relief worker took the ordinary one waits for in vain.
            scene.post();
        }
        worker.join().expect("no panic");
        assert_eq!(scene.idle.counts().parked(), 0, "miscounted");
        assert_eq!(scene.idle.counts().searching(), 0, "miscounted");
    });
}

#[test]
fn a_relief_worker_that_is_chosen_as_it_retires_stays_for_the_work() {
    a_retirement_beside_a_post(Fault::Nothing);
}

#[test]
#[should_panic(expected = "miscounted")]
fn canary_a_relief_worker_that_ends_although_chosen_leaves_work_behind() {
    a_retirement_beside_a_post(Fault::EndsAlthoughChosen);
}

/// A worker says that it will be stuck, and the reactor thread finds out by itself, both with one piece of work waiting.
#[test]
fn relief_that_is_called_from_two_sides_comes_and_is_counted() {
    check(|| {
        let scene = Scene::new();
        scene.queue.store(1, Ordering::Relaxed);
        let reactor = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.calls_relief())
        };
        let called = scene.calls_relief();
        let called_too = reactor.join().expect("no panic");
        let reliefs = scene.reliefs.load(Ordering::Relaxed);
        assert_eq!(reliefs, usize::from(called) + usize::from(called_too));
        assert!(reliefs > 0, "nobody comes");
        // Before any of them begins, everybody knows that they come.
        assert_eq!(scene.idle.counts().searching(), reliefs);
        for _ in 0..reliefs {
            let _ = scene.take();
            scene.end_search();
        }
        assert!(!scene.has_more(), "left over");
        assert_eq!(scene.idle.counts().searching(), 0, "miscounted");
    });
}

/// A worker that declares itself stuck, with a piece of work in its slot, beside one that goes to sleep.
fn a_stuck_worker_beside_one_that_goes_to_sleep(mark_first: bool) {
    check(move || {
        let scene = Scene::new();
        let sleeper = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.work_once(WORKER))
        };
        // The mark makes what is in the slot visible to others, as a push would.
        if mark_first {
            scene.queue.fetch_add(1, Ordering::Relaxed);
        }
        let relief = scene.calls_relief();
        if !mark_first {
            scene.queue.fetch_add(1, Ordering::Relaxed);
        }
        if relief {
            // It begins as a searching worker, and finds what is there unless the sleeper has turned back for it.
            let found = scene.take();
            scene.end_search();
            if found {
                scene.post();
            }
        }
        sleeper.join().expect("no panic");
    });
}

#[test]
fn what_is_in_the_slot_of_a_worker_that_blocks_is_run_by_a_sleeper_or_by_relief() {
    a_stuck_worker_beside_one_that_goes_to_sleep(true);
}

#[test]
#[should_panic(expected = "deadlock")]
fn canary_a_worker_that_looks_for_help_before_it_marks_itself_gets_none() {
    a_stuck_worker_beside_one_that_goes_to_sleep(false);
}

/// When a relief worker that goes looks for whoever may have counted on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Afterwards,
    Before,
}

/// Who stands in, as `Staff::find_stand_in` would have it; whether a relief worker is to start.
fn calls_relief(engine: &Engine) -> bool {
    match StandIn::choose(engine) {
        StandIn::Relief => true,
        // That the mover is asked is of no use: it is on its way out.
        StandIn::Movers => false,
        StandIn::Searcher | StandIn::Sleeper => unreachable!("nobody looks for work or sleeps"),
    }
}

/// A relief worker goes, and the only other worker, with an event in its inbox, says that it will be stuck: the engine's own counts,
/// marks and choice.
fn a_relief_worker_that_goes_beside_one_that_blocks(look: Look) {
    check(move || {
        let engine = Engine::unmanned(1, 1);
        engine.staff_lane();
        engine.staff_lane();
        let blocker = {
            let engine = Arc::clone(&engine);
            thread::spawn(move || {
                let lane = &engine.lanes[0];
                lane.inbox.put(&mut vec![Inbox::event(7)]);
                // As `block_in_place`.
                engine.announce_stall(lane);
                fence(Ordering::SeqCst);
                calls_relief(&engine)
            })
        };
        // As the end of `work_lane`.
        let mut called = look == Look::Before && engine.has_more() && calls_relief(&engine);
        engine.vacate_lane();
        if look == Look::Afterwards {
            fence(Ordering::SeqCst);
            called |= engine.has_more() && calls_relief(&engine);
        }
        called |= blocker.join().expect("no panic");
        assert!(called, "nobody comes");
    });
}

#[test]
fn a_relief_worker_that_goes_leaves_nobody_behind_who_counted_on_it() {
    a_relief_worker_that_goes_beside_one_that_blocks(Look::Afterwards);
}

#[test]
#[should_panic(expected = "nobody comes")]
fn canary_a_relief_worker_that_looks_before_it_goes_leaves_one_behind() {
    a_relief_worker_that_goes_beside_one_that_blocks(Look::Before);
}
