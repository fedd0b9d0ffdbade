//! Signals: who listens hears, as often as it looks, under any runtime and under none.
//!
//! A signal is the process's, so each test that sends one runs in a process of its own.

mod child;
mod common;

use child::raise;
use common::{
    Count, CountingWaker, Flavour, eventually, in_own_process, on_each, with_each, within,
};
use futures_lite::StreamExt;
use gristmill::signal::unix::{Signal as Listener, SignalKind, signal};
use gristmill::signal::{ctrl_c, shutdown_signal};
use rustix::process::Signal;
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

fn usr1() -> Listener {
    signal(SignalKind::user_defined1()).expect("a listener")
}

/// Whether the listener has heard something that it has not told.
fn poll(listener: &mut Listener) -> bool {
    let waker = CountingWaker::new();
    waker.poll(&mut pin!(listener.recv())).is_ready()
}

/// Sends SIGUSR1, and returns when every listener that was there before has heard it.
fn raise_and_wait() {
    let mut last = usr1();
    raise(Signal::USR1);
    eventually("the signal comes", || poll(&mut last));
}

#[test]
fn every_listener_hears_every_signal() {
    in_own_process("every_listener_hears_every_signal", || {
        on_each(|runtime| {
            let heard = Count::default();
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let (mut listener, heard) = (usr1(), heard.clone());
                    runtime.spawn(async move {
                        for _ in 0..5 {
                            assert_eq!(listener.recv().await, Some(()));
                            heard.add();
                        }
                    })
                })
                .collect();
            runtime.block_on(async {
                for round in 1..=5 {
                    raise(Signal::USR1);
                    while heard.get() < 8 * round {
                        gristmill::task::yield_now().await;
                    }
                    assert_eq!(heard.get(), 8 * round);
                }
                for task in tasks {
                    task.await.expect("no panic");
                }
            });
        });
    });
}

#[test]
fn signals_that_come_before_a_listener_looks_are_one() {
    in_own_process("signals_that_come_before_a_listener_looks_are_one", || {
        let mut listener = usr1();
        for _ in 0..3 {
            raise_and_wait();
        }
        assert!(poll(&mut listener));
        assert!(!poll(&mut listener));
        raise_and_wait();
        assert!(poll(&mut listener));
    });
}

#[test]
fn a_listener_hears_what_comes_before_its_first_poll_and_nothing_from_before_it_was_made() {
    in_own_process(
        "a_listener_hears_what_comes_before_its_first_poll_and_nothing_from_before_it_was_made",
        || {
            let mut first = usr1();
            raise_and_wait();
            let mut second = usr1();
            assert!(poll(&mut first));
            assert!(!poll(&mut second));
        },
    );
}

#[test]
fn a_dropped_listener_is_not_woken() {
    in_own_process("a_dropped_listener_is_not_woken", || {
        let (mut dropped, mut kept) = (usr1(), usr1());
        let (of_dropped, of_kept) = (CountingWaker::new(), CountingWaker::new());
        assert!(of_dropped.poll(&mut dropped.next()).is_pending());
        let mut recv = pin!(kept.recv());
        assert!(of_kept.poll(&mut recv).is_pending());
        drop(dropped);
        assert_eq!(Arc::strong_count(&of_dropped), 1, "its waker is dropped");
        raise_and_wait();
        eventually("the other one is woken", || of_kept.wakes() == 1);
        assert_eq!(of_dropped.wakes(), 0);
    });
}

#[test]
fn a_cancelled_recv_loses_no_signal() {
    in_own_process("a_cancelled_recv_loses_no_signal", || {
        let mut listener = usr1();
        let waker = CountingWaker::new();
        {
            let mut recv = pin!(listener.recv());
            assert!(waker.poll(&mut recv).is_pending());
            raise_and_wait();
            eventually("the task is woken", || waker.wakes() == 1);
        }
        assert!(poll(&mut listener));
        assert!(waker.poll(&mut pin!(listener.recv())).is_pending());
        assert_eq!(Arc::strong_count(&waker), 1, "nobody waits any more");
    });
}

#[test]
fn several_runtimes_at_once_and_one_after_another_hear() {
    in_own_process(
        "several_runtimes_at_once_and_one_after_another_hear",
        || {
            for _ in 0..3 {
                within("two runtimes", || {
                    let runtimes =
                        [Flavour::FourWorkers, Flavour::CurrentThread].map(Flavour::runtime);
                    let mut listeners = runtimes
                        .each_ref()
                        .map(|runtime| runtime.block_on(async { usr1() }));
                    raise(Signal::USR1);
                    for (runtime, listener) in runtimes.iter().zip(&mut listeners) {
                        runtime.block_on(listener.recv()).expect("always");
                    }
                });
            }
        },
    );
}

#[test]
fn a_listener_outlives_the_runtime_that_it_was_made_in() {
    in_own_process(
        "a_listener_outlives_the_runtime_that_it_was_made_in",
        || {
            with_each(|flavour| {
                let first = flavour.runtime();
                let mut listener = first.block_on(async { usr1() });
                drop(first);
                let waiting = std::thread::spawn(move || {
                    flavour.runtime().block_on(listener.recv()).expect("always");
                });
                raise(Signal::USR1);
                waiting.join().expect("heard");
            });
        },
    );
}

#[test]
fn a_listener_is_a_stream() {
    in_own_process("a_listener_is_a_stream", || {
        on_each(|runtime| {
            runtime.block_on(async {
                let mut twice = usr1().take(2);
                raise(Signal::USR1);
                assert_eq!(twice.next().await, Some(()));
                raise(Signal::USR1);
                assert_eq!(twice.next().await, Some(()));
                assert_eq!(twice.next().await, None);
            });
        });
    });
}

#[test]
fn a_waker_that_panics_keeps_the_signal_from_nobody() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("expected: a waker that panics");
        }
    }
    in_own_process("a_waker_that_panics_keeps_the_signal_from_nobody", || {
        common::silence_panics();
        let mut first = usr1();
        for _ in 0..2 {
            let waker = Waker::from(Arc::new(Panics));
            let polled = first.poll_recv(&mut Context::from_waker(&waker));
            assert_eq!(polled, Poll::Pending);
            raise_and_wait();
            assert!(poll(&mut first));
        }
    });
}

#[test]
#[cfg(target_os = "linux")]
fn who_handled_a_signal_before_still_does_and_the_process_lives() {
    in_own_process(
        "who_handled_a_signal_before_still_does_and_the_process_lives",
        || {
            let flag = Arc::new(AtomicBool::new(false));
            signal_hook::flag::register(Signal::USR1.as_raw(), Arc::clone(&flag))
                .expect("a handler");
            raise_and_wait();
            assert!(flag.swap(false, Ordering::SeqCst), "while somebody listens");
            raise(Signal::USR1);
            eventually("the other handler runs", || flag.load(Ordering::SeqCst));
        },
    );
}

#[test]
fn signals_that_cannot_be_handled_are_refused_by_name() {
    for (number, part) in [
        (Signal::KILL.as_raw(), "SIGKILL"),
        (Signal::STOP.as_raw(), "SIGSTOP"),
        (Signal::SEGV.as_raw(), "SIGSEGV"),
        (Signal::ILL.as_raw(), "SIGILL"),
        (Signal::FPE.as_raw(), "SIGFPE"),
        (0, "signal 0"),
        (-1, "signal -1"),
        (127, "signal 127"),
        (128, "signal 128"),
        (i32::MAX, "signal 2147483647"),
        (i32::MIN, "signal -2147483648"),
    ] {
        let error = signal(SignalKind::from_raw(number)).expect_err("it cannot be");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn every_usual_kind_can_be_listened_for() {
    in_own_process("every_usual_kind_can_be_listened_for", || {
        for (kind, sent) in [
            (SignalKind::alarm(), Signal::ALARM),
            (SignalKind::child(), Signal::CHILD),
            (SignalKind::hangup(), Signal::HUP),
            (SignalKind::interrupt(), Signal::INT),
            (SignalKind::io(), Signal::IO),
            (SignalKind::pipe(), Signal::PIPE),
            (SignalKind::quit(), Signal::QUIT),
            (SignalKind::terminate(), Signal::TERM),
            (SignalKind::user_defined1(), Signal::USR1),
            (SignalKind::user_defined2(), Signal::USR2),
            (SignalKind::window_change(), Signal::WINCH),
        ] {
            assert_eq!(kind.as_raw_value(), sent.as_raw());
            assert_eq!(SignalKind::from_raw(sent.as_raw()), kind);
            let mut listener = signal(kind).expect("a listener");
            raise(sent);
            eventually("it comes", || poll(&mut listener));
        }
    });
}

#[test]
fn each_ctrl_c_future_answers_and_waits_from_when_it_was_made() {
    in_own_process(
        "each_ctrl_c_future_answers_and_waits_from_when_it_was_made",
        || {
            on_each(|runtime| {
                runtime.block_on(async {
                    let (first, second) = (ctrl_c(), gristmill::spawn(ctrl_c()));
                    raise(Signal::INT);
                    first.await.expect("heard");
                    // Whether the second was polled before or not.
                    second.await.expect("no panic").expect("heard");
                });
            });
        },
    );
}

#[test]
fn the_request_to_end_tells_its_signal() {
    in_own_process("the_request_to_end_tells_its_signal", || {
        on_each(|runtime| {
            runtime.block_on(async {
                for (sent, kind) in [
                    (Signal::TERM, SignalKind::terminate()),
                    (Signal::INT, SignalKind::interrupt()),
                ] {
                    let waiting = shutdown_signal();
                    raise(sent);
                    assert_eq!(waiting.await.expect("heard"), kind);
                }
            });
        });
    });
}
