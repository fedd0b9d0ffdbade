//! What `sync::Notify`, `Event`, `Condvar` and `Barrier` promise: nobody who waits is forgotten.

mod common;

use common::cut::{ByHand, at_each_poll, fickle, now};
use common::on_each;
use gristmill::sync::{Barrier, Condvar, Event, Mutex, Notify};
use gristmill::task::{JoinSet, yield_now};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn one_notification_is_kept_for_the_next_and_no_more_than_one() {
    let notify = Notify::new();
    notify.notify_one();
    notify.notify_one();
    now(notify.notified());
    drop(ByHand::waiting(notify.notified()));
}

#[test]
fn notifications_reach_those_who_wait_in_the_order_in_which_they_came() {
    let notify = Notify::new();
    let waiting: Vec<_> = (0..3).map(|_| ByHand::waiting(notify.notified())).collect();
    for next in waiting {
        assert_eq!(next.wakes(), 0);
        notify.notify_one();
        next.woken();
    }
    let (first, last) = (
        ByHand::waiting(notify.notified()),
        ByHand::waiting(notify.notified()),
    );
    notify.notify_last();
    last.woken();
    assert_eq!(first.wakes(), 0);
}

#[test]
fn notify_waiters_reaches_all_who_have_called_and_is_not_kept() {
    let notify = Notify::new();
    let polled = ByHand::waiting(notify.notified());
    let mut unpolled = ByHand::new(notify.notified());
    notify.notify_waiters();
    polled.woken();
    unpolled.now();
    drop(ByHand::waiting(notify.notified()));
}

#[test]
fn enable_begins_to_wait_without_a_poll() {
    let notify = Notify::new();
    let mut notified = pin!(notify.notified());
    assert!(!notified.as_mut().enable());
    notify.notify_one();
    let mut other = ByHand::new(notify.notified());
    assert!(other.poll().is_pending(), "it went to the one before");
    assert!(notified.as_mut().enable());
    now(notified);
}

#[test]
fn a_dropped_notified_passes_its_notification_on() {
    let notify = Notify::new();
    let first = ByHand::waiting(notify.notified());
    let second = ByHand::waiting(notify.notified());
    notify.notify_one();
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    second.woken();

    let only = ByHand::waiting(notify.notified());
    notify.notify_one();
    drop(only);
    now(notify.notified());
}

#[test]
fn a_notification_is_had_exactly_once_wherever_its_waiter_is_dropped() {
    at_each_poll(|cut| {
        let notify = Arc::new(Notify::new());
        let own = Arc::clone(&notify);
        let got = cut.drive(notify.notified(), |poll| {
            if poll == 2 {
                own.notify_one();
            }
        });
        let mut next = ByHand::new(Arc::clone(&notify).notified_owned());
        let was_sent = next.poll().is_ready();
        assert!(!(was_sent && got.is_some()), "had twice");
        if got.is_none() && !was_sent {
            // It was dropped before it was sent.
            notify.notify_one();
            next.woken();
        }
    });
}

#[test]
fn a_notification_to_all_is_not_passed_on() {
    let notify = Notify::new();
    let first = ByHand::waiting(notify.notified());
    notify.notify_waiters();
    drop(first);
    drop(ByHand::waiting(notify.notified()));
}

#[test]
fn every_notification_lets_one_task_on() {
    on_each(|runtime| {
        runtime.block_on(async {
            let notify = Arc::new(Notify::new());
            let passed = Arc::new(AtomicUsize::new(0));
            let mut tasks = JoinSet::new();
            for _ in 0..10 {
                let (notify, passed) = (Arc::clone(&notify), Arc::clone(&passed));
                tasks.spawn(async move {
                    for _ in 0..100 {
                        notify.notified().await;
                        passed.fetch_add(1, Ordering::SeqCst);
                        // The next one goes; so one is always under way.
                        notify.notify_one();
                    }
                });
            }
            notify.notify_one();
            tasks.join_all().await;
            assert_eq!(passed.load(Ordering::SeqCst), 1_000);
            notify.notified().await;
        });
    });
}

#[test]
fn no_notification_is_lost_to_those_who_give_up() {
    on_each(|runtime| {
        runtime.block_on(async {
            let notify = Arc::new(Notify::new());
            let mut tasks = JoinSet::new();
            for _ in 0..8 {
                let notify = Arc::clone(&notify);
                tasks.spawn(async move {
                    for round in 0..300 {
                        // Passed on when it is dropped with the notification in it; else nobody would have it any more.
                        if round % 4 == 0 {
                            notify.notified().await;
                        } else if fickle(notify.notified()).await.is_none() {
                            continue;
                        }
                        notify.notify_one();
                    }
                });
            }
            notify.notify_one();
            tasks.join_all().await;
            notify.notified().await;
        });
    });
}

#[test]
fn an_event_holds_back_until_it_is_set_and_again_after_it_is_cleared() {
    let event = Event::new();
    let waiting = ByHand::waiting(event.wait());
    event.set();
    assert!(event.is_set());
    waiting.woken();
    now(event.wait());
    event.clear();
    assert!(!event.is_set());
    drop(ByHand::waiting(event.wait()));
}

#[test]
fn whoever_waited_when_an_event_was_set_goes_on_although_it_is_cleared() {
    let event = Event::new();
    let waiting: Vec<_> = (0..5).map(|_| ByHand::waiting(event.wait())).collect();
    event.set();
    event.clear();
    waiting.into_iter().for_each(ByHand::woken);
}

#[test]
fn a_dropped_wait_for_an_event_leaves_the_others_waiting() {
    at_each_poll(|cut| {
        let event = Event::new();
        let other = ByHand::waiting(event.wait());
        cut.drive(event.wait(), |poll| {
            if poll == 2 {
                event.set();
            }
        });
        event.set();
        other.woken();
    });
}

#[test]
fn an_event_wakes_tasks_on_all_workers() {
    on_each(|runtime| {
        runtime.block_on(async {
            for _ in 0..50 {
                let event = Arc::new(Event::new());
                let mut tasks = JoinSet::new();
                for _ in 0..8 {
                    let event = Arc::clone(&event);
                    tasks.spawn(async move { event.wait().await });
                }
                yield_now().await;
                event.set();
                tasks.join_all().await;
            }
        });
    });
}

#[test]
fn a_condvar_unlocks_while_it_waits_and_locks_again() {
    let (mutex, changed) = (Mutex::new(0), Condvar::new());
    let waiting = ByHand::waiting(changed.wait(now(mutex.lock())));
    *now(mutex.lock()) = 5;
    changed.notify_one();
    assert_eq!(*waiting.woken(), 5);
}

#[test]
fn a_condvar_that_nobody_waits_for_keeps_nothing() {
    let (mutex, changed) = (Mutex::new(0), Condvar::new());
    changed.notify_one();
    changed.notify_all();
    drop(ByHand::waiting(changed.wait(now(mutex.lock()))));
}

#[test]
fn a_condvar_wakes_one_in_turn_or_all() {
    let (mutex, changed) = (Mutex::new(0), Condvar::new());
    let mut waiting: Vec<_> = (0..4)
        .map(|_| ByHand::waiting(changed.wait(now(mutex.lock()))))
        .collect();
    changed.notify_one();
    let wakes: Vec<_> = waiting.iter().map(ByHand::wakes).collect();
    assert_eq!(wakes, [1, 0, 0, 0]);
    drop(waiting.remove(0).woken());
    changed.notify_all();
    waiting.into_iter().for_each(|next| drop(next.woken()));
}

#[test]
fn a_dropped_wait_passes_its_notification_on_also_while_it_locks_again() {
    let (mutex, changed) = (Mutex::new(0), Condvar::new());
    let mut first = ByHand::waiting(changed.wait(now(mutex.lock())));
    let second = ByHand::waiting(changed.wait(now(mutex.lock())));
    let held = now(mutex.lock());
    changed.notify_one();
    assert!(first.poll().is_pending(), "the mutex is locked");
    assert_eq!(second.wakes(), 0);
    drop(first);
    drop(held);
    drop(second.woken());
}

#[test]
fn wait_while_goes_on_when_the_condition_no_longer_holds() {
    on_each(|runtime| {
        runtime.block_on(async {
            let shared = Arc::new((Mutex::new(0), Condvar::new()));
            let mut tasks = JoinSet::new();
            for turn in 0..10 {
                let shared = Arc::clone(&shared);
                tasks.spawn(async move {
                    let (mutex, changed) = &*shared;
                    let guard = mutex.lock().await;
                    let mut now = changed.wait_while(guard, |now| *now != turn).await;
                    *now += 1;
                    drop(now);
                    changed.notify_all();
                });
            }
            tasks.join_all().await;
            assert_eq!(*shared.0.lock().await, 10);
        });
    });
}

#[test]
fn a_barrier_holds_until_all_have_come_and_names_one_leader_a_round() {
    let barrier = Barrier::new(3);
    for _ in 0..3 {
        let one = ByHand::waiting(barrier.wait());
        let other = ByHand::waiting(barrier.wait());
        assert!(now(barrier.wait()).is_leader());
        assert!(!one.woken().is_leader());
        assert!(!other.woken().is_leader());
    }
    assert!(now(Barrier::new(0).wait()).is_leader());
    assert!(now(Barrier::new(1).wait()).is_leader());
}

#[test]
fn whoever_leaves_a_barrier_early_does_not_count() {
    at_each_poll(|cut| {
        let barrier = Barrier::new(2);
        let mut others = Vec::new();
        let met = cut.drive(barrier.wait(), |poll| {
            if poll == 2 {
                others.push(now(barrier.wait()));
            }
        });
        if met.is_none() && others.is_empty() {
            let waiting = ByHand::waiting(barrier.wait());
            assert!(now(barrier.wait()).is_leader());
            waiting.woken();
        }
    });
}

#[test]
fn rounds_of_a_barrier_do_not_mix() {
    on_each(|runtime| {
        runtime.block_on(async {
            let barrier = Arc::new(Barrier::new(4));
            let inside = Arc::new(AtomicUsize::new(0));
            let mut tasks = JoinSet::new();
            for _ in 0..4 {
                let (barrier, inside) = (Arc::clone(&barrier), Arc::clone(&inside));
                tasks.spawn(async move {
                    let mut led = 0;
                    for round in 0..100 {
                        inside.fetch_add(1, Ordering::SeqCst);
                        led += usize::from(barrier.wait().await.is_leader());
                        assert!(inside.load(Ordering::SeqCst) >= 4 * (round + 1));
                        assert!(inside.load(Ordering::SeqCst) <= 4 * (round + 2));
                    }
                    led
                });
            }
            let led: usize = tasks.join_all().await.into_iter().sum();
            assert_eq!(led, 100);
        });
    });
}
