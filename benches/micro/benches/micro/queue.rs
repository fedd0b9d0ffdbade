//! Where runnables wait.

use divan::Bencher;
use runtime_core::bench::queue::{Local, Shared};
use runtime_core::bench::task::Item;

/// Through the slot, where a worker puts what it wakes.
#[divan::bench]
fn slot_push_pop(bencher: Bencher<'_, '_>) {
    let local = Local::new();
    // Something in the deque too, or the streak of the slot would never be looked at.
    local.push_back(Item::idle());
    let mut item = Some(Item::idle());
    bencher.bench_local(|| {
        local.push_first(item.take().expect("it comes back"));
        item = local.pop();
    });
}

/// Through the deque, with 32 in it.
#[divan::bench]
fn deque_push_pop(bencher: Bencher<'_, '_>) {
    let local = Local::new();
    (0..32).for_each(|_| local.push_back(Item::idle()));
    let mut item = Some(Item::idle());
    bencher.bench_local(|| {
        local.push_back(item.take().expect("another comes back"));
        item = local.pop();
    });
}

/// Through the queue that all workers share, one at a time, with 32 in it.
#[divan::bench]
fn injector_push_take(bencher: Bencher<'_, '_>) {
    let shared = Shared::new();
    (0..32).for_each(|_| shared.push(Item::idle()));
    let mut item = Some(Item::idle());
    bencher.bench_local(|| {
        shared.push(item.take().expect("another comes back"));
        item = shared.take();
    });
}

/// A batch from the shared queue to a worker's own, by what is in the shared one.
#[divan::bench(args = [1, 32, 1_000])]
fn injector_take_batch(bencher: Bencher<'_, '_>, waiting: usize) {
    bencher
        .with_inputs(|| {
            let shared = Shared::new();
            (0..waiting).for_each(|_| shared.push(Item::idle()));
            (shared, Local::new())
        })
        .bench_local_refs(|(shared, local)| local.take_from(shared));
}

/// A batch from another worker's deque, by what is in it.
#[divan::bench(args = [1, 32, 256])]
fn steal(bencher: Bencher<'_, '_>, waiting: usize) {
    bencher
        .with_inputs(|| {
            let victim = Local::new();
            (0..waiting).for_each(|_| victim.push_back(Item::idle()));
            (victim.into_victim(), Local::new())
        })
        .bench_local_refs(|(victim, thief)| thief.steal_from(victim));
}

/// A look at another worker's deque that is empty.
#[divan::bench]
fn steal_nothing(bencher: Bencher<'_, '_>) {
    let (victim, thief) = (Local::new().into_victim(), Local::new());
    bencher.bench_local(|| thief.steal_from(&victim));
}
