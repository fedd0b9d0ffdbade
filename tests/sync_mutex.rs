//! What `sync::Mutex`, `sync::RwLock` and `sync::OnceCell` promise: data for one at a time, in turn, across awaits.

mod common;

use common::cut::{ByHand, at_each_poll, now};
use common::{Count, on_each, panic_text, silence_panics, within};
use gristmill::sync::{Mutex, MutexGuard, OnceCell, OwnedMutexGuard, RwLock, SetError};
use gristmill::task::{JoinSet, yield_now};
use std::sync::Arc;

#[test]
fn the_lock_goes_to_those_who_wait_in_the_order_in_which_they_came() {
    let mutex = Mutex::new(0);
    let mut held = Some(now(mutex.lock()));
    let waiting: Vec<_> = (0..4).map(|_| ByHand::waiting(mutex.lock())).collect();
    for next in waiting {
        assert_eq!(next.wakes(), 0);
        drop(held.take());
        assert!(mutex.try_lock().is_err(), "nobody overtakes");
        held = Some(next.woken());
    }
    drop(held);
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn a_dropped_lock_leaves_the_mutex_usable() {
    at_each_poll(|cut| {
        let mutex = Mutex::new(1);
        let mut held = Some(now(mutex.lock()));
        let got = cut.drive(mutex.lock(), |poll| {
            if poll == 2 {
                drop(held.take());
            }
        });
        let next = held.is_some().then(|| ByHand::waiting(mutex.lock()));
        drop((got, held));
        match next {
            Some(next) => assert_eq!(*next.woken(), 1),
            None => assert_eq!(*now(mutex.lock()), 1),
        }
    });
}

#[test]
fn increments_across_awaits_are_not_lost() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mutex = Arc::new(Mutex::new(0));
            let mut tasks = JoinSet::new();
            for n in 0..8 {
                let mutex = Arc::clone(&mutex);
                tasks.spawn(async move {
                    for _ in 0..200 {
                        let mut value = if n % 2 == 0 {
                            Guard::Owned(Arc::clone(&mutex).lock_owned().await)
                        } else {
                            Guard::Borrowed(mutex.lock().await)
                        };
                        let before = *value.get();
                        if before % 16 == 0 {
                            yield_now().await;
                        }
                        *value.get() = before + 1;
                    }
                });
            }
            tasks.join_all().await;
            assert_eq!(*mutex.lock().await, 1_600);
        });
    });
}

enum Guard<'a> {
    Owned(OwnedMutexGuard<i32>),
    Borrowed(MutexGuard<'a, i32>),
}

impl Guard<'_> {
    fn get(&mut self) -> &mut i32 {
        match self {
            Self::Owned(guard) => guard,
            Self::Borrowed(guard) => guard,
        }
    }
}

#[test]
fn a_panic_while_locked_unlocks_and_does_not_poison() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let mutex = Arc::new(Mutex::new(1));
            let own = Arc::clone(&mutex);
            let task = gristmill::spawn(async move {
                *own.lock().await = 2;
                let _guard = own.lock().await;
                panic!("expected by the test");
            });
            assert!(task.await.expect_err("panicked").is_panic());
            assert_eq!(*mutex.lock().await, 2);
        });
    });
}

#[test]
fn an_owned_guard_keeps_the_data_alive_and_may_end_on_another_thread() {
    let drops = Count::default();
    let mutex = Arc::new(Mutex::new(drops.on_drop()));
    let guard = now(Arc::clone(&mutex).lock_owned());
    assert!(Arc::clone(&mutex).try_lock_owned().is_err());
    assert!(Arc::ptr_eq(OwnedMutexGuard::mutex(&guard), &mutex));
    drop(mutex);
    assert_eq!(drops.get(), 0);
    std::thread::spawn(move || drop(guard))
        .join()
        .expect("no panic");
    assert_eq!(drops.get(), 1);
}

#[test]
fn a_mutex_may_hold_what_has_no_size() {
    let mutex: Arc<Mutex<[u8]>> = Arc::new(Mutex::new([1, 2, 3]));
    now(mutex.lock())[0] = 9;
    let owned = now(Arc::clone(&mutex).lock_owned());
    assert_eq!(*owned, [9, 2, 3]);
}

#[test]
fn the_data_can_be_had_without_locking_by_its_owner() {
    static AT_HOME: Mutex<u32> = Mutex::const_new(4);
    assert_eq!(*now(AT_HOME.lock()), 4);
    let mut mutex = Mutex::from(1);
    *mutex.get_mut() += 1;
    assert_eq!(format!("{mutex:?}"), "Mutex { data: 2 }");
    let guard = now(mutex.lock());
    assert_eq!(format!("{mutex:?} {guard:?}"), "Mutex { data: <locked> } 2");
    drop(guard);
    assert_eq!(mutex.into_inner(), 2);
}

#[test]
fn a_plain_thread_may_block_for_the_lock() {
    within("blocking_lock", || {
        let mutex = Arc::new(Mutex::new(0));
        let guard = mutex.blocking_lock();
        let own = Arc::clone(&mutex);
        let thread = std::thread::spawn(move || *own.blocking_lock_owned() += 1);
        drop(guard);
        thread.join().expect("no panic");
        assert_eq!(*mutex.blocking_lock(), 1);
        let lock = RwLock::new(1);
        assert_eq!(*lock.blocking_read(), 1);
        *lock.blocking_write() += 1;
        assert_eq!(lock.into_inner(), 2);
    });
}

#[test]
fn blocking_for_a_lock_in_async_code_is_refused() {
    silence_panics();
    let text = panic_text(|| gristmill::run(async { drop(Mutex::new(0).blocking_lock()) }));
    assert!(text.contains("blocking_lock"), "{text}");
}

#[test]
fn readers_share_and_a_writer_is_alone() {
    let lock = RwLock::new(1);
    let (one, other) = (now(lock.read()), lock.try_read().expect("shared"));
    assert_eq!(*one + *other, 2);
    assert!(lock.try_write().is_err());
    let writing = ByHand::waiting(lock.write());
    let late = ByHand::waiting(lock.read());
    assert!(lock.try_read().is_err(), "a writer waits");
    drop(one);
    assert_eq!(writing.wakes(), 0);
    drop(other);
    let mut written = writing.woken();
    *written = 5;
    assert_eq!(late.wakes(), 0);
    drop(written);
    assert_eq!(*late.woken(), 5);
}

#[test]
fn a_writer_that_gives_up_lets_the_readers_behind_it_in() {
    let lock = RwLock::new(1);
    let reading = now(lock.read());
    let writing = ByHand::waiting(lock.write());
    let late = ByHand::waiting(lock.read());
    drop(writing);
    assert_eq!(*late.woken(), 1);
    drop(reading);
    assert!(lock.try_write().is_ok());
}

#[test]
fn a_dropped_wait_for_a_lock_leaves_it_usable() {
    at_each_poll(|cut| {
        let lock = RwLock::new(1);
        let mut held = vec![now(lock.read()), now(lock.read())];
        let got = cut.drive(lock.write(), |_| drop(held.pop()));
        drop((got, held));
        assert!(lock.try_write().is_ok());
        assert!(lock.try_read().is_ok());
    });
}

#[test]
fn a_downgraded_lock_is_read_before_any_writer() {
    let lock = Arc::new(RwLock::new(1));
    let mut writing = now(lock.write());
    let next_writer = ByHand::waiting(lock.write());
    *writing = 2;
    let reading = writing.downgrade();
    assert_eq!((*reading, next_writer.wakes()), (2, 0));
    drop(reading);
    drop(next_writer.woken());

    let owned = now(Arc::clone(&lock).write_owned()).downgrade();
    assert!(Arc::clone(&lock).try_write_owned().is_err());
    let other = Arc::clone(&lock).try_read_owned().expect("shared");
    assert_eq!(*owned, *now(Arc::clone(&lock).read_owned()));
    drop((owned, other));
    assert!(lock.try_write().is_ok());
}

#[test]
fn readers_never_see_half_a_write() {
    on_each(|runtime| {
        runtime.block_on(async {
            let lock = Arc::new(RwLock::new((0, 0)));
            let mut tasks = JoinSet::new();
            for n in 0..6 {
                let lock = Arc::clone(&lock);
                tasks.spawn(async move {
                    for round in 0..200 {
                        if n % 3 == 0 {
                            let mut pair = lock.write().await;
                            pair.0 += 1;
                            if round % 32 == 0 {
                                yield_now().await;
                            }
                            pair.1 += 1;
                        } else {
                            let pair = lock.read().await;
                            assert_eq!(pair.0, pair.1);
                        }
                    }
                });
            }
            tasks.join_all().await;
            assert_eq!(*lock.read().await, (400, 400));
        });
    });
}

#[test]
fn a_value_is_made_once_however_many_ask() {
    on_each(|runtime| {
        runtime.block_on(async {
            let cell = Arc::new(OnceCell::new());
            let made = Count::default();
            let mut tasks = JoinSet::new();
            for _ in 0..20 {
                let (cell, made) = (Arc::clone(&cell), made.clone());
                tasks.spawn(async move {
                    *cell
                        .get_or_init(async || {
                            made.add();
                            yield_now().await;
                            7
                        })
                        .await
                });
            }
            assert_eq!(tasks.join_all().await, [7; 20]);
            assert_eq!(made.get(), 1);
        });
    });
}

#[test]
fn whoever_fails_or_goes_leaves_the_making_to_the_next() {
    let cell = OnceCell::new();
    let failed = now(cell.get_or_try_init(async || Err::<u32, _>("no")));
    assert_eq!(failed, Err("no"));
    let stuck = ByHand::waiting(cell.get_or_init(std::future::pending));
    assert_eq!(cell.set(1), Err(SetError::InitializingError(1)));
    let next = ByHand::waiting(cell.get_or_init(async || 2));
    drop(stuck);
    assert_eq!(*next.woken(), 2);
    assert_eq!(cell.get(), Some(&2));
    assert_eq!(cell.set(3), Err(SetError::AlreadyInitializedError(3)));
}

#[test]
fn a_value_that_is_set_is_there_for_those_who_ask() {
    let mut cell = OnceCell::new();
    assert_eq!(cell.get(), None);
    cell.set(1).expect("empty");
    assert_eq!(*now(cell.get_or_init(async || 2)), 1);
    assert_eq!(cell.clone(), OnceCell::new_with(Some(1)));
    *cell.get_mut().expect("set") = 5;
    assert_eq!(cell.take(), Some(5));
    assert!(!cell.initialized());
    assert_eq!(*now(cell.get_or_init(async || 2)), 2);
    assert_eq!(*now(OnceCell::from(3).get_or_init(async || 4)), 3);
    assert_eq!(cell.into_inner(), Some(2));
}
