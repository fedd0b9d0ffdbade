//! Threads that the system refuses: workers of a new runtime, relief workers beside stuck ones, threads of the pools and of the end.

use super::stalls::Door;
use super::{Probe, check, check_in};
use crate::{Builder, JoinError, JoinHandle, Runtime, block_in_place};
use runtime_timer::modelled_faults::{Fault, When, inject, struck};
use shuttle::sync::{Arc, Barrier};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// So many workers, two relief workers at most, and two threads that compute.
fn builder(workers: usize) -> Builder {
    Builder::new()
        .worker_threads(workers)
        .compute_threads(2)
        .stall_threshold(Some(Duration::from_millis(1)))
        .max_relief_threads(2)
        .debug(false)
}

fn runtime(workers: usize) -> Runtime {
    builder(workers).build().expect("nothing refuses yet")
}

/// Waits for tasks that give one each.
fn all_end(runtime: &Runtime, tasks: Vec<JoinHandle<usize>>) {
    let count = tasks.len();
    let sum = runtime.block_on(async {
        let mut sum = 0;
        for task in tasks {
            sum += task.await.expect("no panic");
        }
        sum
    });
    assert_eq!(sum, count);
}

/// Every worker is stuck until a thread outside frees it, and tasks wait behind.
fn freed_from_outside(refused: When, block: fn(&Door)) {
    let runtime = runtime(2);
    inject(Fault::NoThread, refused);
    let door = Arc::new(Door::default());
    let mut tasks = Vec::new();
    for _ in 0..2 {
        let door = Arc::clone(&door);
        tasks.push(runtime.spawn(async move {
            let behind = crate::spawn(async { 1 });
            block(&door);
            behind.await.expect("no panic")
        }));
    }
    tasks.extend((0..3).map(|_| runtime.spawn(async { 1 })));
    let freeing = shuttle::thread::spawn(move || {
        crate::sync::thread::sleep(Duration::from_millis(8));
        door.open();
    });
    all_end(&runtime, tasks);
    freeing.join().expect("no panic");
    let handle = runtime.handle().clone();
    drop(runtime);
    if refused == When::Always {
        assert_eq!(handle.metrics().relief_workers(), 0);
    }
    assert_eq!(handle.metrics().num_relief_workers(), 0);
}

#[test]
fn tasks_behind_stuck_workers_end_whatever_relief_is_refused() {
    check(|| freed_from_outside(When::AtRandom, Door::pass));
    check(|| freed_from_outside(When::AtRandom, |door| block_in_place(|| door.pass())));
}

#[test]
fn tasks_behind_stuck_workers_end_without_any_relief_once_those_come_back() {
    check(|| freed_from_outside(When::Always, Door::pass));
    check(|| freed_from_outside(When::Always, |door| block_in_place(|| door.pass())));
}

/// The only worker is stuck until the task behind it has run, which takes a relief worker.
fn freed_by_relief(refused: When, block: fn(&Door)) {
    let runtime = runtime(1);
    inject(Fault::NoThread, refused);
    let door = Arc::new(Door::default());
    let task = runtime.spawn(async move {
        let other = Arc::clone(&door);
        let opener = crate::spawn(async move { other.open() });
        block(&door);
        opener.await.expect("no panic");
        1
    });
    all_end(&runtime, vec![task]);
    let handle = runtime.handle().clone();
    drop(runtime);
    // However often it was refused: those that came count, and no others.
    assert!((1..=2).contains(&handle.metrics().relief_workers()));
}

#[test]
fn relief_that_was_refused_is_asked_for_again_until_it_comes() {
    check(|| freed_by_relief(When::AtRandom, Door::pass));
    check(|| freed_by_relief(When::AtRandom, |door| block_in_place(|| door.pass())));
    check(|| freed_by_relief(When::After(0), Door::pass));
}

/// Nobody looks for stuck polls, so only the one that says it will block is relieved.
#[test]
fn relief_that_was_refused_to_one_that_said_so_is_asked_for_again_without_the_watch() {
    check(|| {
        let builder = builder(1).stall_threshold(None);
        let runtime = builder.build().expect("nothing refuses yet");
        inject(Fault::NoThread, When::After(0));
        let door = Arc::new(Door::default());
        let task = runtime.spawn(async move {
            let other = Arc::clone(&door);
            let opener = crate::spawn(async move { other.open() });
            block_in_place(|| door.pass());
            opener.await.expect("no panic");
            1
        });
        all_end(&runtime, vec![task]);
    });
}

/// The canary: where no relief ever comes, a task stuck for one behind it is found to hang.
#[test]
#[should_panic(expected = "exceeded max_steps")]
fn canary_a_stuck_worker_without_any_relief_is_found() {
    check_in(1, || freed_by_relief(When::Always, Door::pass));
}

/// Two threads outside hand jobs to both pools while threads are refused at random; who does not `look` takes each for run.
fn jobs_handed_in(look: bool) {
    let runtime = runtime(1);
    inject(Fault::NoThread, When::AtRandom);
    let callers = [(); 2].map(|()| {
        let handle = runtime.handle().clone();
        shuttle::thread::spawn(move || {
            let jobs = [false, true, false, true].map(|computes| {
                let runs = Arc::new(AtomicUsize::new(0));
                let counted = Arc::clone(&runs);
                let count = move || {
                    counted.fetch_add(1, Ordering::SeqCst);
                };
                let job = match computes {
                    false => handle.spawn_blocking(count),
                    true => handle.spawn_compute(count),
                };
                (job, runs)
            });
            jobs.map(|(job, runs)| (handle.block_on(job), runs))
        })
    });
    let jobs = callers.map(|caller| caller.join().expect("no panic"));
    drop(runtime);
    for (outcome, runs) in jobs.iter().flatten() {
        ran_once_or_tells_why(outcome, runs.load(Ordering::SeqCst), look);
    }
}

fn ran_once_or_tells_why(outcome: &Result<(), JoinError>, runs: usize, look: bool) {
    match outcome {
        Err(error) if look => {
            assert!(error.io_error().is_some(), "{error}");
            assert!(error.to_string().contains("RLIMIT_NPROC"), "{error}");
            assert_eq!(runs, 0, "a job that was refused ran");
        }
        _ => assert_eq!(runs, 1, "a job did not run once"),
    }
}

#[test]
fn jobs_beside_refused_threads_run_once_or_tell_why() {
    check(|| jobs_handed_in(true));
}

/// The canary: jobs are refused, and do not run.
#[test]
#[should_panic(expected = "a job did not run once")]
fn canary_who_takes_every_job_for_run_is_found() {
    check(|| jobs_handed_in(false));
}

#[test]
fn jobs_left_behind_a_refused_thread_get_theirs_with_the_next_job() {
    check(|| {
        let runtime = runtime(1);
        let (begun, met) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(3)));
        let meet = |met: &Arc<Barrier>| {
            let met = Arc::clone(met);
            move || {
                met.wait();
            }
        };
        let first = {
            let (begun, met) = (Arc::clone(&begun), meet(&met));
            runtime.spawn_blocking(move || {
                begun.wait();
                met();
            })
        };
        begun.wait();
        inject(Fault::NoThread, When::Always);
        let second = runtime.spawn_blocking(meet(&met));
        // None was asked for in a schedule where the first job has got two by then.
        assert!(struck(Fault::NoThread) <= 1);
        inject(Fault::NoThread, When::Never);
        let third = runtime.spawn_blocking(meet(&met));
        for job in [first, second, third] {
            runtime.block_on(job).expect("the thread that there was");
        }
    });
}

#[test]
fn jobs_that_wait_for_each_other_get_their_threads_as_long_as_jobs_are_handed_in() {
    check(|| {
        let runtime = runtime(1);
        // A pool has got its first thread before it takes a job without an answer.
        let first = runtime.spawn_blocking(|| ());
        inject(Fault::NoThread, When::AtRandom);
        let met = Arc::new(Barrier::new(3));
        let meeting = [(); 3].map(|()| {
            let met = Arc::clone(&met);
            runtime.spawn_blocking(move || {
                met.wait();
            })
        });
        let mut others = vec![first];
        while !meeting.iter().all(JoinHandle::is_finished) {
            others.push(runtime.spawn_blocking(|| ()));
            // By then the last one asked for has been refused, or is there.
            crate::sync::thread::sleep(Duration::from_millis(1));
        }
        for job in meeting.into_iter().chain(others) {
            runtime.block_on(job).expect("a thread that there was");
        }
    });
}

/// Builds a runtime whose thread number `refused` does not come.
fn build_without(builder: Builder, refused: usize) {
    let living = Arc::new(AtomicUsize::new(0));
    let (started, stopped) = (Arc::clone(&living), Arc::clone(&living));
    let builder = builder.on_thread_start(move || {
        started.fetch_add(1, Ordering::SeqCst);
    });
    let builder = builder.on_thread_stop(move || {
        stopped.fetch_sub(1, Ordering::SeqCst);
    });
    inject(Fault::NoThread, When::After(refused));
    // Dropped first, should it be there.
    let built = builder.build().map(drop);
    let error = built.expect_err("a thread was refused");
    assert!(error.to_string().contains("RLIMIT_NPROC"), "{error}");
    assert_eq!(living.load(Ordering::SeqCst), 0, "a thread is left");
}

#[test]
fn a_build_of_which_any_thread_is_refused_is_an_error_and_leaves_none_behind() {
    check(|| {
        // The third is the reactor's.
        (0..3).for_each(|refused| build_without(builder(2), refused));
        build_without(Builder::new_current_thread().debug(false), 0);
    });
}

/// The canary: there are no more threads than that.
#[test]
#[should_panic(expected = "a thread was refused")]
fn canary_a_build_of_which_no_thread_is_refused_is_no_error() {
    check(|| build_without(builder(2), 3));
}

/// A runtime with a worker stuck in a poll, and everywhere something to be dropped, ends by `end` while threads are refused.
fn ends(refused: When, end: fn(Runtime)) {
    let runtime = runtime(2);
    let probes = [(); 4].map(|()| Probe::new());
    let [task, running, queued, stuck] = probes.each_ref().map(|(_, drops)| Arc::clone(drops));
    let [(first, _), (second, _), (third, _), (fourth, _)] = probes;
    let waits = runtime.spawn(async move {
        let _probe = first;
        std::future::pending::<()>().await;
    });
    let begun = Arc::new(Barrier::new(3));
    let door = Arc::new(Door::default());
    let (beginning, passing) = (Arc::clone(&begun), Arc::clone(&door));
    let job = runtime.spawn_blocking(move || {
        beginning.wait();
        drop(second);
    });
    let beginning = Arc::clone(&begun);
    let blocks = runtime.spawn(async move {
        let _probe = fourth;
        beginning.wait();
        passing.pass();
    });
    begun.wait();
    inject(Fault::NoThread, refused);
    let left = runtime.spawn_blocking(move || drop(third));
    let freeing = shuttle::thread::spawn(move || door.open());
    end(runtime);
    freeing.join().expect("no panic");
    // Whoever does not wait for the end leaves that to others.
    let dropped = || [&task, &running, &queued, &stuck].map(|drops| drops.load(Ordering::SeqCst));
    while dropped() != [1; 4] {
        shuttle::thread::yield_now();
    }
    while !(waits.is_finished() && job.is_finished() && blocks.is_finished() && left.is_finished())
    {
        shuttle::thread::yield_now();
    }
}

#[test]
fn a_runtime_that_ends_without_a_thread_to_spare_drops_every_future_and_job() {
    fn patiently(runtime: Runtime) {
        let report = runtime.shutdown_timeout(Duration::from_secs(3_600));
        assert!(report.threads().is_empty(), "{report}");
    }
    check(|| ends(When::Always, patiently));
    check(|| ends(When::AtRandom, drop));
    check(|| ends(When::Always, Runtime::shutdown_background));
    check(|| ends(When::AtRandom, Runtime::shutdown_background));
}
