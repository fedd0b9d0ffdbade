//! Channels, queues and jobs under hundreds of schedules, with tasks aborted anywhere: nothing is lost, doubled or reordered in any

mod common;

use common::Count;
use common::chaos::{Crowd, SEEDS, breathe, moment, one_in};
use gristmill::sim::check;
use gristmill::sync::{PriorityQueue, Promise, Queue, broadcast, mpsc, oneshot, watch};
use gristmill::task::JoinSet;
use gristmill::time::{Duration, sleep, timeout};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What each sender has sent, or has been received of it.
#[derive(Clone, Default)]
struct Ledger(Arc<Mutex<BTreeMap<usize, Vec<usize>>>>);

impl Ledger {
    fn add(&self, sender: usize, item: usize) {
        let mut ledger = self.0.lock().expect("no panic");
        ledger.entry(sender).or_default().push(item);
    }

    fn take(&self) -> BTreeMap<usize, Vec<usize>> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }
}

#[test]
fn what_was_sent_arrives_once_in_order_and_what_was_given_up_does_not() {
    const BOUND: usize = 2;
    check(SEEDS, async || {
        let (sender, mut receiver) = mpsc::channel(BOUND);
        let sent = Ledger::default();
        let mut crowd = Crowd::new();
        for number in 0..4 {
            let (sender, sent) = (sender.clone(), sent.clone());
            crowd.spawn_mortal(async move {
                for item in 0..6 {
                    match fastrand::u8(..3) {
                        0 => sender.send((number, item)).await.expect("a receiver"),
                        1 => {
                            let Ok(permit) = timeout(moment(), sender.reserve()).await else {
                                continue;
                            };
                            let permit = permit.expect("a receiver");
                            breathe().await;
                            permit.send((number, item));
                        }
                        _ => {
                            let send = sender.send((number, item));
                            let Ok(outcome) = timeout(moment(), send).await else {
                                continue;
                            };
                            outcome.expect("a receiver");
                        }
                    }
                    sent.add(number, item);
                    breathe().await;
                }
            });
        }
        let last = sender.downgrade();
        drop(sender);
        let received = Ledger::default();
        loop {
            // Given up again and again, which loses nothing.
            let next = gristmill::select! {
                next = receiver.recv() => next,
                () = sleep(moment()) => continue,
            };
            let Some((number, item)) = next else { break };
            received.add(number, item);
            assert!(receiver.len() <= BOUND);
            breathe().await;
        }
        crowd.end().await;
        assert!(last.upgrade().is_none() && receiver.capacity() == BOUND);
        assert_eq!(received.take(), sent.take());
    });
}

#[test]
fn every_item_is_dropped_once_whichever_half_goes_first() {
    check(SEEDS, async || {
        let (sender, mut receiver) = mpsc::channel(3);
        let (made, gone) = (Count::default(), Count::default());
        let mut crowd = Crowd::new();
        for _ in 0..3 {
            let (sender, made, gone) = (sender.clone(), made.clone(), gone.clone());
            crowd.spawn_mortal(async move {
                for _ in 0..5 {
                    made.add();
                    let Ok(()) = sender.send(gone.on_drop()).await else {
                        return;
                    };
                    breathe().await;
                }
            });
        }
        drop(sender);
        crowd.spawn_mortal(async move {
            for _ in 0..fastrand::u8(..10) {
                let _item = receiver.recv().await;
                breathe().await;
            }
            if one_in(2) {
                receiver.close();
                while receiver.recv().await.is_some() {}
            }
        });
        crowd.end().await;
        assert_eq!(gone.get(), made.get());
    });
}

#[test]
fn the_value_of_a_oneshot_is_received_or_comes_back_or_goes_with_the_receiver() {
    check(SEEDS, async || {
        let (sender, receiver) = oneshot::channel();
        let (received, back, gone) = (Count::default(), Count::default(), Count::default());
        let probe = gone.on_drop();
        let mut crowd = Crowd::new();
        let came_back = back.clone();
        crowd.spawn(async move {
            breathe().await;
            if let Err(_probe) = sender.send(probe) {
                came_back.add();
            }
        });
        let came = received.clone();
        let has_ended = Count::default();
        let ended = has_ended.on_drop();
        crowd.spawn_mortal(async move {
            let _ended = ended;
            breathe().await;
            let _probe = receiver.await.expect("a value");
            came.add();
            breathe().await;
        });
        crowd.end().await;
        assert_eq!((gone.get(), has_ended.get()), (1, 1));
        assert!(received.get() + back.get() <= 1);
    });
}

#[test]
fn a_promise_that_is_dropped_wakes_who_awaits_it_and_an_abandoned_one_its_maker() {
    check(SEEDS, async || {
        let (mut promise, result) = Promise::new();
        let mut crowd = Crowd::new();
        crowd.spawn(async move {
            breathe().await;
            match fastrand::u8(..3) {
                0 => drop(promise.set_result(7)),
                1 => drop(promise),
                // Ends only if the other side gives up, or after a while.
                _ => drop(timeout(Duration::from_secs(1), promise.abandoned()).await),
            }
        });
        crowd.spawn_mortal(async move {
            breathe().await;
            match result.await {
                Ok(value) => assert_eq!(value, 7),
                Err(error) => assert!(error.is_cancelled()),
            }
        });
        crowd.end().await;
    });
}

#[test]
fn a_watch_shows_values_in_order_and_the_last_one_to_all() {
    const LAST: u32 = 8;
    check(SEEDS, async || {
        let (sender, receiver) = watch::channel(0);
        let mut crowd = Crowd::new();
        for _ in 0..3 {
            let mut receiver = receiver.clone();
            crowd.spawn(async move {
                let mut seen = *receiver.borrow_and_update();
                loop {
                    let Ok(changed) = timeout(moment(), receiver.changed()).await else {
                        continue;
                    };
                    if changed.is_err() {
                        break;
                    }
                    let value = *receiver.borrow_and_update();
                    assert!(value > seen, "{value} after {seen}");
                    seen = value;
                    breathe().await;
                }
                assert_eq!(seen, LAST);
            });
        }
        drop(receiver);
        crowd.spawn(async move {
            for value in 1..=LAST {
                sender.send(value).expect("receivers");
                breathe().await;
            }
        });
        crowd.end().await;
    });
}

#[test]
fn a_broadcast_reaches_every_receiver_or_tells_it_how_many_it_missed() {
    const ITEMS: u64 = 12;
    check(SEEDS, async || {
        let (sender, receiver) = broadcast::channel(2);
        let mut crowd = Crowd::new();
        for _ in 0..3 {
            let mut receiver = receiver.resubscribe();
            crowd.spawn(async move {
                let mut next = 0;
                loop {
                    let received = match timeout(moment(), receiver.recv()).await {
                        Ok(received) => received,
                        Err(_) => continue,
                    };
                    match received {
                        Ok(item) => {
                            assert_eq!(item, next, "in order, with nothing left out silently");
                            next += 1;
                        }
                        Err(broadcast::error::RecvError::Lagged(missed)) => next += missed,
                        Err(broadcast::error::RecvError::Closed) => break,
                    }
                    breathe().await;
                }
                assert_eq!(next, ITEMS);
            });
        }
        drop(receiver);
        crowd.spawn(async move {
            for item in 0..ITEMS {
                sender.send(item).expect("receivers");
                breathe().await;
            }
        });
        crowd.end().await;
    });
}

#[test]
fn a_queue_gives_each_item_to_one_getter_and_join_waits_for_all() {
    check(SEEDS, async || {
        let queue = Arc::new(Queue::bounded(2));
        let (put, got) = (Count::default(), Count::default());
        let mut crowd = Crowd::new();
        for _ in 0..3 {
            let (queue, put) = (Arc::clone(&queue), put.clone());
            crowd.spawn_mortal(async move {
                for item in 0..5 {
                    queue.put(item).await.expect("open");
                    put.add();
                    breathe().await;
                }
            });
        }
        let getter = |queue: &Arc<Queue<u32>>| {
            let (queue, got) = (Arc::clone(queue), got.clone());
            async move {
                while queue.get().await.is_ok() {
                    got.add();
                    queue.task_done();
                    breathe().await;
                }
            }
        };
        let mut getters = Crowd::new();
        for _ in 0..3 {
            getters.spawn_mortal(getter(&queue));
        }
        getters.spawn(getter(&queue));
        crowd.end().await;
        queue.join().await;
        assert_eq!((got.get(), queue.unfinished()), (put.get(), 0));
        queue.shutdown();
        getters.end().await;
    });
}

#[test]
fn a_priority_queue_gives_the_first_of_what_is_there() {
    check(SEEDS, async || {
        let queue = Arc::new(PriorityQueue::unbounded());
        let mut crowd = Crowd::new();
        for number in 0..3_u32 {
            let queue = Arc::clone(&queue);
            crowd.spawn(async move {
                for item in 0..4 {
                    queue.put(item * 3 + number).await.expect("open");
                    breathe().await;
                }
            });
        }
        let mut left: Vec<_> = (0..12).collect();
        for _ in 0..12 {
            let item = queue.get().await.expect("open");
            // Whatever else is there comes later.
            let at = left.iter().position(|&other| other == item);
            left.remove(at.expect("each once"));
            let rest: Vec<_> = std::iter::from_fn(|| queue.try_get().ok()).collect();
            assert!(rest.iter().all(|&other| other > item) && rest.is_sorted());
            for other in rest {
                queue.try_put(other).expect("open");
            }
            breathe().await;
        }
        assert!(left.is_empty());
        crowd.end().await;
    });
}

#[test]
fn a_job_runs_once_or_is_cancelled_and_its_handle_says_which() {
    check(SEEDS, async || {
        let (started, dropped) = (Count::default(), Count::default());
        let mut jobs = JoinSet::new();
        let mut aborts = Crowd::new();
        for number in 0..8_u32 {
            let (started, probe) = (started.clone(), dropped.on_drop());
            let job = jobs.spawn_blocking(move || {
                let _probe = probe;
                started.add();
                number
            });
            if one_in(2) {
                aborts.spawn(async move {
                    sleep(Duration::from_micros(fastrand::u64(..10_000))).await;
                    job.abort();
                });
            }
        }
        if one_in(4) {
            sleep(Duration::from_millis(5)).await;
            jobs.abort_all();
        }
        let mut finished = 0;
        while let Some(ended) = jobs.join_next().await {
            match ended {
                Ok(_) => finished += 1,
                Err(error) => assert!(error.is_cancelled()),
            }
        }
        aborts.end().await;
        assert_eq!((started.get(), dropped.get()), (finished, 8));
    });
}
