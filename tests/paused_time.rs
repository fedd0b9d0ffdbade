//! The clock of a current-thread runtime can stand still; it then moves by itself when nothing else can.

mod common;

use common::{CountingWaker, eventually, panic_text, within};
use gristmill::runtime::{Builder, Runtime};
use gristmill::task::JoinSet;
use gristmill::time::{
    self, Duration, Instant, MissedTickBehavior, advance, interval, sleep, timeout,
};
use std::task::Poll;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

fn paused() -> Runtime {
    let builder = Builder::new_current_thread().start_paused(true);
    builder.build().expect("a runtime")
}

#[test]
fn an_hour_passes_in_no_time() {
    within("an hour", || {
        let real = std::time::Instant::now();
        paused().block_on(async {
            let start = Instant::now();
            sleep(HOUR).await;
            assert_eq!(start.elapsed(), HOUR);
        });
        assert!(real.elapsed() < HOUR);
    });
}

#[test]
fn the_clock_stands_still_while_tasks_run() {
    within("standing still", || {
        paused().block_on(async {
            let start = Instant::now();
            for _ in 0..1_000 {
                gristmill::task::yield_now().await;
            }
            assert_eq!(start.elapsed(), Duration::ZERO);
        });
    });
}

#[test]
fn sleeps_end_in_the_order_of_their_deadlines_whatever_the_order_of_their_start() {
    within("order", || {
        let order = paused().block_on(async {
            let (sender, receiver) = async_channel::unbounded();
            for n in [5_u32, 1, 4, 2, 3] {
                let sender = sender.clone();
                drop(gristmill::spawn(async move {
                    sleep(n * SECOND).await;
                    sender.send(n).await.expect("a receiver");
                }));
            }
            drop(sender);
            let mut order = Vec::new();
            while let Ok(n) = receiver.recv().await {
                order.push(n);
            }
            order
        });
        assert_eq!(order, [1, 2, 3, 4, 5]);
    });
}

#[test]
fn each_sleeper_sees_its_own_deadline_and_no_later_one() {
    within("deadlines", || {
        paused().block_on(async {
            let start = Instant::now();
            let mut set = JoinSet::new();
            for n in 1..=1_000_u32 {
                set.spawn(async move {
                    sleep(n * SECOND).await;
                    assert_eq!(start.elapsed(), n * SECOND);
                });
            }
            assert_eq!(set.join_all().await.len(), 1_000);
        });
    });
}

#[test]
fn a_timeout_fires_only_after_what_it_limits_had_its_chance() {
    within("timeout", || {
        paused().block_on(async {
            let in_time = timeout(2 * SECOND, async {
                sleep(SECOND).await;
                7
            });
            assert_eq!(in_time.await, Ok(7));
            let late = timeout(SECOND, sleep(2 * SECOND)).await;
            assert!(late.is_err());
        });
    });
}

#[test]
fn a_value_that_is_ready_together_with_the_deadline_wins() {
    within("tie", || {
        paused().block_on(async {
            let tie = timeout(SECOND, sleep(SECOND)).await;
            assert_eq!(tie, Ok(()));
            let ready = timeout(Duration::ZERO, async { 1 }).await;
            assert_eq!(ready, Ok(1));
        });
    });
}

#[test]
fn advance_wakes_whom_it_passes_and_nobody_else() {
    within("advance", || {
        paused().block_on(async {
            let task = CountingWaker::new();
            let (mut short, mut long) = (Box::pin(sleep(SECOND)), Box::pin(sleep(HOUR)));
            assert!(task.poll(&mut short).is_pending());
            assert!(task.poll(&mut long).is_pending());

            advance(SECOND / 2).await;
            assert_eq!(task.wakes(), 0);
            advance(SECOND).await;
            assert_eq!(task.wakes(), 1);
            assert_eq!(task.poll(&mut short), Poll::Ready(()));
            assert!(task.poll(&mut long).is_pending());
        });
    });
}

#[test]
fn time_can_be_paused_resumed_and_paused_again() {
    within("pause", || {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            time::pause();
            let start = Instant::now();
            sleep(HOUR).await;
            assert_eq!(start.elapsed(), HOUR);

            time::resume();
            let running = Instant::now();
            sleep(Duration::from_millis(2)).await;
            assert!(running.elapsed() >= Duration::from_millis(2));

            time::pause();
            let still = Instant::now();
            sleep(HOUR).await;
            assert_eq!(still.elapsed(), HOUR);
        });
    });
}

#[test]
fn sleeps_are_not_prolonged_by_the_time_that_was_skipped_before() {
    within("skipped", || {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        for _ in 0..200 {
            // Right after the start of block_on the reactor thread may still be in the poller, so that the worker has to
            // sleep elsewhere.
            runtime.block_on(async {
                time::pause();
                sleep(HOUR).await;
                time::resume();
                sleep(Duration::from_micros(100)).await;
            });
        }
    });
}

#[test]
fn pausing_where_it_is_not_allowed_is_refused_with_the_fix() {
    within("refusals", || {
        let twice = panic_text(|| paused().block_on(async { time::pause() }));
        assert!(twice.contains("resume()"), "{twice}");
        let running = Builder::new_current_thread().build().expect("a runtime");
        let text = panic_text(|| running.block_on(async { time::resume() }));
        assert!(text.contains("pause()"), "{text}");
        let threads = Builder::new().worker_threads(1).build().expect("a runtime");
        let text = panic_text(|| threads.block_on(async { time::pause() }));
        assert!(text.contains("current_thread"), "{text}");
    });
}

/// The ticks of an interval of 10 s whose second `tick` is asked for at 25 s, in seconds.
fn ticks(behaviour: MissedTickBehavior) -> Vec<u64> {
    within("interval", move || {
        paused().block_on(async {
            let start = Instant::now();
            let mut interval = interval(10 * SECOND);
            interval.set_missed_tick_behavior(behaviour);
            let mut seen = Vec::new();
            for n in 0..6 {
                interval.tick().await;
                seen.push(start.elapsed().as_secs());
                if n == 0 {
                    advance(25 * SECOND).await;
                }
            }
            seen
        })
    })
}

#[test]
fn an_interval_that_bursts_catches_up() {
    assert_eq!(ticks(MissedTickBehavior::Burst), [0, 25, 25, 30, 40, 50]);
}

#[test]
fn an_interval_that_delays_starts_its_schedule_anew() {
    assert_eq!(ticks(MissedTickBehavior::Delay), [0, 25, 35, 45, 55, 65]);
}

#[test]
fn an_interval_that_skips_keeps_to_its_schedule() {
    assert_eq!(ticks(MissedTickBehavior::Skip), [0, 25, 30, 40, 50, 60]);
}

#[test]
fn time_does_not_move_by_itself_while_a_blocking_call_runs() {
    within("inhibition", || {
        let runtime = paused();
        let parks = runtime.metrics();
        runtime.block_on(async move {
            let start = Instant::now();
            let before = parks.worker_park_count(0);
            let job = gristmill::spawn_blocking(move || {
                // By now the worker has nothing left to run, and has decided what to do with the clock.
                eventually("the worker sleeps", || parks.worker_park_count(0) > before);
                7
            });
            assert_eq!(
                timeout(SECOND, job).await.expect("in time").expect("runs"),
                7
            );
            assert_eq!(start.elapsed(), Duration::ZERO);
        });
    });
}

#[test]
fn a_short_blocking_call_never_loses_against_a_paused_deadline() {
    within("race", || {
        paused().block_on(async {
            let start = Instant::now();
            for n in 0..20_000 {
                let job = gristmill::spawn_blocking(move || n);
                let joined = timeout(SECOND, job).await;
                assert_eq!(joined.expect("time stands still").expect("runs"), n);
            }
            assert_eq!(start.elapsed(), Duration::ZERO);
        });
    });
}

#[test]
fn time_moves_on_when_a_blocking_call_that_nobody_awaits_has_ended() {
    within("detached", || {
        let runtime = paused();
        let parks = runtime.metrics();
        runtime.block_on(async move {
            let before = parks.worker_park_count(0);
            drop(gristmill::spawn_blocking(move || {
                eventually("the worker sleeps", || parks.worker_park_count(0) > before);
            }));
            sleep(SECOND).await;
        });
    });
}

#[test]
fn time_moves_on_when_a_queued_blocking_call_is_aborted() {
    within("aborted", || {
        let runtime = Builder::new_current_thread()
            .start_paused(true)
            .max_blocking_threads(1)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let (release, released) = std::sync::mpsc::channel::<()>();
            let busy = gristmill::spawn_blocking(move || released.recv());
            let queued = gristmill::spawn_blocking(|| ());
            queued.abort();
            assert!(queued.await.expect_err("aborted").is_cancelled());
            release.send(()).expect("the job waits");
            busy.await.expect("runs").expect("released");
            sleep(SECOND).await;
        });
    });
}

#[test]
fn a_task_woken_by_a_foreign_thread_runs_while_time_is_paused() {
    within("foreign", || {
        paused().block_on(async {
            let (sender, receiver) = async_channel::bounded(1);
            let thread = std::thread::spawn(move || sender.send_blocking(7));
            assert_eq!(receiver.recv().await, Ok(7));
            thread.join().expect("no panic").expect("a receiver");
        });
    });
}

#[test]
fn a_paused_start_needs_a_runtime_of_one_thread() {
    let error = Builder::new()
        .start_paused(true)
        .build()
        .expect_err("several threads");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("current_thread"), "{error}");
}
