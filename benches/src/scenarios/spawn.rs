//! Making tasks and waiting for them.

use super::countdown::Countdown;
use super::in_task;
use crate::measure::{Effort, Sample, repeat};
use crate::peer::Peer;

/// Tasks in a wave.
const TASKS: usize = 20_000;
/// Tasks in a wave whose poll is a long one on any machine.
const LONG_WAVE: usize = 100_000;
/// Tasks in a row that are timed together.
const ROW: usize = 1_000;

pub(crate) fn spawn_local<P: Peer>(effort: Effort) -> Sample {
    waves::<P>(effort, TASKS)
}

pub(crate) fn spawn_long<P: Peer>(effort: Effort) -> Sample {
    waves::<P>(effort, LONG_WAVE)
}

fn waves<P: Peer>(effort: Effort, tasks: usize) -> Sample {
    let countdown = Countdown::leaked();
    in_task::repeated::<P, _, _>(effort, tasks, move || wave::<P>(countdown, tasks))
}

pub(crate) fn spawn_remote<P: Peer>(effort: Effort) -> Sample {
    let countdown = Countdown::leaked();
    P::run(repeat(effort, TASKS, || wave::<P>(countdown, TASKS)))
}

/// Spawns no-op tasks and waits until all have run.
pub(crate) async fn wave<P: Peer>(countdown: &'static Countdown, tasks: usize) {
    let done = countdown.arm(tasks);
    for _ in 0..tasks {
        P::spawn_detached(async move { countdown.arrive() });
    }
    done.await.expect("every task arrives");
}

pub(crate) fn spawn_join<P: Peer>(effort: Effort) -> Sample {
    let row = || async {
        for _ in 0..ROW {
            P::join(P::spawn(async {})).await;
        }
    };
    in_task::repeated::<P, _, _>(effort, ROW, row)
}

pub(crate) fn spawn_join_all<P: Peer>(effort: Effort) -> Sample {
    let all = || async {
        let handles: Vec<_> = (0..TASKS).map(|_| P::spawn(async {})).collect();
        for handle in handles {
            P::join(handle).await;
        }
    };
    in_task::repeated::<P, _, _>(effort, TASKS, all)
}
