//! Sources that were taken for drained: the list of notes against an event, and against the reactor thread that takes the notes of a worker
//! which does not look. Invariants K1 and K2 of `reactor::recheck`, W3.
//!
//! The socket is a count of bytes, of which each read takes one.

use super::{check, counting};
use crate::reactor::ready::{Direction, Interest, Ready};
use crate::reactor::recheck::{Note, Rechecks};
use crate::reactor::source::Source;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// What is broken on purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// The note is on the list before the source is in doubt.
    NotedFirst,
    /// No note is made.
    NotNoted,
}

/// A source with bytes that one event told of, and the list of the worker that reads.
struct Scene {
    source: Source,
    bytes: AtomicUsize,
    rechecks: Rechecks,
}

impl Scene {
    fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            source: Source::new(Ready::READABLE),
            bytes: AtomicUsize::new(bytes),
            rechecks: Rechecks::new(),
        })
    }

    /// A peer sends a byte, and the system reports it.
    fn send(&self) {
        self.bytes.fetch_add(1, Ordering::Relaxed);
        self.report(Ready::READABLE);
    }

    fn report(&self, ready: Ready) {
        let mut woken = Vec::new();
        self.source.on_event(ready, &mut woken);
        woken.into_iter().for_each(Waker::wake);
    }

    /// Takes all notes and heeds them, as the worker before a sleep and the reactor thread.
    fn recheck_all(&self) {
        let (mut notes, mut woken) = (Vec::new(), Vec::new());
        self.rechecks.take_all(&mut notes);
        for note in notes {
            self.source.recheck(note.seen(), &mut woken);
        }
        woken.into_iter().for_each(Waker::wake);
    }

    /// As `Registered::poll_read_stream`, whose odds say that nothing is left behind a full read. Whether a byte came.
    fn poll_read(&self, cx: &mut Context<'_>, fault: Fault) -> Poll<()> {
        loop {
            let seen = match self.source.poll_ready(Direction::Read, cx) {
                Poll::Ready(outcome) => outcome.expect("the runtime goes on"),
                Poll::Pending => return Poll::Pending,
            };
            let is_taken = self
                .bytes
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok();
            if !is_taken {
                self.source.clear(seen, Interest::READABLE);
                continue;
            }
            let note = Note::of(1, seen);
            match fault {
                Fault::Nothing => {
                    self.rechecks.note(note, || self.source.doubt(seen));
                }
                Fault::NotedFirst => {
                    self.rechecks.note(note, || true);
                    self.source.doubt(seen);
                }
                Fault::NotNoted => {
                    self.source.doubt(seen);
                }
            }
            return Poll::Ready(());
        }
    }
}

/// A worker reads `expected` bytes beside `other`. Whenever it has to wait, and nobody has woken it meanwhile, `at_last` is to do so.
fn a_reader_beside(
    expected: usize,
    fault: Fault,
    other: impl FnOnce(&Scene) + Copy + Send + Sync + 'static,
    at_last: impl Fn(&Scene) + Send + Sync + 'static,
) {
    check(move || {
        let scene = Scene::new(2);
        let beside = {
            let scene = Arc::clone(&scene);
            thread::spawn(move || other(&scene))
        };
        let (count, waker) = counting();
        let mut cx = Context::from_waker(&waker);
        let mut beside = Some(beside);
        let mut read = 0;
        loop {
            while scene.poll_read(&mut cx, fault).is_ready() {
                read += 1;
            }
            if let Some(beside) = beside.take() {
                beside.join().expect("no panic");
            }
            if read == expected {
                return;
            }
            at_last(&scene);
            let woken = count.0.swap(0, Ordering::SeqCst);
            assert!(woken > 0, "nobody told the reader");
        }
    });
}

#[test]
fn what_is_left_behind_a_full_read_is_read_before_the_worker_sleeps() {
    a_reader_beside(2, Fault::Nothing, |_| {}, Scene::recheck_all);
}

#[test]
fn an_event_beside_a_doubt_is_not_lost_and_nor_is_what_was_there_before() {
    a_reader_beside(3, Fault::Nothing, Scene::send, Scene::recheck_all);
}

#[test]
fn an_event_of_another_kind_leaves_what_was_there_before() {
    let event = |scene: &Scene| scene.report(Ready::WRITABLE);
    a_reader_beside(2, Fault::Nothing, event, Scene::recheck_all);
}

#[test]
fn the_notes_of_a_worker_that_does_not_look_are_taken_by_another() {
    a_reader_beside(2, Fault::Nothing, Scene::recheck_all, Scene::recheck_all);
}

/// The canary: without a note there is nothing to remind of the doubt.
#[test]
#[should_panic(expected = "nobody told the reader")]
fn canary_a_doubt_without_a_note_lasts_for_ever() {
    a_reader_beside(2, Fault::NotNoted, |_| {}, Scene::recheck_all);
}

/// The canary: the note is taken, and means nothing yet.
#[test]
#[should_panic(expected = "nobody told the reader")]
fn canary_a_note_that_comes_before_its_doubt_is_taken_in_vain() {
    a_reader_beside(2, Fault::NotedFirst, Scene::recheck_all, Scene::recheck_all);
}
