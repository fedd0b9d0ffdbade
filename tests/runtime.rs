//! What a runtime promises: several in one process, reached from any thread, entered, blocked on, and never by mistake.

mod common;

use common::{
    Flavour, PATIENCE, eventually, on_each, panic_text, silence_panics, with_each, within,
};
use gristmill::runtime::{Builder, Handle, Runtime};
use gristmill::time::{Duration, sleep};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};

#[test]
fn run_gives_the_output_and_stops_what_is_left() {
    within("run", || {
        let drops = common::Count::default();
        let probe = drops.on_drop();
        let output = gristmill::run(async move {
            drop(gristmill::spawn(async move {
                let _probe = probe;
                std::future::pending::<()>().await;
            }));
            gristmill::spawn(async { 7 }).await
        });
        assert_eq!(output.expect("no panic"), 7);
        assert_eq!(drops.get(), 1);
    });
}

#[test]
fn block_on_borrows_what_its_caller_has() {
    on_each(|runtime| {
        let mut numbers = vec![1, 2, 3];
        let not_send = std::rc::Rc::new(4);
        runtime.block_on(async {
            gristmill::task::yield_now().await;
            numbers.push(*not_send);
        });
        assert_eq!(numbers, [1, 2, 3, 4]);
    });
}

#[test]
fn several_runtimes_live_in_one_process_and_talk_to_each_other() {
    within("several", || {
        let runtimes: Vec<Arc<Runtime>> = (0..3)
            .flat_map(|_| common::FLAVOURS)
            .map(|flavour| Arc::new(flavour.runtime()))
            .collect();
        let (first, mut from) = async_channel::bounded(1);
        let mut relays = Vec::new();
        for runtime in &runtimes {
            let (to, next) = async_channel::bounded(1);
            let source = std::mem::replace(&mut from, next);
            let runtime = Arc::clone(runtime);
            relays.push(std::thread::spawn(move || {
                let relay = runtime.spawn(async move {
                    while let Ok(n) = source.recv().await {
                        if to.send(n + 1).await.is_err() {
                            return;
                        }
                    }
                });
                runtime.block_on(relay).expect("no panic");
            }));
        }
        for n in 0..200_usize {
            first.send_blocking(n).expect("a receiver");
            assert_eq!(from.recv_blocking(), Ok(n + runtimes.len()));
        }
        drop(first);
        for relay in relays {
            relay.join().expect("no panic");
        }
    });
}

#[test]
fn a_handle_works_from_a_foreign_thread() {
    on_each(|runtime| {
        let handle = runtime.handle().clone();
        let thread = std::thread::spawn(move || {
            assert!(Handle::try_current().is_err());
            let task = handle.spawn(async { 1 });
            let job = handle.spawn_blocking(|| 2);
            let computation = handle.spawn_compute(|| 3);
            handle.block_on(async {
                sleep(Duration::from_millis(1)).await;
                let parts = (task.await, job.await, computation.await);
                parts.0.expect("runs") + parts.1.expect("runs") + parts.2.expect("runs")
            })
        });
        assert_eq!(thread.join().expect("no panic"), 6);
    });
}

#[test]
fn entering_nests_and_the_outer_runtime_comes_back() {
    within("enter", || {
        silence_panics();
        let (outer, inner) = (Flavour::OneWorker.runtime(), Flavour::FourWorkers.runtime());
        let workers = || Handle::current().metrics().num_workers();
        assert!(Handle::try_current().is_err());
        {
            let _outer = outer.enter();
            assert_eq!(workers(), 1);
            {
                let _inner = inner.enter();
                assert_eq!(workers(), 4);
                let on_inner =
                    gristmill::spawn(async move { Handle::current().metrics().num_workers() });
                assert_eq!(outer.block_on(on_inner).expect("no panic"), 4);
                assert_eq!(workers(), 4);
            }
            assert_eq!(workers(), 1);
            let caught = catch_unwind(AssertUnwindSafe(|| {
                let _inner = inner.enter();
                panic!("expected by the test");
            }));
            assert!(caught.is_err());
            assert_eq!(workers(), 1);
        }
        assert!(Handle::try_current().is_err());
    });
}

#[test]
fn a_sleep_made_in_an_entered_thread_can_be_awaited_in_a_task() {
    on_each(|runtime| {
        let sleep = {
            let _inside = runtime.enter();
            sleep(Duration::from_millis(1))
        };
        runtime.block_on(runtime.spawn(sleep)).expect("no panic");
    });
}

#[test]
fn every_place_of_a_runtime_knows_its_handle() {
    on_each(|runtime| {
        let workers = runtime.metrics().num_workers();
        let count = || Handle::current().metrics().num_workers();
        runtime.block_on(async {
            assert_eq!(count(), workers);
            let in_task = gristmill::spawn(async move { count() });
            assert_eq!(in_task.await.expect("no panic"), workers);
            let in_job = gristmill::spawn_blocking(count);
            assert_eq!(in_job.await.expect("no panic"), workers);
            let in_computation = gristmill::spawn_compute(count);
            assert_eq!(in_computation.await.expect("no panic"), workers);
        });
        assert!(Handle::try_current().is_err());
    });
}

#[test]
fn without_a_runtime_the_panic_names_the_fix() {
    silence_panics();
    let calls: [fn(); 5] = [
        || drop(Handle::current()),
        || drop(gristmill::spawn(async {})),
        || drop(gristmill::spawn_blocking(|| ())),
        || drop(gristmill::run_in_executor(None, || ())),
        || drop(gristmill::task::JoinSet::new().spawn(async {})),
    ];
    for call in calls {
        let text = panic_text(call);
        assert!(text.contains("there is no gristmill runtime"), "{text}");
        assert!(text.contains("gristmill::run"), "{text}");
        assert!(text.contains("Handle::enter"), "{text}");
    }
    let error = Handle::try_current().expect_err("none here");
    assert!(error.to_string().contains("gristmill::run"), "{error}");
    let text = panic_text(|| {
        gristmill::task::id();
    });
    assert!(text.contains("try_id"), "{text}");
}

#[test]
fn a_panic_of_misuse_is_located_at_the_caller() {
    let (sender, locations) = mpsc::channel();
    within("location", move || {
        let line = line!() + 2;
        let thread = std::thread::Builder::new().name("misuser".to_owned());
        let misuse = || drop(gristmill::spawn(async {}));
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().name() == Some("misuser") {
                let location = info.location().expect("always known");
                let _ = sender.send((location.file().to_owned(), location.line()));
            } else {
                previous(info);
            }
        }));
        let _ = thread.spawn(misuse).expect("started").join();
        let (file, at) = locations.recv().expect("it panicked");
        assert!(file.ends_with("runtime.rs"), "{file}");
        assert_eq!(at, line);
    });
}

#[test]
fn a_runtime_started_inside_of_a_runtime_is_refused_with_the_fix() {
    silence_panics();
    on_each(|runtime| {
        const MESSAGE: &str = "run() cannot be called from a running runtime; use spawn or .await";
        let text = panic_text(|| runtime.block_on(async { gristmill::run(async {}) }));
        assert_eq!(text, MESSAGE);
        let in_task = runtime.spawn(async { gristmill::run(async {}) });
        let error = runtime.block_on(in_task).expect_err("panicked");
        assert!(error.to_string().ends_with(MESSAGE), "{error}");
        let text = panic_text(|| gristmill::run(async { gristmill::run(async {}) }));
        assert_eq!(text, MESSAGE);
    });
}

#[test]
fn block_on_inside_of_async_code_is_refused_with_the_fix() {
    silence_panics();
    on_each(|runtime| {
        let other = Flavour::OneWorker.runtime();
        for handle in [runtime.handle().clone(), other.handle().clone()] {
            let root = handle.clone();
            let text = panic_text(|| runtime.block_on(async { root.block_on(async {}) }));
            for part in ["block_on()", ".await", "block_in_place"] {
                assert!(text.contains(part), "{text}");
            }
            let in_task = runtime.spawn(async move { handle.block_on(async {}) });
            let error = runtime.block_on(in_task).expect_err("panicked");
            assert!(error.to_string().contains("block_on()"), "{error}");
        }
        assert_eq!(runtime.block_on(async { 7 }), 7, "nothing stays behind");
    });
}

#[test]
fn a_blocking_job_may_block_on_its_runtime_and_start_another() {
    on_each(|runtime| {
        let job = runtime.spawn_blocking(|| {
            let own = Handle::current().block_on(async { gristmill::spawn(async { 1 }).await });
            let other = gristmill::run(async { gristmill::spawn(async { 2 }).await });
            own.expect("no panic") + other.expect("no panic")
        });
        assert_eq!(runtime.block_on(job).expect("no panic"), 3);
    });
}

#[test]
fn the_root_future_may_panic_and_the_runtime_goes_on() {
    silence_panics();
    on_each(|runtime| {
        for _ in 0..10 {
            let text = panic_text(|| {
                runtime.block_on(async {
                    gristmill::task::yield_now().await;
                    panic!("expected by the test");
                })
            });
            assert_eq!(text, "expected by the test");
            assert!(Handle::try_current().is_err());
            let task = runtime.spawn(async { 7 });
            assert_eq!(runtime.block_on(task).expect("no panic"), 7);
        }
    });
}

#[test]
fn tasks_of_a_current_thread_runtime_run_only_inside_of_block_on() {
    within("only inside", || {
        let runtime = Flavour::CurrentThread.runtime();
        let (sender, receiver) = mpsc::channel();
        let task = runtime.spawn(async move {
            sender
                .send(std::thread::current().id())
                .expect("a receiver");
        });
        assert!(receiver.try_recv().is_err());
        runtime.block_on(task).expect("no panic");
        assert_eq!(receiver.recv(), Ok(std::thread::current().id()));
    });
}

#[test]
fn of_two_threads_that_block_on_one_thread_the_second_takes_over() {
    within("take over", || {
        for _ in 0..50 {
            let runtime = Arc::new(Flavour::CurrentThread.runtime());
            let (open, gate) = async_channel::bounded::<()>(1);
            let (started, start) = mpsc::channel();
            let first = std::thread::spawn({
                let runtime = Arc::clone(&runtime);
                move || {
                    runtime.block_on(async {
                        started.send(()).expect("a receiver");
                        gate.recv().await
                    })
                }
            });
            start.recv_timeout(PATIENCE).expect("the first works");
            let second = std::thread::spawn({
                let runtime = Arc::clone(&runtime);
                move || {
                    runtime.block_on(async {
                        // The first thread runs this task.
                        gristmill::spawn(async {}).await.expect("no panic");
                        open.send(()).await.expect("the first waits");
                        // And after its end this one has to.
                        for _ in 0..20 {
                            gristmill::spawn(async {
                                gristmill::task::yield_now().await;
                                sleep(Duration::from_micros(50)).await;
                            })
                            .await
                            .expect("no panic");
                        }
                    });
                }
            });
            assert_eq!(first.join().expect("no panic"), Ok(()));
            second.join().expect("no panic");
        }
    });
}

#[test]
fn many_threads_block_on_one_runtime_at_once() {
    on_each(|runtime| {
        std::thread::scope(|scope| {
            for n in 0..8_u64 {
                scope.spawn(move || {
                    for _ in 0..50 {
                        let output = runtime.block_on(async {
                            sleep(Duration::from_micros(100)).await;
                            gristmill::spawn(async move { n }).await
                        });
                        assert_eq!(output.expect("no panic"), n);
                    }
                });
            }
        });
    });
}

#[test]
fn a_thread_that_works_and_panics_hands_the_work_to_the_next() {
    silence_panics();
    within("panic hands over", || {
        for _ in 0..50 {
            let runtime = Arc::new(Flavour::CurrentThread.runtime());
            let (open, gate) = async_channel::bounded::<()>(1);
            let (started, start) = mpsc::channel();
            let first = std::thread::spawn({
                let runtime = Arc::clone(&runtime);
                move || {
                    runtime.block_on(async {
                        started.send(()).expect("a receiver");
                        gate.recv().await.expect("opened");
                        panic!("expected by the test");
                    })
                }
            });
            start.recv_timeout(PATIENCE).expect("the first works");
            runtime.block_on(async {
                gristmill::spawn(async {}).await.expect("no panic");
                open.send(()).await.expect("the first waits");
                gristmill::spawn(sleep(Duration::from_millis(1)))
                    .await
                    .expect("no panic");
            });
            assert!(first.join().is_err());
        }
    });
}

#[test]
fn threads_carry_the_name_that_was_set() {
    with_each(|flavour| {
        let runtime = flavour
            .builder()
            .thread_name("quern")
            .build()
            .expect("a runtime");
        let name = || std::thread::current().name().map(str::to_owned);
        runtime.block_on(async {
            if flavour != Flavour::CurrentThread {
                let of_worker = gristmill::spawn(async move { name() }).await;
                let of_worker = of_worker.expect("no panic").expect("a name");
                assert!(of_worker.starts_with("quern-"), "{of_worker}");
            }
            let of_job = gristmill::spawn_blocking(name).await.expect("no panic");
            let of_job = of_job.expect("a name");
            assert!(of_job.starts_with("quern-blocking"), "{of_job}");
        });
    });
}

#[test]
fn a_runtime_comes_and_goes_many_times() {
    with_each(|flavour| {
        for n in 0..100 {
            let runtime = flavour.runtime();
            let task = runtime.spawn(async move {
                sleep(Duration::from_micros(10)).await;
                n
            });
            assert_eq!(runtime.block_on(task).expect("no panic"), n);
        }
    });
}

#[test]
fn the_stack_size_is_that_of_every_thread() {
    within("stack", || {
        let builder = Builder::new().worker_threads(1);
        let runtime = builder
            .thread_stack_size(16 * 1024 * 1024)
            .build()
            .expect("a runtime");
        fn deep(levels: usize) -> usize {
            let ballast = std::hint::black_box([levels; 512]);
            if levels == 0 {
                return 0;
            }
            deep(levels - 1) + ballast[1] / levels
        }
        // Some eight megabytes, which the default stack does not have.
        let task = runtime.spawn(async { deep(2_000) });
        assert_eq!(runtime.block_on(task).expect("no panic"), 2_000);
        let job = runtime.spawn_blocking(|| deep(2_000));
        assert_eq!(runtime.block_on(job).expect("no panic"), 2_000);
    });
}

#[test]
fn work_goes_on_after_a_worker_idled() {
    on_each(|runtime| {
        let metrics = runtime.metrics();
        for _ in 0..50 {
            let parks = metrics.worker_park_count(0);
            let (sender, receiver) = async_channel::bounded::<()>(1);
            let metrics = metrics.clone();
            let thread = std::thread::spawn(move || {
                // Of several workers any may be the one that sleeps.
                eventually("a worker sleeps", || {
                    metrics.worker_park_count(0) > parks || metrics.num_workers() > 1
                });
                sender.send_blocking(()).expect("a receiver");
            });
            let task = runtime.spawn(async move { receiver.recv().await });
            assert_eq!(runtime.block_on(task).expect("no panic"), Ok(()));
            thread.join().expect("no panic");
        }
    });
}
