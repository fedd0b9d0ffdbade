//! What a task's waker promises: it may be woken by anybody at any time, and the task is polled for it.

#![expect(
    clippy::waker_clone_wake,
    reason = "waking by value is another path than waking by reference"
)]

mod common;

use common::{Count, Flavour, OnDrop, PATIENCE, give_waker, on_each, silence_panics, with_each};
use gristmill::task;
use gristmill::time::{Duration, sleep};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Poll, Wake, Waker};

#[test]
fn a_task_that_wakes_itself_during_its_poll_is_polled_again() {
    on_each(|runtime| {
        let mut left = 1_000;
        let task = runtime.spawn(poll_fn(move |cx| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            match left % 3 {
                0 => cx.waker().wake_by_ref(),
                1 => cx.waker().clone().wake(),
                _ => {
                    // More than once counts as once.
                    cx.waker().wake_by_ref();
                    cx.waker().clone().wake();
                }
            }
            Poll::Pending
        }));
        runtime.block_on(task).expect("no panic");
    });
}

#[test]
fn a_wake_from_another_thread_during_the_poll_is_not_lost() {
    on_each(|runtime| {
        let (sender, wakers) = mpsc::channel::<(Waker, mpsc::Sender<()>)>();
        let thread = std::thread::spawn(move || {
            for (waker, done) in wakers {
                waker.wake();
                done.send(()).expect("the poll waits for this");
            }
        });
        let mut left = 200;
        let task = runtime.spawn(poll_fn(move |cx| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            let (done, wait) = mpsc::channel();
            sender.send((cx.waker().clone(), done)).expect("a receiver");
            wait.recv_timeout(PATIENCE).expect("woken during the poll");
            Poll::Pending
        }));
        runtime.block_on(task).expect("no panic");
        thread.join().expect("no panic");
    });
}

#[test]
fn wakes_after_the_end_do_nothing() {
    on_each(|runtime| {
        let (sender, wakers) = mpsc::channel();
        let polls = Count::default();
        let counted = polls.clone();
        let task = runtime.spawn(poll_fn(move |cx| {
            counted.add();
            sender.send(cx.waker().clone()).expect("a receiver");
            Poll::Ready(())
        }));
        runtime.block_on(task).expect("no panic");
        let waker = wakers.recv().expect("polled");
        waker.wake_by_ref();
        waker.clone().wake();
        waker.wake();
        runtime.block_on(async {
            gristmill::spawn(async {}).await.expect("the workers go on");
        });
        assert_eq!(polls.get(), 1);
    });
}

#[test]
fn a_waker_may_outlive_its_runtime() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let drops = Count::default();
        let (sender, wakers) = mpsc::channel();
        let probe = drops.on_drop();
        let task = runtime.spawn(async move {
            let _probe = probe;
            give_waker(sender).await;
        });
        runtime.block_on(async {
            while drops.get() == 0 && !task.is_finished() {
                task::yield_now().await;
                if let Ok(waker) = wakers.try_recv() {
                    return waker;
                }
            }
            unreachable!("the task is pending for ever")
        });
        let runtime_left = runtime;
        let (sender, wakers) = mpsc::channel();
        let second = runtime_left.spawn(give_waker(sender));
        let waker = runtime_left.block_on(async {
            loop {
                task::yield_now().await;
                if let Ok(waker) = wakers.try_recv() {
                    return waker;
                }
            }
        });
        drop(runtime_left);
        assert_eq!(drops.get(), 1, "the wakers do not keep the future");
        assert!(second.is_finished());
        waker.wake_by_ref();
        let clone = waker.clone();
        std::thread::spawn(move || {
            clone.wake_by_ref();
            drop(clone);
        })
        .join()
        .expect("no panic");
        waker.wake();
        assert!(task.is_finished());
    });
}

#[test]
fn wakers_cloned_woken_and_dropped_on_foreign_threads_keep_their_count() {
    on_each(|runtime| {
        let drops = Count::default();
        let probe = drops.on_drop();
        let (sender, wakers) = mpsc::channel();
        let task = runtime.spawn(async move {
            let _probe = probe;
            give_waker(sender).await;
        });
        let (asked, ask) = async_channel::bounded::<()>(1);
        let threads: Vec<_> = [(); 4]
            .map(|()| {
                let asked = asked.clone();
                let (hand_over, take) = mpsc::channel::<Waker>();
                let thread = std::thread::spawn(move || {
                    let waker = take.recv().expect("a waker");
                    let mut held = Vec::new();
                    for n in 0..2_000 {
                        let clone = waker.clone();
                        match n % 4 {
                            0 => clone.wake(),
                            1 => clone.wake_by_ref(),
                            2 => held.push(clone),
                            _ => drop(held.pop()),
                        }
                    }
                    drop(asked);
                });
                (hand_over, thread)
            })
            .into_iter()
            .collect();
        drop(asked);
        runtime.block_on(async {
            let waker = loop {
                task::yield_now().await;
                if let Ok(waker) = wakers.try_recv() {
                    break waker;
                }
            };
            for (hand_over, _) in &threads {
                hand_over.send(waker.clone()).expect("a thread");
            }
            drop(waker);
            drop(wakers);
            assert!(ask.recv().await.is_err(), "all threads are through");
            task.abort();
            assert!(task.await.expect_err("aborted").is_cancelled());
        });
        assert_eq!(drops.get(), 1);
        for (_, thread) in threads {
            thread.join().expect("no panic");
        }
    });
}

#[test]
fn wakes_from_four_threads_at_once_complete_the_task_exactly_once() {
    on_each(|runtime| {
        for _ in 0..20 {
            let (completions, drops) = (Count::default(), Count::default());
            let wakes_left = Arc::new(AtomicUsize::new(4 * 500));
            let (sender, wakers) = mpsc::channel();
            let task = runtime.spawn({
                let (completions, probe) = (completions.clone(), drops.on_drop());
                let wakes_left = Arc::clone(&wakes_left);
                poll_fn(move |cx| {
                    let _probe = &probe;
                    let _ = sender.send(cx.waker().clone());
                    if wakes_left.load(Ordering::SeqCst) == 0 {
                        completions.add();
                        return Poll::Ready(());
                    }
                    Poll::Pending
                })
            });
            let storm = std::thread::spawn(move || {
                let waker = wakers.recv_timeout(PATIENCE).expect("polled");
                let start = Barrier::new(4);
                std::thread::scope(|scope| {
                    for _ in 0..4 {
                        scope.spawn(|| {
                            start.wait();
                            for _ in 0..500 {
                                wakes_left.fetch_sub(1, Ordering::SeqCst);
                                waker.wake_by_ref();
                            }
                        });
                    }
                });
            });
            runtime.block_on(task).expect("no panic");
            storm.join().expect("no panic");
            assert_eq!((completions.get(), drops.get()), (1, 1));
        }
    });
}

#[test]
fn wakers_of_one_task_will_wake_each_other_and_no_other_task() {
    on_each(|runtime| {
        let (sender, wakers) = mpsc::channel();
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let sender = sender.clone();
                runtime.spawn(poll_fn(move |cx| {
                    let waker = cx.waker();
                    assert!(waker.will_wake(&waker.clone()));
                    sender.send(waker.clone()).expect("a receiver");
                    Poll::Ready(())
                }))
            })
            .collect();
        for task in tasks {
            runtime.block_on(task).expect("no panic");
        }
        let (one, other) = (wakers.recv(), wakers.recv());
        let (one, other) = (one.expect("polled"), other.expect("polled"));
        assert!(!one.will_wake(&other));
        assert!(one.will_wake(&one.clone().clone()));
    });
}

#[test]
fn a_task_gets_the_same_waker_in_each_poll() {
    on_each(|runtime| {
        let mut first: Option<Waker> = None;
        let mut left = 100;
        let task = runtime.spawn(poll_fn(move |cx| {
            let known = first.get_or_insert_with(|| cx.waker().clone());
            assert!(known.will_wake(cx.waker()));
            left -= 1;
            if left == 0 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
        runtime.block_on(task).expect("no panic");
    });
}

/// A waker that panics when it is woken.
struct Grenade;

impl Wake for Grenade {
    fn wake(self: Arc<Self>) {
        panic!("expected: this waker panics");
    }
}

#[test]
fn a_join_waker_that_panics_harms_neither_task_nor_worker() {
    silence_panics();
    on_each(|runtime| {
        for _ in 0..10 {
            let (sender, receiver) = async_channel::bounded::<()>(1);
            let mut task = runtime.spawn(async move { receiver.recv().await });
            let grenade = Waker::from(Arc::new(Grenade));
            let mut cx = Context::from_waker(&grenade);
            assert!(Pin::new(&mut task).poll(&mut cx).is_pending());
            sender.send_blocking(()).expect("a receiver");
            runtime.block_on(async {
                while !task.is_finished() {
                    task::yield_now().await;
                }
            });
            assert_eq!(runtime.block_on(task).expect("no panic"), Ok(()));
        }
    });
}

#[test]
fn a_timer_waker_that_panics_harms_no_other_timer() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            for _ in 0..5 {
                let mut mined = Box::pin(sleep(Duration::from_millis(1)));
                let grenade = Waker::from(Arc::new(Grenade));
                let mut cx = Context::from_waker(&grenade);
                assert!(mined.as_mut().poll(&mut cx).is_pending());
                let others: Vec<_> = (0..10)
                    .map(|_| gristmill::spawn(sleep(Duration::from_millis(2))))
                    .collect();
                sleep(Duration::from_millis(2)).await;
                for other in others {
                    other.await.expect("no panic");
                }
                mined.await;
            }
        });
    });
}

#[test]
fn the_wakers_of_a_task_may_be_dropped_by_the_drop_of_its_future() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let drops = Count::default();
        let counted = drops.clone();
        let (sender, wakers) = mpsc::channel::<Waker>();
        let (polled, wait) = async_channel::bounded::<()>(1);
        let task = runtime.spawn(async move {
            let _own = OnDrop::new(move || {
                for waker in wakers.try_iter() {
                    waker.wake();
                    counted.add();
                }
            });
            polled.send(()).await.expect("a receiver");
            give_waker(sender).await;
        });
        runtime.block_on(async {
            wait.recv().await.expect("a sender");
            if flavour != Flavour::CurrentThread {
                return;
            }
            task::yield_now().await;
        });
        task.abort();
        let error = runtime.block_on(task).expect_err("aborted");
        assert!(error.is_cancelled());
        drop(runtime);
        assert!(drops.get() <= 1);
    });
}

#[test]
fn block_on_is_woken_from_every_kind_of_thread() {
    on_each(|runtime| {
        for n in 0..100 {
            let (sender, receiver) = async_channel::bounded(1);
            let thread = match n % 3 {
                0 => Some(std::thread::spawn(move || {
                    sender.send_blocking(()).expect("a receiver");
                })),
                1 => {
                    drop(runtime.spawn(async move { sender.send(()).await }));
                    None
                }
                _ => {
                    drop(runtime.spawn_blocking(move || sender.send_blocking(())));
                    None
                }
            };
            assert_eq!(runtime.block_on(receiver.recv()), Ok(()));
            thread.map(std::thread::JoinHandle::join);
        }
    });
}
