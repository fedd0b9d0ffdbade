//! Connections that want an answer now and then, beside jobs that want all processors.
//!
//! ```text
//!   16 clients   ──message every 5 ms──▶ echo     on the workers
//!   64 loops     ──job of about 4 ms──▶ compute   where the runtime, or what stands beside it, computes
//! ```
//!
//! Processors are oversubscribed throughout: what counts is how long an answer takes nevertheless, and that jobs are not
//! slowed down for it.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::cpu::crunch;
use super::tcp;
use crate::measure::{Effort, Latency, Phase, Sample, Timing, Window};
use crate::peer::Peer;

/// Connections.
pub(crate) const CLIENTS: usize = 16;
/// Tasks that have one job after another done.
pub(super) const LOOPS: usize = 64;
/// From an answer to the next message of the same client.
pub(super) const PACE: Duration = Duration::from_millis(5);
/// Steps of a job: about 4 ms on the machine that this was written on.
pub(super) const STEPS: u64 = 1_765_000;

pub(crate) fn mixed<P: Peer>(effort: Effort) -> Sample {
    P::run(async {
        let window = Window::new();
        let mut clients = Vec::with_capacity(CLIENTS);
        for (n, stream) in tcp::connected::<P>(CLIENTS).await.into_iter().enumerate() {
            let window = Arc::clone(&window);
            clients.push(P::spawn(paced::<P>(stream, n, window)));
        }
        let loops: Vec<_> = (0..LOOPS)
            .map(|_| P::spawn(jobs::<P>(Arc::clone(&window))))
            .collect();
        let timing = start(&window, effort);
        let mut times = Vec::new();
        for client in clients {
            times.extend(P::join(client).await);
        }
        let mut done = 0;
        for counted in loops {
            done += P::join(counted).await;
        }
        sample(timing, times, done)
    })
}

/// Messages at a pace until the window closes; the times of the answers that count, in ns.
pub(crate) async fn paced<P: Peer>(
    mut stream: P::Stream,
    n: usize,
    window: Arc<Window>,
) -> Vec<f64> {
    let mut times = Vec::new();
    P::sleep(offset(n)).await;
    loop {
        let from = Instant::now();
        let answered = tcp::round_trip::<P>(&mut stream, &[7; tcp::MESSAGE]).await;
        answered.expect("the server answers");
        if !window.note(&mut times, from.elapsed()) {
            return times;
        }
        P::sleep(PACE).await;
    }
}

/// Jobs, one after the other, until the window closes; how many count.
async fn jobs<P: Peer>(window: Arc<Window>) -> u64 {
    let mut done = 0;
    loop {
        black_box(P::compute(job).await);
        match window.phase() {
            Phase::Warming => {}
            Phase::Counting => done += 1,
            Phase::Over => return done,
        }
    }
}

/// What a loop has done.
pub(super) fn job() -> u64 {
    crunch(black_box(1), STEPS)
}

/// How long client `n` waits before its first message, so that they do not all speak at once.
pub(super) fn offset(n: usize) -> Duration {
    PACE.mul_f64(n as f64 / CLIENTS as f64)
}

/// Opens a window long enough for a p99.9.
pub(super) fn start(window: &Arc<Window>, effort: Effort) -> Timing {
    window.start_for(2 * effort.warm_up(), 3 * effort.budget())
}

/// The sample: the value is the p99 of the answers, operations are jobs.
pub(super) fn sample(timing: Timing, mut times: Vec<f64>, jobs: u64) -> Sample {
    let (wall_ns, cpu_ns) = timing.stop();
    let latency = Latency::of(&mut times);
    Sample {
        value: latency.p99,
        ops: jobs,
        wall_ns,
        cpu_ns,
        latency: Some(latency),
        ideal: None,
    }
}
