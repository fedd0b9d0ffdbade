//! What the error of a task promises: who aborted it and where, or where it panicked and what it said

// Every test here begins with `silence_panics`: its hook must be there before the first runtime's, which notes the places.
mod common;

use common::{Flavour, OnDrop, on_each, silence_panics, with_each};
use gristmill::task::{self, Id, JoinError, JoinHandle, JoinSet, TaskGroup};
use std::future::pending;
use std::panic::{Location, catch_unwind, panic_any, resume_unwind};
use std::sync::mpsc;

/// The error of a task that gives none of its outputs.
async fn error<T>(task: JoinHandle<T>) -> JoinError {
    match task.await {
        Ok(_) => panic!("it has an output"),
        Err(error) => error,
    }
}

/// This file, and the line after that of the call.
#[track_caller]
fn next_line() -> (String, u32) {
    let here = Location::caller();
    (here.file().to_owned(), here.line() + 1)
}

fn aborted_at(error: &JoinError) -> (String, u32) {
    let place = error.aborted_at().expect("it was aborted");
    (place.file().to_owned(), place.line())
}

fn panicked_at(error: &JoinError) -> (String, u32) {
    let place = error.panicked_at().expect("the place is known");
    (place.file().to_owned(), place.line())
}

#[test]
fn an_abort_is_told_with_its_place() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let sleeping = gristmill::spawn(pending::<()>());
            task::yield_now().await;
            let unstarted = gristmill::spawn(pending::<()>());
            for task in [sleeping, unstarted] {
                let id = task.id();
                let here = next_line();
                task.abort();
                let error = error(task).await;
                assert!(error.is_cancelled() && !error.is_panic());
                assert_eq!(aborted_at(&error), here);
                assert_eq!(error.aborted_by(), None);
                let place = error.aborted_at().expect("known");
                let text = format!("task {id} was cancelled: aborted at {place}");
                assert_eq!(error.to_string(), text);
                assert!(error.panicked_at().is_none() && error.panic_message().is_none());
            }
        });
    });
}

#[test]
fn an_abort_by_a_task_names_that_task() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let victim = gristmill::spawn(pending::<()>());
            let abort = victim.abort_handle();
            let other = gristmill::spawn(async move { abort.abort() });
            let by = other.id();
            other.await.expect("no panic");
            let error = error(victim).await;
            assert_eq!(error.aborted_by(), Some(by));
            assert!(error.to_string().contains(&format!("by task {by} at ")));

            let job = gristmill::spawn(pending::<()>());
            let abort = job.abort_handle();
            let from_job = gristmill::spawn_blocking(move || {
                abort.abort();
                task::id()
            });
            let by = from_job.await.expect("no panic");
            assert_eq!(self::error(job).await.aborted_by(), Some(by));
        });
    });
}

#[test]
fn of_several_aborts_the_first_is_told() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let task = gristmill::spawn(pending::<()>());
            let handle = task.abort_handle();
            let first = next_line();
            handle.abort();
            task.abort();
            handle.clone().abort();
            assert_eq!(aborted_at(&error(task).await), first);
        });
    });
}

#[test]
fn a_task_that_aborts_itself_is_told_as_its_own_end() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let (sender, receiver) = async_channel::bounded::<task::AbortHandle>(1);
            let own = gristmill::spawn(async move {
                receiver.recv().await.expect("a sender").abort();
                pending::<()>().await;
            });
            sender.send(own.abort_handle()).await.expect("a receiver");
            let id = own.id();
            assert_eq!(error(own).await.aborted_by(), Some(id));
        });
    });
}

#[test]
fn an_abort_that_came_too_late_leaves_the_output() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let (sender, receiver) = async_channel::bounded::<task::AbortHandle>(1);
            let own = gristmill::spawn(async move {
                receiver.recv().await.expect("a sender").abort();
                7
            });
            sender.send(own.abort_handle()).await.expect("a receiver");
            assert_eq!(own.await.expect("it was complete"), 7);
        });
    });
}

#[test]
fn sets_and_groups_pass_the_place_of_their_caller_on() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            let single = set.spawn(pending::<()>());
            set.spawn(pending::<()>());
            let first = next_line();
            single.abort();
            let then = next_line();
            set.abort_all();
            let mut places = Vec::new();
            while let Some(end) = set.join_next().await {
                places.push(aborted_at(&end.expect_err("aborted")));
            }
            places.sort();
            assert_eq!(places, [first, then]);

            let all = task::gather((0..3).map(|_| pending::<()>()));
            let here = next_line();
            all.abort_all();
            for end in all.await {
                assert_eq!(aborted_at(&end.expect_err("aborted")), here);
            }

            let mut group = TaskGroup::<std::io::Error>::new();
            let child = group.spawn(pending::<std::io::Result<()>>());
            group.abort_all();
            assert!(child.await.expect_err("aborted").is_cancelled());
            group.join().await.expect("an abort is no failure");
        });
    });
}

#[test]
fn a_job_that_is_aborted_before_it_runs_tells_where() {
    silence_panics();
    let runtime = common::one_blocking_thread();
    let occupied = common::Occupied::new(runtime.handle());
    let job = runtime.spawn_blocking(|| 7);
    let here = next_line();
    job.abort();
    let error = runtime.block_on(error(job));
    assert_eq!(aborted_at(&error), here);
    drop(occupied);
}

#[test]
fn a_shutdown_is_told_as_such() {
    silence_panics();
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let task = runtime.spawn(pending::<()>());
        let aborted = runtime.spawn(pending::<()>());
        if flavour == Flavour::CurrentThread {
            // Nobody runs it before the shutdown.
            aborted.abort();
        }
        let late = runtime.handle().clone();
        drop(runtime);
        let outside = Flavour::CurrentThread.runtime();
        let error = outside.block_on(error(task));
        assert!(error.is_cancelled());
        assert_eq!((error.aborted_at(), error.aborted_by()), (None, None));
        assert!(error.to_string().contains("its runtime shut down"));
        if flavour == Flavour::CurrentThread {
            assert!(
                outside
                    .block_on(self::error(aborted))
                    .aborted_at()
                    .is_some()
            );
        }
        let error = outside.block_on(self::error(late.spawn(async {})));
        assert!(error.is_cancelled() && error.aborted_at().is_none());
        assert!(error.to_string().contains("has shut down"));
    });
}

#[test]
fn a_panic_is_told_with_its_place_and_message() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let here = next_line();
            let task = gristmill::spawn(async { panic!("expected: wheel {}", 7) });
            let id = task.id();
            let error = error::<()>(task).await;
            assert_eq!(panicked_at(&error), here);
            assert_eq!(error.panic_message().as_deref(), Some("expected: wheel 7"));
            let place = error.panicked_at().expect("known");
            let text = format!("task {id} panicked at {place}: expected: wheel 7");
            assert_eq!(error.to_string(), text);
            assert!(error.aborted_at().is_none() && error.aborted_by().is_none());

            let here = next_line();
            let job = gristmill::spawn_blocking(|| panic!("expected"));
            assert_eq!(panicked_at(&self::error::<()>(job).await), here);
            let here = next_line();
            let job = gristmill::spawn_compute(|| panic!("expected"));
            assert_eq!(panicked_at(&self::error::<()>(job).await), here);

            let here = next_line();
            let task = gristmill::spawn(async { panic_any(7_u8) });
            let error = self::error::<()>(task).await;
            assert_eq!(panicked_at(&error), here);
            assert_eq!(error.panic_message(), None);
        });
    });
}

#[test]
fn a_panic_in_the_drop_of_a_future_has_a_place_too() {
    silence_panics();
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let here = next_line();
        let bomb = || OnDrop::new(|| panic!("expected: dropped"));
        let aborted = runtime.spawn(async move {
            let _bomb = bomb();
            pending::<()>().await;
        });
        runtime.block_on(async {
            // It runs first.
            gristmill::spawn(async {}).await.expect("no panic");
            task::yield_now().await;
        });
        aborted.abort();
        let error = runtime.block_on(error(aborted));
        if error.is_panic() {
            assert_eq!(panicked_at(&error), here);
        }

        let (sender, started) = mpsc::channel();
        let left = runtime.spawn(async move {
            let _bomb = bomb();
            sender.send(()).expect("a receiver");
            pending::<()>().await;
        });
        runtime.block_on(async {
            while started.try_recv().is_err() {
                task::yield_now().await;
            }
        });
        drop(runtime);
        let error = Flavour::CurrentThread.runtime().block_on(self::error(left));
        assert_eq!(panicked_at(&error), here);
    });
}

#[test]
fn a_place_is_never_that_of_another_panic() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            // Caught and done with, before another one that no hook sees.
            let task = gristmill::spawn(async {
                let caught = catch_unwind(|| panic!("expected: caught"));
                assert!(caught.is_err());
                resume_unwind(Box::new("expected: raised"));
            });
            let error = error::<()>(task).await;
            assert_eq!(error.panic_message().as_deref(), Some("expected: raised"));
            assert_eq!(error.panicked_at(), None);

            // Of the child, passed on by its parent.
            let parent = gristmill::spawn(async {
                let child = gristmill::spawn(async { panic!("expected: child") });
                let error = self::error::<()>(child).await;
                assert!(error.panicked_at().is_some());
                resume_unwind(error.into_panic());
            });
            let error = self::error::<()>(parent).await;
            assert_eq!(error.panic_message().as_deref(), Some("expected: child"));
            assert_eq!(error.panicked_at(), None);

            // Caught and raised again in the same task: the place is still that of the panic.
            let here = next_line();
            let again = gristmill::spawn(async { again(|| panic!("expected: again")) });
            assert_eq!(panicked_at(&self::error::<()>(again).await), here);
        });
    });
}

/// Catches the panic, and raises it once more.
fn again(body: fn()) {
    if let Err(payload) = catch_unwind(body) {
        resume_unwind(payload);
    }
}

#[test]
fn a_hook_of_the_program_is_still_called_and_may_take_the_places_away() {
    silence_panics();
    // The hook is the process's.
    common::in_own_process(
        "a_hook_of_the_program_is_still_called_and_may_take_the_places_away",
        || {
            let (sender, heard) = mpsc::channel();
            let sender = std::sync::Mutex::new(sender);
            std::panic::set_hook(Box::new(move |info| {
                let text = info.payload_as_str().unwrap_or_default().to_owned();
                let _ = sender.lock().expect("no panic").send(text);
            }));
            let runtime = Flavour::CurrentThread.runtime();
            let first: JoinError = runtime
                .block_on(async { error::<()>(gristmill::spawn(async { panic!("one") })).await });
            assert_eq!(heard.recv().expect("the hook is called"), "one");
            assert!(first.panicked_at().is_some());

            std::panic::set_hook(Box::new(|_| ()));
            let runtime = Flavour::CurrentThread.runtime();
            let second: JoinError = runtime
                .block_on(async { error::<()>(gristmill::spawn(async { panic!("two") })).await });
            assert_eq!(second.panic_message().as_deref(), Some("two"));
            assert_eq!(second.panicked_at(), None);
            assert_eq!(
                second.to_string(),
                format!("task {} panicked: two", second.id())
            );
        },
    );
}

#[test]
fn an_error_tells_of_its_own_task_in_a_crowd() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let mut set = JoinSet::new();
            let mut aborts = Vec::new();
            for n in 0..200_u32 {
                aborts.push(set.spawn(async move {
                    task::yield_now().await;
                    assert!(n % 2 != 0, "expected: {n}");
                    pending::<()>().await;
                }));
            }
            let numbers: Vec<Id> = aborts.iter().map(task::AbortHandle::id).collect();
            let aborter = gristmill::spawn(async move {
                // The even ones panic; an abort of those comes too late or before.
                aborts
                    .iter()
                    .skip(1)
                    .step_by(2)
                    .for_each(task::AbortHandle::abort);
            });
            let by = aborter.id();
            while let Some(end) = set.join_next().await {
                let error = end.expect_err("none has an output");
                let at = numbers.iter().position(|id| *id == error.id());
                let at = at.expect("one of the tasks");
                if at % 2 == 0 {
                    let message = format!("expected: {at}");
                    assert_eq!(error.panic_message(), Some(message));
                    assert!(error.panicked_at().is_some());
                } else {
                    assert_eq!(error.aborted_by(), Some(by));
                }
            }
            aborter.await.expect("no panic");
        });
    });
}
