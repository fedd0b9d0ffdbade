//! A source: events against those who wait for it and those who find it drained, invariants W1, W2 and U1, edge E1.
//!
//! The socket is a count of bytes. Whoever sends adds to it with Relaxed accesses only, and then reports an event, so that
//! what is seen of the count after the readiness is what edge E1 hands over.

use super::{check, counting};
use crate::reactor::ready::{Direction, Interest, Ready};
use crate::reactor::source::Source;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// What is broken on purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// A reader that found nothing takes back whatever readiness there is by then.
    ClearsWhatItHasNotSeen,
    /// A reader that found nothing goes to sleep with the waker that it left before it looked.
    DoesNotLookAgain,
}

/// A source, and the bytes that the system holds for it.
struct Scene {
    source: Source,
    bytes: AtomicUsize,
}

impl Scene {
    fn new(initial: Ready) -> Arc<Self> {
        Arc::new(Self {
            source: Source::new(initial),
            bytes: AtomicUsize::new(0),
        })
    }

    /// A peer sends, and the system reports it.
    fn send(&self) {
        self.bytes.fetch_add(1, Ordering::Relaxed);
        let mut woken = Vec::new();
        self.source.on_event(Ready::READABLE, &mut woken);
        woken.into_iter().for_each(Waker::wake);
    }

    /// One attempt, as a system call that does not wait.
    fn attempt(&self) -> usize {
        self.bytes.swap(0, Ordering::Relaxed)
    }

    /// As `Registered::poll_attempt`: attempts while the source seems ready. How many bytes came, or pending.
    fn poll_read(&self, cx: &mut Context<'_>, fault: Fault) -> Poll<usize> {
        loop {
            let seen = match self.source.poll_ready(Direction::Read, cx) {
                Poll::Ready(outcome) => outcome.expect("the runtime goes on"),
                Poll::Pending => return Poll::Pending,
            };
            let count = self.attempt();
            if count > 0 {
                return Poll::Ready(count);
            }
            let seen = match fault {
                Fault::ClearsWhatItHasNotSeen => self.source.seen(),
                _ => seen,
            };
            self.source.clear(seen, Interest::READABLE);
            if fault == Fault::DoesNotLookAgain {
                return Poll::Pending;
            }
        }
    }
}

fn a_reader_beside_an_event(initial: Ready, fault: Fault) {
    check(move || {
        let scene = Scene::new(initial);
        let peer = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.send())
        };
        let (woken, waker) = counting();
        let mut cx = Context::from_waker(&waker);
        let mut read = scene.poll_read(&mut cx, fault);
        peer.join().expect("no panic");
        if read.is_pending() {
            assert_eq!(woken.0.load(Ordering::SeqCst), 1, "nobody told the reader");
            read = scene.poll_read(&mut cx, fault);
        }
        assert_eq!(read, Poll::Ready(1), "the event is lost");
    });
}

#[test]
fn an_event_beside_a_reader_that_begins_to_wait_reaches_it() {
    a_reader_beside_an_event(Ready::EMPTY, Fault::Nothing);
}

#[test]
fn an_event_between_an_attempt_and_its_clear_is_kept() {
    a_reader_beside_an_event(Ready::READABLE, Fault::Nothing);
}

/// The canary: the generation is there for this.
#[test]
#[should_panic(expected = "nobody told the reader")]
fn canary_a_clear_of_what_was_not_seen_loses_an_event() {
    a_reader_beside_an_event(Ready::READABLE, Fault::ClearsWhatItHasNotSeen);
}

/// The canary: the waker is not in place yet when the event comes.
#[test]
#[should_panic(expected = "nobody told the reader")]
fn canary_a_reader_that_does_not_look_again_is_forgotten() {
    a_reader_beside_an_event(Ready::READABLE, Fault::DoesNotLookAgain);
}

#[test]
fn who_sees_readiness_sees_what_came_before_the_event() {
    check(|| {
        let scene = Scene::new(Ready::EMPTY);
        let peer = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.send())
        };
        if scene.source.seen().ready().is_readable() {
            assert_eq!(scene.bytes.load(Ordering::Relaxed), 1, "an empty event");
        }
        peer.join().expect("no panic");
    });
}

#[test]
fn a_clear_beside_an_event_hands_on_what_the_event_released() {
    check(|| {
        let scene = Scene::new(Ready::WRITABLE);
        let peer = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.send())
        };
        let writer = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || {
                // Of another direction, and so a write to the same word between the event and its reader.
                let seen = scene.source.seen();
                scene.source.clear(seen, Interest::WRITABLE);
            })
        };
        if scene.source.seen().ready().is_readable() {
            assert_eq!(scene.bytes.load(Ordering::Relaxed), 1, "an empty event");
        }
        peer.join().expect("no panic");
        writer.join().expect("no panic");
    });
}

#[test]
fn two_readers_on_the_list_and_one_in_the_place_are_all_told() {
    check(|| {
        let scene = Scene::new(Ready::EMPTY);
        let peer = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.send())
        };
        let (listed, list_waker) = counting();
        let (placed, place_waker) = counting();
        let mut wait = pin!(scene.source.ready(Interest::READABLE));
        let on_list = wait.as_mut().poll(&mut Context::from_waker(&list_waker));
        let in_place = scene
            .source
            .poll_ready(Direction::Read, &mut Context::from_waker(&place_waker));
        peer.join().expect("no panic");
        assert!(on_list.is_ready() || listed.0.load(Ordering::SeqCst) == 1);
        assert!(in_place.is_ready() || placed.0.load(Ordering::SeqCst) == 1);
    });
}

#[test]
fn a_waiter_that_goes_away_beside_an_event_leaves_no_waker() {
    check(|| {
        let scene = Scene::new(Ready::EMPTY);
        let peer = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || scene.send())
        };
        let (count, waker) = counting();
        {
            let mut wait = pin!(scene.source.ready(Interest::READABLE));
            let _ = wait.as_mut().poll(&mut Context::from_waker(&waker));
        }
        peer.join().expect("no panic");
        drop(waker);
        assert_eq!(Arc::strong_count(&count), 1, "a waker is left");
    });
}

#[test]
fn a_waiter_beside_the_end_of_the_runtime_is_told() {
    check(|| {
        let scene = Scene::new(Ready::EMPTY);
        let ending = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || {
                let mut woken = Vec::new();
                scene.source.on_shutdown(&mut woken);
                woken.into_iter().for_each(Waker::wake);
            })
        };
        let (woken, waker) = counting();
        let mut cx = Context::from_waker(&waker);
        let mut outcome = scene.source.poll_ready(Direction::Read, &mut cx);
        ending.join().expect("no panic");
        if outcome.is_pending() {
            assert_eq!(woken.0.load(Ordering::SeqCst), 1, "nobody told the waiter");
            // Whatever comes and goes afterwards, the end stays (W2).
            scene.source.on_event(Ready::READABLE, &mut Vec::new());
            scene.source.clear(scene.source.seen(), Interest::READABLE);
            outcome = scene.source.poll_ready(Direction::Read, &mut cx);
        }
        assert!(matches!(outcome, Poll::Ready(Err(_))), "waits for ever");
    });
}
