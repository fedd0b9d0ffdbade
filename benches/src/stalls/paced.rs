//! Clients at a pace, beside tasks that keep their workers.

use std::hint::black_box;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::measure::{Effort, Phase, Sample, Window};
use crate::peer::Peer;
use crate::scenarios::cpu::crunch;
use crate::scenarios::mixed::{CLIENTS, paced};
use crate::scenarios::tcp;

/// Tasks that keep their workers.
const KEEPERS: usize = 4;
/// For so long at a time.
const KEPT: Duration = Duration::from_millis(50);

/// What a task does that keeps its worker.
#[derive(Clone, Copy)]
pub(super) enum Keeping {
    Blocks,
    Computes,
}

impl Keeping {
    /// Keeps the calling thread.
    pub(super) fn keep(self, time: Duration) {
        match self {
            Self::Blocks => thread::sleep(time),
            Self::Computes => {
                let start = Instant::now();
                while start.elapsed() < time {
                    black_box(crunch(black_box(1), 1_000));
                }
            }
        }
    }
}

pub(super) fn alone<P: Peer>(effort: Effort) -> Sample {
    beside::<P>(effort, None)
}

pub(super) fn blocked<P: Peer>(effort: Effort) -> Sample {
    beside::<P>(effort, Some(Keeping::Blocks))
}

pub(super) fn computed<P: Peer>(effort: Effort) -> Sample {
    beside::<P>(effort, Some(Keeping::Computes))
}

fn beside<P: Peer>(effort: Effort, keeping: Option<Keeping>) -> Sample {
    P::run(async {
        let window = Window::new();
        let mut clients = Vec::with_capacity(CLIENTS);
        for (n, stream) in tcp::connected::<P>(CLIENTS).await.into_iter().enumerate() {
            clients.push(P::spawn(paced::<P>(stream, n, Arc::clone(&window))));
        }
        for keeping in keeping.into_iter().cycle().take(KEEPERS) {
            let window = Arc::clone(&window);
            P::spawn_detached(async move {
                while window.phase() != Phase::Over {
                    keeping.keep(KEPT);
                    P::yield_now().await;
                }
            });
        }
        let timing = window.start_for(2 * effort.warm_up(), 2 * effort.budget());
        let mut times = Vec::new();
        for client in clients {
            times.extend(P::join(client).await);
        }
        timing.finish(times)
    })
}
