//! What `shutdown_timeout` tells: everything that was still alive, by name, place and state, and nothing else.

mod common;

use common::{Count, Flavour, OnDrop, PATIENCE, eventually, with_each};
use gristmill::runtime::{
    Runtime, ShutdownReport, UnfinishedJobState, UnfinishedTask, UnfinishedTaskState,
};
use gristmill::task::Builder;
use gristmill::time::{Duration, sleep};
use std::future::pending;
use std::sync::mpsc;
use std::task::Poll;
use std::time::Instant;

/// For shutdowns that something holds up until they are over.
const SHORT: Duration = Duration::from_millis(300);

/// The same, where much else is to be done meanwhile.
const LONGER: Duration = Duration::from_secs(1);

/// A task of that name in the report.
#[track_caller]
fn task<'a>(report: &'a ShutdownReport, name: &str) -> &'a UnfinishedTask {
    let mut named = report.tasks().iter().filter(|t| t.name() == Some(name));
    let task = named.next().unwrap_or_else(|| panic!("{name}: {report}"));
    assert!(named.next().is_none(), "{name} twice: {report}");
    task
}

/// Spawns a task with a name.
fn spawn(runtime: &Runtime, name: &str, future: impl Future<Output = ()> + Send + 'static) {
    drop(Builder::new().name(name).spawn_on(future, runtime.handle()));
}

/// A task that blocks the thread that polls it until the sender is dropped; it is being polled when this returns.
fn stuck(runtime: &Runtime, name: &str) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel::<()>();
    let (started, start) = mpsc::channel();
    spawn(runtime, name, async move {
        started.send(()).expect("a receiver");
        let _ = released.recv();
        pending::<()>().await;
    });
    start.recv_timeout(PATIENCE).expect("it is polled");
    release
}

/// Blocks in its drop until the sender is dropped.
fn blocks_until(released: mpsc::Receiver<()>) -> OnDrop<impl FnOnce() + Send + 'static> {
    OnDrop::new(move || {
        let _ = released.recv();
    })
}

/// Waits until so many polls are over.
fn settle(runtime: &Runtime, polls: u64) {
    let metrics = runtime.metrics();
    let over = || (0..64).map(|lane| metrics.worker_poll_count(lane)).sum();
    runtime.block_on(async {
        let begin = Instant::now();
        while polls > over() {
            assert!(begin.elapsed() < PATIENCE, "never polled");
            gristmill::task::yield_now().await;
        }
    });
}

/// These threads had not ended, nor perhaps others that were slow.
#[track_caller]
fn assert_left(report: &ShutdownReport, threads: &[&str]) {
    let left = |name: &&str| report.threads().iter().any(|left| left == name);
    assert!(threads.iter().all(left), "{report}");
}

#[test]
fn a_runtime_whose_work_is_done_has_nothing_to_tell() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        runtime.block_on(async {
            let task = gristmill::spawn(sleep(Duration::from_millis(1)));
            task.await.expect("no panic");
            gristmill::spawn_blocking(|| ()).await.expect("runs");
            gristmill::spawn_compute(|| ()).await.expect("runs");
            let aborted = gristmill::spawn(pending::<()>());
            aborted.abort();
            assert!(aborted.await.expect_err("aborted").is_cancelled());
        });
        let report = runtime.shutdown_timeout(PATIENCE);
        assert!(report.is_clean(), "{report}");
        assert!(report.duration() < PATIENCE);
        let text = report.to_string();
        assert!(text.starts_with("shut down in "), "{text}");
        assert!(text.ends_with(", nothing was left"), "{text}");
    });
}

#[test]
fn what_ends_in_the_poll_that_is_going_on_was_not_left() {
    with_each(|flavour| {
        for _ in 0..200 {
            let runtime = flavour.runtime();
            let (sender, receiver) = async_channel::bounded(2);
            let from_job = sender.clone();
            runtime.block_on(async {
                drop(gristmill::spawn(async move { sender.try_send(()) }));
                drop(gristmill::spawn_blocking(move || from_job.try_send(())));
                // Both have sent, and may not have ended.
                receiver.recv().await.expect("sent");
                receiver.recv().await.expect("sent");
            });
            let report = runtime.shutdown_timeout(PATIENCE);
            assert!(report.is_clean(), "{report}");
        }
    });
}

#[test]
fn a_task_that_waited_is_told_by_name_and_place_and_dropped() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let drops = Count::default();
        let probe = drops.on_drop();
        let line = line!() + 1;
        let waits = Builder::new().name("waits").spawn_on(
            async move {
                let _probe = probe;
                pending::<()>().await;
            },
            runtime.handle(),
        );
        settle(&runtime, 1);
        let report = runtime.shutdown_timeout(PATIENCE);
        assert_eq!(drops.get(), 1);
        let told = task(&report, "waits");
        assert_eq!(told.id(), waits.id());
        assert_eq!(told.state(), UnfinishedTaskState::Waiting);
        assert_eq!(told.thread(), None);
        let place = told.spawned_at();
        assert_eq!(place.file(), file!());
        assert!(place.line() >= line && place.line() <= line + 1, "{place}");
        assert!(!report.is_clean());
        assert_eq!((report.task_count(), report.job_count()), (1, 0));
        assert_eq!(
            told.to_string(),
            format!(
                "task {} \"waits\" spawned at {place} was waiting, and was dropped",
                waits.id()
            )
        );
        let text = report.to_string();
        assert!(
            text.contains(&format!("left were 1 task\n  {told}")),
            "{text}"
        );
    });
}

#[test]
fn tasks_behind_a_stuck_worker_are_dropped_in_time_and_told() {
    common::within("behind", || {
        let builder = Flavour::OneWorker.builder().max_relief_threads(0);
        let runtime = builder.thread_name("sr").build().expect("a runtime");
        spawn(&runtime, "waits", pending());
        settle(&runtime, 1);
        let release = stuck(&runtime, "stuck");
        let drops = Count::default();
        let probe = drops.on_drop();
        spawn(&runtime, "behind", async move {
            let _probe = probe;
        });
        let report = runtime.shutdown_timeout(LONGER);
        assert_eq!(drops.get(), 1, "dropped although its worker is stuck");
        assert_eq!(task(&report, "waits").state(), UnfinishedTaskState::Waiting);
        assert_eq!(
            task(&report, "behind").state(),
            UnfinishedTaskState::Runnable
        );
        let told = task(&report, "stuck");
        assert_eq!(told.state(), UnfinishedTaskState::Polling);
        assert_eq!(told.thread(), Some("sr-w0"));
        assert_eq!(report.tasks()[0].id(), told.id(), "the worst comes first");
        assert_left(&report, &["sr-w0"]);
        assert!(report.duration() >= LONGER);
        let text = report.to_string();
        assert!(
            text.contains("is still being polled by thread \"sr-w0\"\n"),
            "{text}"
        );
        assert!(
            text.contains("\n  thread \"sr-w0\" has not ended"),
            "{text}"
        );
        drop(release);
    });
}

#[test]
fn a_poll_that_ends_in_time_is_told_apart_by_what_became_of_its_task() {
    for ends in [false, true] {
        common::within(format!("ends: {ends}"), move || {
            let builder = Flavour::OneWorker.builder().max_relief_threads(0);
            let runtime = builder.build().expect("a runtime");
            let (release, released) = mpsc::channel::<()>();
            let (started, start) = mpsc::channel();
            spawn(&runtime, "polled", async move {
                started.send(()).expect("a receiver");
                let _ = released.recv();
                if !ends {
                    pending::<()>().await;
                }
            });
            start.recv_timeout(PATIENCE).expect("it is polled");
            // Its drop, which only the shutdown brings about, lets the other's poll go on.
            spawn(&runtime, "waits", async move {
                let _release = release;
                pending::<()>().await;
            });
            let report = runtime.shutdown_timeout(PATIENCE);
            assert_eq!(report.task_count(), 2 - usize::from(ends), "{report}");
            if !ends {
                let told = task(&report, "polled");
                assert_eq!(told.state(), UnfinishedTaskState::Polled);
                assert!(told.to_string().ends_with("dropped at the end of that"));
            }
            assert!(report.threads().is_empty(), "{report}");
        });
    }
}

#[test]
fn a_destructor_that_does_not_end_is_told() {
    with_each(|flavour| {
        let builder = flavour.builder().thread_name("sd");
        let runtime = builder.build().expect("a runtime");
        let (release, released) = mpsc::channel::<()>();
        let blocks = blocks_until(released);
        spawn(&runtime, "drops", async move {
            let _blocks = blocks;
            pending::<()>().await;
        });
        settle(&runtime, 1);
        let report = runtime.shutdown_timeout(SHORT);
        let told = task(&report, "drops");
        assert_eq!(told.state(), UnfinishedTaskState::Dropping);
        let thread = told.thread().expect("known");
        assert!(thread.starts_with("sd-"), "{thread}");
        assert_left(&report, &[thread]);
        assert!(
            told.to_string()
                .contains("is still being dropped by thread")
        );
        drop(release);
    });
}

#[test]
fn a_destructor_that_does_not_end_after_its_poll_is_told_too() {
    common::within("after its poll", || {
        let builder = Flavour::OneWorker.builder().max_relief_threads(0);
        let runtime = builder.build().expect("a runtime");
        let (release, released) = mpsc::channel::<()>();
        let (go_on, polling) = mpsc::channel::<()>();
        let (started, start) = mpsc::channel();
        let blocks = blocks_until(released);
        spawn(&runtime, "drops", async move {
            let _blocks = blocks;
            started.send(()).expect("a receiver");
            let _ = polling.recv();
            pending::<()>().await;
        });
        start.recv_timeout(PATIENCE).expect("it is polled");
        spawn(&runtime, "releases", async move {
            let _go_on = go_on;
        });
        let report = runtime.shutdown_timeout(LONGER);
        let told = task(&report, "drops");
        assert_eq!(told.state(), UnfinishedTaskState::Dropping, "{report}");
        assert_eq!(report.task_count(), 2, "{report}");
        drop(release);
    });
}

#[test]
fn jobs_are_told_as_cancelled_or_running() {
    with_each(|flavour| {
        let builder = flavour.builder().max_blocking_threads(1).compute_threads(1);
        let runtime = builder.thread_name("sj").build().expect("a runtime");
        let (release, released) = mpsc::channel::<()>();
        let (started, start) = mpsc::channel();
        let (starts, computes) = (started.clone(), started);
        let _inside = runtime.enter();
        let running = Builder::new().name("runs").spawn_blocking(move || {
            starts.send(()).expect("a receiver");
            let _ = released.recv();
        });
        let (release_too, released) = mpsc::channel::<()>();
        let computing = runtime.spawn_compute(move || {
            computes.send(()).expect("a receiver");
            let _ = released.recv();
        });
        for _ in 0..2 {
            start.recv_timeout(PATIENCE).expect("it starts");
        }
        let drops = Count::default();
        let probe = drops.on_drop();
        let queued = Builder::new()
            .name("waits")
            .spawn_blocking(move || drop(probe));
        let line = line!() + 1;
        let queued_too = runtime.spawn_compute(|| ());
        let handle = runtime.handle().clone();
        drop(_inside);
        let report = runtime.shutdown_timeout(SHORT);
        assert_eq!(drops.get(), 1);
        let states = |state| {
            let jobs = report.jobs().iter().filter(move |job| job.state() == state);
            jobs.map(gristmill::runtime::UnfinishedJob::id)
                .collect::<Vec<_>>()
        };
        let mut still = [running.id(), computing.id()];
        let mut told = states(UnfinishedJobState::Running);
        still.sort();
        told.sort();
        assert_eq!(told, still);
        let mut cancelled = [queued.id(), queued_too.id()];
        let mut told = states(UnfinishedJobState::Cancelled);
        cancelled.sort();
        told.sort();
        assert_eq!(told, cancelled);
        assert_eq!((report.job_count(), report.task_count()), (4, 0));
        let of = |name| report.jobs().iter().find(move |job| job.name() == name);
        let named = of(Some("runs")).expect("listed").to_string();
        assert!(named.ends_with("is still running"), "{named}");
        let waits = of(Some("waits")).expect("listed").to_string();
        assert!(
            waits.ends_with("had not started, and was cancelled"),
            "{waits}"
        );
        let place = |job: &&gristmill::runtime::UnfinishedJob| job.spawned_at().line() == line;
        assert!(report.jobs().iter().any(|job| place(&job)), "{report}");
        assert_left(&report, &["sj-blocking-0", "sj-compute-0"]);
        for handle_of in [queued, queued_too] {
            let error = handle.block_on(handle_of).expect_err("cancelled");
            assert!(error.is_cancelled());
        }
        drop((release, release_too));
        eventually("they end", || {
            running.is_finished() && computing.is_finished()
        });
    });
}

#[test]
fn a_job_on_a_pool_of_the_programs_own_is_told_while_it_runs() {
    common::within("own pool", || {
        let runtime = Flavour::OneWorker.runtime();
        let pool = gristmill::executor::BlockingPool::default();
        let (release, released) = mpsc::channel::<()>();
        let (started, start) = mpsc::channel();
        let job = runtime.run_in_executor(Some(&pool), move || {
            started.send(()).expect("a receiver");
            let _ = released.recv();
        });
        start.recv_timeout(PATIENCE).expect("it starts");
        let report = runtime.shutdown_timeout(PATIENCE);
        assert_eq!(report.job_count(), 1);
        assert_eq!(report.jobs()[0].id(), job.id());
        assert!(report.threads().is_empty(), "{report}");
        drop(release);
        assert!(pool.join(Some(PATIENCE)).is_complete());
        assert!(job.is_finished());
    });
}

#[test]
fn a_thousand_are_listed_and_the_others_counted() {
    with_each(|flavour| {
        let builder = flavour.builder().max_blocking_threads(1);
        let runtime = builder.build().expect("a runtime");
        let occupied = common::Occupied::new(runtime.handle());
        let drops = Count::default();
        for _ in 0..1_500 {
            let (probe, in_job) = (drops.on_drop(), drops.on_drop());
            drop(runtime.spawn(async move {
                let _probe = probe;
                pending::<()>().await;
            }));
            drop(runtime.spawn_blocking(move || drop(in_job)));
        }
        let report = runtime.shutdown_timeout(LONGER);
        eventually("all are dropped", || drops.get() == 3_000);
        assert_eq!((report.tasks().len(), report.task_count()), (1_000, 1_500));
        assert_eq!((report.jobs().len(), report.job_count()), (1_000, 1_501));
        assert_eq!(report.jobs()[0].state(), UnfinishedJobState::Running);
        let text = report.to_string();
        assert!(text.contains("\n  and 500 tasks more\n"), "{text}");
        assert!(text.contains("\n  and 501 jobs more\n"), "{text}");
        drop(occupied);
    });
}

#[test]
fn a_timeout_of_zero_tells_what_there_is_at_that_moment() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let drops = Count::default();
        for _ in 0..1_500 {
            let probe = drops.on_drop();
            drop(runtime.spawn(async move {
                let _probe = probe;
                pending::<()>().await;
            }));
        }
        let report = runtime.shutdown_timeout(Duration::ZERO);
        assert_eq!(report.tasks().len(), 1_000);
        // Those are not counted that others drop while the report is made.
        assert!((1_000..=1_500).contains(&report.task_count()));
        eventually("all are dropped", || drops.get() == 1_500);
    });
}

#[test]
fn descriptors_that_outlive_the_runtime_are_counted() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let bind = gristmill::net::TcpListener::bind("127.0.0.1:0");
        let listener = runtime.block_on(bind).expect("bound");
        let report = runtime.shutdown_timeout(PATIENCE);
        assert_eq!((report.open_descriptors(), report.task_count()), (1, 0));
        assert!(!report.is_clean());
        let text = report.to_string();
        assert!(text.contains("left were 1 descriptor\n"), "{text}");
        drop(listener);
    });
}

#[test]
fn a_thread_of_its_own_is_told_what_there_is_at_that_moment() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let handle = runtime.handle().clone();
        let (sender, receiver) = mpsc::channel();
        let given = std::sync::Mutex::new(Some(runtime));
        let shut_down = move || {
            let runtime = given.lock().expect("no panic").take()?;
            Some(runtime.shutdown_timeout(PATIENCE))
        };
        let ends = Builder::new().name("ends").spawn_on(
            std::future::poll_fn(move |_| {
                sender.send(shut_down()).expect("a receiver");
                Poll::<()>::Pending
            }),
            &handle,
        );
        assert!(handle.block_on(ends).expect_err("cut off").is_cancelled());
        let report = receiver.recv_timeout(PATIENCE).expect("sent");
        let report = report.expect("it had the runtime");
        let told = task(&report, "ends");
        assert_eq!(told.state(), UnfinishedTaskState::Polling);
        assert!(report.duration() < PATIENCE);
    });
}

#[test]
fn a_thread_in_block_on_is_waited_for_while_it_runs_the_tasks() {
    common::within("in block_on", || {
        let runtime = Flavour::CurrentThread.runtime();
        let handle = runtime.handle().clone();
        let (release, released) = mpsc::channel::<()>();
        let (started, start) = mpsc::channel();
        let (open, gate) = async_channel::bounded::<()>(1);
        let thread = std::thread::Builder::new().name("runs the tasks".into());
        let blocked = thread.spawn(move || {
            handle.block_on(async move {
                drop(Builder::new().name("polled").spawn(async move {
                    started.send(()).expect("a receiver");
                    let _ = released.recv();
                }));
                gate.recv().await
            })
        });
        start.recv_timeout(PATIENCE).expect("it is polled");
        let report = runtime.shutdown_timeout(SHORT);
        let told = task(&report, "polled");
        assert_eq!(told.state(), UnfinishedTaskState::Polling);
        assert_eq!(told.thread(), Some("runs the tasks"));
        assert_left(&report, &["runs the tasks"]);
        drop(release);
        open.send_blocking(()).expect("it waits");
        let output = blocked.expect("started").join().expect("no panic");
        assert_eq!(output, Ok(()));
    });
}
