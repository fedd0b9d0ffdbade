//! Going from one task to another.

use crate::ROW;
use gristmill::task::{spawn, yield_now};
use std::future::poll_fn;
use std::sync::mpsc;
use std::task::Poll;

/// Wakes a task that sleeps; it is polled, and sleeps on.
pub(crate) async fn wake(times: usize) {
    let (tell, told) = mpsc::channel();
    for _ in 0..ROW {
        let mut tell = Some(tell.clone());
        let asleep = poll_fn(move |cx| {
            if let Some(tell) = tell.take() {
                tell.send(cx.waker().clone())
                    .expect("the waking task listens");
            }
            Poll::<()>::Pending
        });
        drop(spawn(asleep));
    }
    yield_now().await;
    let wakers: Vec<_> = told.try_iter().collect();
    assert_eq!(wakers.len(), ROW, "all of them have run");

    for _ in 0..times / ROW {
        for waker in &wakers {
            waker.wake_by_ref();
        }
        yield_now().await;
    }
}

/// Yields to the other tasks of a row, which do the same.
pub(crate) async fn yields(times: usize) {
    let row: Vec<_> = (0..ROW)
        .map(|_| {
            spawn(async move {
                for _ in 0..times / ROW {
                    yield_now().await;
                }
            })
        })
        .collect();
    for task in row {
        task.await.expect("the task does not fail");
    }
}
