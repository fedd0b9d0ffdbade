//! What `sync::Semaphore` promises: never more holders than permits, first come, first served, and no permit is lost.

mod common;

use common::cut::{ByHand, at_each_poll, fickle, now};
use common::room::Room;
use common::{on_each, panic_text, silence_panics};
use gristmill::sync::{Semaphore, TryAcquireError};
use gristmill::task::{JoinSet, yield_now};
use std::sync::Arc;

#[test]
fn a_permit_comes_back_when_it_is_dropped() {
    let semaphore = Semaphore::new(2);
    let one = now(semaphore.acquire()).expect("open");
    let other = semaphore.try_acquire().expect("a permit");
    assert_eq!(semaphore.available_permits(), 0);
    assert_eq!(
        semaphore.try_acquire().expect_err("none is free"),
        TryAcquireError::NoPermits
    );
    drop((one, other));
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn permits_go_to_those_who_wait_in_the_order_in_which_they_came() {
    let semaphore = Semaphore::new(1);
    let mut held = Some(now(semaphore.acquire()).expect("open"));
    let waiting: Vec<_> = (0..4)
        .map(|_| ByHand::waiting(semaphore.acquire()))
        .collect();
    for next in waiting {
        assert_eq!(next.wakes(), 0);
        drop(held.take());
        assert!(semaphore.try_acquire().is_err(), "nobody overtakes");
        held = Some(next.woken().expect("open"));
    }
}

#[test]
fn whoever_wants_many_is_not_overtaken_by_those_who_want_few() {
    let semaphore = Semaphore::new(3);
    let held = now(semaphore.acquire_many(2)).expect("open");
    let many = ByHand::waiting(semaphore.acquire_many(3));
    let few = ByHand::waiting(semaphore.acquire());
    drop(held);
    assert_eq!(few.wakes(), 0);
    drop(many.woken().expect("open"));
    drop(few.woken().expect("open"));
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn a_dropped_acquire_gives_what_it_had_collected_to_the_next() {
    let semaphore = Semaphore::new(2);
    let held = now(semaphore.acquire()).expect("open");
    let many = ByHand::waiting(semaphore.acquire_many(2));
    let few = ByHand::waiting(semaphore.acquire());
    assert_eq!(few.wakes(), 0);
    drop(many);
    drop(few.woken().expect("open"));
    drop(held);
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn a_dropped_acquire_leaks_no_permit() {
    at_each_poll(|cut| {
        let semaphore = Semaphore::new(3);
        let mut held = vec![
            now(semaphore.acquire()).expect("open"),
            now(semaphore.acquire()).expect("open"),
        ];
        let got = cut.drive(semaphore.acquire_many(3), |_| drop(held.pop()));
        drop((got, held));
        assert_eq!(semaphore.available_permits(), 3);
    });
}

#[test]
fn a_permit_that_was_granted_and_not_fetched_goes_to_the_next() {
    let semaphore = Semaphore::new(1);
    let held = now(semaphore.acquire()).expect("open");
    let first = ByHand::waiting(semaphore.acquire());
    let second = ByHand::waiting(semaphore.acquire());
    drop(held);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    drop(second.woken().expect("open"));
}

#[test]
fn closing_refuses_those_who_wait_and_those_who_come() {
    let semaphore = Semaphore::new(1);
    let held = now(semaphore.acquire()).expect("open");
    let waiting = ByHand::waiting(semaphore.acquire());
    let waiting_for_many = ByHand::waiting(semaphore.acquire_many(5));
    semaphore.close();
    assert!(semaphore.is_closed());
    assert!(waiting.woken().is_err());
    assert!(waiting_for_many.woken().is_err());
    let error = now(semaphore.acquire()).expect_err("closed");
    assert!(error.to_string().contains("closed"), "{error}");
    assert_eq!(
        semaphore.try_acquire().expect_err("closed"),
        TryAcquireError::Closed
    );
    drop(held);
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn what_a_refused_acquire_had_collected_comes_back_once() {
    let semaphore = Semaphore::new(2);
    let held = now(semaphore.acquire()).expect("open");
    let unpolled = ByHand::waiting(semaphore.acquire_many(3));
    assert_eq!(semaphore.available_permits(), 0);
    semaphore.close();
    assert_eq!(semaphore.available_permits(), 1);
    drop(unpolled);
    assert_eq!(semaphore.available_permits(), 1);
    drop(held);
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn permits_are_added_forgotten_split_and_merged() {
    let semaphore = Arc::new(Semaphore::new(0));
    let waiting = ByHand::waiting(semaphore.acquire_many(2));
    semaphore.add_permits(1);
    assert_eq!(waiting.wakes(), 0);
    semaphore.add_permits(4);
    let mut held = waiting.woken().expect("open");
    assert_eq!(semaphore.available_permits(), 3);
    assert_eq!(semaphore.forget_permits(2), 2);
    assert_eq!(semaphore.forget_permits(2), 1);
    assert!(held.split(3).is_none());
    let part = held.split(1).expect("two are there");
    part.forget();
    assert_eq!(held.num_permits(), 1);
    drop(held);
    assert_eq!(semaphore.available_permits(), 1);

    let mut owned = now(Arc::clone(&semaphore).acquire_owned()).expect("open");
    semaphore.add_permits(1);
    let other = Arc::clone(&semaphore).try_acquire_owned().expect("free");
    owned.merge(other);
    assert_eq!(owned.num_permits(), 2);
    assert!(Arc::ptr_eq(owned.semaphore(), &semaphore));
    drop(owned);
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn permits_of_two_semaphores_do_not_mix() {
    silence_panics();
    let (one, other) = (Semaphore::new(1), Semaphore::new(1));
    let text = panic_text(|| {
        let mut mine = one.try_acquire().expect("free");
        mine.merge(other.try_acquire().expect("free"));
    });
    assert!(text.contains("different semaphores"), "{text}");
    assert_eq!((one.available_permits(), other.available_permits()), (1, 1));
}

#[test]
fn too_many_permits_are_refused_with_the_limit() {
    silence_panics();
    let text = panic_text(|| drop(Semaphore::new(Semaphore::MAX_PERMITS + 1)));
    assert!(text.contains("MAX_PERMITS"), "{text}");
    let full = Semaphore::new(Semaphore::MAX_PERMITS);
    let text = panic_text(|| full.add_permits(1));
    assert!(text.contains("MAX_PERMITS"), "{text}");
}

#[test]
fn no_more_than_the_permits_hold_at_once_and_none_is_lost_to_those_who_give_up() {
    on_each(|runtime| {
        runtime.block_on(async {
            let semaphore = Arc::new(Semaphore::new(3));
            let room = Room::new(3);
            let mut tasks = JoinSet::new();
            for n in 0..60 {
                let (own, room) = (Arc::clone(&semaphore), room.clone());
                tasks.spawn(async move {
                    for _ in 0..50 {
                        let count = 1 + n % 3;
                        let _permit = own.acquire_many(count).await.expect("open");
                        let _inside = room.enter(count as usize);
                        yield_now().await;
                    }
                });
                // Somebody who gives up wherever it is: before its turn, with some of the permits, or with all.
                drop(fickle(semaphore.acquire_many(3)).await);
            }
            tasks.join_all().await;
            assert_eq!(semaphore.available_permits(), 3);
        });
    });
}
