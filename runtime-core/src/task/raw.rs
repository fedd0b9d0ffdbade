#![expect(
    unsafe_code,
    reason = "turns erased task pointers back into typed cells"
)]
//! The operations behind a task's vtable: run, end, abort, join, free.
//!
//! Every function here takes a pointer to a living `Cell<F, S>`; `vtable` is the only way to them, and
//! it is stored in that very cell (H1).
//!
//! What may free the cell takes a pointer, never a reference: a reference that is a parameter promises that its target
//! outlives the call.
//!
//! User code runs in four places: the poll, the drop of the future, the drop of the output, and the
//! wake-up and drop of join wakers. Each is wrapped so that a panic there neither leaves the state word
//! between two states nor escapes into the scheduler.

use super::aborts::Abort;
use super::cell::Cell;
use super::current;
use super::error::JoinError;
use super::failure::Unobserved;
use super::header::{Header, Vtable};
use super::runnable::Runnable;
use super::schedule::{Cause, Schedule};
use super::state::{AbortOutcome, ClaimOutcome, PendingOutcome, StartOutcome};
use super::waker;
use crate::sync::Arc;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};
use std::thread;

/// The vtable of tasks of this type.
pub(super) fn vtable<F, S>() -> &'static Vtable
where
    F: Future + 'static,
    S: Schedule,
{
    const {
        &Vtable {
            poll: poll::<F, S>,
            schedule: schedule::<F, S>,
            end: end::<F, S>,
            abort: abort::<F, S>,
            take_output: take_output::<F, S>,
            drop_join: drop_join::<F, S>,
            name: name::<F, S>,
            free: free::<F, S>,
        }
    }
}

/// The cell behind the pointer.
///
/// # Safety
///
/// The pointer is to a living `Cell<F, S>`, for as long as the result is used.
#[inline(always)]
unsafe fn cell<'a, F: Future, S>(task: NonNull<Header>) -> &'a Cell<F, S> {
    // SAFETY: by H1 the header is the first field of a `repr(C)` cell of that type.
    unsafe { task.cast::<Cell<F, S>>().as_ref() }
}

unsafe fn name<F: Future, S: Schedule>(task: NonNull<Header>) -> Option<Arc<str>> {
    // SAFETY: the caller borrows a reference, so the cell lives.
    let this = unsafe { cell::<F, S>(task) };
    this.scheduler.name().cloned()
}

unsafe fn poll<F: Future + 'static, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: the caller's runnable owns a reference, so the cell lives.
    let this = unsafe { cell::<F, S>(task) };
    match this.header.state.start() {
        StartOutcome::Poll => {
            // SAFETY: `start` made this thread the running one.
            match unsafe { poll_once(this, task) } {
                // SAFETY: as above; the runnable's reference goes along.
                Ok(Poll::Ready(output)) => unsafe { complete::<F, S>(task, output, 1) },
                // SAFETY: as above.
                Ok(Poll::Pending) => unsafe { suspend::<F, S>(task) },
                // SAFETY: as above.
                Err(payload) => unsafe { fail::<F, S>(task, panicked(this, payload), 1) },
            }
        }
        // SAFETY: `start` made this thread the running one; the runnable's reference goes along.
        StartOutcome::Cancel => unsafe { fail::<F, S>(task, cancelled(this), 1) },
        StartOutcome::Stale => {
            // SAFETY: gives up the runnable's reference, and the cell is not touched again.
            unsafe { release::<F, S>(task, 1) };
        }
    }
}

/// Polls. An error is the payload of a panic.
///
/// # Safety
///
/// The caller is the running thread of the task, and the cell is that of the pointer.
#[inline]
unsafe fn poll_once<F: Future + 'static, S: Schedule>(
    this: &Cell<F, S>,
    task: NonNull<Header>,
) -> thread::Result<Poll<F::Output>> {
    // SAFETY: the runnable's reference outlives the poll, and the waker is not dropped.
    let waker = unsafe { waker::borrowed(task) };
    catch_unwind(AssertUnwindSafe(|| {
        let mut cx = Context::from_waker(&waker);
        // SAFETY: the caller is the running thread; before COMPLETE the stage holds the future.
        unsafe { this.poll_future(&mut cx) }
    }))
}

/// The task ends by a panic, which was caught just now.
#[cold]
fn panicked<F: Future, S: Schedule>(this: &Cell<F, S>, payload: Box<dyn Any + Send>) -> JoinError {
    let meta = &this.header.meta;
    let error = JoinError::panicked(meta.id, payload);
    contain(|| this.scheduler.panicked(meta, None, &error));
    error
}

/// The task ends because it was aborted, or because its runtime shuts down.
#[cold]
fn cancelled<F: Future, S: Schedule>(this: &Cell<F, S>) -> JoinError {
    let id = this.header.meta.id;
    // Edge T6: the caller has seen ABORTED, so an abort is noted. A shutdown notes none.
    match this.scheduler.aborts().and_then(|aborts| aborts.get(id)) {
        Some(abort) => JoinError::aborted(id, abort),
        None => JoinError::shut_down(id),
    }
}

/// What was noted of the task's abort is of no use any more.
#[cold]
fn forget_abort<F: Future, S: Schedule>(this: &Cell<F, S>) {
    if let Some(aborts) = this.scheduler.aborts() {
        aborts.forget(this.header.meta.id);
    }
}

/// After a poll that was pending.
///
/// # Safety
///
/// As for `poll_once`; afterwards the caller neither runs the task nor owns the runnable's reference.
#[inline]
unsafe fn suspend<F: Future + 'static, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: the runnable's reference keeps the cell alive up to the transition.
    let this = unsafe { cell::<F, S>(task) };
    match this.header.state.finish_pending() {
        PendingOutcome::Idle => {}
        PendingOutcome::Reschedule => {
            // SAFETY: the transition keeps the reference of this runnable for the new one.
            unsafe { schedule::<F, S>(task, Cause::Yielded) };
        }
        PendingOutcome::Cancel => {
            this.scheduler.cut_off(&this.header.meta, None);
            // SAFETY: still the running thread; the runnable's reference goes along.
            unsafe { fail::<F, S>(task, cancelled(this), 1) };
        }
        // SAFETY: that was the last reference.
        PendingOutcome::Free => unsafe { free::<F, S>(task) },
    }
}

/// The future is done: drops it, and ends the task with the output; gives `refs` references up.
///
/// The output comes by itself, not within a `Result`, whose words would be copied before they are known to be needed.
///
/// # Safety
///
/// The caller is the running thread, the stage holds the future, and the references are the caller's.
#[inline]
unsafe fn complete<F: Future + 'static, S: Schedule>(
    task: NonNull<Header>,
    output: F::Output,
    refs: usize,
) {
    // SAFETY: a reference of the caller's, counted in `refs` or kept, is given up only at the end.
    let this = unsafe { cell::<F, S>(task) };
    // SAFETY: the caller is the running thread, and the stage holds the future.
    if let Err(payload) = unsafe { drop_future(this) } {
        contain(|| drop(output));
        let error = panicked(this, payload);
        let refs = refs + leave(this);
        // SAFETY: the caller is the running thread, the stage is empty, and the references are the caller's and the set's.
        return unsafe { conclude::<F, S>(task, Err(error), refs) };
    }
    let refs = refs + leave(this);
    // I5: once no handle is left none comes back, so nobody will ask for the output. One whose drop does something is
    // dropped after the completion: it may look at the task.
    let is_inert = !std::mem::needs_drop::<F::Output>();
    if is_inert && let Some(was_last) = this.header.state.complete_unobserved(refs) {
        if was_last {
            // SAFETY: that was the last reference.
            unsafe { free::<F, S>(task) };
        }
        return;
    }
    // SAFETY: the caller is the running thread, the stage is empty, and the references are the caller's and the set's.
    unsafe { conclude::<F, S>(task, Ok(output), refs) };
}

/// The task ends without an output: drops the future, and gives `refs` references up.
///
/// # Safety
///
/// The caller is the running thread, the stage holds the future, and the references are the caller's.
#[cold]
unsafe fn fail<F: Future + 'static, S: Schedule>(
    task: NonNull<Header>,
    mut error: JoinError,
    refs: usize,
) {
    // SAFETY: a reference of the caller's, counted in `refs` or kept, is given up only at the end.
    let this = unsafe { cell::<F, S>(task) };
    // SAFETY: the caller is the running thread, and the stage holds the future.
    if let Err(payload) = unsafe { drop_future(this) } {
        if error.is_panic() {
            // The first panic is the one to report.
            discard(payload);
        } else {
            contain(|| drop(error));
            error = panicked(this, payload);
        }
    }
    let refs = refs + leave(this);
    // SAFETY: the caller is the running thread, the stage is empty, and the references are the caller's and the set's.
    unsafe { conclude::<F, S>(task, Err(error), refs) };
}

/// Empties the stage of its future. An error is the payload of a panic.
///
/// # Safety
///
/// The caller is the running thread, and the stage holds the future.
#[inline]
unsafe fn drop_future<F: Future, S>(this: &Cell<F, S>) -> thread::Result<()> {
    // SAFETY: C1, the caller is the running thread.
    catch_unwind(AssertUnwindSafe(|| unsafe { this.clear_stage() }))
}

/// Takes the task out of its owned set, before anybody hears of the end: a task that was joined does not count as alive. The
/// references that come with it.
#[inline]
fn leave<F: Future, S: Schedule>(this: &Cell<F, S>) -> usize {
    usize::from(this.scheduler.release(&this.header))
}

/// Stores the output, completes, tells the `JoinHandle`, gives `refs` references up.
///
/// # Safety
///
/// The caller is the running thread, the stage is empty, and the references are the caller's.
#[inline]
unsafe fn conclude<F: Future + 'static, S: Schedule>(
    task: NonNull<Header>,
    output: Result<F::Output, JoinError>,
    refs: usize,
) {
    // SAFETY: a reference of the caller's, counted in `refs` or kept, is given up only at the end.
    let this = unsafe { cell::<F, S>(task) };
    // SAFETY: the caller is the running thread, and the stage is empty.
    unsafe { this.store_output(output) };
    let state = this.header.state.complete();
    if state.is_aborted() {
        forget_abort(this);
    }
    if !state.is_join_interested() {
        // SAFETY: I5, no handle is left, so the output is this thread's.
        unsafe { discard_output(this) };
    } else if state.has_join_waker() {
        contain(|| {
            // SAFETY: I4, while JOIN_WAKER is set the place may be read.
            unsafe { this.with_join_waker(|waker| waker.as_ref().map(Waker::wake_by_ref)) };
        });
        if !this.header.state.release_join_waker().is_join_interested() {
            // SAFETY: I4, the handle went meanwhile and left the place to this thread.
            let waker = unsafe { this.replace_join_waker(None) };
            contain(|| drop(waker));
        }
    }
    // SAFETY: the caller's references.
    unsafe { release::<F, S>(task, refs) };
}

/// Drops the output, if it was not taken; tells of a failure that nobody has seen.
///
/// # Safety
///
/// The task is complete, and the output is the caller's (I5).
#[inline]
unsafe fn discard_output<F: Future + 'static, S: Schedule>(this: &Cell<F, S>) {
    let tell = |output: &Result<F::Output, JoinError>| {
        if let Some(failure) = Unobserved::in_output(output) {
            contain(|| {
                let meta = &this.header.meta;
                this.scheduler.unobserved(meta, None, failure);
            });
        }
    };
    // SAFETY: the output is the caller's.
    let is_left = unsafe { this.with_output(tell) };
    if is_left {
        // SAFETY: as above.
        contain(|| unsafe { this.clear_stage() });
    }
}

/// Gives references up and frees the cell with the last.
///
/// # Safety
///
/// The references are the caller's; it does not touch the cell afterwards.
#[inline]
unsafe fn release<F: Future + 'static, S: Schedule>(task: NonNull<Header>, refs: usize) {
    // SAFETY: the references that are given up here keep the cell alive until they are.
    if refs > 0 && unsafe { task.as_ref() }.state.release_refs(refs) {
        // SAFETY: that was the last reference.
        unsafe { free::<F, S>(task) };
    }
}

unsafe fn schedule<F: Future + 'static, S: Schedule>(task: NonNull<Header>, cause: Cause) {
    // SAFETY: the caller hands over one reference, for the runnable.
    let runnable = unsafe { Runnable::from_raw(task) };
    // SAFETY: the runnable's reference keeps the cell alive while the address is looked up.
    let address = unsafe { cell::<F, S>(task) }.scheduler.address();
    S::send(address, runnable, cause);
}

unsafe fn end<F: Future + 'static, S: Schedule>(
    task: NonNull<Header>,
    error: JoinError,
) -> ClaimOutcome {
    // SAFETY: the caller holds a reference.
    let this = unsafe { cell::<F, S>(task) };
    let outcome = this.header.state.claim();
    if outcome == ClaimOutcome::Claimed {
        // User code is dropped here: it may ask which task it is, and its panic has a place.
        let _task = current::enter_task(this.header.meta.id);
        let noted = this
            .scheduler
            .aborts()
            .and_then(|aborts| aborts.get(this.header.meta.id));
        let error = noted.map_or(error, |abort| {
            JoinError::aborted(this.header.meta.id, abort)
        });
        // SAFETY: `claim` made this thread the running one; the caller keeps its reference.
        unsafe { fail::<F, S>(task, error, 0) };
    }
    outcome
}

unsafe fn abort<F: Future + 'static, S: Schedule>(task: NonNull<Header>, abort: Option<Abort>) {
    // SAFETY: the caller holds a reference.
    let this = unsafe { cell::<F, S>(task) };
    let id = this.header.meta.id;
    if S::CLAIM_ON_ABORT {
        let error = abort.map_or_else(
            || JoinError::undone(id),
            |abort| JoinError::aborted(id, abort),
        );
        // SAFETY: the caller holds a reference.
        let _ = unsafe { end::<F, S>(task, error) };
        return;
    }
    let seen = this.header.state.load();
    if seen.is_complete() {
        return;
    }
    // I5: without a handle nobody will see the error.
    if let (Some(aborts), Some(abort), true) =
        (this.scheduler.aborts(), abort, seen.is_join_interested())
    {
        // Before the transition: edge T6.
        aborts.note(id, abort);
    }
    match this.header.state.abort() {
        // SAFETY: the transition made one reference for the runnable.
        AbortOutcome::Schedule => unsafe { schedule::<F, S>(task, Cause::Woken) },
        AbortOutcome::Nothing => {}
        // Whoever completed the task saw no abort.
        AbortOutcome::TooLate => forget_abort(this),
    }
}

unsafe fn take_output<F: Future + 'static, S: Schedule>(
    task: NonNull<Header>,
    out: *mut (),
    waker: &Waker,
) {
    // SAFETY: the `JoinHandle` holds a reference.
    let this = unsafe { cell::<F, S>(task) };
    // SAFETY: the caller is the `JoinHandle`.
    if !unsafe { is_complete_or_register(this, waker) } {
        return;
    }
    // SAFETY: complete, and the caller is the handle.
    let output = unsafe { this.take_output() };
    let output = output.expect("JoinHandle polled after it gave its output");
    // SAFETY: the handle passes a valid, initialized `Poll` of exactly this type.
    unsafe { *out.cast::<Poll<Result<F::Output, JoinError>>>() = Poll::Ready(output) };
}

/// Whether the task has ended; if not, the waker is in place and will be woken when it does.
///
/// # Safety
///
/// The caller is the `JoinHandle`.
unsafe fn is_complete_or_register<F: Future, S>(this: &Cell<F, S>, waker: &Waker) -> bool {
    let state = this.header.state.load();
    if state.is_complete() {
        return true;
    }
    if state.has_join_waker() {
        // SAFETY: I4, while JOIN_WAKER is set the place may be read.
        let same = unsafe {
            this.with_join_waker(|held| held.as_ref().is_some_and(|held| held.will_wake(waker)))
        };
        if same {
            return false;
        }
        if this.header.state.clear_join_waker().is_err() {
            return true;
        }
    }
    let fresh = waker.clone();
    // SAFETY: I4, JOIN_WAKER is clear and not complete when it was, so the place is the handle's.
    let old = unsafe { this.replace_join_waker(Some(fresh)) };
    contain(|| drop(old));
    if this.header.state.set_join_waker().is_ok() {
        return false;
    }
    // SAFETY: I4, complete without JOIN_WAKER: the place is the handle's.
    let unused = unsafe { this.replace_join_waker(None) };
    contain(|| drop(unused));
    true
}

unsafe fn drop_join<F: Future + 'static, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: the `JoinHandle` still holds its reference.
    let this = unsafe { cell::<F, S>(task) };
    let before = this.header.state.drop_join();
    if before.is_complete() {
        // SAFETY: I5, this handle cleared the interest after COMPLETE, so the output is its own.
        unsafe { discard_output(this) };
    }
    if !(before.is_complete() && before.has_join_waker()) {
        // SAFETY: I4, either not complete and the bit is cleared now, or complete and already handed
        // back; in both cases the place is the handle's.
        let waker = unsafe { this.replace_join_waker(None) };
        contain(|| drop(waker));
    }
}

unsafe fn free<F: Future + 'static, S: Schedule>(task: NonNull<Header>) {
    // SAFETY: the last reference is gone (I6), and the cell was allocated as one of this type (H1).
    contain(|| unsafe { Cell::<F, S>::free(task.cast()) });
}

/// Runs user code whose panic concerns nobody any more.
fn contain(user_code: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(user_code)) {
        discard(payload);
    }
}

/// Drops a panic's payload; one that panics in its own drop is leaked instead.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}
