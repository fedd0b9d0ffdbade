#![expect(
    unsafe_code,
    reason = "a waker whose clone panics cannot be made otherwise"
)]
//! Wakers that panic when they are woken, cloned or dropped harm whoever brought them, and nobody else

mod common;

use common::{CountingWaker, Flavour, PATIENCE, eventually, silence_panics, with_each};
use gristmill::net::UnixStream;
use gristmill::runtime::Runtime;
use gristmill::sync::{Notify, mpsc, oneshot};
use gristmill::task;
use gristmill::time::{Duration, sleep};
use std::future::pending;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

/// What a waker panics in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Wake,
    Clone,
    Drop,
}

const FAULTS: [Fault; 3] = [Fault::Wake, Fault::Clone, Fault::Drop];

/// How often a waker of this file was woken by a reactor thread.
static WOKEN_BY_REACTOR: AtomicUsize = AtomicUsize::new(0);

static VTABLES: [RawWakerVTable; 3] = [
    RawWakerVTable::new(clone::<0>, fail, fail, |_| ()),
    RawWakerVTable::new(fail_to_clone, count, count, |_| ()),
    RawWakerVTable::new(clone::<2>, count, count, fail_to_drop),
];

/// A waker that panics. One that panics in its drop is never dropped by its maker.
fn hostile(fault: Fault) -> std::mem::ManuallyDrop<Waker> {
    let vtable = &VTABLES[fault as usize];
    // SAFETY: the functions use no data, so they may be called with any, on any thread, in any order; panics are no breach of
    // the contract.
    std::mem::ManuallyDrop::new(unsafe { Waker::new(std::ptr::null(), vtable) })
}

fn clone<const FAULT: usize>(data: *const ()) -> RawWaker {
    RawWaker::new(data, &VTABLES[FAULT])
}

fn fail_to_clone(_: *const ()) -> RawWaker {
    panic!("expected: a waker that cannot be cloned")
}

fn count(_: *const ()) {
    if std::thread::current().name() == Some("gristmill-io") {
        WOKEN_BY_REACTOR.fetch_add(1, Ordering::SeqCst);
    }
}

fn fail(data: *const ()) {
    count(data);
    panic!("expected: a waker that cannot be woken")
}

fn fail_to_drop(_: *const ()) {
    panic!("expected: a waker that cannot be dropped")
}

/// Polls with a hostile waker; whether the future is ready, unless that panicked.
fn try_hostile<F: Future + ?Sized>(future: Pin<&mut F>, fault: Fault) -> Option<bool> {
    let waker = hostile(fault);
    let mut cx = Context::from_waker(&waker);
    catch_unwind(AssertUnwindSafe(|| future.poll(&mut cx).is_ready())).ok()
}

/// The same for a future that cannot be ready; whether it panicked.
fn poll_hostile<F: Future + ?Sized>(future: Pin<&mut F>, fault: Fault) -> bool {
    let is_ready = try_hostile(future, fault);
    assert_ne!(is_ready, Some(true), "nothing has happened yet");
    is_ready.is_none()
}

/// Drops what may hold a hostile waker, which may panic.
fn drop_hostile<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}

/// A socket that was found to have nothing to read; and its peer.
fn silent_pair() -> (UnixStream, std::os::unix::net::UnixStream) {
    let (own, peer) = std::os::unix::net::UnixStream::pair().expect("a pair");
    own.set_nonblocking(true).expect("set");
    let own = UnixStream::from_std(own).expect("registered");
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        let outcome = own.try_read(&mut [0]);
        let error = outcome.expect_err("nothing was written");
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
        // The event that says it can be written may come beside the attempt, which then proves nothing.
        let is_pending = Box::pin(own.readable()).as_mut().poll(&mut cx).is_pending();
        if is_pending {
            break;
        }
    }
    (own, peer)
}

fn runtime(flavour: Flavour) -> Runtime {
    silence_panics();
    flavour
        .builder()
        .stall_threshold(None)
        .build()
        .expect("a runtime")
}

fn goes_on(runtime: &Runtime) {
    runtime.block_on(async {
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                gristmill::spawn(async {
                    sleep(Duration::from_millis(1)).await;
                    task::yield_now().await;
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic");
        }
        let (mut one, mut other) = UnixStream::pair().expect("a pair");
        let mut byte = [0];
        gristmill::io::AsyncWriteExt::write_all(&mut one, b"x")
            .await
            .expect("written");
        gristmill::io::AsyncReadExt::read_exact(&mut other, &mut byte)
            .await
            .expect("read");
        gristmill::spawn_blocking(|| ()).await.expect("no panic");
    });
}

#[test]
fn of_a_join_handle() {
    with_each(|flavour| {
        let runtime = runtime(flavour);
        for fault in FAULTS {
            let (go, wait) = async_channel::bounded::<()>(1);
            let mut task = runtime.spawn(async move {
                let _ = wait.recv().await;
                7
            });
            let panicked = poll_hostile(Pin::new(&mut task), fault);
            assert_eq!(panicked, fault == Fault::Clone);
            // Another waker takes its place, which drops it.
            assert!(CountingWaker::new().poll(&mut task).is_pending());
            let _ = poll_hostile(Pin::new(&mut task), fault);
            go.send_blocking(()).expect("a receiver");
            runtime.block_on(async {
                while !task.is_finished() {
                    task::yield_now().await;
                }
            });
            assert_eq!(runtime.block_on(task).expect("no panic"), 7);

            // A handle that goes with the waker in it, before the end and after it.
            for is_ended in [false, true] {
                let (go, wait) = async_channel::bounded::<()>(1);
                let mut task = runtime.spawn(async move { wait.recv().await.is_err() });
                let _ = poll_hostile(Pin::new(&mut task), fault);
                let observer = task.abort_handle();
                let mut task = Some(task);
                drop(task.take_if(|_| !is_ended));
                drop(go);
                runtime.block_on(async {
                    while !observer.is_finished() {
                        task::yield_now().await;
                    }
                });
                drop(task);
            }
        }
        goes_on(&runtime);
    });
}

#[test]
fn of_timers() {
    with_each(|flavour| {
        let runtime = runtime(flavour);
        for fault in FAULTS {
            runtime.block_on(async {
                let mut mined = Box::pin(sleep(Duration::from_millis(1)));
                let panicked = poll_hostile(mined.as_mut(), fault);
                assert_eq!(panicked, fault == Fault::Clone);
                let mut replaced = Box::pin(sleep(Duration::from_millis(1)));
                assert!(CountingWaker::new().poll(&mut replaced).is_pending());
                // The machine may have taken a millisecond for that.
                let _ = try_hostile(replaced.as_mut(), fault);
                let mut given_up = Box::pin(sleep(Duration::from_secs(3600)));
                let _ = poll_hostile(given_up.as_mut(), fault);
                drop_hostile(given_up);
                let others: Vec<_> = (0..10)
                    .map(|_| gristmill::spawn(sleep(Duration::from_millis(2))))
                    .collect();
                for other in others {
                    other.await.expect("no panic");
                }
                mined.await;
                replaced.await;
            });
        }
        goes_on(&runtime);
    });
}

#[test]
fn of_sockets() {
    with_each(|flavour| {
        let runtime = runtime(flavour);
        for fault in FAULTS {
            runtime.block_on(async {
                let (one, mut other) = silent_pair();
                let mut readable = Box::pin(one.readable());
                let panicked = poll_hostile(readable.as_mut(), fault);
                assert_eq!(panicked, fault == Fault::Clone);
                // Another waker takes its place; an async function that has panicked is over.
                let mut again = Box::pin(one.readable());
                let panicked = poll_hostile(again.as_mut(), fault);
                assert!(panicked || CountingWaker::new().poll(&mut again).is_pending());
                let mut given_up = Box::pin(one.readable());
                let _ = poll_hostile(given_up.as_mut(), fault);
                drop_hostile(given_up);
                let mut patient = Box::pin(one.readable());
                assert!(CountingWaker::new().poll(&mut patient).is_pending());
                other.write_all(b"x").expect("written");
                patient.await.expect("readable");
                if !panicked {
                    readable.await.expect("readable");
                    again.await.expect("readable");
                }
            });
        }
        goes_on(&runtime);
    });
}

/// The waker is woken by the reactor thread, since the only worker is stuck and nobody stands in for it.
#[test]
fn on_the_reactor_thread() {
    for fault in FAULTS {
        common::within(format!("{fault:?}"), move || {
            let runtime = runtime(Flavour::OneWorker);
            let _inside = runtime.enter();
            let (own, other) = silent_pair();
            let mut readable = Box::pin(own.readable());
            let mut timer = Box::pin(sleep(Duration::from_millis(1)));
            let panicked = poll_hostile(readable.as_mut(), fault);
            assert_eq!(poll_hostile(timer.as_mut(), fault), panicked);

            let (release, released) = std::sync::mpsc::channel::<()>();
            let (sender, stuck) = std::sync::mpsc::channel();
            let worker = runtime.spawn(async move {
                sender.send(()).expect("a receiver");
                let _ = released.recv();
            });
            stuck.recv_timeout(PATIENCE).expect("it is stuck");
            let before = WOKEN_BY_REACTOR.load(Ordering::SeqCst);
            for _ in 0..3 {
                let patient = CountingWaker::new();
                let mut later = Box::pin(sleep(Duration::from_millis(2)));
                assert!(patient.poll(&mut later).is_pending());
                eventually("a timer beside it fires", || patient.wakes() > 0);
                let (new, peer) = silent_pair();
                let patient = CountingWaker::new();
                let mut wait = Box::pin(new.readable());
                assert!(patient.poll(&mut wait).is_pending());
                (&other).write_all(b"x").expect("written");
                (&peer).write_all(b"x").expect("written");
                eventually("a socket beside it is heard", || patient.wakes() > 0);
            }
            // This test alone has the reactor thread wake such wakers for certain: that of the socket, at least.
            let woken = WOKEN_BY_REACTOR.load(Ordering::SeqCst) - before;
            assert!(panicked || woken > 0);
            drop(release);
            runtime.block_on(worker).expect("no panic");
            drop_hostile(readable);
            drop_hostile(timer);
            goes_on(&runtime);
        });
    }
}

#[test]
fn of_channels_and_signals_between_tasks() {
    with_each(|flavour| {
        let runtime = runtime(flavour);
        for fault in FAULTS {
            runtime.block_on(async {
                let (sender, mut receiver) = mpsc::channel::<u8>(1);
                {
                    let mut receive = Box::pin(receiver.recv());
                    let _ = poll_hostile(receive.as_mut(), fault);
                    // Whoever wakes it may have the panic, and the item is there all the same.
                    let sent = gristmill::spawn(async move {
                        let _ = sender.send(7).await;
                        sender
                    });
                    drop(sent.await);
                    drop_hostile(receive);
                }
                assert!(matches!(receiver.recv().await, Some(7) | None));

                let (sender, receiver) = oneshot::channel::<u8>();
                let mut receiver = Box::pin(receiver);
                let _ = poll_hostile(receiver.as_mut(), fault);
                let sent = gristmill::spawn(async move { sender.send(7) });
                let _ = sent.await;
                assert!(CountingWaker::new().poll(&mut receiver).is_ready());

                let notify = Notify::new();
                let mut hostile = Box::pin(notify.notified());
                let _ = poll_hostile(hostile.as_mut(), fault);
                let patient = CountingWaker::new();
                let mut waiting = Box::pin(notify.notified());
                assert!(patient.poll(&mut waiting).is_pending());
                let _ = catch_unwind(AssertUnwindSafe(|| notify.notify_waiters()));
                assert!(patient.poll(&mut waiting).is_ready());
                drop_hostile(hostile);
            });
        }
        goes_on(&runtime);
    });
}

#[test]
fn while_the_runtime_shuts_down() {
    with_each(|flavour| {
        for fault in FAULTS {
            let runtime = runtime(flavour);
            let inside = runtime.enter();
            let (own, _other) = silent_pair();
            let mut readable = Box::pin(own.readable());
            let _ = poll_hostile(readable.as_mut(), fault);
            let mut timer = Box::pin(sleep(Duration::from_secs(3600)));
            let _ = poll_hostile(timer.as_mut(), fault);
            let mut task = runtime.spawn(pending::<()>());
            let _ = poll_hostile(Pin::new(&mut task), fault);
            let patient = CountingWaker::new();
            let mut other = runtime.spawn(pending::<()>());
            assert!(patient.poll(&mut other).is_pending());
            drop(inside);
            drop(runtime);
            assert!(patient.wakes() > 0, "the others are told");
            match patient.poll(&mut other) {
                Poll::Ready(Err(error)) => assert!(error.is_cancelled()),
                other => panic!("{other:?}"),
            }
            let outside = Flavour::CurrentThread.runtime();
            assert!(outside.block_on(task).expect_err("ended").is_cancelled());
            drop_hostile(readable);
            drop_hostile(timer);
        }
    });
}
