//! Tasks and timers under hundreds of schedules: each ends once and is gone before anybody is told, and no timer is early or late

mod common;

use common::Count;
use common::chaos::{Crowd, SEEDS, breathe, moment, one_in};
use gristmill::runtime::Builder;
use gristmill::sim::check;
use gristmill::task::{JoinSet, WaitFor, gather, shield, try_gather, wait};
use gristmill::time::{
    Duration, Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout,
};
use std::collections::BTreeSet;
use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

#[test]
fn an_aborted_task_ends_once_and_its_future_is_gone_before_the_join() {
    check(SEEDS, async || {
        let (finished, gone) = (Count::default(), Count::default());
        for _ in 0..5 {
            let (end, probe) = (finished.clone(), gone.on_drop());
            let before = (finished.get(), gone.get());
            let task = gristmill::spawn(async move {
                let _probe = probe;
                breathe().await;
                end.add();
            });
            let abort = task.abort_handle();
            let aborter = gristmill::spawn(async move {
                breathe().await;
                abort.abort();
            });
            let outcome = task.await;
            assert_eq!(gone.get(), before.1 + 1, "dropped, once");
            let was_cancelled = outcome.is_err_and(|error| error.is_cancelled());
            assert_ne!(was_cancelled, finished.get() > before.0);
            aborter.await.expect("no panic");
        }
    });
}

#[test]
fn a_join_set_gives_each_output_once_whatever_is_aborted() {
    check(SEEDS, async || {
        let mut set = JoinSet::new();
        let mut ids = BTreeSet::new();
        for _ in 0..6 {
            let task = set.spawn(breathe());
            ids.insert(task.id());
            if one_in(3) {
                drop(gristmill::spawn(async move {
                    breathe().await;
                    task.abort();
                }));
            }
        }
        if one_in(4) {
            set.abort_all();
        }
        let mut seen = BTreeSet::new();
        loop {
            // Given up again and again, which loses nothing.
            match timeout(moment(), set.join_next_with_id()).await {
                Err(_) => {}
                Ok(None) => break,
                Ok(Some(Ok((id, ())))) => assert!(seen.insert(id)),
                Ok(Some(Err(error))) => assert!(error.is_cancelled() && seen.insert(error.id())),
            }
        }
        assert_eq!(seen, ids);
    });
}

#[test]
fn gather_keeps_the_order_and_try_gather_leaves_nothing_behind() {
    check(SEEDS, async || {
        let numbers = gather((0..5).map(|number| async move {
            breathe().await;
            number
        }));
        let numbers: Vec<_> = numbers.await.into_iter().map(Result::unwrap).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);

        let gone = Count::default();
        let fails = fastrand::usize(..5);
        let outcome = try_gather((0..5).map(|number| {
            let probe = gone.on_drop();
            async move {
                let _probe = probe;
                breathe().await;
                if number == fails { Err(number) } else { Ok(()) }
            }
        }));
        assert!(outcome.await.is_err());
        sleep(Duration::from_millis(1)).await;
        assert_eq!(gone.get(), 5);
    });
}

#[test]
fn wait_tells_done_from_pending_and_a_shield_protects() {
    check(SEEDS, async || {
        let tasks = (0..4).map(|_| gristmill::spawn(breathe()));
        let (done, pending) = wait(tasks, WaitFor::FirstCompleted).await;
        assert!(!done.is_empty() && done.len() + pending.len() == 4);

        let (begun, ended) = (Count::default(), Count::default());
        let (begins, ends) = (begun.clone(), ended.clone());
        let mut crowd = Crowd::new();
        crowd.spawn_mortal(async move {
            breathe().await;
            begins.add();
            let protected = shield(async move {
                breathe().await;
                ends.add();
            });
            protected.await.expect("nobody aborts it");
        });
        crowd.spawn(async move {
            sleep(Duration::from_millis(1)).await;
            assert_eq!(ended.get(), begun.get());
        });
        crowd.end().await;
    });
}

#[test]
fn a_wake_up_is_never_lost_whenever_it_comes() {
    check(SEEDS, async || {
        // A flag and a waker, as every hand-written future has them.
        let shared = Arc::new(Mutex::new((0_usize, None::<Waker>)));
        const WAKES: usize = 10;
        let mut crowd = Crowd::new();
        let state = Arc::clone(&shared);
        crowd.spawn(poll_fn(move |cx| {
            let mut state = state.lock().expect("no panic");
            if state.0 == WAKES {
                return Poll::Ready(());
            }
            state.1 = Some(cx.waker().clone());
            Poll::Pending
        }));
        for _ in 0..WAKES {
            let shared = Arc::clone(&shared);
            crowd.spawn(async move {
                breathe().await;
                let waker = {
                    let mut state = shared.lock().expect("no panic");
                    state.0 += 1;
                    state.1.clone()
                };
                breathe().await;
                if let Some(waker) = waker {
                    waker.wake();
                }
            });
        }
        crowd.end().await;
        assert_eq!(shared.lock().expect("no panic").0, WAKES);
    });
}

#[test]
fn every_timer_fires_at_its_deadline_to_the_nanosecond() {
    check(SEEDS, async || {
        let start = Instant::now();
        let mut crowd = Crowd::new();
        for _ in 0..20 {
            crowd.spawn(async move {
                // Near ones, and ones in every level of the wheel.
                let after = Duration::from_nanos(fastrand::u64(..) >> fastrand::u32(10..63));
                let deadline = start + after;
                let mut timer = pin!(sleep_until(deadline));
                if one_in(2) {
                    // Registered somewhere else first.
                    let other = start + Duration::from_nanos(fastrand::u64(1..1 << 40));
                    timer.as_mut().reset(other);
                    let _ = timeout(Duration::ZERO, timer.as_mut()).await;
                    timer.as_mut().reset(deadline);
                }
                let asked = Instant::now();
                timer.await;
                assert_eq!(Instant::now(), deadline.max(asked));
            });
        }
        for _ in 0..5 {
            crowd.spawn_mortal(async { sleep(Duration::from_secs(fastrand::u64(..99))).await });
        }
        crowd.end().await;
    });
}

#[test]
fn a_timeout_ends_in_time_and_only_then() {
    check(SEEDS, async || {
        let mut crowd = Crowd::new();
        for _ in 0..6 {
            crowd.spawn(async {
                let start = Instant::now();
                let (limit, needs) = (moment(), moment());
                let outcome = timeout(limit, sleep(needs)).await;
                assert_eq!(outcome.is_ok(), needs <= limit, "{needs:?} of {limit:?}");
                assert_eq!(start.elapsed(), needs.min(limit));
            });
        }
        crowd.end().await;
    });
}

#[test]
fn an_interval_loses_no_tick_to_a_select_that_goes_another_way() {
    check(SEEDS, async || {
        const PERIOD: Duration = Duration::from_micros(10);
        let start = Instant::now();
        let mut interval = interval(PERIOD);
        interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut ticks = 0_u32;
        while ticks < 10 {
            gristmill::select! {
                at = interval.tick() => {
                    assert_eq!(at, start + ticks * PERIOD);
                    ticks += 1;
                }
                () = breathe() => {}
            }
        }
    });
}

#[test]
fn a_shutdown_at_any_moment_drops_every_future_once_and_ends_every_handle() {
    for seed in SEEDS {
        let runtime = Builder::new_simulated(seed).build().expect("a runtime");
        let (made, gone) = (Count::default(), Count::default());
        let tasks = Arc::new(Mutex::new(Vec::new()));
        runtime.block_on(async {
            for _ in 0..8 {
                let (made, gone, all) = (made.clone(), gone.clone(), Arc::clone(&tasks));
                made.add();
                let probe = gone.on_drop();
                let task = gristmill::spawn(async move {
                    let _probe = probe;
                    breathe().await;
                    made.add();
                    let probe = gone.on_drop();
                    let job = gristmill::spawn_blocking(move || drop(probe));
                    all.lock().expect("no panic").push(job);
                    if one_in(2) {
                        pending::<()>().await;
                    }
                });
                tasks.lock().expect("no panic").push(task);
            }
            sleep(Duration::from_micros(fastrand::u64(..5_000))).await;
        });
        drop(runtime);
        assert_eq!(gone.get(), made.get(), "seed {seed:#x}");
        let tasks = tasks.lock().expect("no panic");
        assert!(
            tasks.iter().all(|task| task.is_finished()),
            "seed {seed:#x}"
        );
    }
}
