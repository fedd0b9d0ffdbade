//! What the bounded pool promises, from the outside.

#![cfg(not(gristmill_loom))]

use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};

use runtime_blocking::{ComputePool, Executor, Job, PoolConfig};

#[test]
fn every_thread_of_the_bound_is_used() {
    let pool = ComputePool::new(PoolConfig::compute().max_threads(3)).unwrap();
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

#[test]
fn never_more_threads_than_the_bound() {
    let pool = ComputePool::new(PoolConfig::compute().max_threads(2)).unwrap();
    let (done, wait) = channel();
    for _ in 0..5000 {
        let done = done.clone();
        pool.execute(Job::new(move || done.send(()).unwrap()))
            .unwrap();
    }
    drop(done);
    assert_eq!(wait.iter().count(), 5000);
    assert!(pool.metrics().threads_started <= 2);
}

#[test]
fn panic_of_a_job_leaves_its_thread_serving() {
    let pool = ComputePool::new(PoolConfig::compute().max_threads(1)).unwrap();
    pool.execute(Job::new(|| panic!("expected by the test")))
        .unwrap();
    let (done, wait) = channel();
    pool.execute(Job::new(move || done.send(()).unwrap()))
        .unwrap();
    wait.recv().unwrap();
    assert_eq!(pool.metrics().threads_started, 1);
}

#[test]
fn refused_first_thread_gives_the_job_back() {
    let pool = ComputePool::new(PoolConfig::compute().stack_size(Some(usize::MAX / 2))).unwrap();
    let rejected = pool.execute(Job::new(|| ())).unwrap_err();
    assert!(rejected.is_thread_refused());
}

#[test]
fn zero_threads_are_refused_with_the_fix_named() {
    let error = ComputePool::new(PoolConfig::compute().max_threads(0)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("1 or more"));
}

/// The nice value of the thread that a job of the pool runs on.
#[cfg(target_os = "linux")]
fn nice_value(config: PoolConfig) -> i32 {
    let pool = ComputePool::new(config).unwrap();
    let (tell, told) = channel();
    pool.execute(Job::new(move || {
        tell.send(rustix::process::getpriority_process(None).unwrap())
            .unwrap();
    }))
    .unwrap();
    told.recv().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn threads_have_a_low_priority_unless_told_otherwise() {
    let own = rustix::process::getpriority_process(None).unwrap();
    assert_eq!(nice_value(PoolConfig::compute().low_priority(false)), own);
    assert_eq!(nice_value(PoolConfig::compute()), (own + 3).min(19));
}
