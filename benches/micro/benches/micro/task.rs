//! A task's cell: made, polled, woken and dropped.

use divan::{Bencher, black_box};
use runtime_core::bench::task::{Item, make};
use std::future::{pending, poll_fn};
use std::sync::mpsc;
use std::task::{Poll, Waker};

/// From the allocation to the end, with nobody who joins.
#[divan::bench]
fn make_poll_free() {
    make(async {}).0.run();
}

/// The same, with a future of 1 KiB.
#[divan::bench]
fn make_poll_free_large() {
    let large = black_box([7_u8; 1024]);
    make(async move {
        black_box(&large);
    })
    .0
    .run();
}

/// From the allocation to a poll that is pending and keeps no waker: nobody can wake the task, so it ends.
#[divan::bench]
fn make_abandon() {
    make(pending::<()>()).0.run();
}

/// A wake, the runnable that it makes, and a poll that is pending again.
#[divan::bench]
fn wake_and_poll(bencher: Bencher<'_, '_>) {
    let waker = asleep();
    bencher.bench_local(|| {
        waker.wake_by_ref();
        Item::woken().expect("a task that sleeps is woken").run();
    });
}

/// A wake of a task that is runnable already.
#[divan::bench]
fn wake_again(bencher: Bencher<'_, '_>) {
    let waker = asleep();
    waker.wake_by_ref();
    bencher.bench_local(|| waker.wake_by_ref());
    Item::woken().expect("it was woken once").run();
}

/// One more waker, and one less.
#[divan::bench]
fn clone_waker(bencher: Bencher<'_, '_>) {
    let waker = asleep();
    bencher.bench_local(|| drop(black_box(waker.clone())));
}

/// The waker of a task that has been polled and sleeps.
fn asleep() -> Waker {
    let (tell, told) = mpsc::channel();
    let mut tell = Some(tell);
    let asleep = poll_fn(move |cx| {
        if let Some(tell) = tell.take() {
            tell.send(cx.waker().clone()).expect("the bench listens");
        }
        Poll::<()>::Pending
    });
    make(asleep).0.run();
    told.recv().expect("the task was polled")
}
