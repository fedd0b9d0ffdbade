//! What `sync::mpsc` promises: every item once, in order, to one receiver; and senders that wait for their turn.

mod common;

use common::cut::{ByHand, at_each_poll, fickle, now};
use common::{Count, on_each, panic_text, silence_panics, within};
use futures_lite::StreamExt;
use gristmill::sync::mpsc::{self, error::TryRecvError, error::TrySendError};
use gristmill::sync::oneshot;
use gristmill::task::{JoinSet, yield_now};
use std::collections::HashMap;

#[test]
fn items_come_in_the_order_in_which_they_were_sent() {
    let (sender, mut receiver) = mpsc::channel(100);
    for n in 0..100 {
        sender.try_send(n).expect("a place");
    }
    assert_eq!(receiver.len(), 100);
    for n in 0..100 {
        assert_eq!(now(receiver.recv()), Some(n));
    }
    assert!(receiver.is_empty());
}

#[test]
fn a_full_channel_makes_senders_wait_and_refuses_others() {
    let (sender, mut receiver) = mpsc::channel(1);
    now(sender.send(1)).expect("a place");
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    assert_eq!((sender.capacity(), sender.max_capacity()), (0, 1));
    let waiting = ByHand::waiting(sender.send(2));
    assert_eq!(receiver.try_recv(), Ok(1));
    waiting.woken().expect("a place");
    assert_eq!(receiver.try_recv(), Ok(2));
}

#[test]
fn senders_get_places_in_the_order_in_which_they_came() {
    let (sender, mut receiver) = mpsc::channel(1);
    sender.try_send(0).expect("a place");
    let waiting: Vec<_> = (1..5).map(|n| ByHand::waiting(sender.send(n))).collect();
    for (before, next) in waiting.into_iter().enumerate() {
        assert_eq!(next.wakes(), 0);
        assert_eq!(receiver.try_recv(), Ok(before));
        assert_eq!(
            sender.try_send(9),
            Err(TrySendError::Full(9)),
            "nobody overtakes who waits"
        );
        next.woken().expect("a place");
    }
    assert_eq!(receiver.try_recv(), Ok(4));
}

#[test]
fn the_channel_ends_with_its_last_sender_after_what_was_sent() {
    let (sender, mut receiver) = mpsc::channel(4);
    let other = sender.clone();
    sender.try_send(1).expect("a place");
    drop(sender);
    assert_eq!(now(receiver.recv()), Some(1));
    let mut waiting = ByHand::waiting(receiver.recv());
    other.try_send(2).expect("a place");
    assert_eq!(waiting.now(), Some(2));
    drop(waiting);
    let waiting = ByHand::waiting(receiver.recv());
    drop(other);
    assert_eq!(waiting.woken(), None);
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Disconnected));
}

#[test]
fn a_receiver_dropped_mid_send_gives_the_value_back() {
    let (sender, receiver) = mpsc::channel(1);
    sender.try_send(1).expect("a place");
    let waiting = ByHand::waiting(sender.send(2));
    drop(receiver);
    assert_eq!(waiting.woken().expect_err("nobody receives").0, 2);
    assert_eq!(now(sender.send(3)).expect_err("nobody receives").0, 3);
    assert_eq!(sender.try_send(4), Err(TrySendError::Closed(4)));
}

#[test]
fn what_was_not_received_is_dropped_with_the_receiver() {
    let (sender, mut receiver) = mpsc::channel(8);
    let drops = Count::default();
    for _ in 0..4 {
        sender.try_send(drops.on_drop()).expect("a place");
    }
    drop(receiver.try_recv());
    sender.try_send(drops.on_drop()).expect("a place");
    assert_eq!(drops.get(), 1);
    drop(receiver);
    assert_eq!(drops.get(), 5, "although the sender lives on");
}

#[test]
fn whoever_waits_for_an_answer_to_what_was_not_received_is_told() {
    let (requests, receiver) = mpsc::unbounded_channel();
    let (answer, wait) = oneshot::channel::<u32>();
    requests.send(answer).expect("a receiver");
    let wait = ByHand::waiting(wait);
    drop(receiver);
    assert!(wait.woken().is_err());
}

#[test]
fn a_closed_channel_still_gives_what_was_sent_or_reserved() {
    let (sender, mut receiver) = mpsc::channel(3);
    sender.try_send(1).expect("a place");
    let permit = now(sender.reserve()).expect("a place");
    let unused = sender.try_reserve().expect("a place");
    receiver.close();
    assert!(sender.is_closed() && receiver.is_closed());
    assert_eq!(sender.try_send(9), Err(TrySendError::Closed(9)));
    assert_eq!(now(receiver.recv()), Some(1));
    let mut waiting = ByHand::waiting(receiver.recv());
    permit.send(2);
    assert_eq!(waiting.now(), Some(2));
    drop(waiting);
    let waiting = ByHand::waiting(receiver.recv());
    drop(unused);
    assert_eq!(waiting.woken(), None);
}

#[test]
fn a_send_that_got_its_place_and_is_dropped_does_not_keep_a_closed_channel_open() {
    let (sender, mut receiver) = mpsc::channel(1);
    sender.try_send(1).expect("a place");
    let sending = ByHand::waiting(sender.send(2));
    assert_eq!(receiver.try_recv(), Ok(1));
    receiver.close();
    let waiting = ByHand::waiting(receiver.recv());
    drop(sending);
    assert_eq!(waiting.woken(), None);
}

#[test]
fn senders_hear_that_the_receiver_closed() {
    let (sender, mut receiver) = mpsc::channel::<u32>(1);
    let closed = ByHand::waiting(sender.closed());
    receiver.close();
    closed.woken();
    let (sender, receiver) = mpsc::unbounded_channel::<u32>();
    let closed = ByHand::waiting(sender.closed());
    drop(receiver);
    closed.woken();
    assert_eq!(sender.send(1).expect_err("nobody receives").0, 1);
}

#[test]
fn a_closed_unbounded_channel_takes_nothing_more_and_ends() {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    sender.send(1).expect("open");
    receiver.close();
    assert_eq!(sender.send(2).expect_err("closed").0, 2);
    assert_eq!(now(receiver.recv()), Some(1));
    assert_eq!(now(receiver.recv()), None);
}

#[test]
fn a_dropped_recv_loses_no_item() {
    at_each_poll(|cut| {
        let (sender, mut receiver) = mpsc::channel(4);
        let got = cut.drive(receiver.recv(), |poll| {
            if poll == 2 {
                sender.try_send(1).expect("a place");
            }
        });
        let _ = sender.try_send(2);
        let mut all: Vec<_> = got.flatten().into_iter().collect();
        while let Ok(item) = receiver.try_recv() {
            all.push(item);
        }
        assert!(all == [1, 2] || all == [2], "{all:?}");
        assert_eq!(sender.capacity(), 4);
    });
}

#[test]
fn a_dropped_send_has_sent_nothing_and_leaks_no_place() {
    at_each_poll(|cut| {
        let (sender, mut receiver) = mpsc::channel(1);
        sender.try_send(0).expect("a place");
        let mut received = Vec::new();
        let sent = cut.drive(sender.send(1), |poll| {
            if poll == 2 {
                received.push(receiver.try_recv().expect("an item"));
            }
        });
        while let Ok(item) = receiver.try_recv() {
            received.push(item);
        }
        assert_eq!(received.contains(&1), sent.is_some());
        assert_eq!(sender.capacity(), 1);
    });
}

#[test]
fn a_reserved_place_is_nobody_elses_and_comes_back_unused() {
    let (sender, mut receiver) = mpsc::channel(3);
    let permit = now(sender.reserve()).expect("a place");
    let many = now(sender.reserve_many(2)).expect("places");
    assert_eq!(sender.try_send(9), Err(TrySendError::Full(9)));
    permit.send(1);
    let mut many = many;
    many.next().expect("the first of two").send(2);
    drop(many);
    assert_eq!(sender.capacity(), 1);
    let owned = sender.clone().try_reserve_owned().expect("a place");
    owned.send(3).try_send(4).expect_err("full");
    let got: Vec<_> = std::iter::from_fn(|| receiver.try_recv().ok()).collect();
    assert_eq!(got, [1, 2, 3]);
    let owned = now(sender.clone().reserve_owned()).expect("a place");
    assert_eq!(sender.capacity(), 2);
    drop(owned.release());
    assert_eq!(sender.capacity(), 3);
    assert!(now(sender.reserve_many(4)).is_err(), "more than there are");
    assert!(sender.try_reserve_many(4).is_err());
    let all = sender.try_reserve_many(3).expect("places");
    assert_eq!((all.len(), sender.capacity()), (3, 0));
}

#[test]
fn many_items_are_taken_at_once_up_to_the_limit() {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    (0..10).for_each(|n| sender.send(n).expect("a receiver"));
    let mut items = vec![99];
    assert_eq!(now(receiver.recv_many(&mut items, 4)), 4);
    assert_eq!(now(receiver.recv_many(&mut items, 0)), 0);
    sender.send(10).expect("a receiver");
    assert_eq!(now(receiver.recv_many(&mut items, 100)), 7);
    assert_eq!(items[1..], (0..11).collect::<Vec<_>>());
    drop(sender);
    assert_eq!(now(receiver.recv_many(&mut items, 4)), 0);
}

#[test]
fn a_weak_sender_does_not_keep_the_channel_open() {
    let (sender, mut receiver) = mpsc::channel(1);
    let weak = sender.downgrade();
    let strong = weak.upgrade().expect("a sender is there");
    assert!(strong.same_channel(&sender));
    assert_eq!(receiver.sender_strong_count(), 2);
    drop((sender, strong));
    assert!(weak.upgrade().is_none());
    assert_eq!(now(receiver.recv()), None::<u32>);
}

#[test]
fn a_receiver_is_a_stream_until_the_channel_ends() {
    let (sender, receiver) = mpsc::channel(4);
    for n in 0..3 {
        sender.try_send(n).expect("a place");
    }
    let mut items = ByHand::new(receiver.collect::<Vec<_>>());
    assert!(items.poll().is_pending());
    drop(sender);
    assert_eq!(items.woken(), [0, 1, 2]);
}

#[test]
fn a_bound_of_zero_is_refused_with_the_fix() {
    silence_panics();
    let text = panic_text(|| drop(mpsc::channel::<u32>(0)));
    assert!(text.contains("at least 1"), "{text}");
}

#[test]
fn every_item_of_many_producers_arrives_once_and_in_its_producers_order() {
    on_each(|runtime| {
        runtime.block_on(async {
            for bound in [1, 7, 10_000] {
                let (sender, mut receiver) = mpsc::channel(bound);
                let mut producers = JoinSet::new();
                for producer in 0..4 {
                    let sender = sender.clone();
                    producers.spawn(async move {
                        for n in 0..500 {
                            // One that gives up has sent nothing.
                            if fickle(sender.send((producer, n))).await.is_none() {
                                sender.send((producer, n)).await.expect("a receiver");
                            }
                            if n % 50 == producer {
                                yield_now().await;
                            }
                        }
                    });
                }
                drop(sender);
                let mut next = HashMap::new();
                loop {
                    // One that gives up takes no item along.
                    let item = match fickle(receiver.recv()).await {
                        Some(item) => item,
                        None => receiver.recv().await,
                    };
                    let Some((producer, n)) = item else {
                        break;
                    };
                    let expected = next.entry(producer).or_insert(0);
                    assert_eq!(n, *expected, "order of producer {producer}");
                    *expected += 1;
                }
                assert!(next.values().all(|count| *count == 500), "{next:?}");
                producers.join_all().await;
            }
        });
    });
}

#[test]
fn threads_send_and_receive_blocking() {
    within("blocking", || {
        let (sender, mut receiver) = mpsc::channel(2);
        let thread = std::thread::spawn(move || {
            for n in 0..1_000 {
                sender.blocking_send(n).expect("a receiver");
            }
        });
        for n in 0..1_000 {
            assert_eq!(receiver.blocking_recv(), Some(n));
        }
        assert_eq!(receiver.blocking_recv(), None);
        thread.join().expect("no panic");
    });
}
