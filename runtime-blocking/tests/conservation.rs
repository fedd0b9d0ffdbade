//! No job is lost and none runs twice, whoever submits, retires or shuts down meanwhile.

#![cfg(not(gristmill_loom))]

mod probe;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use probe::Gone;
use runtime_blocking::{BlockingPool, Executor, Job, PoolConfig};

#[test]
fn every_job_runs_once_or_is_dropped_once_with_a_shutdown_in_the_middle() {
    const SUBMITTERS: usize = 4;
    const JOBS: usize = 50_000;
    let pool = BlockingPool::new(PoolConfig::blocking().max_threads(8)).unwrap();
    let (gone, ran, returned) = (Gone::default(), AtomicUsize::new(0), AtomicUsize::new(0));
    let ran = Arc::new(ran);
    thread::scope(|scope| {
        for _ in 0..SUBMITTERS {
            scope.spawn(|| {
                for _ in 0..JOBS {
                    let (probe, ran) = (gone.probe(), ran.clone());
                    let job = Job::new(move || {
                        let _held = probe;
                        ran.fetch_add(1, Ordering::SeqCst);
                    });
                    if pool.execute(job).is_err() {
                        returned.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
        scope.spawn(|| {
            while ran.load(Ordering::SeqCst) < SUBMITTERS * JOBS / 2 {
                thread::yield_now();
            }
            pool.shutdown();
        });
    });
    assert!(pool.join(None).is_complete());
    assert_eq!(gone.count(), SUBMITTERS * JOBS);
    let ran = ran.load(Ordering::SeqCst);
    assert_eq!(pool.metrics().completed, ran as u64);
    assert!(ran >= SUBMITTERS * JOBS / 2);
    assert!(ran + returned.load(Ordering::SeqCst) <= SUBMITTERS * JOBS);
    assert_eq!(pool.metrics().queued, 0);
}

#[test]
fn every_job_runs_without_a_shutdown() {
    const SUBMITTERS: usize = 4;
    const JOBS: usize = 20_000;
    let config = PoolConfig::blocking()
        .spin(Duration::ZERO)
        .keep_alive(Some(Duration::ZERO));
    let pool = BlockingPool::new(config).unwrap();
    let (done, wait) = channel();
    thread::scope(|scope| {
        for _ in 0..SUBMITTERS {
            let (pool, done) = (&pool, done.clone());
            scope.spawn(move || {
                for _ in 0..JOBS {
                    let done = done.clone();
                    pool.execute(Job::new(move || done.send(()).unwrap()))
                        .unwrap();
                }
            });
        }
    });
    drop(done);
    assert_eq!(wait.iter().count(), SUBMITTERS * JOBS);
}
