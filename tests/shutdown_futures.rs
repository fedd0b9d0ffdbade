//! What the end of a runtime promises to its futures: each is dropped, once, where it may use its runtime.

mod common;

use common::{Count, OnDrop, PATIENCE, eventually, give_waker, silence_panics, with_each};
use gristmill::runtime::Handle;
use gristmill::time::{Duration, sleep};
use std::future::pending;
use std::sync::mpsc;

/// What a future found in its drop: a runtime, and whether that took a task.
#[derive(Debug, PartialEq, Eq)]
struct InDrop {
    has_runtime: bool,
    spawned_is_cancelled: bool,
}

/// Looks around in its drop.
fn looks_around(to: &mpsc::Sender<InDrop>) -> OnDrop<impl FnOnce() + Send + 'static> {
    let to = to.clone();
    OnDrop::new(move || {
        let has_runtime = Handle::try_current().is_ok();
        let spawned_is_cancelled = has_runtime && {
            let late = gristmill::spawn(async {});
            late.is_finished()
        };
        let _ = to.send(InDrop {
            has_runtime,
            spawned_is_cancelled,
        });
    })
}

const AS_PROMISED: InDrop = InDrop {
    has_runtime: true,
    spawned_is_cancelled: true,
};

#[test]
fn a_future_may_use_its_runtime_while_the_shutdown_drops_it() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let (sender, seen) = mpsc::channel();
        let (polled, poll) = async_channel::unbounded::<()>();
        for n in 0..30 {
            let (guard, polled) = (looks_around(&sender), polled.clone());
            let future = async move {
                let _guard = guard;
                polled.send(()).await.expect("a receiver");
                match n % 3 {
                    0 => pending().await,
                    1 => sleep(Duration::from_secs(3600)).await,
                    _ => give_waker(mpsc::channel().0).await,
                }
            };
            drop(runtime.spawn(future));
        }
        runtime.block_on(async {
            for _ in 0..30 {
                poll.recv().await.expect("polled");
            }
        });
        // This one is polled on a multi-thread runtime only.
        let guard = looks_around(&sender);
        drop(runtime.spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        }));
        drop(sender);
        drop(runtime);
        let seen: Vec<_> = seen.iter().collect();
        assert_eq!(seen.len(), 31);
        assert!(seen.iter().all(|seen| *seen == AS_PROMISED), "{seen:?}");
    });
}

#[test]
fn a_future_may_use_its_runtime_in_its_drop_also_while_another_thread_is_in_block_on() {
    with_each(|flavour| {
        for _ in 0..20 {
            let runtime = flavour.runtime();
            let (sender, seen) = mpsc::channel();
            let (started, start) = mpsc::channel();
            let (open, gate) = async_channel::bounded::<()>(1);
            let handle = runtime.handle().clone();
            let blocked = std::thread::spawn(move || {
                handle.block_on(async {
                    for _ in 0..10 {
                        let guard = looks_around(&sender);
                        drop(gristmill::spawn(async move {
                            let _guard = guard;
                            pending::<()>().await;
                        }));
                    }
                    drop(sender);
                    started.send(()).expect("a receiver");
                    gate.recv().await
                })
            });
            start.recv_timeout(PATIENCE).expect("it is inside");
            drop(runtime);
            open.send_blocking(()).expect("the other thread waits");
            assert_eq!(blocked.join().expect("no panic"), Ok(()));
            let seen: Vec<_> = seen.iter().collect();
            assert_eq!(seen.len(), 10);
            assert!(seen.iter().all(|seen| *seen == AS_PROMISED), "{seen:?}");
        }
    });
}

#[test]
fn a_task_awaited_by_another_thread_ends_as_cancelled() {
    with_each(|flavour| {
        for _ in 0..20 {
            let runtime = flavour.runtime();
            let handle = runtime.handle().clone();
            let (started, start) = mpsc::channel();
            let blocked = std::thread::spawn(move || {
                handle.block_on(async {
                    let task = gristmill::spawn(pending::<()>());
                    started.send(()).expect("a receiver");
                    task.await
                })
            });
            start.recv_timeout(PATIENCE).expect("it is inside");
            drop(runtime);
            let joined = blocked.join().expect("no panic");
            assert!(joined.expect_err("shut down").is_cancelled());
        }
    });
}

#[test]
fn tasks_after_the_end_are_cancelled_and_their_futures_dropped() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let handle = runtime.handle().clone();
        drop(runtime);
        let (polls, drops) = (Count::default(), Count::default());
        let (counted, probe) = (polls.clone(), drops.on_drop());
        let late = handle.spawn(async move {
            let _probe = probe;
            counted.add();
        });
        assert!(late.is_finished());
        assert_eq!((polls.get(), drops.get()), (0, 1));
        assert!(handle.block_on(late).expect_err("late").is_cancelled());
        assert_eq!(
            handle.block_on(async { 7 }),
            7,
            "what needs no runtime goes on"
        );
        let _inside = handle.enter();
        assert!(gristmill::spawn(async {}).is_finished());
        assert_eq!(handle.metrics().num_alive_tasks(), 0);
    });
}

#[test]
fn futures_whose_wakers_are_alive_are_dropped_all_the_same() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let drops = Count::default();
        let (sender, wakers) = mpsc::channel();
        for _ in 0..50 {
            let (probe, sender) = (drops.on_drop(), sender.clone());
            drop(runtime.spawn(async move {
                let _probe = probe;
                give_waker(sender).await;
            }));
        }
        drop(sender);
        let held: Vec<_> = runtime.block_on(async {
            let mut held = Vec::new();
            while held.len() < 50 {
                gristmill::task::yield_now().await;
                held.extend(wakers.try_iter());
            }
            held
        });
        drop(runtime);
        assert_eq!(drops.get(), 50);
        held.iter().for_each(std::task::Waker::wake_by_ref);
        drop(held);
        assert_eq!(drops.get(), 50);
    });
}

#[test]
fn a_future_whose_drop_panics_does_not_stop_the_shutdown() {
    silence_panics();
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let drops = Count::default();
        runtime.block_on(async {
            for n in 0..20 {
                let probe = drops.on_drop();
                let bomb = OnDrop::new(move || {
                    assert!(n % 2 != 0, "expected by the test");
                });
                drop(gristmill::spawn(async move {
                    let (_probe, _bomb) = (probe, bomb);
                    pending::<()>().await;
                }));
            }
            gristmill::task::yield_now().await;
        });
        drop(runtime);
        assert_eq!(drops.get(), 20);
    });
}

#[test]
fn tasks_that_spawn_and_wake_without_end_are_ended() {
    with_each(|flavour| {
        for _ in 0..10 {
            let (starts, drops) = (Count::default(), Count::default());
            let runtime = flavour.runtime();
            fn breed(starts: Count, drops: Count) {
                let probe = drops.on_drop();
                starts.add();
                drop(gristmill::spawn(async move {
                    let _probe = probe;
                    gristmill::task::yield_now().await;
                    breed(starts, drops);
                }));
            }
            let (running, counted) = (starts.clone(), drops.clone());
            runtime.block_on(async {
                for _ in 0..20 {
                    breed(starts.clone(), drops.clone());
                }
                while starts.get() < 1_000 {
                    gristmill::task::yield_now().await;
                }
            });
            drop(runtime);
            assert_eq!(counted.get(), running.get());
        }
    });
}

#[test]
fn many_threads_spawn_while_the_runtime_ends() {
    with_each(|flavour| {
        for _ in 0..20 {
            let runtime = flavour.runtime();
            let (starts, drops) = (Count::default(), Count::default());
            let (started, start) = mpsc::channel();
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let handle = runtime.handle().clone();
                    let (starts, drops, started) = (starts.clone(), drops.clone(), started.clone());
                    std::thread::spawn(move || {
                        loop {
                            let probe = drops.on_drop();
                            starts.add();
                            let task = handle.spawn(async move {
                                let _probe = probe;
                                pending::<()>().await;
                            });
                            let _ = started.send(());
                            if task.is_finished() {
                                return;
                            }
                        }
                    })
                })
                .collect();
            start.recv_timeout(PATIENCE).expect("the first spawns");
            drop(runtime);
            for thread in threads {
                thread.join().expect("no panic");
            }
            eventually("all are dropped", || drops.get() == starts.get());
        }
    });
}
