//! The future that runs as a child of a group, and the handle that gives its output.
//!
//! # Invariants
//!
//! - I1. The user's future is dropped before its end is told, to whoever awaits the output and to the group.
//! - I2. A place that was filled is never filled again; the first to fill it says how the child ended.

use super::state::Ticket;
use crate::task::{AbortHandle, Id};
use parking_lot::Mutex;
use std::error::Error;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

pin_project_lite::pin_project! {
    /// A child of a group. The fields are dropped in this order (I1).
    pub(super) struct Child<T, E, F> {
        #[pin]
        future: Option<F>,
        place: Filler<T>,
        // None if the group was closed when the child came.
        ticket: Option<Ticket<E>>,
    }
}

impl<T, E, F> Child<T, E, F> {
    /// A child, and the place where its output will lie. One without a ticket has no future either, and ends when it is polled.
    pub(super) fn new(future: Option<F>, ticket: Option<Ticket<E>>) -> (Self, Place<T>) {
        let place = Place::default();
        let child = Self {
            future,
            place: Filler(Place::clone(&place)),
            ticket,
        };
        (child, place)
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> Future for Child<T, E, F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let Some(ticket) = this.ticket else {
            return Poll::Ready(());
        };
        ready!(ticket.poll_admitted(cx));
        let on_panic = || {
            this.place.fill(Err(Why::Panicked));
            ticket.panicking();
        };
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            unreachable!("a task is not polled after it ended");
        };
        let panicking = OnPanic(on_panic);
        let output = ready!(panicking.unless(future.poll(cx)));
        let panicking = OnPanic(on_panic);
        this.future.set(None);
        panicking.unless(());
        match output {
            Ok(value) => this.place.fill(Ok(value)),
            Err(error) => {
                this.place.fill(Err(Why::Failed));
                ticket.failed(error);
            }
        }
        Poll::Ready(())
    }
}

/// Calls the closure when it is dropped by a panic.
struct OnPanic<F: Fn()>(F);

impl<F: Fn()> OnPanic<F> {
    /// There was none; gives what was made meanwhile.
    fn unless<R>(self, made: R) -> R {
        std::mem::forget(self);
        made
    }
}

impl<F: Fn()> Drop for OnPanic<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Where the output of a child lies until it is taken.
pub(super) type Place<T> = Arc<Mutex<Content<T>>>;

pub(super) enum Content<T> {
    /// With the waker of whoever awaits the output.
    Empty(Option<Waker>),
    Filled(Result<T, Why>),
    Taken,
}

impl<T> Default for Content<T> {
    fn default() -> Self {
        Self::Empty(None)
    }
}

/// The child's end of the place; says "aborted" if nothing was said before it is dropped.
struct Filler<T>(Place<T>);

impl<T> Filler<T> {
    fn fill(&self, output: Result<T, Why>) {
        let mut content = self.0.lock();
        let Content::Empty(waker) = &mut *content else {
            // The output is dropped outside of the lock (I2).
            drop(content);
            return;
        };
        let waker = waker.take();
        *content = Content::Filled(output);
        drop(content);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Filler<T> {
    fn drop(&mut self) {
        self.fill(Err(Why::Aborted));
    }
}

/// Gives the output of a child of a [`TaskGroup`](super::TaskGroup).
///
/// The group minds the child in any case, so this may be dropped: the child goes on, and its output is dropped when it ends. The
/// output is there as soon as the child's future is done, and after the group was joined in any case.
///
/// # Errors
///
/// If the child returned an error (which is with the group), panicked, or was aborted: it has no value then.
///
/// # Panics
///
/// When polled again after it gave its output.
///
/// # Cancel safety
///
/// Awaiting `&mut child` can be given up and taken up again; nothing is lost.
pub struct GroupTask<T> {
    place: Place<T>,
    abort: AbortHandle,
}

impl<T> GroupTask<T> {
    pub(super) fn new(place: Place<T>, abort: AbortHandle) -> Self {
        Self { place, abort }
    }

    /// Makes the child end at its next point of suspension. That is no failure: the others go on.
    #[doc(alias = "cancel")]
    #[track_caller]
    pub fn abort(&self) {
        self.abort.abort();
    }

    /// A handle that can abort the child, and nothing else.
    pub fn abort_handle(&self) -> AbortHandle {
        self.abort.clone()
    }

    /// Whether the child has ended, in whatever way.
    #[doc(alias = "done")]
    pub fn is_finished(&self) -> bool {
        self.abort.is_finished()
    }

    /// The child's id.
    pub fn id(&self) -> Id {
        self.abort.id()
    }
}

impl<T> Future for GroupTask<T> {
    type Output = Result<T, NoOutput>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let spent = ready!(runtime_core::poll_proceed(cx));
        let waker = cx.waker().clone();
        let mut content = self.place.lock();
        if let Content::Empty(awaiting) = &mut *content {
            let old = awaiting.replace(waker);
            drop(content);
            drop(old);
            return Poll::Pending;
        }
        let taken = std::mem::replace(&mut *content, Content::Taken);
        drop(content);
        spent.made_progress();
        match taken {
            Content::Filled(output) => {
                Poll::Ready(output.map_err(|why| NoOutput { id: self.id(), why }))
            }
            _ => panic!("GroupTask polled after it gave its output"),
        }
    }
}

impl<T> fmt::Debug for GroupTask<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GroupTask").field(&self.abort).finish()
    }
}

/// Why a child of a group gave no value.
#[derive(Clone, Debug)]
pub struct NoOutput {
    id: Id,
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Failed,
    Panicked,
    Aborted,
}

impl NoOutput {
    /// Whether the child returned an error; [`GroupError`](super::GroupError) has it.
    pub fn is_error(&self) -> bool {
        self.why == Why::Failed
    }

    /// Whether the child panicked; [`GroupError`](super::GroupError) has the panic.
    pub fn is_panic(&self) -> bool {
        self.why == Why::Panicked
    }

    /// Whether the child was aborted, by its handle, with its group, or by the failure of a sibling.
    pub fn is_cancelled(&self) -> bool {
        self.why == Why::Aborted
    }

    /// The child's id.
    pub fn id(&self) -> Id {
        self.id
    }
}

impl fmt::Display for NoOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Why::Failed => "returned an error, which its group gives when it is joined",
            Why::Panicked => "panicked; its group gives the panic when it is joined",
            Why::Aborted => "was cancelled",
        };
        write!(f, "task {} {why}", self.id)
    }
}

impl Error for NoOutput {}

impl From<NoOutput> for io::Error {
    fn from(error: NoOutput) -> Self {
        io::Error::other(error)
    }
}
