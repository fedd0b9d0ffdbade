//! Whatever floods a worker, everything else gets its turn after a bounded number of the flood's polls
//!
//! Counted, not timed: in the middle of a poll of the flood the victim is made runnable, and then the polls of the flood are counted
//! until the victim is polled. The bounds are those of `docs/latency.md`.

mod common;
mod flood;

use common::{Flavour, within};
use flood::meter::{Meter, Times};
use flood::victim::{Notice, WAYS, Way};
use flood::{FLOODS, Flood, yields};
use gristmill::runtime::Runtime;
use std::sync::Arc;
use std::thread;

/// A worker looks at timers, poller and shared queue at least once in so many rounds.
const LOOK: usize = 61;
/// Runs from the slot in a row, while the local queue has something.
const STREAK: usize = 3;
/// Each case is tried so often.
const TRIALS: usize = 3;

/// Where the victim is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Task,
    /// As the future of `block_on`.
    Root,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    flavour: Flavour,
    flood: Flood,
    way: Way,
    place: Place,
    notice: Notice,
}

impl Case {
    fn is_possible(self) -> bool {
        let is_current = self.flavour == Flavour::CurrentThread;
        if self.way.is_behind() {
            return !is_current && self.flood != Flood::Root;
        }
        match (self.flood, self.place) {
            (Flood::InPlace, _) if is_current => false,
            (Flood::Root, Place::Task) => is_current,
            (Flood::Root, Place::Root) => false,
            (_, Place::Root) => is_current && self.way.waits(),
            (_, Place::Task) => true,
        }
    }

    /// How many polls of the flood there may be between the victim's entry into a queue and its poll.
    fn bound(self) -> usize {
        if self.place == Place::Root {
            return 1;
        }
        if self.way == Way::BehindPoll {
            // Until the watch has noticed time passes, and workers that came earlier go on.
            return usize::MAX;
        }
        // Those ahead in the local queue, and before each of them as many from the slot as may come in a row.
        let each = if self.flood.uses_slot() {
            STREAK + 1
        } else {
            1
        };
        let line = each * (self.flood.tasks() + 1);
        // While they run, one in so many rounds is from the shared queue.
        let line = line + line / LOOK;
        if self.way.is_local() {
            return line;
        }
        // A look takes half of the shared queue, or of that of a stuck worker. The shared queue is in blocks, and where it goes from one to the
        // next a look takes what is left of the first, which may be less.
        let (ahead, turns) = if self.way.is_behind() {
            (self.flood.tasks(), 0)
        } else {
            (self.flood.injected(), 1)
        };
        let looks = 1 + (ahead + 1).ilog2() as usize + turns;
        looks * LOOK + line
    }

    fn runtime(self) -> Runtime {
        let builder = self.flavour.builder();
        let builder = match self.flavour {
            Flavour::FourWorkers => builder,
            Flavour::OneWorker if self.way == Way::BehindPoll => builder.max_relief_threads(1),
            Flavour::OneWorker if self.way == Way::BehindInPlace => {
                builder.max_relief_threads(1).stall_threshold(None)
            }
            // Nobody else is to help.
            Flavour::OneWorker | Flavour::CurrentThread => {
                builder.stall_threshold(None).max_relief_threads(0)
            }
        };
        builder.build().expect("a runtime")
    }

    /// Runs it to the end of the flood, which the victim's poll brings about.
    fn run(self) -> Times {
        let (runtime, meter) = (self.runtime(), Arc::new(Meter::default()));
        let flood = self.flood.start(&runtime, &meter);
        if !self.way.waits() {
            self.way.spawn_in_flood(&meter, runtime.handle());
        }
        let (way, notice) = (self.way, self.notice);
        let seen = Arc::clone(&meter);
        let victim = async move { way.victim(&seen, notice).await };
        match self.place {
            Place::Root => runtime.block_on(victim),
            Place::Task if way.waits() => drop(runtime.spawn(victim)),
            Place::Task => {}
        }
        if self.flood == Flood::Root {
            let flood = yields(Arc::clone(&meter));
            runtime.block_on(meter.count(flood));
        }
        runtime.block_on(async {
            meter.stopped().await;
            flood.end().await;
        });
        meter.times()
    }
}

/// Every case on a runtime of this kind, with victims of this kind.
fn cases(flavour: Flavour, place: Place, notice: Notice) -> impl Iterator<Item = Case> {
    let pairs = FLOODS
        .into_iter()
        .flat_map(|flood| WAYS.map(|way| (flood, way)));
    let cases = pairs.map(move |(flood, way)| Case {
        flavour,
        flood,
        way,
        place,
        notice,
    });
    cases.filter(|case| case.is_possible())
}

/// All cases keep their bounds.
fn keep_their_bounds(flavour: Flavour, place: Place) {
    for case in cases(flavour, place, Notice::BySomebodyElse) {
        within(format!("{case:?}"), move || {
            let mut counted = 0;
            while counted < TRIALS {
                let times = case.run();
                // On a machine that stood still it may have been there when it was first looked at.
                let (Some((runnable, _)), Some((polled, _))) = (times.runnable, times.polled)
                else {
                    continue;
                };
                // It may be polled elsewhere just before it is known to be runnable.
                let between = polled.saturating_sub(runnable);
                assert!(between <= case.bound(), "{between} > {}", case.bound());
                counted += 1;
            }
        });
    }
}

#[test]
fn a_task_gets_its_turn_within_the_bound_on_a_worker() {
    keep_their_bounds(Flavour::OneWorker, Place::Task);
}

#[test]
fn a_task_gets_its_turn_within_the_bound_on_a_current_thread_runtime() {
    keep_their_bounds(Flavour::CurrentThread, Place::Task);
}

#[test]
fn the_future_of_block_on_gets_its_turn_at_once_on_a_current_thread_runtime() {
    keep_their_bounds(Flavour::CurrentThread, Place::Root);
}

#[test]
fn a_task_gets_its_turn_among_several_workers_and_with_relief() {
    for case in cases(Flavour::FourWorkers, Place::Task, Notice::BySomebodyElse) {
        within(format!("{case:?}"), move || case.run());
    }
}

#[test]
fn a_busy_worker_notices_its_timers_and_sockets_by_itself() {
    // That somebody else did it, who may be late, is possible; that it is so each time is not.
    for flavour in [Flavour::OneWorker, Flavour::CurrentThread] {
        let cases = cases(flavour, Place::Task, Notice::ByTheWorker);
        for case in cases.filter(|case| matches!(case.way, Way::Timer | Way::Socket)) {
            within(format!("{case:?}"), move || {
                loop {
                    let Times {
                        ready: Some(ready),
                        runnable: Some((runnable, by)),
                        polled: Some((_, worker)),
                    } = case.run()
                    else {
                        continue;
                    };
                    // By the thread that polled it: another one could not have been so fast.
                    let is_own = by == worker && worker != thread::current().id();
                    let is_own = is_own || flavour == Flavour::CurrentThread && by == worker;
                    if is_own && runnable.saturating_sub(ready) <= LOOK {
                        break;
                    }
                }
            });
        }
    }
}
