//! Work that one task deals out to others.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use super::in_task;
use crate::measure::{Effort, Sample, median};
use crate::peer::{Peer, workers};

/// Steps of a piece: about 17 us on the machine that this was written on. The number is fixed, not calibrated, so that every
/// process does the same work.
pub(super) const STEPS: u64 = 7_500;
/// Pieces that are dealt out at once.
pub(super) const PIECES: usize = 2_000;

pub(crate) fn fanout<P: Peer>(effort: Effort) -> Sample {
    let sample = in_task::repeated::<P, _, _>(effort, PIECES, || async {
        let pieces: Vec<_> = (0..PIECES)
            .map(|n| P::spawn(async move { piece(n) }))
            .collect();
        for piece in pieces {
            black_box(P::join(piece).await);
        }
    });
    with_ideal(sample)
}

/// Adds what a piece takes when as many threads as there are workers have their share of the pieces from the start.
pub(super) fn with_ideal(sample: Sample) -> Sample {
    /// Odd, so that one of them is the median.
    const TRIES: usize = 5;
    let mut times: Vec<_> = (0..TRIES).map(|_| share_out() / PIECES as f64).collect();
    Sample {
        ideal: Some(median(&mut times)),
        ..sample
    }
}

/// All pieces on threads that share them evenly; ns until the last thread is done, starting them not counted.
fn share_out() -> f64 {
    let workers = workers();
    let start_line = Barrier::new(workers);
    let share = |first: usize| {
        start_line.wait();
        let start = Instant::now();
        for n in (first..PIECES).step_by(workers) {
            black_box(piece(n));
        }
        start.elapsed().as_nanos() as f64
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|first| scope.spawn(move || share(first)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("arithmetic does not fail"))
            .fold(0.0, f64::max)
    })
}

/// The piece with the number `n`.
pub(super) fn piece(n: usize) -> u64 {
    crunch(black_box(n as u64), STEPS)
}

/// Arithmetic in which every step needs the one before.
///
/// The same machine code for all who ask: where the compiler knows the number of steps it unrolls the loop, which makes the chain longer,
/// and a runtime's job would not be the one that a worker process is told over its pipe.
#[inline(never)]
pub(crate) fn crunch(seed: u64, steps: u64) -> u64 {
    let steps = black_box(steps);
    let mut x = seed | 1;
    for step in 0..steps {
        x = (x ^ (x >> 29))
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(step);
    }
    x
}
