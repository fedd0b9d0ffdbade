//! The idle protocol under loom: no push is lost between a thread that lies down and one that calls in.
//!
//! The models run the crew's own code, on the modelled locks, atomics, threads and queue. A job that nobody gets to
//! leaves its thread parked for ever, which loom reports as a deadlock. The last model leaves out the second look of
//! the protocol, and loom must find that.

use std::sync::Arc;
use std::time::Duration;

use super::idle::{Called, Idle, Need, Retired};
use super::parker::{Order, Parker};
use super::{Crew, Growth};
use crate::config::PoolConfig;
use crate::job::Job;
use crate::sync::{AtomicU64, Ordering, Queue, fence, thread};

/// Explores all interleavings with few involuntary switches, which is where lost wake-ups show.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.max_branches = 20_000;
    builder.check(model);
}

fn crew(max_threads: usize) -> Arc<Crew> {
    let config = PoolConfig::compute()
        .max_threads(max_threads)
        .spin(Duration::ZERO)
        .low_priority(false);
    Arc::new(Crew::new(config, Growth::Eager))
}

/// A job that counts itself, and the count.
fn counting(count: &Arc<AtomicU64>) -> Job {
    let count = Arc::clone(count);
    // ORDERING: Relaxed, a count; read after the thread has been joined.
    Job::new(move || {
        count.fetch_add(1, Ordering::Relaxed);
    })
}

/// Runs a job and waits for it, as a caller does: without the job, this waits for ever.
fn run_one(crew: &Arc<Crew>) {
    let parker = Arc::new(Parker::new());
    let done = Arc::clone(&parker);
    crew.execute(Job::new(move || done.unpark(Order::Search)))
        .unwrap();
    parker.park();
}

#[test]
fn job_pushed_while_the_thread_lies_down_is_run() {
    check(|| {
        let crew = crew(1);
        run_one(&crew);
        run_one(&crew);
        assert!(crew.join(None).is_complete());
    });
}

#[test]
fn jobs_of_two_pushers_are_run() {
    check(|| {
        let crew = crew(1);
        let other = Arc::clone(&crew);
        let pusher = thread::spawn(move || run_one(&other));
        run_one(&crew);
        pusher.join().unwrap();
        assert!(crew.join(None).is_complete());
    });
}

#[test]
fn job_queued_behind_a_stuck_one_gets_a_thread() {
    check(|| {
        let crew = crew(2);
        let stuck = Arc::new(Parker::new());
        let release = Arc::clone(&stuck);
        crew.execute(Job::new(move || {
            stuck.park();
        }))
        .unwrap();
        // No shutdown yet, which would excuse a job that is never run.
        run_one(&crew);
        release.unpark(Order::Search);
        assert!(crew.join(None).is_complete());
    });
}

#[test]
fn job_beside_a_shutdown_runs_or_is_dropped_or_comes_back() {
    check(|| {
        let crew = crew(1);
        let count = Arc::new(AtomicU64::new(0));
        let (other, job) = (Arc::clone(&crew), counting(&count));
        let pusher = thread::spawn(move || drop(other.execute(job)));
        crew.shutdown();
        pusher.join().unwrap();
        assert!(crew.join(None).is_complete());
        assert!(crew.queue.is_empty());
        // The job, which holds the other reference, is gone either way.
        assert_eq!(Arc::strong_count(&count), 1);
    });
}

/// Has one more thread counted, which the model is to be.
fn ask_for_thread(idle: &Idle) {
    let called = idle.call_in(Need::More, Order::Search, Order::Search);
    assert!(matches!(called, Called::Start));
}

/// A thread that lies down at its queue and a pusher, out of the protocol's own steps.
fn lie_down_beside_a_push(second_look: bool) {
    let idle = Arc::new(Idle::new(1));
    let queue = Arc::new(Queue::new());
    ask_for_thread(&idle);
    idle.arrived();

    let (its_idle, its_queue) = (Arc::clone(&idle), Arc::clone(&queue));
    let thread = thread::spawn(move || {
        let parker = Arc::new(Parker::new());
        while its_queue.pop().is_none() {
            its_idle.lie_down(&parker);
            fence(Ordering::SeqCst);
            let seen = second_look && !its_queue.is_empty();
            if !(seen && its_idle.get_up(&parker)) {
                parker.park();
            }
        }
    });
    queue.push(());
    fence(Ordering::SeqCst);
    if !idle.snapshot().is_covered() {
        let _ = idle.call_in(Need::Cover, Order::Search, Order::Search);
    }
    thread.join().unwrap();
}

#[test]
fn steps_of_the_protocol_lose_no_push() {
    check(|| lie_down_beside_a_push(true));
}

#[test]
#[should_panic(expected = "deadlock")]
fn canary_thread_that_does_not_look_again_loses_a_push() {
    check(|| lie_down_beside_a_push(false));
}

#[test]
fn thread_that_retires_as_it_is_called_in_takes_its_order() {
    check(|| {
        let idle = Arc::new(Idle::new(2));
        let parkers = [Arc::new(Parker::new()), Arc::new(Parker::new())];
        for _ in &parkers {
            ask_for_thread(&idle);
            idle.arrived();
        }
        parkers.iter().for_each(|parker| idle.lie_down(parker));
        let (its_idle, its_parker) = (Arc::clone(&idle), Arc::clone(&parkers[1]));
        let thread = thread::spawn(move || match its_idle.retire(&its_parker) {
            Retired::Yes => false,
            Retired::LastStays => panic!("there are two"),
            Retired::CalledIn => matches!(its_parker.park(), Order::Search),
        });
        let called = idle.call_in(Need::Cover, Order::Search, Order::Search);
        assert!(matches!(called, Called::Unparked));
        let took_the_order = thread.join().unwrap();
        if !took_the_order {
            // It had gone, so the order went to the other.
            assert!(matches!(parkers[0].park(), Order::Search));
        }
    });
}

/// Two threads whose keep-alive ends while the second has only just come, and how many of them stay.
fn keep_alive_ends_beside_an_arrival(reports_itself: bool) {
    let idle = Arc::new(Idle::new(2));
    ask_for_thread(&idle);
    ask_for_thread(&idle);
    idle.arrived();
    let life = |idle: &Arc<Idle>, is_new: bool| {
        let idle = Arc::clone(idle);
        thread::spawn(move || {
            if is_new {
                idle.arrived();
            }
            let parker = Arc::new(Parker::new());
            idle.lie_down(&parker);
            idle.retire(&parker) == Retired::LastStays
        })
    };
    let (first, second) = (life(&idle, false), life(&idle, reports_itself));
    if !reports_itself {
        // As the starter would, some time after the thread has come.
        idle.arrived();
    }
    let stay = [first, second].map(|thread| thread.join().unwrap());
    assert_eq!(
        stay.into_iter().filter(|stays| *stays).count(),
        1,
        "one stays"
    );
}

#[test]
fn of_the_threads_whose_keep_alive_ends_one_stays() {
    check(|| keep_alive_ends_beside_an_arrival(true));
}

#[test]
#[should_panic(expected = "one stays")]
fn canary_a_thread_that_its_starter_reports_may_stay_beside_another() {
    check(|| keep_alive_ends_beside_an_arrival(false));
}
