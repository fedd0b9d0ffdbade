//! What the elastic pool promises, from the outside.

#![cfg(not(gristmill_loom))]

mod probe;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use probe::Gone;
use runtime_blocking::{BlockingPool, Executor, Job, PoolConfig};

/// Runs a job to its end, so that at least one thread exists and has worked.
fn run_one(pool: &BlockingPool) {
    let (done, wait) = channel();
    pool.execute(Job::new(move || done.send(()).unwrap()))
        .unwrap();
    wait.recv().unwrap();
}

/// Queues a job that stays until the returned sender is dropped; gives its thread's name once it runs.
fn occupy_named(pool: &BlockingPool) -> (Sender<()>, Option<String>) {
    let (running, runs) = channel();
    let (release, released) = channel::<()>();
    pool.execute(Job::new(move || {
        running
            .send(thread::current().name().map(str::to_owned))
            .unwrap();
        let _closed = released.recv();
    }))
    .unwrap();
    (release, runs.recv().unwrap())
}

/// Queues a job that stays until the returned sender is dropped, and waits until it runs.
fn occupy(pool: &BlockingPool) -> Sender<()> {
    occupy_named(pool).0
}

#[test]
fn jobs_that_wait_for_each_other_all_get_a_thread() {
    let pool = BlockingPool::default();
    for _round in 0..3 {
        let all = Arc::new(Barrier::new(65));
        for _ in 0..64 {
            let all = Arc::clone(&all);
            pool.execute(Job::new(move || {
                all.wait();
            }))
            .unwrap();
        }
        all.wait();
    }
}

#[test]
fn burst_of_ten_thousand_jobs_is_served_by_a_thread_and_its_lookout() {
    // The first thread begins when all are queued, any other when all have run: so neither the pusher nor the first
    // thread may depend on more.
    let (all_queued, queued) = channel::<()>();
    let (all_ran, ran) = channel::<()>();
    let gates = Mutex::new(vec![ran, queued]);
    let pool = BlockingPool::new(PoolConfig::blocking().on_thread_start(move || {
        let gate = gates.lock().unwrap().pop().expect("two threads are enough");
        let _closed = gate.recv();
    }))
    .unwrap();
    let (done, wait) = channel();
    for _ in 0..10_000 {
        let done = done.clone();
        pool.execute(Job::new(move || done.send(()).unwrap()))
            .unwrap();
    }
    drop(all_queued);
    (0..10_000).for_each(|_| wait.recv().unwrap());
    assert!(pool.metrics().threads_started <= 2, "{pool:?}");
    drop(all_ran);
    assert!(pool.join(None).is_complete());
}

#[test]
fn thread_that_became_idle_last_gets_the_next_job() {
    let pool = BlockingPool::new(PoolConfig::blocking().spin(Duration::ZERO)).unwrap();
    let releases: Vec<_> = (0..4).map(|_| occupy_named(&pool)).collect();
    for (release, name) in releases {
        let idle_before = pool.metrics().idle;
        drop(release);
        while pool.metrics().idle == idle_before {
            thread::yield_now();
        }
        let (tell, told) = channel();
        pool.execute(Job::new(move || {
            tell.send(thread::current().name().map(str::to_owned))
                .unwrap()
        }))
        .unwrap();
        assert_eq!(told.recv().unwrap(), name);
        // It lies down on top again before the next thread does.
        while pool.metrics().idle == idle_before {
            thread::yield_now();
        }
    }
}

#[test]
fn as_many_jobs_as_the_limit_run_at_once_and_never_more() {
    let pool = BlockingPool::new(PoolConfig::blocking().max_threads(4)).unwrap();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let all = Arc::new(Barrier::new(4));
    let (done, wait) = channel();
    for _ in 0..40 {
        let (now, most, all, done) = (now.clone(), most.clone(), all.clone(), done.clone());
        pool.execute(Job::new(move || {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            all.wait();
            now.fetch_sub(1, Ordering::SeqCst);
            done.send(()).unwrap();
        }))
        .unwrap();
    }
    (0..40).for_each(|_| wait.recv().unwrap());
    assert_eq!(most.load(Ordering::SeqCst), 4);
    assert_eq!(pool.metrics().threads_started, 4);
}

#[test]
fn pool_of_one_thread_serves_its_queue_in_order() {
    let pool = BlockingPool::new(PoolConfig::blocking().max_threads(1)).unwrap();
    let (done, wait) = channel();
    for number in 0..1000 {
        let done = done.clone();
        pool.execute(Job::new(move || done.send(number).unwrap()))
            .unwrap();
    }
    drop(done);
    assert!(wait.iter().eq(0..1000));
}

#[test]
fn jobs_one_at_a_time_are_served_by_few_threads() {
    let pool = BlockingPool::new(PoolConfig::blocking().spin(Duration::ZERO)).unwrap();
    for _ in 0..2000 {
        run_one(&pool);
    }
    // A job may find the thread of the one before still on its way to the idle stack, and so call in another; but then
    // there is one more from then on.
    assert!(pool.metrics().threads_started < 16, "{pool:?}");
}

#[test]
fn panic_of_a_job_leaves_its_thread_serving() {
    let pool = BlockingPool::new(PoolConfig::blocking().max_threads(1)).unwrap();
    for _ in 0..10 {
        pool.execute(Job::new(|| panic!("expected by the test")))
            .unwrap();
    }
    run_one(&pool);
    assert_eq!(pool.metrics().threads_started, 1);
    assert!(pool.join(None).is_complete());
    assert_eq!(pool.metrics().completed, 11);
}

#[test]
fn shutdown_drops_queued_jobs_and_lets_running_ones_end() {
    let pool = BlockingPool::new(PoolConfig::blocking().max_threads(1)).unwrap();
    let release = occupy(&pool);
    let (gone, ran) = (Gone::default(), Arc::new(AtomicUsize::new(0)));
    for _ in 0..100 {
        let (probe, ran) = (gone.probe(), ran.clone());
        pool.execute(Job::new(move || {
            let _held = probe;
            ran.fetch_add(1, Ordering::SeqCst);
        }))
        .unwrap();
    }
    pool.shutdown();
    assert_eq!(gone.count(), 100);
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    assert_eq!(pool.join(Some(Duration::ZERO)).still_busy(), 1);
    drop(release);
    assert!(pool.join(None).is_complete());
    assert_eq!(pool.metrics().threads, 0);
}

#[test]
fn job_after_shutdown_comes_back() {
    let pool = BlockingPool::default();
    run_one(&pool);
    pool.shutdown();
    let (done, wait) = channel();
    let rejected = pool
        .execute(Job::new(move || done.send("ran").unwrap()))
        .unwrap_err();
    assert!(rejected.is_shut_down() && rejected.io_error().is_none());
    rejected.into_job().run();
    assert_eq!(wait.recv().unwrap(), "ran");
}

#[test]
fn dropping_the_last_clone_shuts_down_without_waiting() {
    let pool = BlockingPool::new(PoolConfig::blocking().max_threads(1)).unwrap();
    let clone = pool.clone();
    let release = occupy(&pool);
    let gone = Gone::default();
    let probe = gone.probe();
    pool.execute(Job::new(move || drop(probe))).unwrap();
    drop(pool);
    assert_eq!(gone.count(), 0);
    drop(clone);
    assert_eq!(gone.count(), 1);
    drop(release);
}

#[test]
fn refused_first_thread_gives_the_job_back() {
    let config = PoolConfig::blocking().stack_size(Some(usize::MAX / 2));
    let pool = BlockingPool::new(config).unwrap();
    for _again in 0..2 {
        let gone = Gone::default();
        let probe = gone.probe();
        let rejected = pool.execute(Job::new(move || drop(probe))).unwrap_err();
        assert!(rejected.io_error().is_some() && !rejected.is_shut_down());
        assert_eq!(gone.count(), 0);
        rejected.into_job().run();
        assert_eq!(gone.count(), 1);
        assert_eq!(pool.metrics().threads, 0);
    }
    assert!(pool.join(None).is_complete());
}

#[test]
fn refused_first_thread_gives_every_job_back_to_its_own_caller() {
    let config = PoolConfig::blocking().stack_size(Some(usize::MAX / 2));
    let pool = BlockingPool::new(config).unwrap();
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for number in 0..8 {
            let (pool, together) = (&pool, &together);
            scope.spawn(move || {
                let (done, wait) = channel();
                together.wait();
                let rejected = pool
                    .execute(Job::new(move || done.send(number).unwrap()))
                    .unwrap_err();
                rejected.into_job().run();
                assert_eq!(wait.recv().unwrap(), number);
            });
        }
    });
}

#[test]
fn hooks_run_once_on_each_thread() {
    let started = Arc::new(Mutex::new(Vec::new()));
    let stopped = Arc::new(Mutex::new(Vec::new()));
    let (starts, stops) = (started.clone(), stopped.clone());
    let pool = BlockingPool::new(
        PoolConfig::blocking()
            .thread_name("hooked")
            .on_thread_start(move || {
                starts
                    .lock()
                    .unwrap()
                    .push(thread::current().name().unwrap().to_owned())
            })
            .on_thread_stop(move || {
                stops
                    .lock()
                    .unwrap()
                    .push(thread::current().name().unwrap().to_owned())
            }),
    )
    .unwrap();
    let releases: Vec<_> = (0..5).map(|_| occupy(&pool)).collect();
    drop(releases);
    assert!(pool.join(None).is_complete());

    let mut started = started.lock().unwrap().clone();
    let mut stopped = stopped.lock().unwrap().clone();
    started.sort();
    stopped.sort();
    assert_eq!(started, stopped);
    let expected: Vec<_> = (0..pool.metrics().threads_started)
        .map(|n| format!("hooked-{n}"))
        .collect();
    assert_eq!(started, expected);
    assert!(expected.len() >= 5);
}

#[test]
fn panicking_hooks_cost_no_thread_and_no_job() {
    let pool = BlockingPool::new(
        PoolConfig::blocking()
            .on_thread_start(|| panic!("expected by the test: start"))
            .on_thread_stop(|| panic!("expected by the test: stop")),
    )
    .unwrap();
    let releases: Vec<_> = (0..3).map(|_| occupy(&pool)).collect();
    drop(releases);
    assert!(pool.join(None).is_complete());
    let metrics = pool.metrics();
    assert_eq!(
        (metrics.threads, metrics.idle, metrics.completed),
        (0, 0, 3)
    );
}

#[test]
fn idle_threads_end_after_their_keep_alive_but_for_the_last() {
    let (ended, ends) = channel();
    let ended = Mutex::new(ended);
    let pool = BlockingPool::new(
        PoolConfig::blocking()
            .keep_alive(Some(Duration::from_millis(1)))
            .on_thread_stop(move || ended.lock().unwrap().send(()).unwrap()),
    )
    .unwrap();
    let releases: Vec<_> = (0..6).map(|_| occupy(&pool)).collect();
    drop(releases);
    // The threads that are above one end of their own accord; no job comes any more.
    let surplus = pool.metrics().threads_started - 1;
    (0..surplus).for_each(|_| ends.recv().unwrap());
    run_one(&pool);
    assert!(ends.try_recv().is_err());
}

#[test]
fn pool_serves_while_keep_alive_ends_all_the_time() {
    let config = PoolConfig::blocking()
        .keep_alive(Some(Duration::ZERO))
        .spin(Duration::ZERO);
    let pool = BlockingPool::new(config).unwrap();
    for _ in 0..500 {
        let all = Arc::new(Barrier::new(4));
        for _ in 0..3 {
            let all = all.clone();
            pool.execute(Job::new(move || {
                all.wait();
            }))
            .unwrap();
        }
        all.wait();
    }
    assert!(pool.join(None).is_complete());
}

#[test]
fn thread_of_the_pool_may_join_it() {
    let pool = BlockingPool::default();
    let (done, wait) = channel();
    for _ in 0..2 {
        // Two at once: neither waits for the other, or for itself.
        let (inside, done) = (pool.clone(), done.clone());
        let both = pool.execute(Job::new(move || {
            done.send(inside.join(None).is_complete()).unwrap();
        }));
        drop(both);
    }
    drop(done);
    let joined: Vec<_> = wait.iter().collect();
    assert!(!joined.is_empty() && joined.iter().all(|complete| *complete));
    assert!(pool.join(None).is_complete());
}

#[test]
fn last_clone_may_be_dropped_on_a_thread_of_the_pool() {
    let (stopped, stops) = channel();
    let stopped = Mutex::new(stopped);
    let pool = BlockingPool::new(
        PoolConfig::blocking().on_thread_stop(move || stopped.lock().unwrap().send(()).unwrap()),
    )
    .unwrap();
    let (release, released) = channel::<()>();
    let last = pool.clone();
    pool.execute(Job::new(move || {
        let _closed = released.recv();
        drop(last);
    }))
    .unwrap();
    drop(pool);
    drop(release);
    stops.recv().unwrap();
}
