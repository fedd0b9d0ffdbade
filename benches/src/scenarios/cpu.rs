//! Work that one task deals out to others.

use std::hint::black_box;

use super::in_task;
use crate::measure::{Effort, Sample};
use crate::peer::Peer;

/// Steps of a piece: about 17 us on the machine that this was written on. The number is fixed, not calibrated, so that every
/// process does the same work.
const STEPS: u64 = 7_500;
/// Pieces that are dealt out at once.
const PIECES: usize = 2_000;

pub(crate) fn fanout<P: Peer>(effort: Effort) -> Sample {
    in_task::repeated::<P, _, _>(effort, PIECES, || async {
        let pieces: Vec<_> = (0..PIECES)
            .map(|n| P::spawn(async move { crunch(black_box(n as u64)) }))
            .collect();
        for piece in pieces {
            black_box(P::join(piece).await);
        }
    })
}

/// Arithmetic in which every step needs the one before.
fn crunch(seed: u64) -> u64 {
    let mut x = seed | 1;
    for step in 0..STEPS {
        x = (x ^ (x >> 29))
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(step);
    }
    x
}
