//! Clocks that jump, and processes that are stopped: no timer is early, none is lost, and the time of day plays no part.
#![cfg(target_os = "linux")]

mod child;
mod common;
mod wire;

use child::{Lines, child_of, is_child_of, send};
use common::{CountingWaker, Flavour, on_each, within};
use futures_lite::StreamExt;
use gristmill::io::{AsyncReadExt, AsyncWriteExt};
use gristmill::process::Child;
use gristmill::runtime::Builder;
use gristmill::task::JoinSet;
use gristmill::time::{Duration, Instant, MissedTickBehavior, advance, interval, sleep, timeout};
use rustix::process::Signal;
use std::path::Path;
use std::pin::pin;
use std::task::Poll;
use wire::tcp_pair;

const HOUR: Duration = Duration::from_secs(3600);

/// Files of the engine and the facade that name the clock of the time of day.
fn users_of_the_wall_clock(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            users_of_the_wall_clock(&path, found);
        } else if std::fs::read_to_string(&path).is_ok_and(|text| text.contains("SystemTime::now"))
        {
            found.push(path.display().to_string());
        }
    }
}

#[test]
fn nothing_asks_for_the_time_of_day() {
    let mut found = Vec::new();
    for part in [
        "src",
        "runtime-core/src",
        "runtime-timer/src",
        "runtime-blocking/src",
    ] {
        users_of_the_wall_clock(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(part),
            &mut found,
        );
    }
    assert!(found.is_empty(), "{found:?}");
}

fn paused(test: impl AsyncFnOnce() + Send + 'static) {
    within("a jump", || {
        let paused = Flavour::CurrentThread.builder().start_paused(true);
        paused.build().expect("a runtime").block_on(test());
    });
}

#[test]
fn a_jump_of_a_year_fires_every_timer_that_it_passes_and_no_other() {
    paused(async || {
        let (fired, order) = async_channel::unbounded();
        let (started, starts) = async_channel::unbounded();
        let mut tasks = JoinSet::new();
        for hours in [1, 8_759, 24, 8_760, 100, 8_761, 9_000] {
            let (fired, started) = (fired.clone(), started.clone());
            tasks.spawn(async move {
                started.try_send(()).expect("unbounded");
                sleep(HOUR * hours).await;
                fired.send(hours).await.expect("heard");
            });
        }
        for _ in 0..tasks.len() {
            starts.recv().await.expect("each one starts");
        }
        let begin = Instant::now();
        advance(HOUR * 8_760).await;
        assert_eq!(begin.elapsed(), HOUR * 8_760);
        let mut passed = Vec::new();
        for _ in 0..5 {
            passed.push(order.recv().await.expect("it fires"));
        }
        passed.sort_unstable();
        assert_eq!(passed, [1, 24, 100, 8_759, 8_760]);
        assert!(order.try_recv().is_err(), "its time has not come");
        assert_eq!(order.recv().await, Ok(8_761));
        assert_eq!(begin.elapsed(), HOUR * 8_761);
    });
}

#[test]
fn after_a_jump_a_timeout_still_takes_what_is_there_and_an_interval_goes_on() {
    paused(async || {
        let (mut one, mut other) = tcp_pair().await;
        let mut text = [0; 4];
        {
            let waker = CountingWaker::new();
            let mut reading = pin!(timeout(HOUR, one.read_exact(&mut text)));
            assert!(waker.poll(&mut reading).is_pending());
            other.write_all(b"late").await.expect("a write");
            // The bytes are heard of, and then the deadline is passed.
            while waker.wakes() == 0 {
                gristmill::task::yield_now().await;
            }
            advance(HOUR * 1000).await;
            let Poll::Ready(Ok(read)) = waker.poll(&mut reading) else {
                panic!("what is there wins");
            };
            read.expect("a read");
        }
        assert_eq!(&text, b"late");

        let mut ticks = interval(HOUR);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let begin = ticks.next().await.expect("it does not end");
        advance(HOUR * 1000 + HOUR / 2).await;
        let missed = ticks.next().await.expect("it does not end");
        assert_eq!(missed - begin, HOUR);
        let next = ticks.next().await.expect("it does not end");
        assert_eq!(next - begin, HOUR * 1001);
    });
}

/// What the kernel says that a child is doing: `T` is stopped, `Z` has ended.
fn state(child: &Child) -> char {
    let id = child.id().expect("not waited for");
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("it is there");
    let (_, after_name) = stat.rsplit_once(") ").expect("a state");
    after_name.chars().next().expect("a state")
}

/// What the child does that is stopped again and again: timers, traffic between two tasks, jobs.
async fn busy() {
    let mut tasks = JoinSet::new();
    for millis in 0..100 {
        tasks.spawn(async move {
            let (begin, time) = (Instant::now(), Duration::from_millis(millis));
            sleep(time).await;
            assert!(begin.elapsed() >= time, "early");
        });
        drop(tasks.spawn_blocking(|| std::thread::sleep(Duration::from_millis(1))));
    }
    let (mut one, other) = tcp_pair().await;
    drop(gristmill::spawn(wire::echo(other)));
    for _ in 0..200 {
        one.write_all(b"ping").await.expect("a write");
        one.read_exact(&mut [0; 4]).await.expect("the echo");
    }
    while let Some(outcome) = tasks.join_next().await {
        outcome.expect("no panic");
    }
}

#[test]
fn a_process_that_is_stopped_and_continued_loses_nothing() {
    let name = "a_process_that_is_stopped_and_continued_loses_nothing";
    if is_child_of(name) {
        for builder in [
            Builder::new().worker_threads(2),
            Builder::new_current_thread(),
        ] {
            eprintln!("begins");
            builder.build().expect("a runtime").block_on(busy());
            eprintln!("ended");
        }
        return;
    }
    on_each(|runtime| {
        runtime.block_on(async {
            let mut child = child_of("a_process_that_is_stopped_and_continued_loses_nothing")
                .spawn()
                .expect("a child");
            let mut lines = Lines::of(&mut child);
            let saying = gristmill::spawn(async move {
                let mut said = Vec::new();
                loop {
                    match lines.next().await {
                        line if line.is_empty() => return said,
                        line => said.push(line),
                    }
                }
            });
            while state(&child) != 'Z' {
                send(&child, Signal::STOP);
                while !matches!(state(&child), 'T' | 'Z') {
                    sleep(Duration::from_millis(1)).await;
                }
                // While it stands still its deadlines pass.
                sleep(Duration::from_millis(3)).await;
                send(&child, Signal::CONT);
                sleep(Duration::from_millis(5)).await;
            }
            assert!(child.wait().await.expect("an end").success());
            let said = saying.await.expect("no panic");
            assert_eq!(said, ["begins", "ended", "begins", "ended"]);
        });
    });
}
