//! Tasks that are spawned, wake each other, and are joined, on two workers.

use super::{check, check_in, runtime, yield_for_ever};
use crate::runtime::yield_now;
use shuttle::sync::Mutex;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

/// A number that two tasks take turns to raise.
#[derive(Default)]
struct Ball {
    state: Mutex<(u32, Option<Waker>)>,
}

impl Ball {
    /// Raises the number from `own` on, whenever it is this side's turn, up to `end`.
    async fn play(&self, side: u32, end: u32) {
        loop {
            let now = poll_fn(|cx| {
                let mut state = self.state.lock().expect("no panic");
                if state.0 >= end || state.0 % 2 == side {
                    return Poll::Ready(state.0);
                }
                state.1 = Some(cx.waker().clone());
                Poll::Pending
            })
            .await;
            if now >= end {
                return;
            }
            let other = {
                let mut state = self.state.lock().expect("no panic");
                state.0 = now + 1;
                state.1.take()
            };
            if let Some(other) = other {
                other.wake();
            }
        }
    }
}

#[test]
fn tasks_that_wake_each_other_across_workers_come_to_their_end() {
    check(|| {
        let runtime = runtime(2);
        let ball = Arc::new(Ball::default());
        let players = [0, 1].map(|side| {
            let ball = Arc::clone(&ball);
            runtime.spawn(async move { ball.play(side, 6).await })
        });
        runtime.block_on(async {
            for player in players {
                player.await.expect("no panic");
            }
        });
        assert_eq!(ball.state.lock().expect("no panic").0, 6);
    });
}

#[test]
fn tasks_that_spawn_tasks_are_all_run() {
    check(|| {
        let runtime = runtime(2);
        let sum = runtime.block_on(async {
            let parents: Vec<_> = (0..3)
                .map(|number| {
                    crate::spawn(async move {
                        let child = crate::spawn(async move { number });
                        yield_now().await;
                        child.await.expect("no panic") + 1
                    })
                })
                .collect();
            let mut sum = 0;
            for parent in parents {
                sum += parent.await.expect("no panic");
            }
            sum
        });
        assert_eq!(sum, 6);
    });
}

#[test]
fn spawns_from_two_threads_outside_are_all_run() {
    check(|| {
        let runtime = runtime(2);
        let spawners: Vec<_> = (0..2)
            .map(|number| {
                let handle = runtime.handle().clone();
                shuttle::thread::spawn(move || {
                    let task = handle.spawn(async move { number });
                    handle.block_on(task).expect("no panic")
                })
            })
            .collect();
        let results: Vec<i32> = spawners
            .into_iter()
            .map(|spawner| spawner.join().expect("no panic"))
            .collect();
        assert_eq!(results, [0, 1]);
    });
}

#[test]
fn an_abort_beside_a_run_ends_the_task() {
    check(|| {
        let runtime = runtime(2);
        let task = runtime.spawn(yield_for_ever());
        let abort = task.abort_handle();
        let aborting = shuttle::thread::spawn(move || abort.abort());
        let outcome = runtime.block_on(task);
        assert!(outcome.expect_err("it never ends").is_cancelled());
        aborting.join().expect("no panic");
    });
}

/// A task that looks whether it is time, and leaves its waker only afterwards; and a thread that says it is.
fn a_task_and_a_thread(looks_again: bool) {
    let runtime = runtime(1);
    let ball = Arc::new(Ball::default());
    let waiting = Arc::clone(&ball);
    let task = runtime.spawn(poll_fn(move |cx| {
        let is_time = || waiting.state.lock().expect("no panic").0 > 0;
        if is_time() {
            return Poll::Ready(());
        }
        waiting.state.lock().expect("no panic").1 = Some(cx.waker().clone());
        if looks_again && is_time() {
            return Poll::Ready(());
        }
        Poll::Pending
    }));
    let telling = shuttle::thread::spawn(move || {
        let waker = {
            let mut state = ball.state.lock().expect("no panic");
            state.0 = 1;
            state.1.take()
        };
        waker.into_iter().for_each(Waker::wake);
    });
    runtime.block_on(task).expect("no panic");
    telling.join().expect("no panic");
}

#[test]
fn a_task_that_looks_again_is_woken_or_sees() {
    check(|| a_task_and_a_thread(true));
}

/// The canary: a wake-up lost by a task is one lost by the runtime, as far as the schedules can tell.
#[test]
#[should_panic(expected = "deadlock")]
fn canary_a_task_that_does_not_look_again_is_found_asleep() {
    // It ends with the first that fails.
    check_in(20_000, || a_task_and_a_thread(false));
}
