//! A poll that says it will be long.

use super::context;
use super::house::{Flavor, House};
use super::poll_watch::excused;
use super::worker::Worker;
use crate::sync::Arc;
use crate::sync::atomic::{Ordering, fence};
use crate::task::budget;

/// Runs `f`, which blocks or computes for long, on this thread, and lets the worker's other tasks go on elsewhere.
///
/// On a worker: another worker, or one that is started for the purpose, takes over what waits here. Other futures
/// of the *same* task, as in a `join!`, wait nevertheless; [`spawn_blocking`](crate::runtime::spawn_blocking) has no such
/// restriction. Outside of a worker it just calls `f`. Inside, [`block_on`](crate::runtime::Handle::block_on) is allowed.
///
/// # Panics
///
/// On a current-thread runtime, which has no other thread to go on; and if `f` panics. On a simulated runtime, `block_on` inside.
pub fn block_in_place<R>(f: impl FnOnce() -> R) -> R {
    if context::is_simulating() {
        // One step, like every other. Waiting for others in it would be for ever, so that stays refused.
        return budget::without(f);
    }
    let announced = context::with_worker(|worker| worker.map(prepare));
    // A thread that is no worker may still poll, the future of a `block_on`, and is as free to block.
    let _may_block = context::set_polling(false);
    let Some(announced) = announced else {
        return budget::without(|| excused(f));
    };
    let _inside = context::enter(&announced.house);
    context::without_worker(|| budget::without(|| excused(f)))
}

/// The worker has said that it will be long. Dropped when it is back, also by a panic.
struct Announced {
    house: Arc<House>,
    lane: usize,
}

impl Drop for Announced {
    fn drop(&mut self) {
        let lane = &self.house.engine.lanes[self.lane];
        // What is left of the poll is watched as one of its own.
        lane.stats.rounds.add(1);
        let _ = self.house.engine.clear_mark(lane);
    }
}

/// Sees to it that somebody takes over the worker's queue.
fn prepare(worker: &Worker) -> Announced {
    let house = &worker.house;
    assert!(
        house.flavor == Flavor::MultiThread,
        "block_in_place needs a multi-thread runtime: use spawn_blocking here, or Builder::new_multi_thread()"
    );
    let _ = worker.recheck_all();
    house.engine.announce_stall(worker.lane());
    let announced = Announced {
        house: Arc::clone(house),
        lane: worker.index(),
    };
    // ORDERING: edge P1, the poster's end: a sleeper whose look misses the mark is seen in the counts, and a relief worker that
    // misses it when it leaves is no longer seen among those that move.
    fence(Ordering::SeqCst);
    // If the system refuses that, the reactor thread looks there at its ticks.
    let _ = house.engine.reactor.registry.graft(worker.index());
    let _ = house.staff.find_stand_in(house);
    announced
}
