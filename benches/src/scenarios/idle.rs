//! What connections cost on which nothing happens.

use std::thread;
use std::time::{Duration, Instant};

use futures_channel::oneshot;

use super::tcp;
use crate::measure::{Effort, Sample, Usage};
use crate::peer::Peer;

/// Connections that are open; both ends wait for the other.
pub(super) const CONNECTIONS: usize = 100;

pub(crate) fn idle<P: Peer>(effort: Effort) -> Sample {
    P::run(async {
        let mut streams = tcp::connected::<P>(CONNECTIONS).await;
        // A message each way, so that every server is known to wait.
        for stream in &mut streams {
            let answered = tcp::round_trip::<P>(stream, &[7]).await;
            answered.expect("the server answers");
        }
        for mut stream in streams {
            P::spawn_detached(async move {
                // The server does not speak first, so this ends with the process.
                let _ = P::read(&mut stream, &mut [0]).await;
            });
        }
        let (told, done) = oneshot::channel();
        thread::spawn(move || told.send(watch(effort)).ok().expect("the scenario listens"));
        done.await.expect("the thread does not fail")
    })
}

/// What this process takes while nothing happens; to be called on a thread that belongs to no runtime.
pub(super) fn watch(effort: Effort) -> Sample {
    // Long enough for whatever winds down to have done so.
    thread::sleep(2 * effort.warm_up());
    let usage = Usage::now();
    let start = Instant::now();
    thread::sleep(4 * effort.budget());
    let (wall, cpu_ns) = (start.elapsed(), usage.cpu_ns_since());
    Sample {
        value: cpu_ns / wall.div_duration_f64(Duration::from_secs(1)),
        ops: 1,
        wall_ns: wall.as_nanos() as f64,
        cpu_ns,
        latency: None,
        ideal: None,
    }
}
