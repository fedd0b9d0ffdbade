//! rayon: a pool that only computes.

use std::hint::black_box;

use crate::measure::{Effort, Sample, repeat};
use crate::peer::workers;
use crate::scenarios::cpu::{PIECES, piece, with_ideal};

pub(crate) fn fanout(effort: Effort) -> Sample {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(workers())
        .build()
        .expect("threads start");
    let batch = || {
        pool.scope(|scope| {
            for n in 0..PIECES {
                scope.spawn(move |_| {
                    black_box(piece(n));
                });
            }
        });
        std::future::ready(())
    };
    with_ideal(futures_lite::future::block_on(repeat(
        effort, PIECES, batch,
    )))
}
