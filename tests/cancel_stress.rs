//! Tasks that are aborted at any moment, from other threads, under load: what they shared is whole afterwards, and nothing is left.

mod common;
mod wire;

use common::ends::assert_nothing_is_left;
use common::{Count, Flavour, Probe, within};
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::net::UnixStream;
use gristmill::runtime::Runtime;
use gristmill::sync::{
    Barrier, Condvar, Mutex, Notify, OnceCell, Queue, RwLock, Semaphore, broadcast, mpsc, watch,
};
use gristmill::task::{JoinHandle, yield_now};
use gristmill::time::{Duration, sleep, timeout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use wire::Chance;

/// How many tasks each scene has at a time, and how often each place gets a new one.
const PLACES: u64 = 12;
const GENERATIONS: usize = 25;

/// Starts tasks, and aborts them from two threads at moments of chance, until each place has had its generations.
fn churn<F>(runtime: &Runtime, seed: u64, make: impl Fn(u64) -> F + Send + Sync)
where
    F: Future<Output = ()> + Send + 'static,
{
    let make = &make;
    std::thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || {
                let mut chance = Chance::new(seed + half);
                let mut tasks: Vec<JoinHandle<()>> = Vec::new();
                for number in 0..PLACES / 2 * GENERATIONS as u64 {
                    tasks.push(runtime.spawn(make(seed + number)));
                    if tasks.len() as u64 > PLACES / 2 {
                        let victim = tasks.swap_remove(chance.below(tasks.len()));
                        victim.abort();
                        end(runtime, victim);
                    }
                    if chance.below(4) == 0 {
                        std::thread::yield_now();
                    }
                }
                for task in tasks {
                    task.abort();
                    end(runtime, task);
                }
            });
        }
    });
}

/// Waits for the end of a task, which must not be a panic.
fn end(runtime: &Runtime, task: JoinHandle<()>) {
    if let Err(error) = runtime.block_on(task) {
        assert!(error.is_cancelled(), "{error}");
    }
}

fn on_some(test: fn(&Runtime)) {
    for flavour in [Flavour::FourWorkers, Flavour::OneWorker] {
        within(format!("{flavour:?}"), move || {
            let runtime = flavour.runtime();
            test(&runtime);
            assert_nothing_is_left(&runtime.metrics(), "after all were aborted");
        });
    }
}

#[test]
fn locks_and_permits_are_all_free_afterwards() {
    on_some(|runtime| {
        let locks = Arc::new((Mutex::new(0_u64), RwLock::new((0_u64, 0_u64))));
        let semaphore = Arc::new(Semaphore::new(5));
        let counted = Arc::new(AtomicU64::new(0));
        churn(runtime, 1, |number| {
            let (locks, semaphore) = (Arc::clone(&locks), Arc::clone(&semaphore));
            let counted = Arc::clone(&counted);
            async move {
                for round in number.. {
                    let _permit = semaphore.acquire_many(1 + (round % 5) as u32).await;
                    let mut value = locks.0.lock().await;
                    yield_now().await;
                    *value += 1;
                    counted.fetch_add(1, SeqCst);
                    drop(value);
                    if round % 3 == 0 {
                        let mut pair = locks.1.write().await;
                        pair.0 += 1;
                        pair.1 += 1;
                    } else {
                        let pair = locks.1.read().await;
                        assert_eq!(pair.0, pair.1);
                        yield_now().await;
                    }
                }
            }
        });
        assert_eq!(semaphore.available_permits(), 5);
        assert_eq!(*locks.0.try_lock().expect("free"), counted.load(SeqCst));
        assert!(locks.1.try_write().is_ok());
    });
}

/// An item that is counted when it is made, and when it is dropped.
fn item(made: &Count, gone: &Count) -> Probe {
    made.add();
    gone.on_drop()
}

#[test]
fn every_item_that_was_sent_is_received_or_still_there() {
    on_some(|runtime| {
        let (made, gone) = (Count::default(), Count::default());
        let (sent, received) = (Count::default(), Count::default());
        let (sender, receiver) = mpsc::channel(3);
        let receiver = Arc::new(Mutex::new(receiver));
        churn(runtime, 2, |number| {
            let (made, gone) = (made.clone(), gone.clone());
            let (sent, received) = (sent.clone(), received.clone());
            let (sender, receiver) = (sender.clone(), Arc::clone(&receiver));
            async move {
                loop {
                    match number % 4 {
                        0 => {
                            let mut receiver = receiver.lock().await;
                            let mut many = Vec::new();
                            for _ in 0..receiver.recv_many(&mut many, 2).await {
                                received.add();
                            }
                        }
                        1 => {
                            if receiver.lock().await.recv().await.is_some() {
                                received.add();
                            }
                        }
                        2 => {
                            let permit = sender.reserve().await.expect("open");
                            permit.send(item(&made, &gone));
                            sent.add();
                        }
                        _ => {
                            let done = sender.send(item(&made, &gone)).await;
                            assert!(done.is_ok());
                            sent.add();
                        }
                    }
                }
            }
        });
        let Ok(mut receiver) = Arc::try_unwrap(receiver).map(Mutex::into_inner) else {
            panic!("somebody still has it");
        };
        let mut left = 0;
        while receiver.try_recv().is_ok() {
            left += 1;
        }
        assert_eq!(sent.get(), received.get() + left);
        assert_eq!((sender.capacity(), made.get()), (3, gone.get()));
    });
}

#[test]
fn every_item_that_was_put_is_got_or_still_there() {
    on_some(|runtime| {
        let (made, gone) = (Count::default(), Count::default());
        let (put, got) = (Count::default(), Count::default());
        let queue = Arc::new(Queue::bounded(3));
        churn(runtime, 3, |number| {
            let (made, gone) = (made.clone(), gone.clone());
            let (put, got, queue) = (put.clone(), got.clone(), Arc::clone(&queue));
            async move {
                loop {
                    if number % 2 == 0 {
                        assert!(queue.put(item(&made, &gone)).await.is_ok());
                        put.add();
                    } else {
                        drop(queue.get().await);
                        got.add();
                        queue.task_done();
                    }
                }
            }
        });
        let left = queue.len();
        assert_eq!(put.get(), got.get() + left);
        assert_eq!(queue.unfinished(), left);
        while queue.try_get().is_ok() {}
        for n in 0..3 {
            assert!(queue.try_put(item(&made, &gone)).is_ok(), "place {n}");
        }
        drop(queue);
        assert_eq!(made.get(), gone.get());
    });
}

#[test]
fn a_notification_that_goes_round_is_never_lost() {
    on_some(|runtime| {
        let notify = Arc::new(Notify::new());
        let shared = Arc::new((Mutex::new(true), Condvar::new()));
        notify.notify_one();
        churn(runtime, 4, |number| {
            let (notify, shared) = (Arc::clone(&notify), Arc::clone(&shared));
            async move {
                loop {
                    if number % 2 == 0 {
                        notify.notified().await;
                        notify.notify_one();
                    } else {
                        // The flag is what goes round here: taken, and given back before anything is awaited.
                        let (mutex, changed) = &*shared;
                        let guard = mutex.lock().await;
                        let mut flag = changed.wait_while(guard, |flag| !*flag).await;
                        *flag = false;
                        *flag = true;
                        drop(flag);
                        changed.notify_one();
                    }
                    yield_now().await;
                }
            }
        });
        runtime.block_on(notify.notified());
        assert!(*shared.0.try_lock().expect("free"));
        let shown = format!("{:?}", shared.1);
        assert!(shown.contains("waiters: 0"), "{shown}");
    });
}

#[test]
fn everybody_who_follows_goes_on_though_others_are_aborted() {
    on_some(|runtime| {
        let (watched, follower) = watch::channel(0_u64);
        let (sent, receiver) = broadcast::channel(4);
        let (cell, barrier) = (Arc::new(OnceCell::new()), Arc::new(Barrier::new(3)));
        let watched = Arc::new(watched);
        churn(runtime, 5, |number| {
            let (watched, mut follower) = (Arc::clone(&watched), follower.clone());
            let (sent, mut receiver) = (sent.clone(), receiver.resubscribe());
            let (cell, barrier) = (Arc::clone(&cell), Arc::clone(&barrier));
            async move {
                loop {
                    match number % 4 {
                        0 => {
                            watched.send_modify(|value| *value += 1);
                            let _ = sent.send(number);
                            yield_now().await;
                        }
                        1 => follower.changed().await.expect("a sender"),
                        2 => drop(receiver.recv().await),
                        _ => {
                            let made = cell.get_or_init(async || {
                                yield_now().await;
                                number
                            });
                            assert!(*made.await >= 5);
                            barrier.wait().await;
                        }
                    }
                }
            }
        });
        drop(receiver);
        assert_eq!((sent.receiver_count(), watched.receiver_count()), (0, 1));
        assert!(sent.is_empty());
        // The barrier holds for those who come now, and for no one who has gone.
        runtime.block_on(async {
            let others = [(); 2].map(|()| {
                let barrier = Arc::clone(&barrier);
                gristmill::spawn(async move { barrier.wait().await.is_leader() })
            });
            let mut leaders = usize::from(barrier.wait().await.is_leader());
            for other in others {
                leaders += usize::from(other.await.expect("no panic"));
            }
            assert_eq!(leaders, 1);
        });
    });
}

#[test]
fn timers_and_sockets_of_aborted_tasks_are_gone() {
    on_some(|runtime| {
        churn(runtime, 6, |number| async move {
            let nap = Duration::from_micros(number % 700);
            loop {
                let (mut one, mut other) = UnixStream::pair().expect("a pair");
                let _ = timeout(nap, one.read_exact(&mut [0; 4])).await;
                other.write_all(b"text").await.expect("room");
                sleep(nap).await;
                let _ = timeout(Duration::from_secs(3600), one.readable()).await;
            }
        });
    });
}
