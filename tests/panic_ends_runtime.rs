//! What `UnhandledPanic::Shutdown` and `UnhandledPanic::Abort` promise: nothing waits for a task that is dead

mod common;

use common::{Count, Flavour, OnDrop, PATIENCE, eventually, panic_text, silence_panics, with_each};
use gristmill::runtime::{Builder, Runtime, UnhandledPanic};
use gristmill::task::{self, JoinHandle};
use gristmill::time::Duration;
use std::future::pending;
use std::panic::Location;
use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread;

fn runtime(flavour: Flavour, policy: UnhandledPanic) -> Runtime {
    silence_panics();
    let builder = flavour.builder().unhandled_panic(policy);
    builder.build().expect("a runtime")
}

/// Lets the tasks of a runtime run until the condition holds.
fn run_until(runtime: &Runtime, mut holds: impl FnMut() -> bool) {
    runtime.block_on(async {
        while !holds() {
            task::yield_now().await;
        }
    });
}

#[track_caller]
fn named<T: Send + 'static>(
    name: &str,
    body: impl Future<Output = T> + Send + 'static,
    runtime: &Runtime,
) -> JoinHandle<T> {
    let builder = task::Builder::new().name(name);
    builder.spawn_on(body, runtime.handle())
}

/// What a `block_on` of this runtime says that would wait for ever.
fn text_of_endless(runtime: &Runtime) -> String {
    panic_text(|| runtime.block_on(pending::<()>()))
}

#[test]
fn shutdown_ends_block_on_with_the_name_of_the_task_and_drops_the_others() {
    with_each(|flavour| {
        let runtime = runtime(flavour, UnhandledPanic::Shutdown);
        let drops = Count::default();
        for _ in 0..20 {
            let probe = drops.on_drop();
            drop(runtime.spawn(async move {
                let _probe = probe;
                pending::<()>().await;
            }));
        }
        let spawned = Location::caller().line() + 1;
        let task: JoinHandle<()> = named("mill", async { panic!("expected: fatal") }, &runtime);
        let text = text_of_endless(&runtime);
        let expected = format!(
            "task {} \"mill\" spawned at {}:{spawned}:",
            task.id(),
            file!()
        );
        assert!(text.contains("the runtime has shut down"), "{text}");
        assert!(text.contains(&expected), "{text}");
        assert!(text.ends_with(": expected: fatal"), "{text}");
        // A further one, and what is spawned now.
        assert_eq!(text_of_endless(&runtime), text);
        let outside = Flavour::CurrentThread.runtime();
        assert!(outside.block_on(task).expect_err("a panic").is_panic());
        let late = outside.block_on(runtime.spawn(async {}));
        assert!(late.expect_err("too late").is_cancelled());
        let late = outside.block_on(runtime.spawn_blocking(|| ()));
        assert!(late.expect_err("too late").is_cancelled());
        eventually("the others are dropped", || drops.get() == 20);
    });
}

#[test]
fn shutdown_does_not_wait_to_see_whether_somebody_looks() {
    with_each(|flavour| {
        let runtime = runtime(flavour, UnhandledPanic::Shutdown);
        let text = panic_text(|| {
            runtime.block_on(async {
                let held: JoinHandle<()> = gristmill::spawn(async { panic!("expected: fatal") });
                pending::<()>().await;
                drop(held);
            });
        });
        assert!(text.ends_with("expected: fatal"), "{text}");
    });
}

#[test]
fn shutdown_comes_from_jobs_and_from_drops_too() {
    with_each(|flavour| {
        let runtime = runtime(flavour, UnhandledPanic::Shutdown);
        drop(runtime.spawn_blocking(|| panic!("expected: job")));
        assert!(text_of_endless(&runtime).ends_with("expected: job"));

        let runtime = self::runtime(flavour, UnhandledPanic::Shutdown);
        drop(runtime.spawn_compute(|| panic!("expected: computed")));
        assert!(text_of_endless(&runtime).ends_with("expected: computed"));

        let runtime = self::runtime(flavour, UnhandledPanic::Shutdown);
        drop(runtime.spawn(async {
            let _bomb = OnDrop::new(|| panic!("expected: dropped"));
            task::yield_now().await;
        }));
        assert!(text_of_endless(&runtime).ends_with("expected: dropped"));
    });
}

#[test]
fn shutdown_tells_of_the_jobs_behind_one_whose_destructor_never_ends() {
    common::within("jobs", || {
        silence_panics();
        let builder = Flavour::OneWorker.builder().max_blocking_threads(1);
        let builder = builder.unhandled_panic(UnhandledPanic::Shutdown);
        let runtime = builder.build().expect("a runtime");
        let occupied = common::Occupied::new(runtime.handle());
        let (begins, begun) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let endless = OnDrop::new(move || {
            begins.send(()).expect("a receiver");
            let _ = released.recv();
        });
        drop(runtime.spawn_blocking(move || drop(endless)));
        let behind: Vec<_> = (0..5).map(|n| runtime.spawn_blocking(move || n)).collect();
        drop(runtime.spawn(async { panic!("expected: fatal") }));
        // Nor does it keep whoever waits from hearing of the end.
        assert!(text_of_endless(&runtime).ends_with("expected: fatal"));
        begun.recv_timeout(PATIENCE).expect("the first is dropped");
        let report = runtime.shutdown_timeout(Duration::from_millis(200));
        assert_eq!(report.job_count(), 7, "{report}");
        eventually("the others are dropped", || {
            behind.iter().all(JoinHandle::is_finished)
        });
        drop((release, occupied));
    });
}

#[test]
fn shutdown_reaches_every_thread_in_block_on() {
    with_each(|flavour| {
        let runtime = runtime(flavour, UnhandledPanic::Shutdown);
        let (sender, waiting) = mpsc::channel();
        thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let (runtime, sender) = (&runtime, sender.clone());
                    scope.spawn(move || {
                        panic_text(|| {
                            runtime.block_on(async {
                                sender.send(()).expect("a receiver");
                                pending::<()>().await;
                            });
                        })
                    })
                })
                .collect();
            for _ in 0..4 {
                waiting.recv_timeout(PATIENCE).expect("all wait");
            }
            drop(runtime.spawn(async { panic!("expected: fatal") }));
            for thread in threads {
                let text = thread.join().expect("caught");
                assert!(text.ends_with("expected: fatal"), "{text}");
            }
        });
    });
}

#[test]
fn shutdown_of_a_runtime_that_ends_anyway_is_no_news() {
    with_each(|flavour| {
        let runtime = runtime(flavour, UnhandledPanic::Shutdown);
        let (sender, started) = mpsc::channel();
        for _ in 0..4 {
            let sender = sender.clone();
            drop(runtime.spawn(async move {
                let _bomb = OnDrop::new(|| panic!("expected: at the end"));
                sender.send(()).expect("a receiver");
                pending::<()>().await;
            }));
        }
        let mut count = 0;
        run_until(&runtime, || {
            count += started.try_iter().count();
            count == 4
        });
        drop(runtime);
    });
}

#[test]
fn many_panics_at_once_shut_down_once() {
    with_each(|flavour| {
        for _ in 0..20 {
            let runtime = runtime(flavour, UnhandledPanic::Shutdown);
            for _ in 0..20 {
                drop(runtime.spawn(async { panic!("expected: one of many") }));
                drop(runtime.spawn_blocking(|| panic!("expected: one of many")));
            }
            let text = text_of_endless(&runtime);
            assert!(text.ends_with("expected: one of many"), "{text}");
        }
    });
}

#[test]
fn a_panic_of_the_future_of_block_on_ends_no_runtime() {
    with_each(|flavour| {
        let runtime = runtime(flavour, UnhandledPanic::Shutdown);
        let text = panic_text(|| runtime.block_on(async { panic!("expected: root") }));
        assert_eq!(text, "expected: root");
        let after = runtime.spawn(async { 7 });
        assert_eq!(runtime.block_on(after).expect("goes on"), 7);
    });
}

#[test]
fn a_simulation_ends_by_a_panic_of_a_task_too() {
    common::within("simulations", || {
        silence_panics();
        for seed in 0..20 {
            let builder = Builder::new_simulated(seed).unhandled_panic(UnhandledPanic::Shutdown);
            let runtime = builder.build().expect("a runtime");
            let drops = Count::default();
            let probe = drops.on_drop();
            drop(runtime.spawn(async move {
                let _probe = probe;
                pending::<()>().await;
            }));
            if seed % 2 == 0 {
                drop(runtime.spawn(async { panic!("expected: fatal") }));
            } else {
                drop(runtime.spawn_blocking(|| panic!("expected: fatal")));
            }
            let text = text_of_endless(&runtime);
            assert!(text.ends_with("expected: fatal"), "{text}");
            assert_eq!(drops.get(), 1);
        }
    });
}

/// Runs `inside` in a process of its own, once for each flavour and a simulation: this program once more, with the test of that
/// name alone.
fn in_a_process_each(test: &str, inside: fn(Builder), judge: fn(&Output, &str)) {
    const FLAVOUR: &str = "GRISTMILL_TEST_FLAVOUR";
    let flavours = common::FLAVOURS.map(|flavour| (format!("{flavour:?}"), flavour.builder()));
    let simulated = ("Simulated".to_owned(), Builder::new_simulated(7));
    for (name, builder) in flavours.into_iter().chain([simulated]) {
        match std::env::var(FLAVOUR) {
            Ok(own) if own == name => inside(builder),
            Ok(_) => {}
            Err(_) => {
                let mut command = Command::new(std::env::current_exe().expect("a path"));
                command.args([test, "--exact", "--nocapture", "--test-threads=1"]);
                let output = command.env(FLAVOUR, name).output().expect("started");
                judge(&output, &String::from_utf8_lossy(&output.stderr));
            }
        }
    }
}

/// The process was aborted, and said because of whom: a task or job of this file that panicked here with "fatal".
fn is_aborted(output: &Output, text: &str) {
    use std::os::unix::process::ExitStatusExt;
    let aborted = Some(rustix::process::Signal::ABORT.as_raw());
    assert_eq!(output.status.signal(), aborted, "{text}");
    assert!(!text.contains("still here"), "{text}");
    let line = text
        .lines()
        .find(|line| line.starts_with("gristmill: task "));
    let line = line.expect("a line about the task");
    for place in [" spawned at ", " panicked at "] {
        let place = format!("{place}{}:", file!());
        assert!(line.contains(&place), "{line}");
    }
    assert!(line.contains(": fatal; the process is aborted"), "{line}");
}

fn aborting(builder: Builder) -> Runtime {
    let builder = builder.unhandled_panic(UnhandledPanic::Abort);
    builder.build().expect("a runtime")
}

#[test]
fn abort_says_which_task_and_aborts_the_process() {
    in_a_process_each(
        "abort_says_which_task_and_aborts_the_process",
        |builder| {
            aborting(builder).block_on(async {
                let held: JoinHandle<()> = gristmill::spawn(async { panic!("fatal") });
                let _ = held.await;
                eprintln!("still here");
            });
        },
        is_aborted,
    );
}

#[test]
fn abort_comes_from_a_blocking_job_too() {
    in_a_process_each(
        "abort_comes_from_a_blocking_job_too",
        |builder| {
            aborting(builder).block_on(async {
                let held: JoinHandle<()> = task::spawn_blocking(|| panic!("fatal"));
                let _ = held.await;
                eprintln!("still here");
            });
        },
        is_aborted,
    );
}

#[test]
fn abort_comes_from_the_destructor_of_a_future_and_not_from_that_of_an_output() {
    in_a_process_each(
        "abort_comes_from_the_destructor_of_a_future_and_not_from_that_of_an_output",
        |builder| {
            aborting(builder).block_on(async {
                // Nobody takes it.
                let output = gristmill::spawn(async { OnDrop::new(|| panic!("of an output")) });
                while !output.is_finished() {
                    task::yield_now().await;
                }
                drop(output);
                eprintln!("goes on");
                let (sender, started) = async_channel::bounded::<()>(1);
                let held = gristmill::spawn(async move {
                    let _bomb = OnDrop::new(|| panic!("fatal"));
                    sender.send(()).await.expect("a receiver");
                    pending::<()>().await;
                });
                started.recv().await.expect("it starts");
                held.abort();
                let _ = held.await;
                eprintln!("still here");
            });
        },
        |output, text| {
            assert!(text.contains("goes on"), "{text}");
            is_aborted(output, text);
        },
    );
}
