//! A poller that cannot be opened, takes no more descriptors, or whose waits fail.

use super::stalls::Door;
use super::waits::sleeps_end;
use super::{check, check_in, runtime};
use crate::reactor::{Direction, Initial, Reactor, Ready, Registered};
use crate::scheduler::context;
use crate::{Builder, Runtime};
use runtime_timer::modelled_faults::{Fault, When, inject, struck};
use std::future::poll_fn;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

type Source = Arc<Registered<UnixStream>>;

fn reactor(runtime: &Runtime) -> Arc<Reactor> {
    Arc::clone(&runtime.handle().house.engine.reactor)
}

/// The two ends of a connection, as far as they are registered.
fn sources(runtime: &Runtime) -> [std::io::Result<Source>; 2] {
    let (first, second) = UnixStream::pair().expect("descriptors to spare");
    let _inside = context::enter(&runtime.handle().house);
    [first, second].map(|socket| Registered::new(socket, Initial::NotReady).map(Arc::new))
}

async fn readable(source: &Source) -> std::io::Result<()> {
    poll_fn(|cx| source.poll_ready(Direction::Read, cx)).await
}

/// Raises events of sources, from a thread that stands for the system.
fn raise(reactor: &Arc<Reactor>, sources: Vec<Source>) -> shuttle::thread::JoinHandle<()> {
    let reactor = Arc::clone(reactor);
    shuttle::thread::spawn(move || {
        for source in sources {
            let fd = source.get_ref().as_fd();
            reactor.registry.poller.raise(fd, Ready::READABLE);
        }
    })
}

#[test]
fn a_runtime_without_a_poller_is_an_error_of_the_build_in_words() {
    check(|| {
        for builder in [Builder::new, Builder::new_current_thread] {
            inject(Fault::NoPoller, When::Always);
            let refused = builder().worker_threads(1).debug(false).build();
            let error = refused.expect_err("there is no poller");
            assert!(error.to_string().contains("RLIMIT_NOFILE"), "{error}");
            inject(Fault::NoPoller, When::Never);
            let runtime = builder().worker_threads(1).debug(false).build();
            assert_eq!(runtime.expect("a poller").block_on(async { 7 }), 7);
        }
    });
}

/// Timers, tasks that other threads spawn, and jobs, on a runtime that is there already; and its end.
fn everything_else_goes_on(runtime: Runtime) {
    let handle = runtime.handle().clone();
    let outside = shuttle::thread::spawn(move || {
        handle.block_on(async {
            runtime_timer::sleep(Duration::from_micros(30)).await;
            let task = crate::spawn(async { crate::spawn_blocking(|| 1).await });
            task.await.expect("no panic").expect("a thread")
        })
    });
    sleeps_end(&runtime);
    assert_eq!(outside.join().expect("no panic"), 1);
    drop(runtime.spawn(std::future::pending::<()>()));
}

fn current_thread() -> Runtime {
    let builder = Builder::new_current_thread().debug(false);
    builder.build().expect("nothing refuses yet")
}

#[test]
fn waits_that_fail_now_and_then_lose_neither_timers_nor_tasks_nor_the_end() {
    fn both(runtime: Runtime) {
        inject(Fault::Interruption, When::AtRandom);
        inject(Fault::BrokenPoller, When::AtRandom);
        everything_else_goes_on(runtime);
    }
    check(|| both(runtime(2)));
    check(|| both(current_thread()));
}

#[test]
fn a_poller_that_is_broken_for_good_leaves_timers_tasks_and_the_end() {
    /// In all schedules: in some nobody has to wait.
    static STRUCK: AtomicUsize = AtomicUsize::new(0);
    fn broken(runtime: Runtime) {
        inject(Fault::BrokenPoller, When::Always);
        everything_else_goes_on(runtime);
        STRUCK.fetch_add(struck(Fault::BrokenPoller), Ordering::SeqCst);
    }
    check(|| broken(runtime(2)));
    check(|| broken(current_thread()));
    assert!(STRUCK.load(Ordering::SeqCst) > 0);
}

#[test]
fn behind_a_stuck_worker_a_broken_poller_stops_neither_relief_nor_timers() {
    check(|| {
        let builder = Builder::new().worker_threads(1).debug(false);
        let runtime = builder
            .stall_threshold(Some(Duration::from_millis(1)))
            .max_relief_threads(1)
            .build()
            .expect("nothing refuses yet");
        // Something to look for, so that the reactor thread looks in place of the stuck worker.
        let sources = sources(&runtime).map(|source| source.expect("room"));
        inject(Fault::BrokenPoller, When::Always);
        let door = Arc::new(Door::default());
        let stuck = runtime.spawn(async move {
            let other = Arc::clone(&door);
            let opener = crate::spawn(async move {
                runtime_timer::sleep(Duration::from_micros(20)).await;
                other.open();
            });
            door.pass();
            opener.await.expect("no panic");
        });
        runtime.block_on(stuck).expect("no panic");
        drop(sources);
    });
}

#[test]
fn who_waits_for_a_socket_of_a_broken_poller_is_told_of_the_end() {
    check(|| {
        let runtime = runtime(2);
        inject(Fault::BrokenPoller, When::Always);
        let [source, _other] = sources(&runtime).map(|source| source.expect("room"));
        let handle = runtime.handle().clone();
        let waiting = shuttle::thread::spawn(move || handle.block_on(readable(&source)));
        drop(runtime);
        let outcome = waiting.join().expect("no panic");
        let error = outcome.expect_err("no event comes");
        assert!(error.to_string().contains("shut down"), "{error}");
    });
}

/// Events of two sources for two tasks, while waits fail.
fn events_while(faults: &[(Fault, When)]) {
    let runtime = runtime(2);
    let sources = sources(&runtime).map(|source| source.expect("room"));
    for (fault, when) in faults {
        inject(*fault, *when);
    }
    let waiting = sources.clone().map(|source| {
        runtime.spawn(async move { readable(&source).await.expect("the runtime goes on") })
    });
    let system = raise(&reactor(&runtime), sources.to_vec());
    for task in waiting {
        runtime.block_on(task).expect("no panic");
    }
    system.join().expect("no panic");
}

#[test]
fn waits_that_fail_lose_no_event() {
    check(|| {
        events_while(&[
            (Fault::Interruption, When::AtRandom),
            (Fault::BrokenPoller, When::AtRandom),
        ]);
    });
}

/// The canary: one event that a wait took and did not bring is a task that sleeps for ever.
#[test]
#[should_panic(expected = "deadlock")]
fn canary_a_wait_that_loses_what_came_is_found() {
    check_in(1_000, || {
        events_while(&[(Fault::LostEvents, When::AtRandom)])
    });
}

#[test]
fn registrations_that_are_refused_are_errors_and_leave_the_others() {
    check(|| {
        let runtime = runtime(2);
        let (kept, refused): (Vec<_>, Vec<_>) = {
            inject(Fault::NoRoom, When::AtRandom);
            let pairs = [sources(&runtime), sources(&runtime)];
            inject(Fault::NoRoom, When::Never);
            pairs.into_iter().flatten().partition(Result::is_ok)
        };
        assert_eq!(refused.len(), struck(Fault::NoRoom));
        for refused in refused {
            let error = refused.expect_err("sorted");
            assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
            assert!(error.to_string().contains("poller refused"), "{error}");
        }
        assert_eq!(runtime.metrics().num_descriptors(), kept.len());
        // Numbers of the refused ones are used again.
        let again = sources(&runtime);
        let kept: Vec<_> = kept
            .into_iter()
            .chain(again)
            .map(|source| source.expect("room"))
            .collect();
        let waiting: Vec<_> = kept
            .iter()
            .cloned()
            .map(|source| runtime.spawn(async move { readable(&source).await }))
            .collect();
        let system = raise(&reactor(&runtime), kept);
        for task in waiting {
            let outcome = runtime.block_on(task).expect("no panic");
            outcome.expect("the runtime goes on");
        }
        system.join().expect("no panic");
        assert_eq!(runtime.metrics().num_descriptors(), 0);
    });
}
