//! Waits for locks, permits and signals that are given up, wherever they wait, leave nobody waiting and lose nothing.

mod common;

use common::cut::{ByHand, now};
use common::ends::{End, at_every_end};
use common::{CountingWaker, panic_text, silence_panics};
use gristmill::sync::{
    Barrier, CancellationToken, Condvar, Event, Mutex, Notify, OnceCell, RwLock, Semaphore,
};
use std::fmt::Debug;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Waker};

/// Whether nobody is on the list of what shows it.
#[track_caller]
fn assert_nobody_waits(whom: &impl Debug) {
    let shown = format!("{whom:?}");
    assert!(shown.contains("waiters: 0"), "{shown}");
}

#[test]
fn what_is_left_behind_is_seen_by_these_tests() {
    silence_panics();
    let kept = Arc::new(std::sync::Mutex::new(Vec::<Waker>::new()));
    let own = Arc::clone(&kept);
    let text = panic_text(|| {
        at_every_end(move |end| {
            let own = Arc::clone(&own);
            let keeps_its_waker = poll_fn(move |cx| {
                own.lock().expect("no panic").push(cx.waker().clone());
                Poll::<()>::Pending
            });
            end.at_once().of(keeps_its_waker, |_| {});
        });
    });
    assert!(text.contains("a waker is left"), "{text}");
}

#[test]
fn a_lock_that_is_given_up_goes_to_the_next() {
    at_every_end(|end| {
        let mutex = Arc::new(Mutex::new(1));
        let mut held = Some(now(mutex.lock()));
        let mut behind = None;
        let own = Arc::clone(&mutex);
        let got = end.of(async move { own.lock_owned().await }, |poll| {
            behind.get_or_insert_with(|| ByHand::waiting(mutex.lock()));
            if poll == 2 {
                drop(held.take());
            }
        });
        drop((got, held));
        if let Some(behind) = behind {
            assert_eq!(*behind.woken(), 1);
        }
        assert!(mutex.try_lock().is_ok());
    });
}

/// A lock that somebody writes, somebody waits to have in some way, and somebody behind waits to write.
fn give_up_lock<G, F>(end: &mut End, wait: impl FnOnce(Arc<RwLock<i32>>) -> F)
where
    F: Future<Output = G> + Send + 'static,
    G: Send + 'static,
{
    let lock = Arc::new(RwLock::new(1));
    let mut held = vec![now(lock.read()), now(lock.read())];
    let first = ByHand::waiting(lock.write());
    let mut first = Some(first);
    let mut behind = None;
    let got = end.of(wait(Arc::clone(&lock)), |poll| {
        behind.get_or_insert_with(|| ByHand::waiting(lock.write()));
        match poll {
            1 => drop(held.pop()),
            2 => drop(first.take()),
            _ => held.clear(),
        }
    });
    drop((got, first, held));
    if let Some(behind) = behind {
        *behind.woken() += 1;
    }
    assert!(lock.try_write().is_ok());
}

#[test]
fn reading_and_writing_that_are_given_up_let_the_others_in() {
    at_every_end(|end| give_up_lock(end, |lock| async move { lock.read_owned().await }));
    at_every_end(|end| give_up_lock(end, |lock| async move { lock.write_owned().await }));
    at_every_end(|end| give_up_lock(end, |lock| async move { drop(lock.read().await) }));
    at_every_end(|end| give_up_lock(end, |lock| async move { drop(lock.write().await) }));
}

#[test]
fn permits_collected_by_who_gives_up_are_all_there_again() {
    for wanted in 1..=3 {
        at_every_end(move |end| {
            let semaphore = Arc::new(Semaphore::new(0));
            let mut behind = None;
            let own = Arc::clone(&semaphore);
            let acquire = async move {
                match wanted {
                    1 => own.acquire_owned().await,
                    _ => own.acquire_many_owned(wanted).await,
                }
            };
            let mut added = 0;
            let got = end.of(acquire, |_| {
                behind.get_or_insert_with(|| ByHand::waiting(semaphore.acquire()));
                semaphore.add_permits(1);
                added += 1;
            });
            let held = got.map_or(0, |permit| permit.expect("open").num_permits());
            assert!(held == 0 || held == wanted as usize);
            // Whoever is behind has one as soon as there is one more than was wanted and kept.
            semaphore.add_permits(1);
            added += 1;
            if let Some(behind) = behind {
                drop(behind.woken());
            }
            assert_eq!(semaphore.available_permits(), added);
        });
    }
}

#[test]
fn waits_for_permits_that_borrow_are_given_up_alike() {
    at_every_end(|end| {
        let semaphore = Arc::new(Semaphore::new(1));
        let own = Arc::clone(&semaphore);
        let both = async move {
            let one = own.acquire().await.expect("open");
            let many = own.acquire_many(2).await.expect("open");
            one.num_permits() + many.num_permits()
        };
        let held = end.of(both, |_| semaphore.add_permits(2));
        assert!(held.is_none_or(|held| held == 3));
        assert!(semaphore.available_permits() % 2 == 1);
        drop(now(semaphore.acquire_many(1)));
    });
}

/// Notifies once; whoever gives up, or the one behind it, or the next has that notification, and only one of them.
fn notify_once<F>(end: &mut End, wait: impl FnOnce(Arc<Notify>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let notify = Arc::new(Notify::new());
    let mut was_notified = false;
    let got = end.of(wait(Arc::clone(&notify)), |poll| {
        if poll == 2 {
            notify.notify_one();
            was_notified = true;
        }
    });
    let mut next = ByHand::new(notify.notified());
    let has_next = next.poll().is_ready();
    assert_eq!(was_notified, got.is_some() || has_next);
    assert!(got.is_none() || !has_next, "had twice");
    drop(next);
    let shown = format!("{notify:?}");
    assert!(
        shown.contains("is_kept: false, is_waited_for: false"),
        "{shown}"
    );
}

#[test]
fn a_notification_for_who_gives_up_is_had_by_the_next_once() {
    at_every_end(|end| notify_once(end, |notify| async move { notify.notified().await }));
    at_every_end(|end| notify_once(end, Notify::notified_owned));
    at_every_end(|end| {
        notify_once(end, |notify| async move {
            let mut notified = pin!(notify.notified());
            if !notified.as_mut().enable() {
                notified.await;
            }
        });
    });
}

#[test]
fn one_who_was_enabled_and_never_polled_passes_its_notification_on() {
    let notify = Notify::new();
    {
        let mut notified = pin!(notify.notified());
        assert!(!notified.as_mut().enable());
        notify.notify_one();
    }
    now(notify.notified());
}

#[test]
fn a_wait_for_an_event_that_is_given_up_is_forgotten() {
    at_every_end(|end| {
        let event = Arc::new(Event::new());
        let own = Arc::clone(&event);
        end.of(async move { own.wait().await }, |poll| {
            if poll == 2 {
                event.set();
            }
        });
        assert_nobody_waits(&event);
    });
}

#[test]
fn a_wait_for_a_condition_that_is_given_up_unlocks_and_is_forgotten() {
    at_every_end(|end| {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let (mutex, changed) = &*shared;
        let own = Arc::clone(&shared);
        let wait = async move {
            let (mutex, changed) = &*own;
            let guard = mutex.lock().await;
            drop(changed.wait_while(guard, |value| *value < 2).await);
        };
        let mut held = None;
        let got = end.of(wait, |poll| {
            // Changed for nothing, then while the mutex is locked, then unlocked.
            match poll {
                1 => *now(mutex.lock()) += 1,
                2 => {
                    let mut guard = now(mutex.lock());
                    *guard += 1;
                    held = Some(guard);
                }
                _ => drop(held.take()),
            }
            changed.notify_one();
        });
        drop((got, held));
        assert_nobody_waits(changed);
        assert!(mutex.try_lock().is_ok());
    });
}

#[test]
fn a_notification_of_a_condition_passes_on_from_who_gives_up() {
    at_every_end(|end| {
        let shared = Arc::new((Mutex::new(0), Condvar::new()));
        let (mutex, changed) = &*shared;
        let own = Arc::clone(&shared);
        let wait = async move {
            let (mutex, changed) = &*own;
            let guard = mutex.lock().await;
            drop(changed.wait(guard).await);
        };
        let mut behind = None;
        let mut was_notified = false;
        let got = end.of(wait, |poll| {
            behind.get_or_insert_with(|| ByHand::waiting(changed.wait(now(mutex.lock()))));
            if poll == 2 {
                changed.notify_one();
                was_notified = true;
            }
        });
        if let Some(mut behind) = behind {
            let has_it = behind.poll().is_ready();
            assert_eq!(was_notified, got.is_some() || has_it);
            assert!(got.is_none() || !has_it, "had twice");
        }
        assert_nobody_waits(changed);
    });
}

#[test]
fn whoever_leaves_a_barrier_has_not_come() {
    at_every_end(|end| {
        let barrier = Arc::new(Barrier::new(2));
        let own = Arc::clone(&barrier);
        let mut leader = None;
        let met = end.of(async move { own.wait().await }, |poll| {
            if poll == 2 {
                leader = Some(now(barrier.wait()));
            }
        });
        assert!(met.is_none_or(|met| !met.is_leader()));
        assert!(leader.is_none_or(|leader| leader.is_leader()));
        // The next round is as any other.
        let waiting = ByHand::waiting(barrier.wait());
        assert!(now(barrier.wait()).is_leader());
        waiting.woken();
    });
}

#[test]
fn whoever_gives_up_making_a_value_leaves_it_to_the_next() {
    at_every_end(|end| {
        let cell = Arc::new(OnceCell::new());
        let go = Arc::new(Notify::new());
        let (own, gone) = (Arc::clone(&cell), Arc::clone(&go));
        let make = async move {
            let made = own.get_or_init(async || {
                gone.notified().await;
                1
            });
            *made.await
        };
        let mut behind = None;
        let got = end.of(make, |poll| {
            behind.get_or_insert_with(|| ByHand::waiting(cell.get_or_init(async || 2)));
            if poll == 2 {
                go.notify_one();
            }
        });
        let expected = got.unwrap_or(2);
        if let Some(behind) = behind {
            assert_eq!(*behind.woken(), expected);
        }
        assert_eq!(*now(cell.get_or_init(async || 2)), expected);
    });
}

#[test]
fn whoever_waits_for_a_value_and_gives_up_leaves_its_turn_to_the_next() {
    at_every_end(|end| {
        let cell = Arc::new(OnceCell::new());
        let stuck = ByHand::waiting(cell.get_or_init(std::future::pending));
        let mut stuck = Some(stuck);
        let own = Arc::clone(&cell);
        let wait = async move { own.get_or_try_init(async || Ok::<_, ()>(1)).await.copied() };
        let got = end.of(wait, |poll| {
            if poll == 2 {
                drop(stuck.take());
            }
        });
        drop(stuck);
        let expected = got.map_or(2, |got| got.expect("made"));
        assert_eq!(*now(cell.get_or_init(async || 2)), expected);
    });
}

#[test]
fn a_wait_for_a_cancellation_that_is_given_up_is_forgotten() {
    at_every_end(|end| {
        let token = CancellationToken::new();
        let child = token.child_token();
        let wait = async move {
            child.cancelled().await;
            child.clone().cancelled_owned().await;
        };
        end.of(wait, |poll| {
            if poll == 2 {
                token.cancel();
            }
        });
    });
    at_every_end(|end| {
        let token = CancellationToken::new();
        end.of(token.child_token().cancelled_owned(), |poll| {
            if poll == 2 {
                token.cancel();
            }
        });
    });
}

#[test]
fn what_runs_until_a_cancellation_is_dropped_with_its_wait() {
    at_every_end(|end| {
        let token = CancellationToken::new();
        let event = Arc::new(Event::new());
        let (own, inside) = (token.child_token(), Arc::clone(&event));
        let run = async move {
            let first = own.run_until_cancelled(inside.wait()).await;
            let second = own
                .run_until_cancelled_owned(std::future::pending::<()>())
                .await;
            (first, second)
        };
        let got = end.of(run, |poll| match poll {
            1 => {}
            2 => event.set(),
            _ => token.cancel(),
        });
        assert!(got.is_none_or(|got| got == (Some(()), None)));
        assert_nobody_waits(&event);
    });
}

#[test]
fn a_waker_is_let_go_of_when_the_wait_is_over() {
    let (mutex, event, notify) = (Mutex::new(()), Event::new(), Notify::new());
    let waker = CountingWaker::new();
    let guard = now(mutex.lock());
    let mut lock = Box::pin(mutex.lock());
    let mut wait = Box::pin(event.wait());
    let mut notified = Box::pin(notify.notified());
    assert!(waker.poll(&mut lock).is_pending());
    assert!(waker.poll(&mut wait).is_pending());
    assert!(waker.poll(&mut notified).is_pending());
    assert_eq!(Arc::strong_count(&waker), 4);
    drop(guard);
    event.set();
    notify.notify_one();
    assert_eq!((waker.wakes(), Arc::strong_count(&waker)), (3, 1));
}
