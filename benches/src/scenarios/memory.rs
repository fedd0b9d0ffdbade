//! What a task that sleeps keeps in memory.

use std::time::{Duration, Instant};

use super::countdown::Countdown;
use super::in_task;
use crate::measure::{Effort, Sample, Usage, resident_bytes};
use crate::peer::Peer;

pub(crate) fn asleep<P: Peer>(effort: Effort) -> Sample {
    let tasks = effort.scaled(1_000_000);
    let countdown = Countdown::leaked();
    in_task::once::<P, _>(async move {
        let done = countdown.arm(tasks);
        let usage = Usage::now();
        let start = Instant::now();
        let before = resident_bytes().expect("the system tells");
        for n in 0..tasks {
            // Deadlines differ, as they do in programs.
            let time = Duration::from_secs(3_600) + Duration::from_micros(n as u64);
            P::spawn_detached(async move {
                countdown.arrive();
                P::sleep(time).await;
            });
        }
        done.await.expect("every task arrives");
        // The last to arrive may still be setting its timer.
        P::sleep(Duration::from_millis(20)).await;
        let after = resident_bytes().expect("the system tells");
        Sample {
            value: after.saturating_sub(before) as f64 / tasks as f64,
            ops: tasks as u64,
            wall_ns: start.elapsed().as_nanos() as f64,
            cpu_ns: usage.cpu_ns_since(),
            latency: None,
            ideal: None,
        }
    })
}
