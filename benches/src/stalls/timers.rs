//! Short timers while every worker is in a long poll.
//!
//! ```text
//!   sleepers      1 ms, 1 ms, 1 ms, …                                   on any worker
//!   keepers       ────────| 100 ms | 100 ms | 100 ms |                  as many as workers, at a barrier first
//!   counted               ^ deadlines between the barrier and the end ^
//! ```
//!
//! A process is fresh, so the first polls meet a runtime that has never seen a stuck worker.

use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use futures_channel::oneshot;

use super::paced::Keeping;
use crate::measure::{Effort, Latency, Sample, Usage};
use crate::peer::{Peer, workers};

/// Tasks that sleep.
const SLEEPERS: usize = 8;
/// What they sleep.
const NAP: Duration = Duration::from_millis(1);
/// How long a worker is kept at a time.
const KEPT: Duration = Duration::from_millis(100);
/// How often, one after the other.
const TIMES: u32 = 4;
/// How long the sleepers are alone before.
const BEFORE: Duration = Duration::from_millis(50);

/// When a nap was to be over, and when it was.
type Nap = (Instant, Instant);

pub(super) fn blocked<P: Peer>(effort: Effort) -> Sample {
    lateness::<P>(effort, Keeping::Blocks)
}

pub(super) fn computed<P: Peer>(effort: Effort) -> Sample {
    lateness::<P>(effort, Keeping::Computes)
}

/// How often a worker is kept.
fn times(effort: Effort) -> u32 {
    u32::try_from(effort.scaled(10 * TIMES as usize) / 10)
        .expect("few")
        .max(1)
}

fn lateness<P: Peer>(effort: Effort, keeping: Keeping) -> Sample {
    let times = times(effort);
    P::run(async {
        let usage = Usage::now();
        let end = Instant::now() + BEFORE + KEPT * times;
        let sleepers: Vec<_> = (0..SLEEPERS).map(|_| P::spawn(naps::<P>(end))).collect();
        pause(BEFORE).await;
        let barrier = Arc::new(Barrier::new(workers()));
        let keepers: Vec<_> = (0..workers())
            .map(|_| {
                let barrier = Arc::clone(&barrier);
                P::spawn(async move {
                    barrier.wait();
                    let start = Instant::now();
                    for _ in 0..times {
                        keeping.keep(KEPT);
                        P::yield_now().await;
                    }
                    (start, Instant::now())
                })
            })
            .collect();
        let mut naps = Vec::new();
        for sleeper in sleepers {
            naps.extend(P::join(sleeper).await);
        }
        let mut kept = Vec::new();
        for keeper in keepers {
            kept.push(P::join(keeper).await);
        }
        sample(&naps, &kept, usage)
    })
}

/// What the machine does by itself: as many threads as workers compute for as long as the keepers do, with no runtime; the value is the
/// longest that one of them was kept from going on.
pub(super) fn machine(effort: Effort) -> Sample {
    let time = KEPT * times(effort);
    let usage = Usage::now();
    let start = Instant::now();
    let longest = thread::scope(|scope| {
        let threads: Vec<_> = (0..workers())
            .map(|_| scope.spawn(|| longest_pause(start + time)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("arithmetic does not fail"))
            .max()
            .expect("a worker")
    });
    Sample {
        value: longest.as_nanos() as f64,
        ops: 1,
        wall_ns: start.elapsed().as_nanos() as f64,
        cpu_ns: usage.cpu_ns_since(),
        latency: None,
        ideal: None,
    }
}

/// The longest time between two looks at the clock by a thread that does nothing else until `end`.
fn longest_pause(end: Instant) -> Duration {
    let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
    while last < end {
        let now = Instant::now();
        longest = longest.max(now - last);
        last = now;
    }
    longest
}

/// Naps until `end`.
async fn naps<P: Peer>(end: Instant) -> Vec<Nap> {
    let mut naps = Vec::new();
    loop {
        let deadline = Instant::now() + NAP;
        if deadline > end {
            return naps;
        }
        P::sleep(NAP).await;
        naps.push((deadline, Instant::now()));
    }
}

/// Waits without the runtime's timers, which are what is measured.
async fn pause(time: Duration) {
    let (told, over) = oneshot::channel();
    thread::spawn(move || {
        thread::sleep(time);
        told.send(())
    });
    over.await.expect("the thread does not fail");
}

/// The naps that were to end while all workers were kept; the value is how late the latest was.
fn sample(naps: &[Nap], kept: &[(Instant, Instant)], usage: Usage) -> Sample {
    let first = kept.iter().map(|kept| kept.0).max().expect("a worker");
    let last = kept.iter().map(|kept| kept.1).min().expect("a worker");
    let mut late: Vec<_> = naps
        .iter()
        .filter(|(deadline, _)| (first..last).contains(deadline))
        .map(|(deadline, woken)| woken.saturating_duration_since(*deadline).as_nanos() as f64)
        .collect();
    let worst = late.iter().copied().fold(0.0, f64::max);
    Sample {
        value: worst,
        ops: late.len() as u64,
        wall_ns: (last - first).as_nanos() as f64,
        cpu_ns: usage.cpu_ns_since(),
        latency: Some(Latency::of(&mut late)),
        ideal: None,
    }
}
