//! What a task promises: it runs, ends once, and tells whoever joins it how.

use gristmill::runtime::{Builder, Runtime};
use gristmill::task::{self, JoinSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// Each flavour of runtime, and one with a single worker.
fn runtimes() -> Vec<Runtime> {
    vec![
        Builder::new().worker_threads(4).build().expect("a runtime"),
        Builder::new().worker_threads(1).build().expect("a runtime"),
        Builder::new_current_thread().build().expect("a runtime"),
    ]
}

/// Counts its drops.
#[derive(Clone, Default)]
struct Probe(Arc<AtomicUsize>);

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_task_gives_its_output_to_whoever_joins_it() {
    for runtime in runtimes() {
        let output = runtime.block_on(async { gristmill::spawn(async { 6 * 7 }).await });
        assert_eq!(output.expect("no panic"), 42);
    }
}

#[test]
fn a_task_spawned_from_outside_runs() {
    let runtime = Runtime::new().expect("a runtime");
    let (sender, receiver) = mpsc::channel();
    drop(runtime.spawn(async move { sender.send(7).expect("a receiver") }));
    assert_eq!(receiver.recv().expect("detached tasks run"), 7);
}

#[test]
fn a_panic_ends_its_own_task_alone_and_reaches_the_handle() {
    for runtime in runtimes() {
        runtime.block_on(async {
            let bad = gristmill::spawn(async { panic!("expected by the test") });
            let good = gristmill::spawn(async {
                task::yield_now().await;
                1
            });
            let error = bad.await.expect_err("it panicked");
            assert!(error.is_panic());
            assert!(error.to_string().contains("expected by the test"));
            assert_eq!(good.await.expect("no panic"), 1);
        });
    }
}

#[test]
fn abort_drops_the_future_before_the_join_is_over() {
    for runtime in runtimes() {
        let drops = Arc::new(AtomicUsize::new(0));
        let probe = Probe(Arc::clone(&drops));
        runtime.block_on(async {
            let handle = gristmill::spawn(async move {
                let _probe = probe;
                std::future::pending::<()>().await;
            });
            task::yield_now().await;
            handle.abort();
            assert!(handle.await.expect_err("aborted").is_cancelled());
        });
        assert_eq!(drops.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn two_hundred_tasks_yield_a_thousand_times_each() {
    for runtime in runtimes() {
        let total = runtime.block_on(async {
            let mut set = JoinSet::new();
            for _ in 0..200 {
                set.spawn(async {
                    for _ in 0..1_000 {
                        task::yield_now().await;
                    }
                    1_usize
                });
            }
            set.join_all().await.into_iter().sum::<usize>()
        });
        assert_eq!(total, 200);
    }
}

#[test]
fn dropping_a_runtime_drops_every_future_that_is_left() {
    for runtime in runtimes() {
        let drops = Arc::new(AtomicUsize::new(0));
        runtime.block_on(async {
            for _ in 0..100 {
                let probe = Probe(Arc::clone(&drops));
                drop(gristmill::spawn(async move {
                    let _probe = probe;
                    std::future::pending::<()>().await;
                }));
            }
        });
        drop(runtime);
        assert_eq!(drops.load(Ordering::SeqCst), 100);
    }
}

#[test]
fn a_wake_from_a_foreign_thread_reaches_the_task() {
    for runtime in runtimes() {
        runtime.block_on(async {
            for _ in 0..200 {
                let (sender, receiver) = async_channel::bounded(1);
                let thread = std::thread::spawn(move || sender.send_blocking(5));
                let task = gristmill::spawn(async move { receiver.recv().await });
                assert_eq!(task.await.expect("no panic"), Ok(5));
                thread.join().expect("no panic").expect("a receiver");
            }
        });
    }
}

#[test]
fn blocking_and_computing_closures_give_their_output() {
    for runtime in runtimes() {
        runtime.block_on(async {
            for n in 0..100 {
                assert_eq!(gristmill::spawn_blocking(move || n).await.expect("runs"), n);
                assert_eq!(gristmill::spawn_compute(move || n).await.expect("runs"), n);
            }
        });
    }
}

#[test]
fn sleeps_of_many_tasks_all_end() {
    use gristmill::time::{Duration, Instant, sleep};
    for runtime in runtimes() {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            for n in 0..2_000_u64 {
                set.spawn(async move {
                    let due = Instant::now() + Duration::from_micros(n * 17 % 20_000);
                    gristmill::time::sleep_until(due).await;
                    assert!(Instant::now() >= due, "never early");
                });
            }
            set.join_all().await;
            sleep(Duration::from_millis(1)).await;
        });
    }
}
