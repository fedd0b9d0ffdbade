//! Jobs that may block.

use std::thread;
use std::time::Duration;

use super::in_task;
use crate::measure::{Effort, Sample};
use crate::peer::Peer;

pub(crate) fn blocking_seq<P: Peer>(effort: Effort) -> Sample {
    in_task::repeated::<P, _, _>(effort, 1, || P::join_blocking(P::spawn_blocking(|| ())))
}

pub(crate) fn blocking_batch<P: Peer>(effort: Effort) -> Sample {
    const JOBS: usize = 10_000;
    in_task::repeated::<P, _, _>(effort, JOBS, || at_once::<P>(JOBS, || ()))
}

pub(crate) fn blocking_sleep<P: Peer>(effort: Effort) -> Sample {
    const JOBS: usize = 200;
    let nap = || thread::sleep(Duration::from_millis(20));
    in_task::repeated::<P, _, _>(effort, 1, move || at_once::<P>(JOBS, nap))
}

/// Hands over `jobs` times `work`, then waits for each.
pub(crate) async fn at_once<P: Peer>(jobs: usize, work: impl Fn() + Copy + Send + 'static) {
    let jobs: Vec<_> = (0..jobs).map(|_| P::spawn_blocking(work)).collect();
    for job in jobs {
        P::join_blocking(job).await;
    }
}
