//! Calls a protocol of either kind, and holds to the order of its first and last callbacks. Knows neither streams nor sockets.
//!
//! # Invariants
//!
//! * N1 — The first callback is made once, before any other. The last one is made once if the first one was begun, and none
//!   after it: `stage` moves on before each of the two calls.
//! * N2 — No lock is held while a callback runs.

use super::link::{Life, Link, Seen};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A protocol, and what it has been told.
pub(super) struct Caller<P, Q> {
    /// `None` once it is the output of the task.
    protocol: Option<P>,
    link: Arc<Link<Q>>,
    stage: Stage,
    /// The protocol was told to pause writing, and not to resume yet.
    told_to_pause: bool,
    /// Set around every callback: still set when this is dropped, it panicked.
    in_callback: bool,
}

/// N1.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Made,
    Lost,
}

/// What an attempt came to.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Something was done: look again.
    Moved,
    /// Nothing to do, or the stream is not ready; then it has the waker.
    Idle,
}

impl<P, Q: Default> Caller<P, Q> {
    pub(super) fn new(protocol: P, link: Arc<Link<Q>>) -> Self {
        Self {
            protocol: Some(protocol),
            link,
            stage: Stage::Fresh,
            told_to_pause: false,
            in_callback: false,
        }
    }

    /// Makes a callback.
    pub(super) fn call<R>(&mut self, callback: impl FnOnce(&mut P) -> R) -> Option<R> {
        self.in_callback = true;
        let answer = self.protocol.as_mut().map(callback);
        self.in_callback = false;
        answer
    }

    /// Makes the first callback, if it has not been made.
    pub(super) fn begin(&mut self, made: impl FnOnce(&mut P)) {
        if self.stage == Stage::Fresh {
            self.stage = Stage::Made;
            self.call(made);
        }
    }

    /// Tells the protocol to pause or to resume writing, if it does not know.
    pub(super) fn tell_pressure(
        &mut self,
        seen: &Seen,
        pause: impl FnOnce(&mut P),
        resume: impl FnOnce(&mut P),
    ) -> Step {
        if seen.was_paused && !self.told_to_pause {
            self.told_to_pause = true;
            self.call(pause);
            return Step::Moved;
        }
        if !seen.is_paused && self.told_to_pause {
            self.told_to_pause = false;
            self.call(resume);
            return Step::Moved;
        }
        Step::Idle
    }

    /// Makes the last callback.
    pub(super) fn lose(
        &mut self,
        error: Option<io::Error>,
        lost: impl FnOnce(&mut P, Option<io::Error>),
    ) {
        self.stage = Stage::Lost;
        self.link.advance(Life::Lost);
        // Nobody will send what is left, and handles may live on for long.
        let mut unsent = Q::default();
        self.link.look(|queue| std::mem::swap(queue, &mut unsent));
        drop(unsent);
        self.link.sent(usize::MAX);
        self.call(|protocol| lost(protocol, error));
    }

    /// Makes the last callback if the task is dropped before its time.
    pub(super) fn end_early(&mut self, lost: impl FnOnce(&mut P, Option<io::Error>)) {
        if self.stage != Stage::Made {
            return;
        }
        let error = io::Error::new(
            io::ErrorKind::ConnectionAborted,
            match self.in_callback {
                true => "a callback of the protocol panicked",
                false => "the connection's task was aborted, or its runtime shut down",
            },
        );
        // A panic was reported when it began; while another one passes through here it would end the process.
        let _ = catch_unwind(AssertUnwindSafe(|| self.lose(Some(error), lost)));
    }

    /// The protocol as the callbacks left it.
    pub(super) fn take_protocol(&mut self) -> P {
        match self.protocol.take() {
            Some(protocol) => protocol,
            None => unreachable!("a future is not polled after its end"),
        }
    }
}
