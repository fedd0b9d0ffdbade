//! How threads sleep.

use divan::Bencher;
use runtime_core::bench::park::{Bed, Sleepers};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// What every push pays while nobody sleeps.
#[divan::bench]
fn choose_among_none(bencher: Bencher<'_, '_>) {
    let sleepers = Sleepers::none();
    bencher.bench_local(|| sleepers.choose());
}

/// A wake-up that came before the sleep: nobody sleeps.
#[divan::bench]
fn unpark_then_park(bencher: Bencher<'_, '_>) {
    let bed = Bed::new();
    bencher.bench_local(|| {
        bed.unpark();
        bed.park();
    });
}

/// One thread wakes another and is woken by it.
#[divan::bench]
fn round_trip(bencher: Bencher<'_, '_>) {
    let (here, there) = (Arc::new(Bed::new()), Arc::new(Bed::new()));
    let over = Arc::new(AtomicBool::new(false));
    let partner = thread::spawn({
        let (here, there, over) = (Arc::clone(&here), Arc::clone(&there), Arc::clone(&over));
        move || {
            loop {
                there.park();
                // ORDERING: Relaxed; the wake-up that follows the store publishes it.
                if over.load(Ordering::Relaxed) {
                    break;
                }
                here.unpark();
            }
        }
    });
    bencher.bench_local(|| {
        there.unpark();
        here.park();
    });
    // ORDERING: Relaxed; published by the wake-up below.
    over.store(true, Ordering::Relaxed);
    there.unpark();
    partner.join().expect("the partner does not fail");
}
