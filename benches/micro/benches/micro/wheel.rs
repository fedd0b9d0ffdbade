//! The timer wheel, with few timers in it and with many: the cost of one must not depend on their number.

use divan::{Bencher, black_box};
use runtime_timer::wheel::{Fired, Key, TICK_NS, Wheel};
use std::task::Waker;

/// Timers that are in the wheel already.
const OTHERS: [u64; 3] = [100, 10_000, 1_000_000];

/// A timer in the middle of the others, which is cancelled again.
#[divan::bench(args = OTHERS)]
fn insert_and_cancel(bencher: Bencher<'_, '_>, others: u64) {
    let mut wheel = filled(others);
    let deadline = others / 2 * TICK_NS;
    bencher.bench_local(|| {
        let key = wheel.insert(black_box(deadline), Waker::noop().clone());
        wheel.cancel(key)
    });
}

/// A thousand timers, beside the others; items are timers.
#[divan::bench(args = OTHERS, sample_count = 20)]
fn insert(bencher: Bencher<'_, '_>, others: u64) {
    let row = 1_000;
    bencher
        .counter(row)
        .with_inputs(|| filled(others))
        .bench_local_values(|mut wheel| {
            for n in 0..row {
                let _ = insert_at(&mut wheel, black_box(n * TICK_NS));
            }
            wheel
        });
}

/// A thousand of the timers, spread over all of them; items are timers.
#[divan::bench(args = [10_000, 1_000_000], sample_count = 20)]
fn cancel(bencher: Bencher<'_, '_>, others: u64) {
    let row = 1_000;
    bencher
        .counter(row)
        .with_inputs(|| {
            let mut wheel = Wheel::new();
            let keys: Vec<_> = (0..others)
                .map(|n| insert_at(&mut wheel, n * TICK_NS))
                .collect();
            let step = usize::try_from(others / row).unwrap_or(usize::MAX);
            (wheel, keys.into_iter().step_by(step).collect())
        })
        .bench_local_values(|(mut wheel, keys): (Wheel, Vec<Key>)| {
            for key in keys {
                black_box(wheel.cancel(key));
            }
            wheel
        });
}

/// All of them, as their time comes, 64 at a time; items are timers.
#[divan::bench(args = OTHERS, sample_count = 20)]
fn fire(bencher: Bencher<'_, '_>, others: u64) {
    let mut due = Vec::with_capacity(64);
    bencher
        .counter(others)
        .with_inputs(|| filled(others))
        .bench_local_values(|mut wheel| {
            for now in (0..=others).step_by(64).chain([others]) {
                while wheel.fire(now * TICK_NS, 64, &mut due) == Fired::More {
                    due.clear();
                }
                due.clear();
            }
            assert!(wheel.is_empty(), "the time of all has come");
            wheel
        });
}

/// A wheel with a timer on each of so many ticks.
fn filled(timers: u64) -> Wheel {
    let mut wheel = Wheel::new();
    for n in 1..=timers {
        let _ = insert_at(&mut wheel, n * TICK_NS);
    }
    wheel
}

fn insert_at(wheel: &mut Wheel, deadline: u64) -> Key {
    wheel.insert(deadline, Waker::noop().clone())
}
