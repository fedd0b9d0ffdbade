//! What the handles of a task promise: joining, aborting, identity, and who drops what.

mod common;

use common::{Count, CountingWaker, OnDrop, on_each, silence_panics, with_each, within};
use gristmill::task::{self, AbortHandle, JoinHandle};
use std::collections::HashSet;
use std::future::pending;
use std::panic::panic_any;
use std::sync::mpsc;
use std::task::Poll;

#[test]
fn a_task_whose_handle_is_dropped_goes_on() {
    on_each(|runtime| {
        runtime.block_on(async {
            let (sender, receiver) = async_channel::bounded(1);
            drop(gristmill::spawn(async move {
                task::yield_now().await;
                sender.send(7).await
            }));
            assert_eq!(receiver.recv().await, Ok(7));
        });
    });
}

#[test]
fn an_abort_before_the_first_poll_drops_the_future_without_polling_it() {
    with_each(|flavour| {
        let runtime = flavour.runtime();
        let (polls, drops) = (Count::default(), Count::default());
        // Nobody runs the tasks of the current-thread runtime yet; a worker may be faster than this thread.
        let handle = runtime.spawn({
            let (polls, probe) = (polls.clone(), drops.on_drop());
            async move {
                polls.add();
                let _probe = probe;
                pending::<()>().await;
            }
        });
        handle.abort();
        let error = runtime.block_on(handle).expect_err("aborted");
        assert!(error.is_cancelled() && !error.is_panic());
        assert_eq!(drops.get(), 1);
        if flavour == common::Flavour::CurrentThread {
            assert_eq!(polls.get(), 0);
        }
    });
}

#[test]
fn an_abort_from_within_ends_the_task_at_its_next_suspension() {
    on_each(|runtime| {
        let (after, drops) = (Count::default(), Count::default());
        let (sender, receiver) = async_channel::bounded::<AbortHandle>(1);
        let handle = runtime.spawn({
            let (after, probe) = (after.clone(), drops.on_drop());
            async move {
                let _probe = probe;
                let own = receiver.recv().await.expect("a handle");
                own.abort();
                after.add();
                task::yield_now().await;
                after.add();
            }
        });
        sender
            .send_blocking(handle.abort_handle())
            .expect("a receiver");
        let error = runtime.block_on(handle).expect_err("aborted");
        assert!(error.is_cancelled());
        assert_eq!((after.get(), drops.get()), (1, 1));
    });
}

#[test]
fn a_task_that_completes_in_the_poll_in_which_it_is_aborted_is_complete() {
    on_each(|runtime| {
        let (sender, receiver) = async_channel::bounded::<AbortHandle>(1);
        let handle = runtime.spawn(async move {
            receiver.recv().await.expect("a handle").abort();
            7
        });
        sender
            .send_blocking(handle.abort_handle())
            .expect("a receiver");
        assert_eq!(runtime.block_on(handle).expect("complete"), 7);
    });
}

#[test]
fn aborts_after_the_first_and_after_the_end_do_nothing() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let probe = drops.on_drop();
            let mut handle = gristmill::spawn(async move {
                let _probe = probe;
                pending::<()>().await;
            });
            let other = handle.abort_handle();
            handle.abort();
            other.abort();
            assert!((&mut handle).await.expect_err("aborted").is_cancelled());
            other.abort();
            handle.abort();
            assert_eq!(drops.get(), 1);

            let mut done = gristmill::spawn(async { 7 });
            while !done.is_finished() {
                task::yield_now().await;
            }
            done.abort();
            done.abort_handle().abort();
            assert_eq!((&mut done).await.expect("was complete before"), 7);
        });
    });
}

#[test]
fn is_finished_turns_true_for_each_way_to_end() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let handles: [JoinHandle<()>; 3] = [
                gristmill::spawn(async {}),
                gristmill::spawn(async { panic!("expected by the test") }),
                gristmill::spawn(pending()),
            ];
            assert!(!handles[2].is_finished());
            handles[2].abort();
            for handle in handles {
                let observer = handle.abort_handle();
                drop(handle.await);
                assert!(observer.is_finished());
            }
        });
    });
}

#[test]
fn ids_are_unique_and_the_same_wherever_they_are_asked_for() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            assert_eq!(task::try_id(), None, "the root future is no task");
            let mut seen = HashSet::new();
            for _ in 0..200 {
                let handle = gristmill::spawn(async { task::id() });
                let (id, abort) = (handle.id(), handle.abort_handle());
                assert_eq!(abort.id(), id);
                assert_eq!(handle.await.expect("no panic"), id);
                assert!(seen.insert(id));
            }
            let bad = gristmill::spawn(async { panic!("expected by the test") });
            let id = bad.id();
            let error: task::JoinError = bad.await.expect_err("panicked");
            assert_eq!(error.id(), id);
            let job = gristmill::spawn_blocking(task::id);
            let id = job.id();
            assert_eq!(job.await.expect("runs"), id, "a job has an id as well");
        });
    });
}

#[test]
fn the_handles_show_name_and_spawn_site() {
    on_each(|runtime| {
        runtime.block_on(async {
            let line = line!() + 1;
            let handle = task::Builder::new().name("miller").spawn(async {});
            let text = format!("{handle:?} {:?}", handle.abort_handle());
            assert_eq!(text.matches("\"miller\"").count(), 2, "{text}");
            let site = format!("handles.rs:{line}:");
            assert_eq!(text.matches(&site).count(), 2, "{text}");
            handle.await.expect("no panic");

            let line = line!() + 1;
            let nameless = gristmill::spawn(async {});
            let text = format!("{nameless:?}");
            assert!(text.contains(&format!("handles.rs:{line}:")), "{text}");
            nameless.await.expect("no panic");

            let line = line!() + 1;
            let job = task::Builder::new().name("sifter").spawn_blocking(|| ());
            let text = format!("{job:?}");
            assert!(text.contains("\"sifter\""), "{text}");
            assert!(text.contains(&format!("handles.rs:{line}:")), "{text}");
            job.await.expect("no panic");
        });
    });
}

#[test]
fn a_handle_can_be_awaited_on_another_runtime() {
    on_each(|runtime| {
        let other = common::Flavour::OneWorker.runtime();
        for n in 0..200 {
            let task = other.spawn(async move {
                task::yield_now().await;
                n
            });
            let joined = runtime.spawn(async move { task.await.expect("no panic") });
            assert_eq!(runtime.block_on(joined).expect("no panic"), n);
        }
    });
}

#[test]
fn only_the_last_waker_that_polled_a_handle_is_woken() {
    on_each(|runtime| {
        let (sender, receiver) = async_channel::bounded::<()>(1);
        let mut handle = runtime.spawn(async move { receiver.recv().await });
        let (first, second, third) = (
            CountingWaker::new(),
            CountingWaker::new(),
            CountingWaker::new(),
        );
        assert!(first.poll(&mut handle).is_pending());
        assert!(second.poll(&mut handle).is_pending());
        assert!(first.poll(&mut handle).is_pending());
        assert!(third.poll(&mut handle).is_pending());
        assert!(third.poll(&mut handle).is_pending());
        sender.send_blocking(()).expect("a receiver");
        runtime.block_on(async {
            while third.wakes() == 0 {
                task::yield_now().await;
            }
        });
        let Poll::Ready(output) = third.poll(&mut handle) else {
            panic!("woken, so ready")
        };
        assert_eq!(output.expect("no panic"), Ok(()));
        assert_eq!((first.wakes(), second.wakes(), third.wakes()), (0, 0, 1));
    });
}

#[test]
fn a_handle_dropped_with_its_waker_in_place_drops_the_waker() {
    on_each(|runtime| {
        let (sender, receiver) = async_channel::bounded::<()>(1);
        let (told, tell) = mpsc::channel();
        let mut handle = runtime.spawn(async move {
            let received = receiver.recv().await;
            told.send(received).expect("a receiver");
        });
        let waker = CountingWaker::new();
        assert!(waker.poll(&mut handle).is_pending());
        assert_eq!(std::sync::Arc::strong_count(&waker), 2);
        drop(handle);
        assert_eq!(std::sync::Arc::strong_count(&waker), 1);
        sender.send_blocking(()).expect("a receiver");
        runtime.block_on(async {
            while tell.try_recv().is_err() {
                task::yield_now().await;
            }
        });
        assert_eq!(waker.wakes(), 0);
    });
}

#[test]
fn an_output_that_nobody_takes_is_dropped_once_before_or_after_the_end() {
    on_each(|runtime| {
        runtime.block_on(async {
            let drops = Count::default();
            let probe = drops.on_drop();
            let finished = gristmill::spawn(async move { probe });
            while !finished.is_finished() {
                task::yield_now().await;
            }
            assert_eq!(drops.get(), 0, "the output waits for its handle");
            drop(finished);
            assert_eq!(drops.get(), 1);

            let probe = drops.on_drop();
            let (sender, receiver) = async_channel::bounded::<()>(1);
            let unfinished = gristmill::spawn(async move {
                receiver.recv().await.expect("a sender");
                probe
            });
            let observer = unfinished.abort_handle();
            drop(unfinished);
            sender.send(()).await.expect("a receiver");
            while drops.get() < 2 {
                task::yield_now().await;
            }
            while !observer.is_finished() {
                task::yield_now().await;
            }
            assert_eq!(drops.get(), 2);
        });
    });
}

#[test]
fn a_panic_while_the_future_is_dropped_reaches_the_handle_and_nobody_else() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let bomb = OnDrop::new(|| panic!("expected: dropped"));
            let at_end = gristmill::spawn(async move {
                let _bomb = bomb;
                task::yield_now().await;
                7
            });
            assert!(at_end.await.expect_err("panicked").is_panic());

            let bomb = OnDrop::new(|| panic!("expected: dropped"));
            let aborted = gristmill::spawn(async move {
                let _bomb = bomb;
                pending::<()>().await;
            });
            task::yield_now().await;
            aborted.abort();
            let error = aborted.await.expect_err("aborted");
            assert!(error.is_panic() || error.is_cancelled());

            let after = gristmill::spawn(async { 8 });
            assert_eq!(after.await.expect("the workers go on"), 8);
        });
    });
}

#[test]
fn a_panic_while_the_output_is_dropped_harms_nobody() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            for _ in 0..10 {
                let (sender, receiver) = async_channel::bounded::<()>(1);
                drop(gristmill::spawn(async move {
                    let _sender = sender;
                    task::yield_now().await;
                    OnDrop::new(|| panic!("expected: output"))
                }));
                assert!(receiver.recv().await.is_err(), "the task has ended");
                let handle = gristmill::spawn(async { OnDrop::new(|| panic!("expected: output")) });
                while !handle.is_finished() {
                    task::yield_now().await;
                }
                drop(handle);
            }
            let after = gristmill::spawn(async { 8 });
            assert_eq!(after.await.expect("the workers go on"), 8);
        });
    });
}

#[test]
fn a_panic_payload_that_panics_in_its_own_drop_harms_nobody() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let (sender, receiver) = async_channel::bounded::<()>(1);
            drop(gristmill::spawn(async move {
                let _sender = sender;
                if task::try_id().is_some() {
                    panic_any(OnDrop::new(|| panic!("expected: payload")));
                }
            }));
            assert!(receiver.recv().await.is_err(), "the task has ended");
            assert_eq!(gristmill::spawn(async { 8 }).await.expect("goes on"), 8);
        });
    });
}

#[test]
fn a_panic_reaches_the_handle_with_its_payload() {
    silence_panics();
    on_each(|runtime| {
        runtime.block_on(async {
            let handle: JoinHandle<()> = gristmill::spawn(async { panic_any(42_u64) });
            let payload = handle.await.expect_err("panicked").into_panic();
            assert_eq!(payload.downcast_ref::<u64>(), Some(&42));
        });
    });
}

#[test]
fn a_future_of_64_kib_is_polled_and_dropped_in_place() {
    on_each(|runtime| {
        runtime.block_on(async {
            let mut handles = Vec::new();
            for n in 0..32_u8 {
                let drops = Count::default();
                let probe = drops.on_drop();
                let handle = gristmill::spawn(async move {
                    let ballast = [n; 64 * 1024];
                    let _probe = probe;
                    task::yield_now().await;
                    ballast.iter().filter(|&&byte| byte == n).count()
                });
                handles.push((handle, drops));
            }
            for (handle, drops) in handles {
                assert_eq!(handle.await.expect("no panic"), 64 * 1024);
                assert_eq!(drops.get(), 1);
            }
        });
    });
}

#[test]
fn awaiting_a_handle_can_be_given_up_and_taken_up_again() {
    on_each(|runtime| {
        let (sender, receiver) = async_channel::bounded(1);
        let mut handle = runtime.spawn(async move { receiver.recv().await });
        for _ in 0..10 {
            assert!(CountingWaker::new().poll(&mut handle).is_pending());
        }
        sender.send_blocking(7).expect("a receiver");
        assert_eq!(runtime.block_on(&mut handle).expect("no panic"), Ok(7));
    });
}

#[test]
#[should_panic(expected = "polled after it gave its output")]
fn a_handle_that_gave_its_output_panics_when_polled_again() {
    within("twice", || {
        let runtime = common::Flavour::CurrentThread.runtime();
        let mut handle = runtime.spawn(async {});
        runtime.block_on(&mut handle).expect("no panic");
        let _ = runtime.block_on(&mut handle);
    });
}
