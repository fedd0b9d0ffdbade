//! Waits for a time that are given up, wherever they wait, leave no timer behind, and an interval loses no tick.

mod common;

use common::cut::now;
use common::ends::{assert_nothing_is_left, at_every_end};
use common::{CountingWaker, Flavour, eventually, within};
use gristmill::stream::{StreamExt, TimeoutExt};
use gristmill::sync::{Mutex, Notify, mpsc};
use gristmill::time::{
    Duration, Instant, advance, interval, interval_at, sleep, sleep_until, timeout, timeout_at,
};
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;

/// Never over in a test.
const HOUR: Duration = Duration::from_secs(3600);
const MILLI: Duration = Duration::from_millis(1);

#[test]
fn a_sleep_that_is_given_up_leaves_no_timer() {
    at_every_end(|end| {
        let sleeps = async {
            sleep(MILLI).await;
            sleep_until(Instant::now() + MILLI).await;
        };
        end.of_woken(sleeps, |_| {});
    });
}

#[test]
fn a_long_sleep_that_is_given_up_leaves_no_timer() {
    at_every_end(|end| {
        let bell = Arc::new(Notify::new());
        let own = Arc::clone(&bell);
        let metrics = end.runtime().metrics();
        let first_of_three = async move {
            gristmill::select! {
                () = sleep(HOUR) => unreachable!("an hour has passed"),
                () = sleep_until(Instant::now() + HOUR) => unreachable!("an hour has passed"),
                () = own.notified() => {}
            }
        };
        end.of(first_of_three, |poll| {
            assert_eq!(metrics.num_timers(), 2);
            if poll == 2 {
                bell.notify_one();
            }
        });
        assert_eq!(metrics.num_timers(), 0);
    });
}

#[test]
fn a_sleep_that_is_set_anew_while_it_waits_leaves_one_timer_at_most() {
    at_every_end(|end| {
        let metrics = end.runtime().metrics();
        let sleep = async {
            let mut sleep = sleep(HOUR);
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                let mut sleep = Pin::new(&mut sleep);
                // Later, sooner, and now.
                match polls {
                    1 | 3 => sleep.as_mut().reset(Instant::now() + 2 * HOUR),
                    2 => sleep.as_mut().reset(Instant::now() + HOUR),
                    4 => sleep.as_mut().reset(Instant::now()),
                    _ => {}
                }
                sleep.poll(cx)
            })
            .await;
        };
        end.of(sleep, |poll| {
            assert!(metrics.num_timers() <= 1);
            if poll >= 4 {
                eventually("it fires", || metrics.num_timers() == 0);
            }
        });
    });
}

#[test]
fn a_timeout_that_is_given_up_drops_its_future_and_leaves_no_timer() {
    at_every_end(|end| {
        let bell = Arc::new(Notify::new());
        let own = Arc::clone(&bell);
        let in_time = async move {
            timeout(HOUR, own.notified()).await.expect("in time");
            timeout_at(Instant::now() + HOUR, own.notified()).await
        };
        let got = end.of(in_time, |_| bell.notify_one());
        assert!(got.is_none_or(|got| got.is_ok()));
        let shown = format!("{bell:?}");
        assert!(shown.contains("is_waited_for: false"), "{shown}");
    });
    at_every_end(|end| {
        let bell = Arc::new(Notify::new());
        let own = Arc::clone(&bell);
        let late = async move {
            timeout(MILLI, own.notified()).await.expect_err("late");
            timeout_at(Instant::now() + MILLI, own.notified()).await
        };
        let got = end.of_woken(late, |_| {});
        assert!(got.is_none_or(|got| got.is_err()));
        let shown = format!("{bell:?}");
        assert!(shown.contains("is_waited_for: false"), "{shown}");
    });
}

#[test]
fn a_timeout_around_a_reference_leaves_the_future_to_go_on() {
    at_every_end(|end| {
        let (sender, mut receiver) = mpsc::channel(1);
        let own = sender.clone();
        let send = async move {
            let mut send = pin!(own.send(2));
            let late = timeout(MILLI, &mut send).await;
            assert!(late.is_err(), "no place");
            send.await.expect("open");
        };
        sender.try_send(1).expect("a place");
        let mut received = Vec::new();
        // The time wakes it first, a place after that.
        let got = end.of_woken(send, |poll| {
            if poll > 1 {
                received.extend(receiver.try_recv());
            }
        });
        received.extend(std::iter::from_fn(|| receiver.try_recv().ok()));
        assert_eq!(received, if got.is_some() { &[1, 2][..] } else { &[1] });
        assert_eq!(sender.capacity(), 1);
    });
}

#[test]
fn a_tick_that_is_given_up_is_had_by_the_next() {
    at_every_end(|end| {
        let start = Instant::now();
        let ticking = Arc::new(Mutex::new(interval_at(start, MILLI)));
        let own = Arc::clone(&ticking);
        let ticks = async move {
            let mut interval = own.lock().await;
            [interval.tick().await, interval.tick().await]
        };
        let metrics = end.runtime().metrics();
        // The interval keeps its timer and the task that waited, until it is asked again or dropped.
        let got = end.may_keep_waker().of_woken(ticks, |_| {});
        assert!(metrics.num_timers() <= 1);
        let mut interval = now(ticking.lock());
        let next = end.runtime().block_on(interval.tick());
        // What the future had taken was lost with it; nothing else.
        let index = (next - start).as_nanos() / MILLI.as_nanos();
        match got {
            Some(got) => assert_eq!((got, index), ([start, start + MILLI], 2)),
            None => assert!(index <= 1, "{index}"),
        }
        drop(interval);
        drop(ticking);
        assert_eq!(metrics.num_timers(), 0);
    });
}

#[test]
fn an_interval_that_is_dropped_in_its_tick_leaves_no_timer() {
    at_every_end(|end| {
        let ticks = async {
            let mut interval = interval(MILLI);
            interval.tick().await;
            interval.tick().await;
            interval.reset();
            interval.next().await
        };
        end.of_woken(ticks, |_| {});
    });
}

#[test]
fn a_stream_with_a_bound_on_each_item_leaves_no_timer() {
    at_every_end(|end| {
        let (sender, receiver) = mpsc::unbounded_channel();
        let items = async move {
            let mut items = pin!(receiver.timeout(MILLI));
            let late = items.next().await;
            assert!(late.is_some_and(|item| item.is_err()));
            let mut got = Vec::new();
            while got.len() < 2 {
                got.extend(items.next().await.and_then(Result::ok));
            }
            got
        };
        let mut sent = 0;
        let got = end.of_woken(items, |poll| {
            if poll > 1 {
                sent += 1;
                let _ = sender.send(sent);
            }
        });
        assert!(got.is_none_or(|got| got == [1, 2]));
    });
}

#[test]
fn a_pause_in_which_time_was_moved_can_be_given_up() {
    within("advance", || {
        let runtime = Flavour::CurrentThread.builder().start_paused(true);
        let runtime = runtime.build().expect("a runtime");
        runtime.block_on(async {
            let start = Instant::now();
            let waker = CountingWaker::new();
            let mut over = Box::pin(sleep(HOUR));
            assert!(waker.poll(&mut over).is_pending());
            drop(advance(HOUR));
            assert_eq!(start.elapsed(), Duration::ZERO, "never polled");
            {
                let mut moved = pin!(advance(HOUR));
                assert!(CountingWaker::new().poll(&mut moved).is_pending());
            }
            assert_eq!((start.elapsed(), waker.wakes()), (HOUR, 1));
            assert!(waker.poll(&mut over).is_ready());
        });
        assert_nothing_is_left(&runtime.metrics(), "advance");
    });
}

#[test]
fn timers_may_be_dropped_on_any_thread_while_they_fire() {
    within("timers", || {
        const TIMERS: u32 = 4_000;
        let runtime = Flavour::FourWorkers.runtime();
        let _entered = runtime.enter();
        let waker = CountingWaker::new();
        let mut threads = Vec::new();
        for part in 0..4 {
            // Due now, soon, and never: registered here, dropped there.
            let mut sleeps: Vec<_> = (0..TIMERS / 4)
                .map(|n| match (n + part) % 3 {
                    0 => sleep(Duration::from_micros(u64::from(n))),
                    1 => sleep(MILLI),
                    _ => sleep(HOUR),
                })
                .collect();
            sleeps.retain_mut(|sleep| waker.poll(sleep).is_pending());
            threads.push(std::thread::spawn(move || drop(sleeps)));
        }
        for thread in threads {
            thread.join().expect("no panic");
        }
        assert_nothing_is_left(&runtime.metrics(), "timers");
        eventually("no waker is left", || Arc::strong_count(&waker) == 1);
        // The wheels work on.
        runtime.block_on(async {
            sleep(MILLI).await;
            assert!(timeout(MILLI, pending::<()>()).await.is_err());
        });
    });
}
