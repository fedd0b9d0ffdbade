//! What timers promise: never early, never forgotten, cheap to give up.

#![expect(
    clippy::async_yields_async,
    reason = "tasks hand sleeps on to other tasks, which is the point"
)]

mod common;

use common::{CountingWaker, Flavour, PATIENCE, eventually, on_each, silence_panics, within};
use gristmill::task::JoinSet;
use gristmill::time::{
    Duration, Instant, MissedTickBehavior, interval, interval_at, sleep, sleep_until, timeout,
    timeout_at,
};
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

const FAR: Duration = Duration::from_secs(3600);

#[test]
fn no_sleep_ends_early() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            for n in 0..2_000_u64 {
                set.spawn(async move {
                    let (real, start) = (std::time::Instant::now(), Instant::now());
                    let time = Duration::from_nanos(n * 7_919 % 20_000_000);
                    sleep(time).await;
                    assert!(real.elapsed() >= time, "by the system's clock");
                    assert!(start.elapsed() >= time, "by the runtime's clock");
                });
            }
            assert_eq!(set.join_all().await.len(), 2_000);
        });
    });
}

#[test]
fn a_sleep_of_no_time_or_of_the_past_is_over_at_once() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut zero = sleep(Duration::ZERO);
            assert!(CountingWaker::new().poll(&mut zero).is_ready());
            let past = Instant::now();
            sleep(Duration::from_millis(1)).await;
            let mut past = sleep_until(past);
            assert!(CountingWaker::new().poll(&mut past).is_ready());
        });
    });
}

#[test]
fn deadlines_too_far_away_saturate() {
    on_each(|runtime| {
        runtime.block_on(async {
            for far in [Duration::MAX, Duration::from_secs(u64::MAX), FAR * 10_000] {
                let mut sleep = sleep(far);
                assert!(CountingWaker::new().poll(&mut sleep).is_pending());
                assert!(!sleep.is_elapsed());
                let limited = timeout(Duration::from_millis(1), sleep).await;
                assert!(limited.is_err());
                assert_eq!(timeout(far, async { 7 }).await, Ok(7));
            }
            let mut ticks = interval(Duration::MAX);
            ticks.tick().await;
            assert!(
                timeout(Duration::from_millis(1), ticks.tick())
                    .await
                    .is_err()
            );
            // The others still fire.
            sleep(Duration::from_millis(1)).await;
        });
    });
}

#[test]
fn a_timeout_gives_the_value_or_says_that_it_elapsed() {
    on_each(|runtime| {
        runtime.block_on(async {
            assert_eq!(timeout(FAR, async { 7 }).await, Ok(7));
            assert_eq!(timeout(Duration::ZERO, async { 8 }).await, Ok(8));
            let start = Instant::now();
            let late = timeout(Duration::from_millis(2), pending::<()>()).await;
            assert!(late.is_err());
            assert!(start.elapsed() >= Duration::from_millis(2));
            let at = timeout_at(Instant::now() + Duration::from_millis(2), pending::<()>());
            let text = at.await.expect_err("late").to_string();
            assert!(!text.is_empty());
        });
    });
}

#[test]
fn a_reset_moves_the_deadline_in_both_directions() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut later = Box::pin(sleep(Duration::from_millis(1)));
            assert!(CountingWaker::new().poll(&mut later).is_pending());
            let deadline = Instant::now() + Duration::from_millis(10);
            later.as_mut().reset(deadline);
            later.await;
            assert!(Instant::now() >= deadline);

            let mut sooner = Box::pin(sleep(FAR));
            assert!(CountingWaker::new().poll(&mut sooner).is_pending());
            sooner
                .as_mut()
                .reset(Instant::now() + Duration::from_millis(1));
            sooner.await;

            let mut again = Box::pin(sleep(Duration::ZERO));
            again.as_mut().await;
            assert!(again.is_elapsed());
            again
                .as_mut()
                .reset(Instant::now() + Duration::from_millis(1));
            assert!(!again.is_elapsed());
            again.await;
        });
    });
}

#[test]
fn a_sleep_may_be_reset_by_another_thread_than_that_which_waits() {
    on_each(|runtime| {
        for _ in 0..20 {
            let slow = runtime.block_on(runtime.spawn(async {
                let mut slow = Box::pin(sleep(FAR));
                assert!(CountingWaker::new().poll(&mut slow).is_pending());
                slow
            }));
            let mut slow = slow.expect("no panic");
            {
                let _inside = runtime.enter();
                slow.as_mut()
                    .reset(Instant::now() + Duration::from_millis(1));
            }
            runtime.block_on(runtime.spawn(slow)).expect("no panic");
        }
    });
}

#[test]
fn a_dropped_sleep_wakes_nobody() {
    on_each(|runtime| {
        runtime.block_on(async {
            let waker = CountingWaker::new();
            let mut last = Instant::now();
            // Those that were dropped too late, as when this thread was kept from running.
            let mut late = 0;
            for _ in 0..100 {
                last = Instant::now() + Duration::from_millis(5);
                let mut cancelled = sleep_until(last);
                let is_pending = waker.poll(&mut cancelled).is_pending();
                drop(cancelled);
                let is_late = Instant::now() >= last;
                assert!(is_pending || is_late, "it ended early");
                late += usize::from(is_late);
            }
            sleep_until(last + Duration::from_millis(1)).await;
            eventually("wakers on their way are let go of", || {
                std::sync::Arc::strong_count(&waker) == 1
            });
            assert!(waker.wakes() <= late, "{} of {late}", waker.wakes());
        });
    });
}

#[test]
fn a_sleep_wakes_the_waker_that_polled_last_and_once() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (first, last) = (CountingWaker::new(), CountingWaker::new());
            let mut moved = sleep(Duration::from_millis(3));
            assert!(first.poll(&mut moved).is_pending());
            assert!(last.poll(&mut moved).is_pending());
            while last.wakes() == 0 {
                sleep(Duration::from_micros(100)).await;
            }
            assert_eq!((first.wakes(), last.wakes()), (0, 1));
            assert!(last.poll(&mut moved).is_ready());
        });
    });
}

#[test]
fn an_interval_ticks_at_once_and_then_never_before_its_schedule() {
    on_each(|runtime| {
        runtime.block_on(async {
            let start = Instant::now();
            let period = Duration::from_millis(2);
            let mut ticks = interval_at(start, period);
            for n in 0..20 {
                assert_eq!(ticks.tick().await, start + n * period);
                assert!(start.elapsed() >= n * period);
            }
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks.reset();
            let begin = Instant::now();
            ticks.tick().await;
            assert!(begin.elapsed() + Duration::from_millis(1) >= period);
        });
    });
}

#[test]
fn a_storm_of_sleeps_all_end() {
    // As many as fit into some seconds of a slow machine.
    const SLEEPS: u64 = if cfg!(debug_assertions) {
        200_000
    } else {
        1_000_000
    };
    on_each(|runtime| {
        let ended = runtime.block_on(async {
            let start = Instant::now();
            let (sender, receiver) = async_channel::unbounded();
            for n in 0..SLEEPS {
                let sender = sender.clone();
                drop(gristmill::spawn(async move {
                    let due = start + Duration::from_micros(n * 6_151 % 2_000_000);
                    sleep_until(due).await;
                    assert!(Instant::now() >= due);
                    sender.send(()).await.expect("a receiver");
                }));
            }
            drop(sender);
            let mut ended = 0;
            while receiver.recv().await.is_ok() {
                ended += 1;
            }
            ended
        });
        assert_eq!(ended, SLEEPS);
    });
}

#[test]
fn sleeps_of_one_future_all_end() {
    on_each(|runtime| {
        // All on the thread of block_on, which is no worker of a multi-thread runtime.
        runtime.block_on(async {
            let mut sleeps: Vec<_> = (0..1_000_u64)
                .map(|n| Box::pin(sleep(Duration::from_micros(n * 37 % 10_000))))
                .collect();
            std::future::poll_fn(|cx| {
                sleeps.retain_mut(|sleep| sleep.as_mut().poll(cx).is_pending());
                if sleeps.is_empty() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        });
    });
}

#[test]
fn sleeps_on_a_thread_in_block_on_end_while_the_workers_are_busy() {
    for workers in [1, 2] {
        within(workers, move || {
            let builder = gristmill::runtime::Builder::new().worker_threads(workers);
            let runtime = builder.max_relief_threads(0).build().expect("a runtime");
            let (release, released) = async_channel::bounded::<()>(1);
            let (entered, enter) = mpsc::channel();
            for _ in 0..workers {
                let (released, entered) = (released.clone(), entered.clone());
                drop(runtime.spawn(async move {
                    entered.send(()).expect("a receiver");
                    let _ = released.recv_blocking();
                }));
            }
            for _ in 0..workers {
                enter.recv_timeout(PATIENCE).expect("it gets stuck");
            }
            for _ in 0..20 {
                runtime.block_on(sleep(Duration::from_millis(1)));
            }
            drop(release);
        });
    }
}

#[test]
fn a_sleep_polled_outside_of_any_thread_of_the_runtime_is_woken() {
    on_each(|runtime| {
        let waker = CountingWaker::new();
        let _inside = runtime.enter();
        for _ in 0..20 {
            let before = waker.wakes();
            let mut by_hand = sleep(Duration::from_millis(1));
            assert!(waker.poll(&mut by_hand).is_pending());
            eventually("it is woken", || waker.wakes() > before);
            assert!(waker.poll(&mut by_hand).is_ready());
        }
    });
}

#[test]
fn a_nearer_deadline_is_not_slept_through() {
    on_each(|runtime| {
        let _inside = runtime.enter();
        let waker = CountingWaker::new();
        let mut far = sleep(FAR);
        assert!(waker.poll(&mut far).is_pending());
        // Everybody sleeps towards the far one by now, or is about to.
        for n in 0..200_u64 {
            let before = waker.wakes();
            let mut near = sleep(Duration::from_micros(n * 10));
            if waker.poll(&mut near).is_pending() {
                eventually("the nearer one fires", || waker.wakes() > before);
            }
        }
    });
}

#[test]
fn a_sleep_made_on_one_runtime_and_awaited_on_another_ends() {
    on_each(|runtime| {
        let other = Flavour::OneWorker.runtime();
        let foreign = {
            let _inside = other.enter();
            let mut foreign = Box::pin(sleep(Duration::from_millis(2)));
            assert!(CountingWaker::new().poll(&mut foreign).is_pending());
            foreign
        };
        runtime.block_on(foreign);
    });
}

#[test]
fn a_sleep_moves_between_tasks_and_threads() {
    on_each(|runtime| {
        runtime.block_on(async {
            for _ in 0..100 {
                let mut moving = Box::pin(sleep(Duration::from_millis(1)));
                for _ in 0..5 {
                    moving = gristmill::spawn(async move {
                        let mut cx = Context::from_waker(Waker::noop());
                        let _ = Pin::new(&mut moving).poll(&mut cx);
                        moving
                    })
                    .await
                    .expect("no panic");
                    if moving.is_elapsed() {
                        break;
                    }
                }
                moving.await;
            }
        });
    });
}

#[test]
fn without_a_runtime_the_panic_names_the_fix() {
    silence_panics();
    let text = common::panic_text(|| {
        let mut lost = Box::pin(async { sleep(Duration::from_millis(1)).await });
        let _ = CountingWaker::new().poll(&mut lost);
    });
    assert!(text.contains("there is no gristmill runtime"), "{text}");
    assert!(text.contains("gristmill::run"), "{text}");
}

#[test]
fn a_sleep_whose_runtime_ended_panics_instead_of_waiting_for_ever() {
    silence_panics();
    common::with_each(|flavour| {
        let runtime = flavour.runtime();
        let waker = CountingWaker::new();
        let mut orphan = {
            let _inside = runtime.enter();
            let mut orphan = sleep(FAR);
            assert!(waker.poll(&mut orphan).is_pending());
            orphan
        };
        let handle = runtime.handle().clone();
        drop(runtime);
        eventually("it is woken", || waker.wakes() > 0);
        let text = common::panic_text(|| {
            let _ = waker.poll(&mut orphan);
        });
        assert!(!text.is_empty());
        let _inside = handle.enter();
        let text = common::panic_text(|| {
            let _ = waker.poll(&mut sleep(FAR));
        });
        assert!(!text.is_empty());
    });
}
