//! A task that blocks its worker stops no other: workers steal, relief workers come, and `block_in_place` says it beforehand.

mod common;

use common::{Count, Flavour, PATIENCE, blocker, meet, panic_text, silence_panics, within};
use gristmill::runtime::Builder;
use gristmill::task;
use gristmill::time::{Duration, sleep};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

#[test]
fn tasks_of_one_worker_spread_over_all_workers_by_stealing_alone() {
    within("stealing", || {
        let builder = Builder::new().worker_threads(4);
        let builder = builder.stall_threshold(None).max_relief_threads(0);
        let runtime = builder.build().expect("a runtime");
        for _ in 0..300 {
            assert_eq!(meet(&runtime, 4).len(), 4);
        }
        assert_eq!(runtime.metrics().relief_workers(), 0);
    });
}

#[test]
fn more_tasks_than_workers_can_meet_thanks_to_relief_workers() {
    for workers in [1, 2] {
        within(format!("{workers} workers"), move || {
            let builder = Builder::new().worker_threads(workers);
            let runtime = builder.build().expect("a runtime");
            for _ in 0..5 {
                assert_eq!(meet(&runtime, workers + 3).len(), workers + 3);
            }
            assert!(runtime.metrics().relief_workers() >= 1);
        });
    }
}

/// All workers block in the receive of a standard channel until `order` tasks send.
fn blocked_until_a_task_sends(workers: usize, sender_first: bool) {
    within(format!("{workers}, {sender_first}"), move || {
        let builder = Builder::new().worker_threads(workers);
        let runtime = builder.build().expect("a runtime");
        let task = runtime.spawn(async move {
            let (mut senders, mut receivers) = (Vec::new(), Vec::new());
            for _ in 0..workers {
                let (sender, receiver) = mpsc::channel::<u32>();
                senders.push(sender);
                receivers.push(receiver);
            }
            let send = move || {
                gristmill::spawn(async move {
                    for sender in senders {
                        sender.send(7).expect("a receiver");
                    }
                })
            };
            let receive = move || {
                receivers
                    .into_iter()
                    .map(|receiver| {
                        gristmill::spawn(async move { receiver.recv_timeout(PATIENCE) })
                    })
                    .collect::<Vec<_>>()
            };
            let (sent, received) = if sender_first {
                let sent = send();
                (sent, receive())
            } else {
                let received = receive();
                (send(), received)
            };
            for task in received {
                assert_eq!(task.await.expect("no panic"), Ok(7));
            }
            sent.await.expect("no panic");
        });
        runtime.block_on(task).expect("no panic");
    });
}

#[test]
fn a_task_that_all_blocked_workers_wait_for_runs_wherever_it_was_spawned() {
    for workers in [1, 2, 4] {
        for sender_first in [true, false] {
            for _ in 0..5 {
                blocked_until_a_task_sends(workers, sender_first);
            }
        }
    }
}

#[test]
fn a_runnable_in_the_lifo_slot_of_a_stuck_worker_is_taken() {
    for workers in [1, 2, 4] {
        within(workers, move || {
            let builder = Builder::new().worker_threads(workers);
            let runtime = builder.build().expect("a runtime");
            for _ in 0..10 {
                let task = runtime.spawn(async {
                    let (sender, receiver) = mpsc::channel();
                    // The only runnable, so it stays in the slot.
                    drop(gristmill::spawn(async move { sender.send(7) }));
                    receiver.recv_timeout(PATIENCE)
                });
                assert_eq!(runtime.block_on(task).expect("no panic"), Ok(7));
            }
        });
    }
}

#[test]
fn all_that_waits_behind_a_worker_that_computes_gets_its_turn_on_one_that_always_has_something_else()
 {
    for relief in [0, 8] {
        within(relief, move || {
            const CHILDREN: usize = 100;
            let builder = Builder::new().worker_threads(2);
            let builder = builder.max_relief_threads(relief);
            let runtime = builder.build().expect("a runtime");
            let task = runtime.spawn(async {
                let (ran, done) = (Count::default(), Arc::new(AtomicBool::new(false)));
                for _ in 0..CHILDREN {
                    let (ran, done) = (ran.clone(), Arc::clone(&done));
                    // The first to be stolen keep the thief for good, so that it never comes to steal again.
                    drop(gristmill::spawn(async move {
                        ran.add();
                        while !done.load(Ordering::Relaxed) {
                            task::yield_now().await;
                        }
                    }));
                }
                while ran.get() < CHILDREN {
                    std::hint::spin_loop();
                }
                done.store(true, Ordering::Relaxed);
            });
            runtime.block_on(task).expect("no panic");
        });
    }
}

#[test]
fn a_task_from_outside_runs_while_every_worker_is_stuck() {
    within("outside", || {
        let builder = Builder::new().worker_threads(2);
        let runtime = builder.build().expect("a runtime");
        let (mut release, mut stuck) = (Vec::new(), Vec::new());
        let (entered, enter) = mpsc::channel();
        for _ in 0..2 {
            let (sender, receiver) = mpsc::channel::<()>();
            let entered = entered.clone();
            release.push(sender);
            stuck.push(runtime.spawn(async move {
                entered.send(()).expect("a receiver");
                let _ = receiver.recv();
            }));
        }
        for _ in 0..2 {
            enter.recv_timeout(PATIENCE).expect("both get stuck");
        }
        for _ in 0..20 {
            runtime.block_on(runtime.spawn(async {})).expect("no panic");
        }
        drop(release);
        for task in stuck {
            runtime.block_on(task).expect("no panic");
        }
    });
}

#[test]
fn without_rescue_a_blocked_worker_is_left_alone_and_the_others_go_on() {
    within("no rescue", || {
        let builder = Builder::new().worker_threads(2);
        let builder = builder.stall_threshold(None).max_relief_threads(0);
        let runtime = builder.build().expect("a runtime");
        let (release, released) = mpsc::channel::<()>();
        let (entered, enter) = mpsc::channel();
        let stuck = runtime.spawn(async move {
            entered.send(()).expect("a receiver");
            let _ = released.recv();
        });
        enter.recv_timeout(PATIENCE).expect("it gets stuck");
        for _ in 0..1_000 {
            runtime.block_on(runtime.spawn(async {})).expect("no panic");
        }
        assert_eq!(runtime.metrics().relief_workers(), 0);
        drop(release);
        runtime.block_on(stuck).expect("no panic");
    });
}

#[test]
fn sleeps_of_a_worker_that_blocks_end_nevertheless() {
    for workers in [1, 2] {
        within(workers, move || {
            let builder = Builder::new().worker_threads(workers);
            let runtime = builder.build().expect("a runtime");
            let task = runtime.spawn(async {
                let (sender, receiver) = mpsc::channel();
                let (ready, wait) = async_channel::bounded::<()>(1);
                drop(gristmill::spawn(async move {
                    let mut sleep = Box::pin(sleep(Duration::from_millis(5)));
                    assert!(common::CountingWaker::new().poll(&mut sleep).is_pending());
                    ready.send(()).await.expect("a receiver");
                    sleep.await;
                    sender.send(7).expect("a receiver");
                }));
                wait.recv().await.expect("the sleep is registered");
                receiver.recv_timeout(PATIENCE)
            });
            assert_eq!(runtime.block_on(task).expect("no panic"), Ok(7));
        });
    }
}

#[test]
fn block_in_place_lets_the_workers_other_tasks_go_on() {
    for workers in [1, 2] {
        within(workers, move || {
            let builder = Builder::new().worker_threads(workers);
            // Not by the watch of the reactor thread.
            let runtime = builder.stall_threshold(None).build().expect("a runtime");
            for _ in 0..20 {
                let task = runtime.spawn(async {
                    let (sender, receiver) = mpsc::channel();
                    drop(gristmill::spawn(async move { sender.send(7) }));
                    task::block_in_place(|| receiver.recv_timeout(PATIENCE))
                });
                assert_eq!(runtime.block_on(task).expect("no panic"), Ok(7));
            }
        });
    }
}

#[test]
fn block_in_place_again_and_again_starts_no_thread_each_time() {
    for workers in [1, 2] {
        within(workers, move || {
            const CALLS: u64 = 5_000;
            let builder = Builder::new().worker_threads(workers);
            let runtime = builder.build().expect("a runtime");
            let task = runtime.spawn(async {
                for n in 0..CALLS {
                    assert_eq!(task::block_in_place(|| n), n);
                    task::yield_now().await;
                }
            });
            runtime.block_on(task).expect("no panic");
            // They stay for a second: a few of them, however slow the machine is.
            let started = runtime.metrics().relief_workers();
            assert!(started < CALLS / 10, "{started} were started");
            assert!(runtime.metrics().num_relief_workers() <= 8);
        });
    }
}

#[test]
fn block_in_place_beside_busy_workers_brings_as_many_back_as_it_takes_and_no_more() {
    within("busy", || {
        let builder = Builder::new().worker_threads(1).stall_threshold(None);
        let runtime = builder.build().expect("a runtime");
        let is_over = Arc::new(AtomicBool::new(false));
        for _ in 0..8 {
            let is_over = Arc::clone(&is_over);
            drop(runtime.spawn(async move {
                while !is_over.load(Ordering::SeqCst) {
                    task::yield_now().await;
                }
            }));
        }
        let metrics = runtime.metrics();
        let task = runtime.spawn(async move {
            let mut most = 0;
            for _ in 0..1_000 {
                most = most.max(task::block_in_place(|| metrics.num_relief_workers()));
                task::yield_now().await;
            }
            is_over.store(true, Ordering::SeqCst);
            most
        });
        // One blocks at a time, so one relief worker is enough.
        assert_eq!(runtime.block_on(task).expect("no panic"), 1);
    });
}

#[test]
fn block_on_is_allowed_inside_of_block_in_place() {
    for workers in [1, 2, 4] {
        within(workers, move || {
            let builder = Builder::new().worker_threads(workers);
            let runtime = builder.build().expect("a runtime");
            let handle = runtime.handle().clone();
            let task = runtime.spawn(async move {
                task::block_in_place(|| {
                    handle.block_on(async {
                        sleep(Duration::from_millis(1)).await;
                        let inner = gristmill::spawn(async { 7 });
                        task::block_in_place(|| ());
                        inner.await.expect("no panic")
                    })
                })
            });
            assert_eq!(runtime.block_on(task).expect("no panic"), 7);
        });
    }
}

#[test]
fn block_on_is_allowed_inside_of_block_in_place_on_the_thread_of_block_on_too() {
    within("root", || {
        let runtime = Flavour::OneWorker.runtime();
        let handle = runtime.handle().clone();
        let output = runtime.block_on(async {
            task::block_in_place(|| handle.block_on(async { gristmill::spawn(async { 7 }).await }))
        });
        assert_eq!(output.expect("no panic"), 7);
    });
}

#[test]
fn a_panic_inside_of_block_in_place_is_the_tasks_own() {
    silence_panics();
    within("panic", || {
        let runtime = Flavour::OneWorker.runtime();
        for _ in 0..10 {
            let task = runtime.spawn(async {
                task::block_in_place(|| panic!("expected by the test"));
            });
            assert!(runtime.block_on(task).expect_err("panicked").is_panic());
        }
        let after = runtime.spawn(async {
            task::yield_now().await;
            let nested = runtime_nested_is_refused();
            gristmill::spawn(async move { nested })
                .await
                .expect("no panic")
        });
        assert!(runtime.block_on(after).expect("no panic"));
    });
}

/// After a `block_in_place` that panicked the thread counts as polling again.
fn runtime_nested_is_refused() -> bool {
    let handle = gristmill::runtime::Handle::current();
    catch_unwind(AssertUnwindSafe(|| handle.block_on(async {}))).is_err()
}

#[test]
fn block_in_place_outside_of_a_runtime_just_calls() {
    assert_eq!(task::block_in_place(|| 7), 7);
    let runtime = Flavour::OneWorker.runtime();
    let in_job = runtime.spawn_blocking(|| task::block_in_place(|| 8));
    assert_eq!(runtime.block_on(in_job).expect("runs"), 8);
}

#[test]
fn block_in_place_on_a_current_thread_runtime_panics_with_the_fix() {
    silence_panics();
    let runtime = Flavour::CurrentThread.runtime();
    let text = panic_text(|| runtime.block_on(async { task::block_in_place(|| ()) }));
    assert!(text.contains("spawn_blocking"), "{text}");
    assert!(text.contains("new_multi_thread"), "{text}");
    let task = runtime.spawn(async { task::block_in_place(|| ()) });
    assert!(runtime.block_on(task).expect_err("panicked").is_panic());
}

#[test]
fn relief_workers_that_get_stuck_are_relieved_up_to_the_bound_and_then_by_whoever_comes_back() {
    for relief in [0, 1, 3] {
        within(format!("{relief} relief workers"), move || {
            let builder = Builder::new().worker_threads(1).max_relief_threads(relief);
            let runtime = builder.build().expect("a runtime");
            let (entered, enter) = mpsc::channel();
            let mut stuck: Vec<_> = (0..=relief)
                .map(|_| {
                    let (release, body) = blocker(&entered);
                    (release, runtime.spawn(body))
                })
                .collect();
            // All block at the same time, each on a thread of its own.
            for _ in &stuck {
                enter.recv_timeout(PATIENCE).expect("it gets a worker");
            }
            let metrics = runtime.metrics();
            assert_eq!(metrics.num_relief_workers(), relief);
            assert_eq!(metrics.relief_workers(), relief as u64, "each started once");
            // There is nobody left for this one, until any of the others is done.
            let waiting = runtime.spawn(async {});
            assert!(!waiting.is_finished());
            let (release, one) = stuck.swap_remove(relief / 2);
            drop(release);
            runtime.block_on(one).expect("no panic");
            runtime.block_on(waiting).expect("no panic");
            assert_eq!(metrics.relief_workers(), relief as u64, "the bound holds");
            for (release, task) in stuck {
                drop(release);
                runtime.block_on(task).expect("no panic");
            }
        });
    }
}

#[test]
fn where_nobody_relieves_what_comes_from_outside_waits_for_a_long_poll_and_not_for_a_row_of_them() {
    for builder in [
        Builder::new().stall_threshold(None),
        Builder::new().max_relief_threads(0),
    ] {
        within("long polls", move || {
            let runtime = builder.worker_threads(1).build().expect("a runtime");
            let (polls, counted) = (Count::default(), Count::default());
            let counting = polls.clone();
            let blocking = runtime.spawn(async move {
                loop {
                    // Some ticks of the reactor thread long.
                    std::thread::sleep(Duration::from_millis(5));
                    counting.add();
                    task::yield_now().await;
                }
            });
            for _ in 0..10 {
                let before = polls.get();
                runtime.block_on(runtime.spawn(async {})).expect("no panic");
                (before..polls.get()).for_each(|_| counted.add());
            }
            // One look in 61 rounds would be some 600; a thread that ticks late now and then, a few more than 10 or 20.
            let waited = counted.get();
            assert!(waited < 200, "for {waited} polls");
            blocking.abort();
        });
    }
}

#[test]
fn a_program_that_blocks_again_and_again_keeps_its_relief_worker() {
    within("again and again", || {
        const STALLS: u64 = 30;
        let builder = Builder::new().worker_threads(1);
        let runtime = builder.build().expect("a runtime");
        let metrics = runtime.metrics();
        for _ in 0..STALLS {
            let (entered, enter) = mpsc::channel();
            let (release, body) = blocker(&entered);
            let stuck = runtime.spawn(body);
            enter.recv_timeout(PATIENCE).expect("it gets stuck");
            runtime.block_on(runtime.spawn(async {})).expect("relieved");
            drop(release);
            runtime.block_on(stuck).expect("no panic");
        }
        // It stays for a second; a machine that stands still for longer does not do so between any two.
        let started = metrics.relief_workers();
        assert!((1..STALLS / 2).contains(&started), "{started} were started");
    });
}

#[test]
fn relief_workers_go_when_nothing_is_left_for_them() {
    for announced in [false, true] {
        within(format!("announced: {announced}"), move || {
            let builder = Builder::new().worker_threads(2);
            let runtime = builder.build().expect("a runtime");
            let metrics = runtime.metrics();
            let (entered, enter) = mpsc::channel();
            let stuck: Vec<_> = (0..5)
                .map(|_| {
                    let (release, released) = mpsc::channel::<()>();
                    let entered = entered.clone();
                    let block = move || {
                        entered.send(()).expect("a receiver");
                        let _ = released.recv();
                    };
                    let task = runtime.spawn(async move {
                        if announced {
                            task::block_in_place(block);
                        } else {
                            block();
                        }
                    });
                    (release, task)
                })
                .collect();
            for _ in &stuck {
                enter.recv_timeout(PATIENCE).expect("it gets a worker");
            }
            assert!(metrics.num_relief_workers() >= 3);
            assert!(metrics.num_active_workers() >= 5);
            for (release, task) in stuck {
                drop(release);
                runtime.block_on(task).expect("no panic");
            }
            common::eventually("they go", || metrics.num_relief_workers() == 0);
            common::eventually("two stay", || metrics.num_active_workers() == 2);
            // And come again.
            assert_eq!(meet(&runtime, 4).len(), 4);
        });
    }
}
