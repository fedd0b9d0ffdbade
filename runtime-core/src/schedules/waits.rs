//! Waiting for what comes from elsewhere: timers, jobs on the pools, and events of descriptors.

use super::{check, runtime};
use crate::reactor::{Direction, Initial, Ready, Registered};
use crate::runtime::{Builder, Runtime};
use crate::scheduler::context;
use shuttle::sync::{Arc, Barrier};
use std::future::{Future, poll_fn};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

/// Sleeps in tasks and in the future of `block_on` end, and none early.
pub(super) fn sleeps_end(runtime: &Runtime) {
    let sleeping = [3_u64, 700, 40].map(|micros| {
        runtime.spawn(async move {
            let time = Duration::from_micros(micros);
            let start = runtime_timer::Instant::now();
            runtime_timer::sleep(time).await;
            assert!(start.elapsed() >= time);
        })
    });
    runtime.block_on(async {
        runtime_timer::sleep(Duration::from_micros(20)).await;
        for sleeper in sleeping {
            sleeper.await.expect("no panic");
        }
    });
}

#[test]
fn timers_on_workers_and_outside_fire_and_none_is_early() {
    check(|| sleeps_end(&runtime(2)));
}

#[test]
fn timers_that_are_given_up_leave_the_others() {
    check(|| {
        let runtime = runtime(1);
        let long = runtime.spawn(runtime_timer::sleep(Duration::from_secs(3_600)));
        let abort = long.abort_handle();
        let short = runtime.spawn(async move {
            runtime_timer::sleep(Duration::from_micros(50)).await;
            abort.abort();
        });
        runtime.block_on(async {
            short.await.expect("no panic");
            assert!(long.await.expect_err("aborted").is_cancelled());
        });
    });
}

#[test]
fn jobs_that_wait_for_each_other_all_get_a_thread() {
    check(|| {
        let runtime = runtime(1);
        let barrier = Arc::new(Barrier::new(3));
        let jobs = [0, 1, 2].map(|_| {
            let barrier = Arc::clone(&barrier);
            runtime.spawn_blocking(move || {
                barrier.wait();
            })
        });
        runtime.block_on(async {
            for job in jobs {
                job.await.expect("no panic");
            }
        });
    });
}

#[test]
fn results_of_computations_reach_who_awaits_them() {
    check(|| {
        let runtime = runtime(2);
        let jobs = [1, 2, 3].map(|number| runtime.spawn_compute(move || number));
        let sum = runtime.block_on(async {
            let mut sum = 0;
            for job in jobs {
                sum += job.await.expect("no panic");
            }
            sum
        });
        assert_eq!(sum, 6);
    });
}

#[test]
fn events_reach_their_tasks_whatever_the_workers_do() {
    check(|| {
        let runtime = runtime(2);
        let reactor = std::sync::Arc::clone(&runtime.handle().house.engine.reactor);
        let (first, second) = UnixStream::pair().expect("descriptors to spare");
        let _inside = context::enter(&runtime.handle().house);
        let sources = [first, second].map(|socket| {
            std::sync::Arc::new(Registered::new(socket, Initial::NotReady).expect("room"))
        });
        let waiting = sources.clone().map(|source| {
            runtime.spawn(async move {
                let ready = poll_fn(|cx| source.poll_ready(Direction::Read, cx));
                ready.await.expect("the runtime goes on");
            })
        });
        let system = shuttle::thread::spawn(move || {
            for source in &sources {
                let fd = source.get_ref().as_fd();
                reactor.registry.poller.raise(fd, Ready::READABLE);
            }
        });
        for task in waiting {
            runtime.block_on(task).expect("no panic");
        }
        system.join().expect("no panic");
    });
}

#[test]
fn a_paused_clock_does_not_jump_while_somebody_rechecks_what_was_taken_for_drained() {
    check(|| {
        let builder = Builder::new_current_thread().debug(false);
        let runtime = builder.start_paused(true).build().expect("nothing refuses");
        let house = &runtime.handle().house;
        runtime.block_on(async {
            let (socket, _other) = UnixStream::pair().expect("descriptors to spare");
            let source = Registered::new(socket, Initial::NotReady).expect("room");
            let poller = &house.engine.reactor.registry.poller;
            poller.raise(source.get_ref().as_fd(), Ready::READABLE);
            poll_fn(|cx| source.poll_ready(Direction::Read, cx))
                .await
                .expect("the runtime goes on");
            assert!(source.doubt(), "this is a worker");
            // The poll lasts until the reactor thread has begun to recheck in the worker's stead.
            while !house.engine.lanes[0].rechecks.is_empty() {
                shuttle::thread::yield_now();
            }
            let mut end = pin!(runtime_timer::sleep(Duration::from_secs(3_600)));
            poll_fn(|cx| match source.poll_ready(Direction::Read, cx) {
                Poll::Ready(ready) => Poll::Ready(ready.expect("the runtime goes on")),
                Poll::Pending => end.as_mut().poll(cx).map(|()| panic!("the clock jumped")),
            })
            .await;
        });
    });
}
