//! Running a scenario inside a task, where a program's code mostly runs.

use crate::measure::{Effort, Sample, repeat};
use crate::peer::Peer;

/// Repeats `batch`, of `ops` operations, from one task.
pub(crate) fn repeated<P, B, F>(effort: Effort, ops: usize, batch: B) -> Sample
where
    P: Peer,
    B: FnMut() -> F + Send + 'static,
    F: Future<Output = ()> + Send,
{
    once::<P, _>(async move { repeat(effort, ops, batch).await })
}

/// Runs `scenario` as a task.
pub(crate) fn once<P, F>(scenario: F) -> Sample
where
    P: Peer,
    F: Future<Output = Sample> + Send + 'static,
{
    P::run(async { P::join(P::spawn(scenario)).await })
}
