//! Waves of small tasks.

use std::future::pending;
use std::time::Duration;

use gristmill::sync::oneshot;
use gristmill::task::yield_now;
use gristmill::time::sleep;

use super::super::stage::Stage;
use super::super::ticket::{Answer, Claim, Ticket, panic_as_planned, task};
use super::super::verdict::fault;

/// The most tasks of a wave.
const WAVE: usize = 6_000;

/// What becomes of a task.
#[derive(Clone, Copy)]
enum Fate {
    Ends,
    Yields(u8),
    Sleeps(Duration),
    /// Spawns another one and awaits it.
    HasChild,
    /// Spawns another one and does not.
    LeavesChild,
    Panics,
    /// Waits for what never comes; somebody aborts it.
    Waits,
}

pub(super) async fn run(mut stage: Stage) {
    while stage.goes_on().await {
        let size = stage.dice.usize(1..WAVE);
        stage.lane.at("spawning a wave");
        let wave: Vec<_> = (0..size).map(|_| spawn(&mut stage.dice)).collect();
        stage.lane.at("awaiting a wave");
        for (claim, expected) in wave {
            if stage.dice.u8(..) < 8 {
                // Its handle is dropped.
                continue;
            }
            let answer = claim.result().await;
            if expected.is_some_and(|expected| expected != answer) {
                fault("a task did not end as its code says");
            }
        }
        if stage.once_in(4) {
            stage.lane.at("two tasks that wake each other");
            ping_pong(stage.dice.u32(1..400)).await;
        }
    }
}

/// Spawns a task; with how it has to end, if nobody aborts it.
fn spawn(dice: &mut fastrand::Rng) -> (Claim, Option<Answer>) {
    let fate = match dice.u8(..) {
        0..=139 => Fate::Ends,
        140..=199 => Fate::Yields(dice.u8(1..6)),
        200..=214 => Fate::Sleeps(Duration::from_micros(dice.u64(0..1_500))),
        215..=229 => Fate::HasChild,
        230..=239 => Fate::LeavesChild,
        240 => Fate::Panics,
        _ => Fate::Waits,
    };
    let mut claim = task(|ticket| live(fate, ticket));
    if matches!(fate, Fate::Waits) || dice.u8(..) < 16 {
        claim.abort();
        return (claim, None);
    }
    let expected = match fate {
        Fate::Panics => Answer::Panicked,
        _ => Answer::Output,
    };
    (claim, Some(expected))
}

async fn live(fate: Fate, ticket: Ticket) -> Ticket {
    match fate {
        Fate::Ends => {}
        Fate::Yields(times) => {
            for _ in 0..times {
                yield_now().await;
            }
        }
        Fate::Sleeps(time) => sleep(time).await,
        Fate::HasChild => {
            task(|ticket| async { ticket }).result().await;
        }
        Fate::LeavesChild => drop(task(|ticket| async {
            yield_now().await;
            ticket
        })),
        Fate::Panics => panic_as_planned(ticket),
        Fate::Waits => pending().await,
    }
    ticket
}

/// A value that two tasks hand to each other.
async fn ping_pong(times: u32) {
    for _ in 0..times {
        let (ping, pinged) = oneshot::channel();
        let (pong, ponged) = oneshot::channel();
        let other = task(|ticket| async move {
            if let Ok(value) = pinged.await {
                let _: Result<(), u32> = pong.send(value);
            }
            ticket
        });
        if ping.send(7_u32).is_err() || ponged.await != Ok(7) {
            fault("a value that was sent did not come back");
        }
        other.result().await;
    }
}
