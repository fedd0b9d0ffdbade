//! Counts the polls of a flood, makes a victim runnable in the middle of one, and tells how many came before it.

use crate::common::PATIENCE;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Instant;

/// What a poll of the flood does for a victim.
pub(crate) type Release = Box<dyn FnOnce(&Meter) + Send>;

/// Counts the polls of a flood.
#[derive(Default)]
pub(crate) struct Meter {
    polls: AtomicUsize,
    /// For the first poll of the flood that has this number or a higher one.
    armed: Mutex<Option<(usize, Release)>>,
    times: Mutex<Times>,
    is_stopped: AtomicBool,
    /// To be woken when the flood is stopped.
    waiting: Mutex<Option<Waker>>,
}

/// What happened to the victim, at which count of the flood's polls.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    /// What it waits for is there, though perhaps nobody has noticed.
    pub(crate) ready: Option<usize>,
    /// It is in a queue, put there by this thread.
    pub(crate) runnable: Option<(usize, ThreadId)>,
    /// It was polled, and had what it waited for.
    pub(crate) polled: Option<(usize, ThreadId)>,
}

impl Meter {
    /// Counts the polls of this future.
    pub(crate) fn count<F: Future>(self: &Arc<Self>, future: F) -> Counted<F> {
        Counted {
            meter: Arc::clone(self),
            future: Box::pin(future),
        }
    }

    /// Has the next poll of the flood do this.
    pub(crate) fn arm(&self, release: Release) {
        self.arm_after(0, release);
    }

    /// Has a poll of the flood do this, after so many others.
    pub(crate) fn arm_after(&self, polls: usize, release: Release) {
        *self.armed.lock().expect("no panic") = Some((self.now() + polls, release));
    }

    fn poll(&self) {
        let polls = self.polls.fetch_add(1, Ordering::SeqCst);
        let release = {
            let mut armed = self.armed.lock().expect("no panic");
            armed.take_if(|(from, _)| *from <= polls)
        };
        if let Some((_, release)) = release {
            release(self);
        }
    }

    fn now(&self) -> usize {
        self.polls.load(Ordering::SeqCst)
    }

    pub(crate) fn set_ready(&self) {
        let mut times = self.times.lock().expect("no panic");
        times.ready = Some(self.now());
    }

    /// The victim has just been put into a queue.
    pub(crate) fn set_runnable(&self) {
        let mut times = self.times.lock().expect("no panic");
        let now = (self.now(), thread::current().id());
        times.runnable.get_or_insert(now);
    }

    /// The victim is about to be polled: takes out what is known of its last time in a queue.
    pub(crate) fn take_runnable(&self) -> Option<(usize, ThreadId)> {
        self.times.lock().expect("no panic").runnable.take()
    }

    /// The victim, when it was polled, had what it waited for, after it had been put into a queue so.
    pub(crate) fn keep_runnable(&self, runnable: Option<(usize, ThreadId)>) {
        self.times.lock().expect("no panic").runnable = runnable;
    }

    /// The victim was polled and has what it waited for: the flood ends.
    pub(crate) fn set_polled(&self) {
        let mut times = self.times.lock().expect("no panic");
        times.polled = Some((self.now(), thread::current().id()));
        drop(times);
        self.is_stopped.store(true, Ordering::SeqCst);
        let waiting = self.waiting.lock().expect("no panic").take();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Keeps this poll of the flood going until somebody has put the victim into a queue.
    pub(crate) fn wait_until_runnable(&self) {
        let begun = Instant::now();
        loop {
            let times = self.times();
            if times.runnable.is_some() || times.polled.is_some() {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "nobody wakes the victim");
            thread::yield_now();
        }
    }

    /// Keeps this poll of the flood going until the victim was polled.
    pub(crate) fn wait_until_polled(&self) {
        let begun = Instant::now();
        while self.times().polled.is_none() {
            assert!(begun.elapsed() < PATIENCE, "nobody polls the victim");
            thread::yield_now();
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::SeqCst)
    }

    /// Waits until the victim was polled.
    pub(crate) async fn stopped(&self) {
        poll_fn(|cx| {
            *self.waiting.lock().expect("no panic") = Some(cx.waker().clone());
            if self.is_stopped() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    pub(crate) fn times(&self) -> Times {
        *self.times.lock().expect("no panic")
    }
}

/// A future whose polls are counted.
pub(crate) struct Counted<F> {
    meter: Arc<Meter>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.meter.poll();
        self.future.as_mut().poll(cx)
    }
}
