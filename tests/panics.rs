//! Wherever user code panics, it costs no thread of the runtime, holds no other task up, and is told to whoever should know

mod common;

use common::{Count, Flavour, OnDrop, PATIENCE, eventually, silence_panics, with_each};
use gristmill::executor::{Executor, Job, Rejected};
use gristmill::runtime::{Runtime, UnhandledPanic};
use gristmill::task::{self, JoinError, JoinHandle, JoinSet};
use gristmill::time::{Duration, sleep};
use std::future::{pending, poll_fn};
use std::panic::panic_any;
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::task::Poll;

/// How often each mishap is repeated: more often than there are threads to lose.
const TIMES: usize = 12;

/// A runtime without stand-ins: a thread that is lost is missed.
fn runtime(flavour: Flavour) -> Runtime {
    silence_panics();
    let builder = flavour
        .builder()
        .stall_threshold(None)
        .max_blocking_threads(2)
        .compute_threads(2);
    builder.build().expect("a runtime")
}

/// Proves that every thread of the runtime still serves.
fn all_serve(flavour: Flavour, runtime: &Runtime) {
    let workers = [4, 1, 1][flavour as usize];
    // Each of the tasks keeps a worker until all have one.
    let meet = Arc::new(Barrier::new(workers));
    let tasks: Vec<_> = (0..workers)
        .map(|_| {
            let meet = Arc::clone(&meet);
            runtime.spawn(async move { meet.wait().is_leader() })
        })
        .collect();
    for task in tasks {
        runtime.block_on(task).expect("no panic");
    }
    let meet = Arc::new(Barrier::new(4));
    let at_barrier = || {
        let meet = Arc::clone(&meet);
        move || meet.wait().is_leader()
    };
    let jobs = [
        runtime.spawn_blocking(at_barrier()),
        runtime.spawn_blocking(at_barrier()),
        runtime.spawn_compute(at_barrier()),
        runtime.spawn_compute(at_barrier()),
    ];
    for job in jobs {
        runtime.block_on(job).expect("no panic");
    }
    runtime.block_on(sleep(Duration::from_millis(1)));
}

/// Something whose drop panics, with a payload whose drop panics.
fn bomb() -> impl Sized + Send {
    OnDrop::new(|| {
        panic_any(OnDrop::new(|| {
            panic!("expected: a payload of a payload's drop")
        }))
    })
}

/// A future that owns a bomb, tells when it was polled, and waits for ever.
async fn mined(polled: mpsc::Sender<()>) {
    let _bomb = bomb();
    polled.send(()).expect("a receiver");
    pending::<()>().await;
}

fn run_until(runtime: &Runtime, mut holds: impl FnMut() -> bool) {
    runtime.block_on(async {
        while !holds() {
            task::yield_now().await;
        }
    });
}

/// Waits, by this thread's work if need be, for the end of a task.
fn error<T>(runtime: &Runtime, task: JoinHandle<T>) -> JoinError {
    match runtime.block_on(task) {
        Ok(_) => panic!("it has an output"),
        Err(error) => error,
    }
}

/// Waits for the end of a task, which has to be a panic. Its payload is leaked: whoever drops that has the panic of it.
#[track_caller]
fn panics<T>(runtime: &Runtime, task: JoinHandle<T>) {
    let error = error(runtime, task);
    assert!(error.is_panic(), "{error}");
    std::mem::forget(error.into_panic());
}

#[test]
fn in_a_poll_and_in_the_drop_after_it() {
    with_each(|flavour| {
        let runtime = runtime(flavour);
        for _ in 0..TIMES {
            let polled: JoinHandle<()> = runtime.spawn(async { panic!("expected: polled") });
            // The bomb is dropped with the future, after the panic: the first is told.
            let (mut first, own) = (true, bomb());
            let twice = runtime.spawn(poll_fn(move |_| {
                let _own = &own;
                assert!(!std::mem::take(&mut first), "expected: first");
                Poll::<()>::Pending
            }));
            let at_end = runtime.spawn(async {
                let _bomb = bomb();
                7
            });
            let text = error(&runtime, polled).panic_message();
            assert_eq!(text.as_deref(), Some("expected: polled"));
            let text = error(&runtime, twice).panic_message();
            assert_eq!(text.as_deref(), Some("expected: first"));
            panics(&runtime, at_end);
        }
        all_serve(flavour, &runtime);
    });
}

#[test]
fn in_the_drop_of_a_future_that_is_aborted() {
    with_each(|flavour| {
        let runtime = runtime(flavour);
        for _ in 0..TIMES {
            let (sender, polled) = mpsc::channel();
            let started = runtime.spawn(mined(sender.clone()));
            run_until(&runtime, || polled.try_recv().is_ok());
            let bomb = bomb();
            let unstarted = runtime.spawn(async move {
                let _bomb = bomb;
                pending::<()>().await;
            });
            started.abort();
            unstarted.abort();
            let detached = runtime.spawn(mined(sender)).abort_handle();
            run_until(&runtime, || polled.try_recv().is_ok());
            detached.abort();
            for task in [started, unstarted] {
                panics(&runtime, task);
            }
            run_until(&runtime, || detached.is_finished());
        }
        all_serve(flavour, &runtime);
    });
}

#[test]
fn in_the_drop_of_an_output() {
    with_each(|flavour| {
        let runtime = runtime(flavour);
        for _ in 0..TIMES {
            // Nobody is left to take it; somebody goes without taking it; a set goes with it; jobs.
            let detached = runtime.spawn(async { bomb() }).abort_handle();
            run_until(&runtime, || detached.is_finished());
            let ended = runtime.spawn(async { bomb() });
            run_until(&runtime, || ended.is_finished());
            drop(ended);
            let mut set = JoinSet::new();
            let in_set = set.spawn_on(async { bomb() }, runtime.handle());
            run_until(&runtime, || in_set.is_finished());
            drop(set);
            let detached = runtime.spawn_blocking(bomb).abort_handle();
            eventually("the job ends", || detached.is_finished());
            let ended = runtime.spawn_compute(bomb);
            eventually("the job ends", || ended.is_finished());
            drop(ended);
        }
        all_serve(flavour, &runtime);
    });
}

#[test]
fn in_jobs_and_in_what_they_own() {
    with_each(|flavour| {
        let runtime = runtime(flavour);
        for _ in 0..TIMES {
            let owned = bomb();
            let job = runtime.spawn_blocking(move || drop(owned));
            drop(runtime.spawn_blocking(|| panic_any(bomb())));
            drop(runtime.spawn_compute(|| panic_any(bomb())));
            let computed: JoinHandle<()> = runtime.spawn_compute(|| panic!("expected: computed"));
            panics(&runtime, job);
            let text = error(&runtime, computed).panic_message();
            assert_eq!(text.as_deref(), Some("expected: computed"));
        }
        all_serve(flavour, &runtime);
    });
}

#[test]
fn in_what_a_job_owns_that_is_aborted_in_the_queue() {
    let runtime = common::one_blocking_thread();
    silence_panics();
    let occupied = common::Occupied::new(runtime.handle());
    let owned = bomb();
    let job = runtime.spawn_blocking(move || drop(owned));
    job.abort();
    panics(&runtime, job);
    let owned = bomb();
    let detached = runtime.spawn_blocking(move || drop(owned)).abort_handle();
    detached.abort();
    assert!(detached.is_finished());
    drop(occupied);
    let after = runtime.spawn_blocking(|| 7);
    assert_eq!(runtime.block_on(after).expect("the thread serves"), 7);
}

/// Takes no job; it drops them where it stands.
struct Refuses;

impl Executor for Refuses {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        drop(job);
        Ok(())
    }
}

#[test]
fn in_what_a_job_owns_that_its_executor_drops() {
    with_each(|flavour| {
        let runtime = runtime(flavour);
        let owned = bomb();
        let job = runtime.run_in_executor(Some(&Refuses), move || drop(owned));
        panics(&runtime, job);
        let plain = runtime.run_in_executor(Some(&Refuses), || 7);
        let error = error(&runtime, plain);
        assert!(error.is_cancelled() && error.aborted_at().is_none());
        assert!(error.to_string().contains("before it ran"), "{error}");
        all_serve(flavour, &runtime);
    });
}

#[test]
fn in_the_value_of_a_task_local() {
    gristmill::task_local! {
        static PLACE: Box<dyn std::any::Any + Send + Sync>;
    }
    with_each(|flavour| {
        let runtime = runtime(flavour);
        for _ in 0..TIMES {
            let own = std::sync::Mutex::new(bomb());
            let task = runtime.spawn(PLACE.scope(Box::new(own), async {
                task::yield_now().await;
            }));
            panics(&runtime, task);
        }
        all_serve(flavour, &runtime);
    });
}

#[test]
fn in_hooks_of_threads() {
    with_each(|flavour| {
        silence_panics();
        let (starts, stops) = (Count::default(), Count::default());
        let (started, stopped) = (starts.clone(), stops.clone());
        let runtime = flavour
            .builder()
            .stall_threshold(None)
            .max_blocking_threads(2)
            .compute_threads(2)
            .on_thread_start(move || {
                started.add();
                panic_any(bomb())
            })
            .on_thread_stop(move || {
                stopped.add();
                panic_any(bomb())
            })
            .build()
            .expect("a runtime");
        all_serve(flavour, &runtime);
        drop(runtime);
        // The reactor's, four of the pools, and the workers.
        let threads = 5 + [4, 1, 0][flavour as usize];
        assert_eq!((starts.get(), stops.get()), (threads, threads));
    });
}

#[test]
fn in_a_hook_of_reports_and_in_a_handler_of_panics() {
    with_each(|flavour| {
        silence_panics();
        for debug in [true, false] {
            let builder = flavour
                .builder()
                .stall_threshold(None)
                .max_blocking_threads(2)
                .compute_threads(2)
                .debug(debug)
                .on_report(|_| panic_any(bomb()));
            let policies = [
                UnhandledPanic::Log,
                UnhandledPanic::handler(|_| panic_any(bomb())),
            ];
            for policy in policies {
                let runtime = builder.clone().unhandled_panic(policy);
                let runtime = runtime.build().expect("a runtime");
                for _ in 0..TIMES {
                    drop(runtime.spawn(async { panic!("expected: task") }));
                    drop(runtime.spawn_blocking(|| panic!("expected: job")));
                }
                let metrics = runtime.metrics();
                run_until(&runtime, || metrics.unobserved_panics() == 2 * TIMES as u64);
                all_serve(flavour, &runtime);
            }
        }
    });
}

#[test]
fn while_the_runtime_shuts_down() {
    with_each(|flavour| {
        for rounds in 0..TIMES {
            let runtime = runtime(flavour);
            let (sender, polled) = mpsc::channel();
            let drops = Count::default();
            let mut handles = Vec::new();
            for n in 0..20 {
                let probe = drops.on_drop();
                let mined = mined(sender.clone());
                let handle = runtime.spawn(async move {
                    let _probe = probe;
                    mined.await;
                });
                if n % 2 == 0 {
                    handles.push(handle);
                }
            }
            // With some of the tasks still unpolled, on some of the rounds.
            let mut count = 0;
            run_until(&runtime, || {
                count += polled.try_iter().count();
                count >= 20.min(2 * rounds)
            });
            // Jobs that are queued behind one that waits for the end.
            let (release, released) = mpsc::channel::<()>();
            let stuck: Vec<_> = {
                let released = Arc::new(std::sync::Mutex::new(released));
                (0..2)
                    .map(|_| {
                        let released = Arc::clone(&released);
                        runtime.spawn_blocking(move || drop(released.lock().map(|r| r.recv())))
                    })
                    .collect()
            };
            for _ in 0..4 {
                let (probe, bomb) = (drops.on_drop(), bomb());
                drop(runtime.spawn_blocking(move || drop((probe, bomb))));
            }
            drop(release);
            drop(stuck);
            let late = runtime.handle().clone();
            runtime.shutdown_timeout(PATIENCE);
            assert_eq!(drops.get(), 24, "{rounds}");
            let outside = Flavour::CurrentThread.runtime();
            for handle in handles {
                let error = error(&outside, handle);
                if error.is_panic() {
                    std::mem::forget(error.into_panic());
                }
            }
            // What comes now ends here, and the panic goes to the handle.
            let owned = bomb();
            let task = late.spawn(async move { drop(owned) });
            panics(&outside, task);
            let owned = bomb();
            let job = late.spawn_blocking(move || drop(owned));
            panics(&outside, job);
        }
    });
}

#[test]
fn in_the_root_future_beside_tasks_that_go_on() {
    with_each(|flavour| {
        let runtime = runtime(flavour);
        let steps = Count::default();
        for _ in 0..TIMES {
            let counted = steps.clone();
            drop(runtime.spawn(async move {
                task::yield_now().await;
                counted.add();
            }));
            let root = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                runtime.block_on(async {
                    let _bomb = OnDrop::new(|| ());
                    task::yield_now().await;
                    panic!("expected: root")
                });
            }));
            assert!(root.is_err());
        }
        run_until(&runtime, || steps.get() == TIMES);
        all_serve(flavour, &runtime);
    });
}

#[test]
fn among_many_that_do_not_panic() {
    with_each(|flavour| {
        let runtime = runtime(flavour);
        let sum = runtime.block_on(async {
            let mut set = JoinSet::new();
            for n in 0..2_000_u64 {
                set.spawn(async move {
                    for _ in 0..n % 7 {
                        task::yield_now().await;
                    }
                    match n % 10 {
                        0 => panic!("expected: {n}"),
                        1 => panic_any(bomb()),
                        2 => {
                            drop(task::spawn_blocking(|| panic!("expected: nested")));
                            n
                        }
                        _ => n,
                    }
                });
            }
            let (mut sum, mut panics) = (0, 0);
            while let Some(output) = set.join_next().await {
                match output {
                    Ok(n) => sum += n,
                    Err(error) => {
                        std::mem::forget(error.into_panic());
                        panics += 1;
                    }
                }
            }
            assert_eq!(panics, 400);
            sum
        });
        let expected: u64 = (0..2_000).filter(|n| n % 10 > 1).sum();
        assert_eq!(sum, expected);
        all_serve(flavour, &runtime);
    });
}
