//! The same batch over and over, each timed.

use std::future::Future;
use std::time::Instant;

use super::{Effort, Latency, Sample, Usage, median};

/// Fewest batches that give a median.
const FEWEST: usize = 3;

/// Runs `batch`, of `ops` operations, for as long as `effort` says. The value is the median over batches of ns per operation.
/// With one operation a batch the sample also tells their latency.
pub(crate) async fn repeat<B, F>(effort: Effort, ops: usize, mut batch: B) -> Sample
where
    B: FnMut() -> F,
    F: Future<Output = ()>,
{
    let warming = Instant::now();
    while {
        batch().await;
        warming.elapsed() < effort.warm_up()
    } {}

    let mut times = Vec::with_capacity(1 << 16);
    let usage = Usage::now();
    let start = Instant::now();
    let mut from = start;
    while times.len() < FEWEST || from - start < effort.budget() {
        batch().await;
        let to = Instant::now();
        times.push((to - from).as_nanos() as f64 / ops as f64);
        from = to;
    }
    let cpu_ns = usage.cpu_ns_since();
    Sample {
        value: median(&mut times),
        ops: (times.len() * ops) as u64,
        wall_ns: (from - start).as_nanos() as f64,
        cpu_ns,
        latency: (ops == 1).then(|| Latency::of(&mut times)),
        ideal: None,
    }
}
