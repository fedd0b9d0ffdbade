//! What executors promise: a job runs once or is cancelled, and its handle says which.

mod common;

use common::{Count, OnDrop, PATIENCE, on_each, silence_panics, with_each, within};
use gristmill::executor::{
    BlockingPool, ComputePool, Executor, Job, PoolConfig, RejectReason, Rejected,
};
use gristmill::runtime::{Builder, Handle, Runtime};
use gristmill::task::JoinHandle;
use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::sync::{Barrier, mpsc};

#[test]
fn a_job_runs_on_the_pool_that_was_named_or_on_the_blocking_pool() {
    on_each(|runtime| {
        let config = PoolConfig::compute().thread_name("sieve").max_threads(1);
        let pool = ComputePool::new(config).expect("a pool");
        let name = || std::thread::current().name().map(str::to_owned);
        runtime.block_on(async {
            let named = gristmill::run_in_executor(Some(&pool), name).await;
            assert_eq!(named.expect("runs").as_deref(), Some("sieve-0"));
            let default = gristmill::run_in_executor(None, name).await;
            let default = default.expect("runs").expect("a name");
            assert!(default.contains("-blocking-"), "{default}");
            let computed = gristmill::spawn_compute(name).await.expect("runs");
            assert!(computed.expect("a name").contains("-compute-"));
        });
        let from_handle = runtime.handle().run_in_executor(Some(&pool), name);
        let named = runtime.block_on(from_handle).expect("runs");
        assert_eq!(named.as_deref(), Some("sieve-0"));
    });
}

/// A runtime whose one blocking thread is busy until the sender is dropped.
fn busy(builder: Builder) -> (Runtime, mpsc::Sender<()>, JoinHandle<()>) {
    let runtime = builder.max_blocking_threads(1).build().expect("a runtime");
    let (release, released) = mpsc::channel();
    let (started, start) = mpsc::channel();
    let job = runtime.spawn_blocking(move || {
        started.send(()).expect("a receiver");
        let _ = released.recv();
    });
    start.recv_timeout(PATIENCE).expect("it starts");
    (runtime, release, job)
}

#[test]
fn the_abort_of_a_queued_job_resolves_at_once_and_drops_the_closure() {
    with_each(|flavour| {
        let (runtime, release, running) = busy(flavour.builder());
        let (runs, drops) = (Count::default(), Count::default());
        let (counted, probe) = (runs.clone(), drops.on_drop());
        let queued = runtime.spawn_blocking(move || {
            let _probe = probe;
            counted.add();
        });
        queued.abort();
        assert!(queued.is_finished());
        assert_eq!(drops.get(), 1);
        let error = runtime.block_on(queued).expect_err("aborted");
        assert!(error.is_cancelled());
        drop(release);
        runtime.block_on(running).expect("runs to its end");
        let after = runtime.spawn_blocking(|| 7);
        assert_eq!(runtime.block_on(after).expect("runs"), 7);
        assert_eq!(runs.get(), 0);
    });
}

#[test]
fn a_job_that_has_started_cannot_be_aborted() {
    with_each(|flavour| {
        let (runtime, release, running) = busy(flavour.builder());
        running.abort();
        assert!(!running.is_finished());
        drop(release);
        runtime.block_on(running).expect("it ran to its end");
    });
}

#[test]
fn dropping_the_handle_of_a_queued_job_does_not_cancel_it() {
    with_each(|flavour| {
        let (runtime, release, running) = busy(flavour.builder());
        let (ran, run) = async_channel::bounded(1);
        drop(runtime.spawn_blocking(move || ran.send_blocking(7)));
        drop(release);
        assert_eq!(runtime.block_on(run.recv()), Ok(7));
        runtime.block_on(running).expect("runs");
    });
}

#[test]
fn a_panic_ends_the_job_alone_and_reaches_the_handle() {
    silence_panics();
    on_each(|runtime| {
        let pool = BlockingPool::new(PoolConfig::blocking().max_threads(1)).expect("a pool");
        runtime.block_on(async {
            for _ in 0..10 {
                let bad: JoinHandle<()> =
                    gristmill::run_in_executor(Some(&pool), || panic!("expected by the test"));
                let error = bad.await.expect_err("panicked");
                assert!(error.is_panic());
                assert!(error.to_string().contains("expected by the test"));
                let good = gristmill::run_in_executor(Some(&pool), || 7);
                assert_eq!(good.await.expect("the thread goes on"), 7);
            }
            let bomb = OnDrop::new(|| panic!("expected: closure"));
            let bad = gristmill::spawn_blocking(move || {
                let _bomb = bomb;
            });
            assert!(bad.await.expect_err("panicked").is_panic());
            drop(gristmill::spawn_blocking(|| {
                OnDrop::new(|| panic!("expected: output"))
            }));
            assert_eq!(gristmill::spawn_blocking(|| 8).await.expect("runs"), 8);
        });
    });
}

#[test]
fn a_job_can_spawn_sleep_and_block_on_its_runtime() {
    on_each(|runtime| {
        let job = runtime.spawn_compute(|| {
            let task = gristmill::spawn(async { 1 });
            let inner = gristmill::spawn_blocking(|| 2);
            Handle::current().block_on(async {
                gristmill::time::sleep(std::time::Duration::from_millis(1)).await;
                task.await.expect("no panic") + inner.await.expect("runs")
            })
        });
        assert_eq!(runtime.block_on(job).expect("no panic"), 3);
    });
}

#[test]
fn jobs_that_wait_for_each_other_all_get_a_thread() {
    on_each(|runtime| {
        let barrier = Arc::new(Barrier::new(40));
        let jobs: Vec<_> = (0..40)
            .map(|_| {
                let barrier = Arc::clone(&barrier);
                runtime.spawn_blocking(move || {
                    barrier.wait();
                    std::thread::current().id()
                })
            })
            .collect();
        let mut threads = HashSet::new();
        for job in jobs {
            threads.insert(runtime.block_on(job).expect("runs"));
        }
        assert_eq!(threads.len(), 40);
    });
}

/// While jobs wait, results come in bunches; but never only when the next job ends.
#[test]
fn a_result_reaches_its_awaiter_while_the_next_job_runs_and_more_wait() {
    with_each(|flavour| {
        let runtime = flavour.builder().compute_threads(1);
        let runtime = runtime.build().expect("a runtime");
        runtime.block_on(async {
            let (tell, told) = mpsc::channel();
            let first = gristmill::spawn_compute(|| 1);
            let second = gristmill::spawn_compute(move || told.recv().is_ok());
            let backlog: Vec<_> = (0..100)
                .map(|n| gristmill::spawn_compute(move || n))
                .collect();
            assert_eq!(first.await.expect("runs"), 1);
            tell.send(()).expect("the second job waits for it");
            assert!(second.await.expect("runs"));
            for (n, job) in backlog.into_iter().enumerate() {
                assert_eq!(job.await.expect("runs"), n);
            }
        });
    });
}

#[test]
fn the_compute_pool_has_no_more_threads_than_were_set() {
    with_each(|flavour| {
        let runtime = flavour.builder().compute_threads(3).build();
        let runtime = runtime.expect("a runtime");
        let threads = Arc::new(Mutex::new(HashSet::new()));
        let jobs: Vec<_> = (0..200)
            .map(|_| {
                let threads = Arc::clone(&threads);
                runtime.spawn_compute(move || {
                    let own = std::thread::current().id();
                    threads.lock().expect("no panic").insert(own);
                    std::thread::yield_now();
                })
            })
            .collect();
        for job in jobs {
            runtime.block_on(job).expect("runs");
        }
        assert!(threads.lock().expect("no panic").len() <= 3);
        assert!(runtime.metrics().num_compute_threads() <= 3);
    });
}

/// Runs each job on a thread of its own.
struct ThreadEach;

impl Executor for ThreadEach {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        drop(std::thread::spawn(move || job.run()));
        Ok(())
    }
}

/// Runs each job before `execute` returns.
struct AtOnce;

impl Executor for AtOnce {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        job.run();
        Ok(())
    }
}

/// Takes a job and forgets it, against the contract.
struct Loser;

impl Executor for Loser {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        drop(job);
        Ok(())
    }
}

/// Takes nothing.
struct Refuser;

impl Executor for Refuser {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        let error = io::Error::new(io::ErrorKind::WouldBlock, "no hands free");
        Err(Rejected::new(job, RejectReason::thread_refused(error)))
    }
}

/// Has shut.
struct Shut;

impl Executor for Shut {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        Err(Rejected::new(job, RejectReason::shut_down()))
    }
}

#[test]
fn executors_of_the_users_own_take_part() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            for pool in [&ThreadEach as &dyn Executor, &AtOnce] {
                let job = gristmill::run_in_executor(Some(pool), || {
                    Handle::current();
                    7
                });
                assert_eq!(job.await.expect("runs"), 7);
                let bad: JoinHandle<()> =
                    gristmill::run_in_executor(Some(pool), || panic!("expected by the test"));
                assert!(bad.await.expect_err("panicked").is_panic());
            }
        });
    });
}

#[test]
fn a_refused_thread_reaches_the_handle_as_an_error_of_the_system() {
    on_each(|runtime| {
        let drops = Count::default();
        let probe = drops.on_drop();
        let job = runtime.run_in_executor(Some(&Refuser), move || drop(probe));
        assert_eq!(drops.get(), 1);
        let error = runtime.block_on(job).expect_err("refused");
        assert!(!error.is_cancelled() && !error.is_panic());
        let system = error.io_error().expect("it says why");
        assert_eq!(system.kind(), io::ErrorKind::WouldBlock);
        let text = error.to_string();
        assert!(text.contains("no hands free"), "{text}");
        assert!(text.contains("could not start"), "{text}");
        assert!(text.contains("RLIMIT_NPROC"), "{text}");
        assert!(std::error::Error::source(&error).is_some());
    });
}

#[test]
fn a_job_that_no_executor_takes_or_keeps_is_cancelled() {
    on_each(|runtime| {
        for pool in [&Shut as &dyn Executor, &Loser] {
            let drops = Count::default();
            let probe = drops.on_drop();
            let job = runtime.run_in_executor(Some(pool), move || drop(probe));
            assert!(job.is_finished());
            assert_eq!(drops.get(), 1);
            assert!(runtime.block_on(job).expect_err("cancelled").is_cancelled());
        }
    });
}

#[test]
fn jobs_after_the_shutdown_of_their_pool_or_runtime_are_cancelled() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let pool = BlockingPool::default();
        pool.shutdown();
        let late = runtime.run_in_executor(Some(&pool), || 7);
        assert!(runtime.block_on(late).expect_err("too late").is_cancelled());

        let handle = runtime.handle().clone();
        drop(runtime);
        for job in [handle.spawn_blocking(|| 7), handle.spawn_compute(|| 7)] {
            assert!(job.is_finished());
            assert!(handle.block_on(job).expect_err("too late").is_cancelled());
        }
    });
}

#[test]
fn queued_jobs_are_cancelled_by_the_shutdown() {
    with_each(|flavour| {
        let (runtime, release, running) = busy(flavour.builder());
        let drops = Count::default();
        let queued: Vec<_> = (0..20)
            .map(|_| {
                let probe = drops.on_drop();
                runtime.spawn_blocking(move || drop(probe))
            })
            .collect();
        let handle = runtime.handle().clone();
        runtime.shutdown_background();
        assert_eq!(drops.get(), 20);
        for job in queued {
            assert!(handle.block_on(job).expect_err("cancelled").is_cancelled());
        }
        drop(release);
        handle.block_on(running).expect("a running job runs on");
    });
}

#[test]
fn a_burst_of_jobs_from_many_threads_runs_each_exactly_once() {
    on_each(|runtime| {
        let runs = Count::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let runs = runs.clone();
                scope.spawn(move || {
                    let jobs: Vec<_> = (0..2_000)
                        .map(|n| {
                            let runs = runs.clone();
                            let work = move || runs.add();
                            if n % 2 == 0 {
                                runtime.spawn_blocking(work)
                            } else {
                                runtime.spawn_compute(work)
                            }
                        })
                        .collect();
                    runtime.block_on(async {
                        for job in jobs {
                            job.await.expect("runs");
                        }
                    });
                });
            }
        });
        assert_eq!(runs.get(), 8_000);
    });
}

#[test]
fn random_aborts_of_queued_jobs_cancel_or_do_not_but_never_both() {
    within("aborts", || {
        let builder = Builder::new().worker_threads(2).max_blocking_threads(2);
        let runtime = builder.build().expect("a runtime");
        let (runs, drops) = (Count::default(), Count::default());
        let (mut ran, mut cancelled) = (0, 0);
        for _ in 0..200 {
            let jobs: Vec<_> = (0..20)
                .map(|n| {
                    let (runs, probe) = (runs.clone(), drops.on_drop());
                    let job = runtime.spawn_blocking(move || {
                        let _probe = probe;
                        runs.add();
                    });
                    if n % 3 == 0 {
                        job.abort();
                    }
                    job
                })
                .collect();
            for job in jobs {
                match runtime.block_on(job) {
                    Ok(()) => ran += 1,
                    Err(error) => cancelled += usize::from(error.is_cancelled()),
                }
            }
        }
        assert_eq!(ran + cancelled, 4_000);
        assert_eq!(runs.get(), ran);
        assert_eq!(drops.get(), 4_000);
    });
}
