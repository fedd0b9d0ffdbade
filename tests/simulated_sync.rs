//! Locks and signals under hundreds of schedules, with tasks aborted anywhere: the promises of `sync` hold in each

mod common;

use common::Count;
use common::chaos::{Crowd, SEEDS, breathe, moment, one_in};
use common::room::Room;
use gristmill::sim::check;
use gristmill::sync::{
    Barrier, CancellationToken, Condvar, Event, Mutex, Notify, OnceCell, RwLock, Semaphore,
};
use gristmill::task::TaskGroup;
use gristmill::time::{Duration, sleep, timeout};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

#[test]
fn a_semaphore_never_has_more_holders_than_permits_and_gets_all_back() {
    const PERMITS: usize = 3;
    check(SEEDS, async || {
        let semaphore = Arc::new(Semaphore::new(PERMITS));
        let room = Room::new(PERMITS);
        let mut crowd = Crowd::new();
        for _ in 0..8 {
            let (semaphore, room) = (Arc::clone(&semaphore), room.clone());
            crowd.spawn_mortal(async move {
                for _ in 0..3 {
                    let wanted = fastrand::u32(1..=3);
                    let permits = timeout(moment(), semaphore.acquire_many(wanted)).await;
                    let permits = match permits {
                        Ok(permits) => permits.expect("open"),
                        Err(_) => semaphore.acquire_many(wanted).await.expect("open"),
                    };
                    let _inside = room.enter(permits.num_permits());
                    breathe().await;
                }
            });
        }
        crowd.end().await;
        assert!(room.is_empty());
        assert_eq!(semaphore.available_permits(), PERMITS);
    });
}

#[test]
fn a_mutex_has_one_holder_and_is_free_in_the_end() {
    check(SEEDS, async || {
        let mutex = Arc::new(Mutex::new(0));
        let (room, rounds) = (Room::new(1), Count::default());
        let mut crowd = Crowd::new();
        for _ in 0..6 {
            let (mutex, room, rounds) = (Arc::clone(&mutex), room.clone(), rounds.clone());
            crowd.spawn_mortal(async move {
                for _ in 0..3 {
                    let mut guard = mutex.lock().await;
                    let _inside = room.enter(1);
                    let seen = *guard;
                    breathe().await;
                    *guard = seen + 1;
                    rounds.add();
                }
            });
        }
        crowd.end().await;
        assert_eq!(*mutex.try_lock().expect("free"), rounds.get());
    });
}

#[test]
fn a_rwlock_has_one_writer_or_readers_and_is_free_in_the_end() {
    const ALL: usize = 100;
    check(SEEDS, async || {
        let lock = Arc::new(RwLock::new(()));
        let room = Room::new(ALL);
        let mut crowd = Crowd::new();
        for _ in 0..8 {
            let (lock, room) = (Arc::clone(&lock), room.clone());
            crowd.spawn_mortal(async move {
                for _ in 0..3 {
                    if one_in(3) {
                        let guard = lock.write().await;
                        let inside = room.enter(ALL);
                        breathe().await;
                        if one_in(2) {
                            // Nobody may write in between.
                            drop(inside);
                            let _guard = guard.downgrade();
                            let _inside = room.enter(1);
                            breathe().await;
                        }
                    } else {
                        let _guard = lock.read().await;
                        let _inside = room.enter(1);
                        breathe().await;
                    }
                }
            });
        }
        crowd.end().await;
        assert!(room.is_empty() && lock.try_write().is_ok());
    });
}

#[test]
fn what_notify_one_tells_reaches_somebody_who_is_left() {
    check(SEEDS, async || {
        let notify = Arc::new(Notify::new());
        let items = Arc::new(std::sync::Mutex::new(VecDeque::new()));
        let taken = Count::default();
        const ITEMS: usize = 12;
        let mut crowd = Crowd::new();
        let consume = |is_last: bool| {
            let (notify, items, taken) = (Arc::clone(&notify), Arc::clone(&items), taken.clone());
            async move {
                while !is_last || taken.get() < ITEMS {
                    let item: Option<usize> = items.lock().expect("no panic").pop_front();
                    if item.is_some() {
                        taken.add();
                        if taken.get() == ITEMS {
                            notify.notify_waiters();
                        }
                        breathe().await;
                    } else {
                        // Whoever is told looks in the same step, so being aborted cannot come in between.
                        notify.notified().await;
                    }
                }
            }
        };
        // Those end by their abort alone, wherever they are; the last one has to find what they leave.
        for _ in 0..3 {
            let consumer = consume(false);
            crowd.spawn(async move {
                let consumer = gristmill::spawn(consumer);
                sleep(moment()).await;
                consumer.abort();
                let _ = consumer.await;
            });
        }
        for item in 0..ITEMS {
            let (notify, items) = (Arc::clone(&notify), Arc::clone(&items));
            crowd.spawn(async move {
                breathe().await;
                items.lock().expect("no panic").push_back(item);
                notify.notify_one();
            });
        }
        crowd.spawn(consume(true));
        crowd.end().await;
        assert_eq!(taken.get(), ITEMS);
    });
}

#[test]
fn notify_waiters_reaches_all_who_wait_and_an_event_all_who_come() {
    check(SEEDS, async || {
        let (notify, event) = (Arc::new(Notify::new()), Arc::new(Event::new()));
        let (waiting, told) = (Count::default(), Count::default());
        let mut crowd = Crowd::new();
        for _ in 0..5 {
            let (notify, event) = (Arc::clone(&notify), Arc::clone(&event));
            let (waiting, told) = (waiting.clone(), told.clone());
            crowd.spawn(async move {
                breathe().await;
                // Made before the notification, though maybe polled after it.
                let notified = notify.notified();
                waiting.add();
                breathe().await;
                notified.await;
                event.wait().await;
                told.add();
            });
        }
        while waiting.get() < 5 {
            sleep(moment()).await;
        }
        notify.notify_waiters();
        breathe().await;
        event.set();
        crowd.end().await;
        assert_eq!(told.get(), 5);
    });
}

#[test]
fn a_condvar_loses_no_notification_to_those_who_are_aborted() {
    const ITEMS: usize = 8;
    check(SEEDS, async || {
        // What is there, and what was taken.
        let pair = Arc::new((Mutex::new((0, 0)), Condvar::new()));
        let mut crowd = Crowd::new();
        let consume = || {
            let pair = Arc::clone(&pair);
            async move {
                let (stock, changed) = &*pair;
                loop {
                    let guard = stock.lock().await;
                    let nothing = |stock: &mut (usize, usize)| stock.0 == 0 && stock.1 < ITEMS;
                    let mut guard = changed.wait_while(guard, nothing).await;
                    if guard.1 == ITEMS {
                        return;
                    }
                    guard.0 -= 1;
                    guard.1 += 1;
                    if guard.1 == ITEMS {
                        changed.notify_all();
                    }
                    drop(guard);
                    breathe().await;
                }
            }
        };
        for _ in 0..4 {
            crowd.spawn_mortal(consume());
        }
        crowd.spawn(consume());
        for _ in 0..ITEMS {
            let pair = Arc::clone(&pair);
            crowd.spawn(async move {
                breathe().await;
                let (stock, changed) = &*pair;
                let mut guard = stock.lock().await;
                guard.0 += 1;
                changed.notify_one();
                breathe().await;
            });
        }
        crowd.end().await;
        assert_eq!(*pair.0.lock().await, (0, ITEMS));
    });
}

#[test]
fn nobody_passes_a_barrier_before_all_have_come_and_one_leads() {
    const PARTIES: usize = 4;
    check(SEEDS, async || {
        let barrier = Arc::new(Barrier::new(PARTIES));
        let (arrived, leaders) = (Count::default(), Count::default());
        let mut crowd = Crowd::new();
        for _ in 0..PARTIES {
            let (barrier, arrived, leaders) =
                (Arc::clone(&barrier), arrived.clone(), leaders.clone());
            crowd.spawn(async move {
                for round in 1..=4 {
                    breathe().await;
                    arrived.add();
                    if barrier.wait().await.is_leader() {
                        leaders.add();
                    }
                    assert!(arrived.get() >= round * PARTIES, "round {round}");
                }
            });
        }
        crowd.end().await;
        assert_eq!(leaders.get(), 4);
    });
}

#[test]
fn a_once_cell_is_initialised_once_whoever_is_aborted_meanwhile() {
    check(SEEDS, async || {
        let cell = Arc::new(OnceCell::new());
        let (room, initialised) = (Room::new(1), Count::default());
        let mut crowd = Crowd::new();
        let visit = || {
            let (cell, room, initialised) = (Arc::clone(&cell), room.clone(), initialised.clone());
            async move {
                breathe().await;
                let init = || async {
                    let _inside = room.enter(1);
                    breathe().await;
                    initialised.add();
                    7
                };
                assert_eq!(cell.get_or_init(init).await, &7);
            }
        };
        for _ in 0..5 {
            crowd.spawn_mortal(visit());
        }
        crowd.spawn(visit());
        crowd.end().await;
        assert_eq!(initialised.get(), 1);
    });
}

#[test]
fn a_cancellation_reaches_everything_below_and_nothing_above() {
    check(SEEDS, async || {
        let root = CancellationToken::new();
        let (left, right) = (root.child_token(), root.child_token());
        let reached = Count::default();
        let mut crowd = Crowd::new();
        for _ in 0..6 {
            let token = left.child_token();
            let reached = reached.clone();
            crowd.spawn(async move {
                breathe().await;
                token.cancelled().await;
                reached.add();
            });
        }
        for _ in 0..3 {
            let token = right.child_token();
            crowd.spawn_mortal(async move {
                let ended = token
                    .run_until_cancelled(sleep(Duration::from_secs(1)))
                    .await;
                assert!(ended.is_some(), "nobody cancelled the right");
            });
        }
        breathe().await;
        left.cancel();
        crowd.end().await;
        assert_eq!(reached.get(), 6);
        assert!(!root.is_cancelled() && !right.is_cancelled());
    });
}

#[test]
fn a_task_group_ends_with_all_its_children() {
    check(SEEDS, async || {
        let (started, gone) = (Count::default(), Count::default());
        let mut group = TaskGroup::new();
        for _ in 0..6 {
            let (started, gone, handle) = (started.clone(), gone.clone(), group.handle());
            let fails = one_in(8);
            started.add();
            let probe = gone.on_drop();
            group.spawn(async move {
                let _probe = probe;
                breathe().await;
                if one_in(3) {
                    started.add();
                    let probe = gone.on_drop();
                    handle.spawn(async move {
                        let _probe = probe;
                        breathe().await;
                        Ok::<_, &str>(())
                    });
                }
                breathe().await;
                if fails { Err("expected") } else { Ok(()) }
            });
        }
        // Given up in some cases, and joined in the others.
        if one_in(4) {
            let _ = timeout(moment(), group.join()).await;
        } else {
            let _ = group.join().await;
            assert_eq!(gone.get(), started.get(), "joined, so all are gone");
        }
        drop(group);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(gone.get(), started.get());
    });
}

#[test]
fn whoever_waits_for_a_lock_gets_it_in_the_order_of_asking() {
    check(SEEDS, async || {
        let mutex = Arc::new(Mutex::new(()));
        let orders = Arc::new(std::sync::Mutex::new((Vec::new(), Vec::new())));
        let held = Arc::clone(&mutex).lock_owned().await;
        let mut crowd = Crowd::new();
        for number in 0..5 {
            let (mutex, orders) = (Arc::clone(&mutex), Arc::clone(&orders));
            crowd.spawn(async move {
                breathe().await;
                orders.lock().expect("no panic").0.push(number);
                let _guard = mutex.lock().await;
                orders.lock().expect("no panic").1.push(number);
                breathe().await;
            });
        }
        breathe().await;
        drop(held);
        crowd.end().await;
        let orders = orders.lock().expect("no panic");
        assert_eq!(orders.0, orders.1);
    });
}

#[test]
fn the_schedules_of_these_tests_differ() {
    let mut digests = BTreeMap::new();
    check(SEEDS, async || {
        let mut crowd = Crowd::new();
        for _ in 0..4 {
            crowd.spawn_mortal(breathe());
        }
        crowd.end().await;
        let metrics = gristmill::runtime::Handle::current().metrics();
        *digests.entry(metrics.schedule_digest()).or_insert(0) += 1;
    });
    assert!(digests.len() > 290, "{}", digests.len());
}
