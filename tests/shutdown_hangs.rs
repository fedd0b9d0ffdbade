//! A shutdown comes back in time, whatever is stuck, whoever calls it and wherever: nothing hangs.

mod common;

use common::{Count, Flavour, OnDrop, PATIENCE, eventually, panic_text, silence_panics, with_each};
use gristmill::runtime::{Handle, Runtime, ShutdownReport};
use gristmill::task::JoinHandle;
use gristmill::time::{Duration, sleep};
use std::cell::RefCell;
use std::future::pending;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Instant;

/// For shutdowns that something holds up until they are over.
const SHORT: Duration = Duration::from_millis(200);

/// By then a shutdown of [`SHORT`] is back, and one of nothing that is stuck. A hundred times as long as it takes: it is to tell those
/// that wait for what is stuck, or as long as a drop does, from those that a busy machine holds up.
const BY_THEN: Duration = Duration::from_secs(20);

/// A runtime for whoever comes first.
type Shared = Arc<Mutex<Option<Runtime>>>;

fn share(runtime: Runtime) -> Shared {
    Arc::new(Mutex::new(Some(runtime)))
}

/// Shuts it down, unless somebody has.
fn end(shared: &Shared, timeout: Duration) -> Option<ShutdownReport> {
    let runtime = shared.lock().expect("no panic").take()?;
    Some(runtime.shutdown_timeout(timeout))
}

/// Blocks until the sender is dropped; says that it has begun.
fn blocker() -> (
    impl FnOnce() + Send + 'static,
    mpsc::Sender<()>,
    mpsc::Receiver<()>,
) {
    let (release, released) = mpsc::channel::<()>();
    let (begins, begun) = mpsc::channel();
    let block = move || {
        let _ = begins.send(());
        let _ = released.recv();
    };
    (block, release, begun)
}

/// A task that has been polled, owns the value, and waits.
fn hold(runtime: &Handle, value: impl Send + 'static) -> JoinHandle<()> {
    runtime.spawn(async move {
        let _value = value;
        pending::<()>().await;
    })
}

#[test]
fn a_poll_that_never_ends_does_not_hold_up_the_shutdown() {
    for flavour in [Flavour::FourWorkers, Flavour::OneWorker] {
        common::within(format!("{flavour:?}"), move || {
            let runtime = flavour.runtime();
            let mut releases = Vec::new();
            for _ in 0..6 {
                let (block, release, begun) = blocker();
                drop(runtime.spawn(async { block() }));
                begun.recv_timeout(PATIENCE).expect("it is polled");
                releases.push(release);
            }
            let report = runtime.shutdown_timeout(SHORT);
            assert_eq!(report.task_count(), 6, "{report}");
            drop(releases);
        });
    }
}

#[test]
fn destructors_that_never_end_do_not_hold_up_the_shutdown() {
    with_each(|flavour| {
        for in_background in [false, true] {
            // A current-thread runtime drops in place unless it was given a time.
            if in_background && flavour == Flavour::CurrentThread {
                continue;
            }
            let runtime = flavour.runtime();
            let ends = Count::default();
            let releases: Vec<_> = (0..10)
                .map(|_| {
                    let (block, release, _) = blocker();
                    let ends = ends.clone();
                    let drops = OnDrop::new(move || {
                        block();
                        ends.add();
                    });
                    drop(hold(runtime.handle(), drops));
                    release
                })
                .collect();
            if in_background {
                runtime.shutdown_background();
            } else {
                let report = runtime.shutdown_timeout(SHORT);
                assert_eq!(report.task_count(), 10, "{report}");
                assert!(!report.threads().is_empty(), "{report}");
            }
            assert_eq!(ends.get(), 0);
            drop(releases);
            eventually("every future is dropped all the same", || ends.get() == 10);
        }
    });
}

#[test]
fn jobs_that_never_end_do_not_hold_up_the_shutdown() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let (block, release, begun) = blocker();
        drop(runtime.spawn_blocking(block));
        begun.recv_timeout(PATIENCE).expect("it runs");
        let (block, release_too, begun) = blocker();
        drop(runtime.spawn_compute(block));
        begun.recv_timeout(PATIENCE).expect("it runs");
        let report = runtime.shutdown_timeout(SHORT);
        assert_eq!(report.job_count(), 2, "{report}");
        drop((release, release_too));
    });
}

#[test]
fn a_shutdown_waits_as_long_as_it_was_told_and_not_at_all_for_nothing() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let (block, release, begun) = blocker();
        drop(runtime.spawn_blocking(block));
        begun.recv_timeout(PATIENCE).expect("it runs");
        let (stuck, release_too, _) = blocker();
        drop(hold(runtime.handle(), OnDrop::new(stuck)));
        let begin = Instant::now();
        let report = runtime.shutdown_timeout(SHORT);
        let took = begin.elapsed();
        assert!(took >= SHORT && took < BY_THEN, "{took:?}: {report}");
        assert!(report.duration() <= took, "{report}");
        drop((release, release_too));

        let runtime = flavour.runtime();
        drop(hold(runtime.handle(), ()));
        let begin = Instant::now();
        let report = runtime.shutdown_timeout(Duration::MAX);
        let took = begin.elapsed();
        assert!(took < BY_THEN, "{took:?}: {report}");
    });
}

#[test]
fn a_queued_job_whose_destructor_never_ends_does_not_hold_up_the_shutdown() {
    common::within("queued", || {
        let builder = Flavour::OneWorker.builder().max_blocking_threads(1);
        let runtime = builder.build().expect("a runtime");
        let occupied = common::Occupied::new(runtime.handle());
        let (block, release, _) = blocker();
        let drops = OnDrop::new(block);
        drop(runtime.spawn_blocking(move || drop(drops)));
        let behind = Count::default();
        let probe = behind.on_drop();
        let next = runtime.spawn_blocking(move || drop(probe));
        let report = runtime.shutdown_timeout(SHORT);
        assert_eq!(report.job_count(), 3, "{report}");
        assert_eq!(behind.get(), 0);
        drop(release);
        eventually("the next one is cancelled", || next.is_finished());
        assert_eq!(behind.get(), 1);
        drop(occupied);
    });
}

#[test]
fn thread_hooks_that_never_end_do_not_hold_up_the_shutdown() {
    with_each(|flavour| {
        for at_start in [false, true] {
            let (release, released) = mpsc::channel::<()>();
            let released = Mutex::new(released);
            let block = move || {
                let _ = released.lock().map(|released| released.recv());
            };
            let builder = flavour.builder();
            let runtime = if at_start {
                builder.on_thread_start(block)
            } else {
                builder.on_thread_stop(block)
            };
            let runtime = runtime.build().expect("a runtime");
            drop(runtime.spawn_blocking(|| ()));
            drop(hold(runtime.handle(), ()));
            let report = runtime.shutdown_timeout(SHORT);
            assert!(!report.threads().is_empty(), "{report}");
            drop(release);
        }
    });
}

#[test]
fn a_report_hook_that_never_ends_does_not_hold_up_the_shutdown() {
    with_each(|flavour| {
        let (release, released) = mpsc::channel::<()>();
        let released = Mutex::new(released);
        let builder = flavour.builder().debug(true).thread_name("sh");
        let runtime = builder.on_report(move |_| {
            let _ = released.lock().map(|released| released.recv());
        });
        let runtime = runtime.build().expect("a runtime");
        drop(hold(runtime.handle(), ()));
        let report = runtime.shutdown_timeout(SHORT);
        let says = report.threads().iter().any(|name| name == "sh-report");
        assert!(says, "{report}");
        drop(release);
    });
}

thread_local! {
    /// Dropped when its thread ends.
    static LAST: RefCell<Option<Box<dyn Send>>> = const { RefCell::new(None) };
}

#[test]
fn thread_locals_whose_destructors_never_end_do_not_hold_up_the_shutdown() {
    with_each(|flavour| {
        let runtime = flavour.builder().thread_name("tl").build();
        let runtime = runtime.expect("a runtime");
        let mut releases = Vec::new();
        let mut threads = Vec::new();
        let mut leave = |set: &dyn Fn(Box<dyn FnOnce() -> String + Send>) -> JoinHandle<String>| {
            let (block, release, _) = blocker();
            releases.push(release);
            let job = set(Box::new(move || {
                LAST.set(Some(Box::new(OnDrop::new(block))));
                std::thread::current().name().unwrap_or("").to_owned()
            }));
            threads.push(runtime.block_on(job).expect("no panic"));
        };
        leave(&|f| runtime.spawn_blocking(f));
        leave(&|f| runtime.spawn_compute(f));
        if flavour != Flavour::CurrentThread {
            leave(&|f| runtime.spawn(async { f() }));
        }
        let report = runtime.shutdown_timeout(SHORT);
        for thread in threads {
            assert!(report.threads().contains(&thread), "{thread}: {report}");
        }
        drop(releases);
    });
}

#[test]
fn any_thread_of_its_own_may_shut_it_down() {
    type Begin = fn(&Handle, Box<dyn FnOnce() + Send>);
    let ways: [(&str, Begin); 4] = [
        ("a task", |runtime, f| drop(runtime.spawn(async { f() }))),
        ("a job", |runtime, f| drop(runtime.spawn_blocking(f))),
        ("a computation", |runtime, f| drop(runtime.spawn_compute(f))),
        ("a drop in a task", |runtime, f| {
            let f = OnDrop::new(f);
            let task = hold(runtime, f);
            task.abort();
        }),
    ];
    for flavour in common::FLAVOURS {
        for (way, begin) in ways {
            common::within(format!("{flavour:?}, {way}"), move || {
                let runtime = flavour.runtime();
                let handle = runtime.handle().clone();
                let (sender, receiver) = mpsc::channel();
                let shared = share(runtime);
                let own = Arc::clone(&shared);
                let other = hold(&handle, ());
                begin(
                    &handle,
                    Box::new(move || drop(sender.send(end(&own, PATIENCE)))),
                );
                // A current-thread runtime runs its tasks in here.
                let cancelled = handle.block_on(other);
                assert!(cancelled.expect_err("shut down").is_cancelled());
                let report = receiver.recv_timeout(PATIENCE).expect("it comes back");
                let report = report.expect("nobody else did");
                assert!(report.duration() < PATIENCE / 2, "{report}");
            });
        }
    }
}

#[test]
fn the_stop_hook_and_thread_local_destructors_may_shut_it_down() {
    for flavour in common::FLAVOURS {
        for in_hook in [true, false] {
            common::within(format!("{flavour:?}, hook: {in_hook}"), move || {
                let place: Shared = Arc::default();
                let (sender, receiver) = mpsc::channel();
                let (own, in_stop) = (Arc::clone(&place), Mutex::new(sender.clone()));
                let mut builder = flavour.builder().thread_keep_alive(Duration::ZERO);
                if in_hook {
                    builder = builder.on_thread_stop(move || {
                        if let Some(report) = end(&own, PATIENCE) {
                            drop(in_stop.lock().map(|sender| sender.send(report)));
                        }
                    });
                }
                let runtime = builder.build().expect("a runtime");
                let handle = runtime.handle().clone();
                *place.lock().expect("no panic") = Some(runtime);
                // Two at a time, so that one of their threads ends: the pool keeps its last.
                let barrier = Arc::new(std::sync::Barrier::new(2));
                for _ in 0..2 {
                    let (barrier, own, sender) =
                        (Arc::clone(&barrier), Arc::clone(&place), sender.clone());
                    drop(handle.spawn_blocking(move || {
                        if !in_hook {
                            LAST.set(Some(Box::new(OnDrop::new(move || {
                                let report = end(&own, PATIENCE);
                                drop(report.map(|report| sender.send(report)));
                            }))));
                        }
                        barrier.wait();
                    }));
                }
                let report = receiver.recv_timeout(PATIENCE).expect("it comes back");
                assert!(report.duration() < PATIENCE / 2, "{report}");
            });
        }
    }
}

#[test]
fn a_workers_thread_local_destructor_may_drop_the_runtime() {
    for flavour in [Flavour::FourWorkers, Flavour::OneWorker] {
        common::within(format!("{flavour:?}"), move || {
            let other = share(flavour.runtime());
            let runtime = flavour.runtime();
            let handle = runtime.handle().clone();
            let (sender, receiver) = mpsc::channel();
            let both = (Arc::clone(&other), share(runtime));
            let own = Arc::clone(&both.1);
            let task = handle.spawn(async move {
                LAST.set(Some(Box::new(OnDrop::new(move || {
                    let reports = (end(&both.0, PATIENCE), end(&both.1, PATIENCE));
                    drop(sender.send(reports));
                }))));
            });
            handle.block_on(task).expect("no panic");
            // Its workers end, and the last of them finds the other runtime.
            let report = end(&own, PATIENCE).expect("nobody did");
            assert!(report.threads().is_empty(), "{report}");
            let (other, own) = receiver.recv_timeout(PATIENCE).expect("it comes back");
            assert!(other.expect("nobody did").is_clean());
            assert!(own.is_none());
        });
    }
}

#[test]
fn a_future_that_is_dropped_may_want_what_its_dropper_holds() {
    with_each(|flavour| {
        let shared = share(flavour.runtime());
        let handle = {
            let guard = shared.lock().expect("no panic");
            guard.as_ref().expect("there").handle().clone()
        };
        let (own, seen) = (Arc::clone(&shared), Count::default());
        let counted = seen.clone();
        drop(hold(
            &handle,
            OnDrop::new(move || {
                assert!(end(&own, PATIENCE).is_none());
                counted.add();
            }),
        ));
        // The lock is held for as long as the shutdown takes: the destructor has to wait for that.
        let mut guard = shared.lock().expect("no panic");
        let report = guard.take().expect("there").shutdown_timeout(SHORT);
        assert_eq!((report.task_count(), seen.get()), (1, 0), "{report}");
        drop(guard);
        eventually("the destructor goes on", || seen.get() == 1);
    });
}

#[test]
fn of_many_threads_that_shut_down_at_once_one_does() {
    with_each(|flavour| {
        for _ in 0..20 {
            let runtime = flavour.runtime();
            let drops = Count::default();
            drop(hold(runtime.handle(), drops.on_drop()));
            let shared = share(runtime);
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let shared = Arc::clone(&shared);
                    std::thread::spawn(move || end(&shared, PATIENCE))
                })
                .collect();
            let reports: Vec<_> = threads
                .into_iter()
                .filter_map(|thread| thread.join().expect("no panic"))
                .collect();
            assert_eq!(reports.len(), 1);
            assert_eq!((reports[0].task_count(), drops.get()), (1, 1));
        }
    });
}

#[test]
fn two_runtimes_whose_jobs_end_each_other_come_to_an_end() {
    with_each(|flavour| {
        let (first, second) = (flavour.runtime(), flavour.runtime());
        let handles = (first.handle().clone(), second.handle().clone());
        let meet = Arc::new(std::sync::Barrier::new(2));
        let met = Arc::clone(&meet);
        let one = handles.0.spawn_blocking(move || {
            meet.wait();
            second.shutdown_timeout(SHORT)
        });
        let other = handles.1.spawn_blocking(move || {
            met.wait();
            first.shutdown_timeout(SHORT)
        });
        eventually("both come back", || {
            one.is_finished() && other.is_finished()
        });
    });
}

#[test]
fn a_thread_in_block_on_is_told_by_what_it_waits_for() {
    silence_panics();
    with_each(|flavour| {
        for own_time in [false, true] {
            let runtime = flavour.runtime();
            let handle = runtime.handle().clone();
            let (started, start) = mpsc::channel();
            let blocked = std::thread::spawn(move || {
                handle.block_on(async {
                    let bind = gristmill::net::TcpListener::bind("127.0.0.1:0");
                    let listener = bind.await.expect("bound");
                    started.send(()).expect("a receiver");
                    if own_time {
                        sleep(Duration::from_secs(3600)).await;
                    }
                    listener.accept().await.expect_err("shut down").to_string()
                })
            });
            start.recv_timeout(PATIENCE).expect("it is inside");
            runtime.shutdown_timeout(PATIENCE);
            let mut outcome = None;
            if own_time {
                let text = panic_text(|| {
                    if let Err(panic) = blocked.join() {
                        std::panic::resume_unwind(panic);
                    }
                });
                assert!(text.contains("runtime"), "{text}");
            } else {
                outcome = Some(blocked.join().expect("no panic"));
            }
            if let Some(text) = outcome {
                assert!(text.contains("has shut down"), "{text}");
            }
        }
    });
}

#[test]
fn handles_of_what_was_spawned_beside_the_shutdown_all_end() {
    with_each(|flavour| {
        for _ in 0..10 {
            let runtime = flavour.runtime();
            let (started, start) = mpsc::channel();
            let threads: Vec<_> = (0..3)
                .map(|_| {
                    let (handle, started) = (runtime.handle().clone(), started.clone());
                    std::thread::spawn(move || {
                        let mut handles = Vec::new();
                        loop {
                            let late = handle.spawn(pending::<()>());
                            let is_over = late.is_finished();
                            handles.push(late);
                            handles.push(handle.spawn_blocking(|| ()));
                            handles.push(handle.spawn_compute(|| ()));
                            let _ = started.send(());
                            if is_over {
                                return handles;
                            }
                        }
                    })
                })
                .collect();
            start.recv_timeout(PATIENCE).expect("the first spawns");
            let handle = runtime.handle().clone();
            runtime.shutdown_timeout(PATIENCE);
            for thread in threads {
                for spawned in thread.join().expect("no panic") {
                    let outcome = handle.block_on(spawned);
                    assert!(outcome.map_or_else(|error| error.is_cancelled(), |()| true));
                }
            }
        }
    });
}

#[test]
fn a_paused_clock_holds_up_no_shutdown() {
    common::within("paused", || {
        for inside in [false, true] {
            let builder = Flavour::CurrentThread.builder().start_paused(true);
            let runtime = builder.build().expect("a runtime");
            let handle = runtime.handle().clone();
            let (block, release, begun) = blocker();
            // Time stands still while there is a job.
            drop(runtime.spawn_blocking(block));
            begun.recv_timeout(PATIENCE).expect("it runs");
            let asleep = runtime.spawn(sleep(Duration::from_secs(3600)));
            let shared = share(runtime);
            let own = Arc::clone(&shared);
            if inside {
                let ends = handle.spawn(async move { end(&own, PATIENCE) });
                handle.block_on(ends).expect("it ends in that poll");
            } else {
                end(&shared, SHORT).expect("nobody did");
            }
            let cancelled = handle.block_on(asleep);
            assert!(cancelled.expect_err("shut down").is_cancelled());
            drop(release);
        }
    });
}

#[cfg(unix)]
#[test]
fn a_task_that_listens_for_a_signal_may_shut_down() {
    use gristmill::signal::unix::{SignalKind, signal};
    use rustix::process::{Signal, getpid, kill_process};

    const TEST: &str = "a_task_that_listens_for_a_signal_may_shut_down";
    common::in_own_process(TEST, || {
        with_each(|flavour| {
            let runtime = flavour.runtime();
            let handle = runtime.handle().clone();
            let (listens, is_listening) = mpsc::channel();
            let shared = share(runtime);
            let own = Arc::clone(&shared);
            let ends = handle.spawn(async move {
                let mut hangup = signal(SignalKind::hangup()).expect("it listens");
                listens.send(()).expect("a receiver");
                hangup.recv().await;
                end(&own, PATIENCE).is_some()
            });
            let raiser = std::thread::spawn(move || {
                is_listening.recv_timeout(PATIENCE).expect("it listens");
                kill_process(getpid(), Signal::HUP).expect("it is ours");
            });
            assert!(handle.block_on(ends).expect("it ends in that poll"));
            raiser.join().expect("no panic");
        });
    });
}
