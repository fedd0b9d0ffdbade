//! Under load each task ends exactly once, and every future is dropped exactly once.

mod common;

use common::{Flavour, silence_panics, with_each, within};
use gristmill::runtime::{Handle, Runtime};
use gristmill::task::{self, JoinHandle};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::mpsc;
use std::task::{Poll, Waker};

/// How many tasks each flavour runs in the mixed test.
const TASKS: u64 = if cfg!(debug_assertions) {
    700_000
} else {
    2_000_000
};

/// How tasks and futures ended.
#[derive(Default)]
struct Ends {
    started: AtomicU64,
    completed: AtomicU64,
    cancelled: AtomicU64,
    panicked: AtomicU64,
    dropped: AtomicU64,
    outputs_dropped: AtomicU64,
}

/// Lives in each future.
struct Alive(Arc<Ends>);

impl Alive {
    fn new(ends: &Arc<Ends>) -> Self {
        ends.started.fetch_add(1, SeqCst);
        Self(Arc::clone(ends))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, SeqCst);
    }
}

/// The output of each task.
struct Output(Arc<Ends>);

impl Drop for Output {
    fn drop(&mut self) {
        self.0.outputs_dropped.fetch_add(1, SeqCst);
    }
}

/// A small generator; each seed gives its own stream.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// What one task does, by its number.
async fn fate(alive: Alive, number: u64, foreign: mpsc::Sender<Waker>) -> Output {
    let ends = Arc::clone(&alive.0);
    match number % 8 {
        0 => {}
        1 => task::yield_now().await,
        2 => {
            // Woken by a foreign thread.
            let mut asked = false;
            poll_fn(|cx| {
                if asked {
                    return Poll::Ready(());
                }
                asked = true;
                foreign
                    .send(cx.waker().clone())
                    .expect("a thread that wakes");
                Poll::Pending
            })
            .await;
        }
        3 if number % 64 == 3 => {
            // A panic takes some time, so only some.
            drop(alive);
            ends.panicked.fetch_add(1, SeqCst);
            panic!("expected by the test");
        }
        4 => {
            let child = Alive::new(&ends);
            let child = gristmill::spawn(async move {
                task::yield_now().await;
                Output(Arc::clone(&child.0))
            });
            drop(child.await.expect("nobody aborts the child"));
            ends.completed.fetch_add(1, SeqCst);
        }
        5 => gristmill::time::sleep(std::time::Duration::from_micros(number % 50)).await,
        6 => task::consume_budget().await,
        _ => {
            task::yield_now().await;
            task::yield_now().await;
        }
    }
    drop(alive);
    Output(ends)
}

/// Spawns, aborts some, detaches none; counts how each ended.
fn spawn_and_judge(runtime: &Runtime, ends: &Arc<Ends>, seed: u64, tasks: u64) {
    let (foreign, wakers) = mpsc::channel::<Waker>();
    let waking = std::thread::spawn(move || {
        for (n, waker) in wakers.into_iter().enumerate() {
            match n % 3 {
                0 => waker.wake(),
                1 => waker.wake_by_ref(),
                _ => {
                    let clone = waker.clone();
                    drop(waker);
                    clone.wake();
                }
            }
        }
    });
    let mut dice = Dice(seed);
    let mut window: Vec<JoinHandle<Output>> = Vec::new();
    let judge = |window: &mut Vec<JoinHandle<Output>>| {
        runtime.block_on(async {
            for handle in window.drain(..) {
                match handle.await {
                    Ok(output) => {
                        drop(output);
                        ends.completed.fetch_add(1, SeqCst);
                    }
                    Err(error) if error.is_cancelled() => {
                        ends.cancelled.fetch_add(1, SeqCst);
                    }
                    Err(error) => assert!(error.is_panic()),
                }
            }
        });
    };
    for number in 0..tasks {
        let handle = runtime.spawn(fate(Alive::new(ends), number, foreign.clone()));
        // The parents of others are left alone, so that every child has a judge.
        if dice.roll(10) == 0 && number % 8 != 4 {
            handle.abort();
        }
        window.push(handle);
        if window.len() >= 512 {
            judge(&mut window);
        }
    }
    judge(&mut window);
    drop(foreign);
    waking.join().expect("no panic");
}

fn mixed(flavour: Flavour) {
    silence_panics();
    within(format!("{flavour:?}"), move || {
        let runtime = flavour.runtime();
        let ends = Arc::new(Ends::default());
        std::thread::scope(|scope| {
            for seed in 1..=4 {
                let (runtime, ends) = (&runtime, &ends);
                scope.spawn(move || spawn_and_judge(runtime, ends, seed * 7_919, TASKS / 4));
            }
        });
        drop(runtime);
        let [started, completed, cancelled, panicked, dropped, outputs] = [
            &ends.started,
            &ends.completed,
            &ends.cancelled,
            &ends.panicked,
            &ends.dropped,
            &ends.outputs_dropped,
        ]
        .map(|count| count.load(SeqCst));
        assert!(started > TASKS);
        assert_eq!(completed + cancelled + panicked, started);
        assert_eq!(dropped, started);
        assert!(outputs >= completed, "{outputs} of {completed}");
        assert!(outputs <= started - panicked);
    });
}

#[test]
fn mixed_tasks_of_four_threads_each_end_once_on_four_workers() {
    mixed(Flavour::FourWorkers);
}

#[test]
fn mixed_tasks_of_four_threads_each_end_once_on_one_worker() {
    mixed(Flavour::OneWorker);
}

#[test]
fn mixed_tasks_of_four_threads_each_end_once_on_the_current_thread() {
    mixed(Flavour::CurrentThread);
}

#[test]
fn a_tree_of_tasks_that_spawn_tasks_ends_completely() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let ends = Arc::new(Ends::default());
        let depth = if cfg!(debug_assertions) { 15 } else { 18 };

        fn grow(ends: Arc<Ends>, depth: u32) -> JoinHandle<u64> {
            let alive = Alive::new(&ends);
            Handle::current().spawn(async move {
                let _alive = alive;
                if depth == 0 {
                    return 1;
                }
                let left = grow(Arc::clone(&ends), depth - 1);
                let right = grow(ends, depth - 1);
                left.await.expect("no panic") + right.await.expect("no panic")
            })
        }

        let leaves = {
            let ends = Arc::clone(&ends);
            runtime.block_on(async move { grow(ends, depth).await })
        };
        assert_eq!(leaves.expect("no panic"), 1 << depth);
        drop(runtime);
        assert_eq!(ends.started.load(SeqCst), (2 << depth) - 1);
        assert_eq!(ends.dropped.load(SeqCst), (2 << depth) - 1);
    });
}

#[test]
fn detached_tasks_of_many_threads_all_run_and_are_dropped() {
    with_each(|flavour| {
        let tasks = if cfg!(debug_assertions) {
            30_000
        } else {
            200_000
        };
        let runtime = flavour.runtime();
        let ends = Arc::new(Ends::default());
        let (sender, receiver) = async_channel::unbounded::<()>();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let (handle, ends, sender) = (runtime.handle(), &ends, sender.clone());
                scope.spawn(move || {
                    for n in 0..tasks {
                        let (alive, sender) = (Alive::new(ends), sender.clone());
                        drop(handle.spawn(async move {
                            if n % 2 == 0 {
                                task::yield_now().await;
                            }
                            alive.0.completed.fetch_add(1, SeqCst);
                            drop((alive, sender));
                        }));
                    }
                });
            }
            drop(sender);
            assert!(runtime.block_on(receiver.recv()).is_err());
        });
        assert_eq!(ends.completed.load(SeqCst), 4 * tasks);
        assert_eq!(ends.dropped.load(SeqCst), 4 * tasks);
    });
}

#[test]
fn aborts_and_drops_of_handles_race_with_the_ends_of_their_tasks() {
    with_each(|flavour| {
        let rounds = if cfg!(debug_assertions) {
            20_000
        } else {
            100_000
        };
        let runtime = flavour.runtime();
        let ends = Arc::new(Ends::default());
        let (hand_over, handles) = mpsc::channel::<JoinHandle<Output>>();
        let aborter = std::thread::spawn(move || {
            let mut dice = Dice(42);
            for handle in handles {
                match dice.roll(4) {
                    0 => handle.abort(),
                    1 => drop(handle),
                    2 => {
                        let abort = handle.abort_handle();
                        drop(handle);
                        abort.abort();
                    }
                    _ => {
                        let waker = common::CountingWaker::new();
                        let mut handle = handle;
                        drop(waker.poll(&mut handle));
                    }
                }
            }
        });
        let ended = Arc::clone(&ends);
        runtime.block_on(async move {
            let (done, wait) = async_channel::unbounded::<()>();
            for n in 0..rounds {
                let (alive, ends, done) = (Alive::new(&ended), Arc::clone(&ended), done.clone());
                let handle = gristmill::spawn(async move {
                    let (_alive, _done) = (alive, done);
                    for _ in 0..n % 4 {
                        task::yield_now().await;
                    }
                    ends.completed.fetch_add(1, SeqCst);
                    Output(ends)
                });
                hand_over.send(handle).expect("the aborter");
                if n % 64 == 0 {
                    task::yield_now().await;
                }
            }
            drop((done, hand_over));
            assert!(wait.recv().await.is_err(), "every future is dropped");
        });
        aborter.join().expect("no panic");
        drop(runtime);
        assert_eq!(ends.dropped.load(SeqCst), rounds);
        let (made, dropped) = (&ends.completed, &ends.outputs_dropped);
        assert_eq!(made.load(SeqCst), dropped.load(SeqCst));
    });
}
