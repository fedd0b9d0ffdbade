//! Timers: set and dropped, fired one by one, fired by the hundred thousand.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::countdown::Countdown;
use super::in_task;
use crate::measure::{Effort, Latency, Sample, Usage, quantile};
use crate::peer::Peer;

pub(crate) fn timeout_drop<P: Peer>(effort: Effort) -> Sample {
    const ROW: usize = 1_000;
    in_task::repeated::<P, _, _>(effort, ROW, || async {
        for _ in 0..ROW {
            let in_time = P::timeout(Duration::from_secs(60), P::yield_now()).await;
            assert!(in_time.is_some(), "a yield does not take a minute");
        }
    })
}

pub(crate) fn sleep_precision<P: Peer>(effort: Effort) -> Sample {
    in_task::once::<P, _>(async move {
        let mut late = Vec::new();
        let usage = Usage::now();
        let start = Instant::now();
        while start.elapsed() < effort.budget() {
            // 0.3 to 2.0 ms in steps of 0.1 ms; 7 is coprime to 18, so that all come in turn.
            let time = Duration::from_micros(300 + 100 * (late.len() as u64 * 7 % 18));
            let from = Instant::now();
            P::sleep(time).await;
            let slept = from.elapsed();
            assert!(slept >= time, "woken {:?} early", time - slept);
            late.push((slept - time).as_nanos() as f64);
        }
        let cpu_ns = usage.cpu_ns_since();
        let latency = Latency::of(&mut late);
        Sample {
            value: latency.p50,
            ops: late.len() as u64,
            wall_ns: start.elapsed().as_nanos() as f64,
            cpu_ns,
            latency: Some(latency),
            ideal: None,
        }
    })
}

pub(crate) fn sleep_storm<P: Peer>(effort: Effort) -> Sample {
    /// From the first spawn to the first deadline: long enough to spawn them all.
    const AHEAD: Duration = Duration::from_millis(800);
    let sleepers = effort.scaled(100_000);
    let spread = effort.budget();
    let countdown = Countdown::leaked();
    let late: &'static [AtomicU64] = (0..sleepers)
        .map(|_| AtomicU64::new(0))
        .collect::<Vec<_>>()
        .leak();

    in_task::once::<P, _>(async move {
        let done = countdown.arm(sleepers);
        let usage = Usage::now();
        let start = Instant::now();
        for (n, late) in late.iter().enumerate() {
            // A stride that is coprime to the number, so that neighbours in time are strangers in the order of spawning.
            let place = (n * 7_919) % sleepers;
            let deadline = start + AHEAD + spread.mul_f64(place as f64 / sleepers as f64);
            P::spawn_detached(async move {
                P::sleep(deadline.saturating_duration_since(Instant::now())).await;
                // ORDERING: Relaxed; `arrive` publishes it.
                late.store(deadline.elapsed().as_nanos() as u64, Relaxed);
                countdown.arrive();
            });
        }
        assert!(
            start.elapsed() < AHEAD,
            "spawning took {:?}",
            start.elapsed()
        );
        done.await.expect("every task arrives");

        let (wall, cpu_ns) = (start.elapsed(), usage.cpu_ns_since());
        // ORDERING: Relaxed; the last arrival has told.
        let mut late: Vec<f64> = late.iter().map(|ns| ns.load(Relaxed) as f64).collect();
        Sample {
            value: quantile(&mut late, 0.99),
            ops: sleepers as u64,
            wall_ns: wall.as_nanos() as f64,
            cpu_ns,
            latency: Some(Latency::of(&mut late)),
            ideal: None,
        }
    })
}
