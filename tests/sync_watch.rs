//! What `sync::watch` and `sync::broadcast` promise: the latest value to all, or every item to all.

mod common;

use common::cut::{ByHand, at_each_poll, now};
use common::{Count, on_each, panic_text, silence_panics, within};
use gristmill::sync::broadcast::{self, error::RecvError, error::TryRecvError};
use gristmill::sync::watch;
use gristmill::task::{JoinSet, yield_now};
use std::sync::Arc;

#[test]
fn a_change_is_seen_once_by_each_who_follows() {
    let (sender, mut one) = watch::channel(0);
    let mut other = one.clone();
    assert_eq!(one.has_changed(), Ok(false));
    let waiting = ByHand::waiting(other.changed());
    sender.send(1).expect("followed");
    assert_eq!(waiting.woken(), Ok(()));
    assert_eq!(one.has_changed(), Ok(true));
    assert_eq!(now(one.changed()), Ok(()));
    assert_eq!(one.has_changed(), Ok(false));
    drop(ByHand::waiting(one.changed()));
    drop(ByHand::waiting(other.changed()));
}

#[test]
fn looking_at_a_value_marks_it_as_seen_only_if_asked() {
    let (sender, mut receiver) = watch::channel("a");
    sender.send("b").expect("followed");
    let seen = receiver.borrow();
    assert!(seen.has_changed());
    assert_eq!(*seen, "b");
    drop(seen);
    assert!(receiver.borrow_and_update().has_changed());
    assert!(!receiver.borrow().has_changed());
    receiver.mark_changed();
    assert_eq!(receiver.has_changed(), Ok(true));
    receiver.mark_unchanged();
    assert_eq!(receiver.has_changed(), Ok(false));
}

#[test]
fn the_last_value_is_seen_after_the_last_sender_is_gone() {
    let (sender, mut receiver) = watch::channel(0);
    sender.send(1).expect("followed");
    drop(sender);
    assert!(receiver.has_changed().is_err());
    assert_eq!(now(receiver.changed()), Ok(()));
    assert_eq!(*receiver.borrow(), 1);
    assert!(now(receiver.changed()).is_err());

    let (sender, mut receiver) = watch::channel(0);
    let waiting = ByHand::waiting(receiver.changed());
    drop(sender);
    assert!(waiting.woken().is_err());
}

#[test]
fn wait_for_begins_with_the_value_that_is_there() {
    let (sender, mut receiver) = watch::channel(1);
    assert_eq!(
        *now(receiver.wait_for(|value| *value == 1)).expect("it is"),
        1
    );
    let mut waiting = ByHand::waiting(receiver.wait_for(|value| *value >= 3));
    sender.send(2).expect("followed");
    assert!(waiting.poll().is_pending());
    sender.send(3).expect("followed");
    let value = waiting.woken().expect("met");
    assert_eq!((*value, value.has_changed()), (3, true));
    drop(value);
    drop(sender);
    assert!(now(receiver.wait_for(|value| *value == 9)).is_err());
    assert!(now(receiver.wait_for(|value| *value == 3)).is_ok());
}

#[test]
fn a_dropped_wait_misses_no_change() {
    at_each_poll(|cut| {
        let (sender, mut receiver) = watch::channel(0);
        let seen = cut.drive(receiver.changed(), |poll| {
            if poll == 2 {
                sender.send(1).expect("followed");
            }
        });
        if seen.is_none() {
            sender.send_replace(1);
            assert_eq!(now(receiver.changed()), Ok(()));
        }
        assert_eq!(*receiver.borrow(), 1);
    });
}

#[test]
fn a_value_that_nobody_follows_comes_back_or_is_set_all_the_same() {
    let (sender, receiver) = watch::channel(0);
    let closed = ByHand::waiting(sender.closed());
    drop(receiver);
    closed.woken();
    assert!(sender.is_closed());
    assert_eq!(sender.send(1).expect_err("nobody follows").0, 1);
    assert_eq!(*sender.borrow(), 0);
    assert_eq!(sender.send_replace(2), 0);
    let mut late = sender.subscribe();
    assert_eq!((*late.borrow(), sender.receiver_count()), (2, 1));
    drop(ByHand::waiting(late.changed()));
}

#[test]
fn a_change_in_place_tells_only_if_it_says_so() {
    let (sender, receiver) = watch::channel(vec![1]);
    assert!(!sender.send_if_modified(|list| {
        list.push(2);
        false
    }));
    assert_eq!(receiver.has_changed(), Ok(false));
    sender.send_modify(|list| list.push(3));
    assert_eq!(receiver.has_changed(), Ok(true));
    assert_eq!(*receiver.borrow(), [1, 2, 3]);
}

#[test]
fn clones_of_a_sender_keep_the_value_alive() {
    let (sender, mut receiver) = watch::channel(0);
    let other = sender.clone();
    assert!(other.same_channel(&sender));
    drop(sender);
    assert_eq!(other.sender_count(), 1);
    drop(ByHand::waiting(receiver.changed()));
    drop(other);
    assert!(now(receiver.changed()).is_err());
}

#[test]
fn followers_on_all_workers_reach_the_last_value() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (sender, receiver) = watch::channel(0);
            let mut followers = JoinSet::new();
            for _ in 0..6 {
                let mut receiver = receiver.clone();
                followers.spawn(async move {
                    let mut before = 0;
                    while receiver.changed().await.is_ok() {
                        let value = *receiver.borrow_and_update();
                        assert!(value >= before, "values do not go back");
                        before = value;
                    }
                    before
                });
            }
            drop(receiver);
            for n in 1..=500 {
                sender.send(n).expect("followed");
                if n % 50 == 0 {
                    yield_now().await;
                }
            }
            drop(sender);
            assert_eq!(followers.join_all().await, [500; 6]);
        });
    });
}

#[test]
fn each_receiver_gets_every_item_from_its_subscription_on() {
    let (sender, mut one) = broadcast::channel(8);
    assert_eq!(sender.send(1), Ok(1));
    let mut other = sender.subscribe();
    assert_eq!(sender.send(2), Ok(2));
    assert_eq!((now(one.recv()), now(one.recv())), (Ok(1), Ok(2)));
    assert_eq!(now(other.recv()), Ok(2));
    assert_eq!(one.try_recv(), Err(TryRecvError::Empty));
    let waiting = ByHand::waiting(other.recv());
    sender.send(3).expect("receivers");
    assert_eq!(waiting.woken(), Ok(3));
    assert_eq!((one.len(), other.len(), sender.len()), (1, 0, 1));
}

#[test]
fn a_slow_receiver_is_told_how_many_it_missed() {
    let (sender, mut slow) = broadcast::channel(2);
    let mut fast = sender.subscribe();
    for n in 0..5 {
        sender.send(n).expect("receivers");
        assert_eq!(fast.try_recv(), Ok(n));
    }
    assert_eq!(now(slow.recv()), Err(RecvError::Lagged(3)));
    assert_eq!((now(slow.recv()), now(slow.recv())), (Ok(3), Ok(4)));
    assert_eq!(slow.try_recv(), Err(TryRecvError::Empty));
    let text = RecvError::Lagged(3).to_string();
    assert!(text.contains("missed 3"), "{text}");
}

#[test]
fn the_channel_ends_with_its_last_sender_after_what_was_sent() {
    let (sender, mut receiver) = broadcast::channel(2);
    let weak = sender.downgrade();
    let other = weak.upgrade().expect("a sender is there");
    sender.send(1).expect("a receiver");
    drop(sender);
    assert_eq!(now(receiver.recv()), Ok(1));
    let waiting = ByHand::waiting(receiver.recv());
    drop(other);
    assert_eq!(waiting.woken(), Err(RecvError::Closed));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    assert!(weak.upgrade().is_none());
}

#[test]
fn what_nobody_receives_comes_back() {
    let (sender, receiver) = broadcast::channel(2);
    let closed = ByHand::waiting(sender.closed());
    drop(receiver);
    closed.woken();
    assert_eq!(sender.send(1).expect_err("nobody receives").0, 1);
    let mut late = sender.subscribe();
    sender.send(2).expect("a receiver");
    assert_eq!(now(late.recv()), Ok(2));
}

#[test]
fn an_item_is_dropped_when_its_last_receiver_has_it_or_goes() {
    let drops = Count::default();
    let (sender, mut one) = broadcast::channel(4);
    let mut other = sender.subscribe();
    for _ in 0..3 {
        sender.send(Arc::new(drops.on_drop())).expect("receivers");
    }
    drop((now(one.recv()), now(one.recv())));
    assert_eq!(drops.get(), 0);
    drop(now(other.recv()));
    assert_eq!(drops.get(), 1);
    drop(other);
    assert_eq!(drops.get(), 2);
    drop(one);
    assert_eq!(drops.get(), 3);
    assert!(sender.is_empty());
}

#[test]
fn a_dropped_broadcast_recv_loses_no_item() {
    at_each_poll(|cut| {
        let (sender, mut receiver) = broadcast::channel(4);
        let got = cut.drive(receiver.recv(), |poll| {
            if poll == 2 {
                sender.send(1).expect("a receiver");
            }
        });
        sender.send(2).expect("a receiver");
        let mut all: Vec<_> = got.into_iter().map(|item| item.expect("sent")).collect();
        all.extend(std::iter::from_fn(|| receiver.try_recv().ok()));
        assert!(all == [1, 2] || all == [2], "{all:?}");
    });
}

#[test]
fn broadcast_receivers_on_all_workers_get_everything() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (sender, receiver) = broadcast::channel(1_024);
            let mut receivers = JoinSet::new();
            for _ in 0..4 {
                let mut receiver = receiver.resubscribe();
                receivers.spawn(async move {
                    let mut next = 0;
                    while let Ok(item) = receiver.recv().await {
                        assert_eq!(item, next);
                        next += 1;
                    }
                    next
                });
            }
            drop(receiver);
            for n in 0..1_000 {
                sender.send(n).expect("receivers");
                if n % 100 == 0 {
                    yield_now().await;
                }
            }
            drop(sender);
            assert_eq!(receivers.join_all().await, [1_000; 4]);
        });
    });
}

#[test]
fn a_plain_thread_may_block_for_an_item() {
    within("blocking_recv", || {
        let (sender, mut receiver) = broadcast::channel(2);
        let thread = std::thread::spawn(move || receiver.blocking_recv());
        sender.send(1).expect("a receiver");
        assert_eq!(thread.join().expect("no panic"), Ok(1));
    });
}

#[test]
fn a_broadcast_bound_of_zero_is_refused_with_the_fix() {
    silence_panics();
    let text = panic_text(|| drop(broadcast::channel::<u32>(0)));
    assert!(text.contains("at least 1"), "{text}");
}
