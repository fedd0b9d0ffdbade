//! What simulated tests do at random: random numbers come from the simulation, so a seed that fails replays.

use gristmill::task::{JoinSet, yield_now};
use gristmill::time::{Duration, sleep};
use std::ops::Range;

/// Each property is looked at under so many seeds.
pub(crate) const SEEDS: Range<u64> = 0..300;

/// Lets others run, or time pass, or neither.
pub(crate) async fn breathe() {
    match fastrand::u8(..4) {
        0 => {}
        1 => yield_now().await,
        2 => {
            yield_now().await;
            yield_now().await;
        }
        _ => sleep(moment()).await,
    }
}

/// A while that is as long as a few steps.
pub(crate) fn moment() -> Duration {
    Duration::from_micros(fastrand::u64(1..40))
}

/// True in one of `count` cases.
pub(crate) fn one_in(count: u32) -> bool {
    fastrand::u32(..count) == 0
}

/// Tasks, some of which are aborted.
#[derive(Default)]
pub(crate) struct Crowd {
    tasks: JoinSet<()>,
}

impl Crowd {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Starts a task that runs to its end.
    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Starts a task that may be aborted anywhere.
    pub(crate) fn spawn_mortal(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(task);
        if one_in(3) {
            return;
        }
        self.tasks.spawn(async move {
            for _ in 0..fastrand::u8(..4) {
                breathe().await;
            }
            task.abort();
        });
    }

    /// Waits until all have ended; passes on the panic of one.
    pub(crate) async fn end(mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }
}
