#![expect(unsafe_code, reason = "a waker is an erased reference to a task")]
//! Wakers of tasks.
//!
//! A waker owns one reference, so it may outlive the runtime, be cloned and dropped on any thread, and be
//! woken before, while, and after the task runs.

use super::header::{Header, TaskRef};
use super::schedule::Cause;
use super::state::WakeOutcome;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

/// A `static`, not a constant: `will_wake` compares its address.
static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// A waker that borrows the caller's reference.
///
/// # Safety
///
/// The caller holds a reference for as long as the waker is in use.
#[inline]
pub(super) unsafe fn borrowed(task: NonNull<Header>) -> ManuallyDrop<Waker> {
    let data = task.as_ptr().cast_const().cast();
    // SAFETY: the functions of the vtable keep the contract of `RawWaker`: they are safe on any thread
    // and count references. This one is never dropped, so it needs none of its own.
    ManuallyDrop::new(unsafe { Waker::new(data, &VTABLE) })
}

/// # Safety
///
/// `data` comes from a waker of this vtable, whose reference keeps the task alive.
unsafe fn header<'a>(data: *const ()) -> (NonNull<Header>, &'a Header) {
    // SAFETY: `data` was made from a `NonNull`.
    let task = unsafe { NonNull::new_unchecked(data.cast_mut().cast::<Header>()) };
    // SAFETY: the waker's reference keeps the cell alive.
    (task, unsafe { task.as_ref() })
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: called by a living waker.
    let (_, header) = unsafe { header(data) };
    header.state.add_ref();
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: called by a living waker, which gives its reference up here.
    let (task, header) = unsafe { header(data) };
    match header.state.wake_by_value() {
        // SAFETY: the waker's reference becomes the runnable's.
        WakeOutcome::Schedule => unsafe { (header.vtable.schedule)(task, Cause::Woken) },
        WakeOutcome::Nothing => {}
        // SAFETY: the waker's reference was the last.
        WakeOutcome::Free => unsafe { (header.vtable.free)(task) },
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: called by a living waker, which keeps its reference.
    let (task, header) = unsafe { header(data) };
    match header.state.wake_by_ref() {
        // SAFETY: the transition made a reference for the runnable.
        WakeOutcome::Schedule => unsafe { (header.vtable.schedule)(task, Cause::Woken) },
        WakeOutcome::Nothing | WakeOutcome::Free => {}
    }
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: called by a living waker.
    let (task, _) = unsafe { header(data) };
    // SAFETY: the waker's reference is taken over, and given up at once.
    drop(unsafe { TaskRef::from_raw(task) });
}
