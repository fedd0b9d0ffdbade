#![expect(
    unsafe_code,
    reason = "pins a future in place and hands out access by the state word"
)]
//! The one allocation of a task.
//!
//! # Invariants
//!
//! * C1 — The stage is touched by the running thread while RUNNING is set (I1), and after COMPLETE by
//!   whoever I3 and I5 name. A future is never moved once it was polled: it lies in the cell, and the
//!   cell is never moved.
//! * C2 — The join waker's place is touched as I4 says.

use super::error::JoinError;
use super::header::{Header, PlaceIndex, TaskRef};
use super::join::JoinHandle;
use super::meta::Meta;
use super::raw;
use super::recycle;
use super::runnable::Runnable;
use super::schedule::Schedule;
use super::word::StateWord;
use crate::sync::UnsafeCell;
use std::alloc::Layout;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

/// A task: header, scheduler, future or output, join waker.
#[repr(C)]
pub(super) struct Cell<F: Future, S> {
    pub(super) header: Header,
    pub(super) scheduler: S,
    stage: UnsafeCell<Stage<F>>,
    join_waker: UnsafeCell<Option<Waker>>,
}

/// What lies in the cell.
enum Stage<F: Future> {
    Future(F),
    Output(Result<F::Output, JoinError>),
    Empty,
}

/// The references that a new task has: its runnable's, its `JoinHandle`'s, its registration's.
const REGISTERED: usize = 3;
/// The same for a task that is in no owned set.
const UNREGISTERED: usize = 2;

/// Makes a task; the third part is the reference of the owned set, for a task that goes into one.
pub(crate) fn allocate<F, S>(
    future: F,
    scheduler: S,
    meta: Meta,
    registered: bool,
) -> (Runnable, JoinHandle<F::Output>, Option<TaskRef>)
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
    S: Schedule,
{
    // SAFETY: the future and its output are `Send`, as the bounds here say.
    unsafe { allocate_unbounded(future, scheduler, meta, registered) }
}

/// As [`allocate`], for the caller to answer for the bounds.
///
/// # Safety
///
/// The future and its output are `Send`, or never touched by another thread.
unsafe fn allocate_unbounded<F, S>(
    future: F,
    scheduler: S,
    meta: Meta,
    registered: bool,
) -> (Runnable, JoinHandle<F::Output>, Option<TaskRef>)
where
    F: Future + 'static,
    S: Schedule,
{
    let refs = if registered { REGISTERED } else { UNREGISTERED };
    let task = in_own_memory(Cell {
        header: Header {
            state: StateWord::new(refs),
            vtable: raw::vtable::<F, S>(),
            place: PlaceIndex::none(),
            meta,
        },
        scheduler,
        stage: UnsafeCell::new(Stage::Future(future)),
        join_waker: UnsafeCell::new(None),
    });
    let task = task.cast::<Header>();
    // SAFETY: the cell is new and counts `refs` references; this takes the runnable's.
    let runnable = unsafe { Runnable::from_raw(task) };
    // SAFETY: as above, the handle's.
    let handle = unsafe { TaskRef::from_raw(task) };
    // SAFETY: as above, the third, which only a registered task has.
    let member = registered.then(|| unsafe { TaskRef::from_raw(task) });
    (runnable, JoinHandle::new(handle), member)
}

/// Puts a cell where it stays until [`Cell::free`].
#[inline]
fn in_own_memory<F: Future, S>(cell: Cell<F, S>) -> NonNull<Cell<F, S>> {
    let place = recycle::allocate(Layout::new::<Cell<F, S>>()).cast();
    // SAFETY: fresh memory of the cell's layout.
    unsafe { place.write(cell) };
    place
}

impl<F: Future, S> Cell<F, S> {
    /// Drops the cell and gives its memory back, also if a drop panics.
    ///
    /// # Safety
    ///
    /// The cell is from `allocate`, and nobody reaches it any more.
    pub(super) unsafe fn free(cell: NonNull<Self>) {
        /// Gives the memory back however the drop ends.
        struct Memory<T>(NonNull<T>);
        impl<T> Drop for Memory<T> {
            fn drop(&mut self) {
                // SAFETY: from `in_own_memory` with this layout; dropped in place just before.
                unsafe { recycle::free(self.0.cast(), Layout::new::<T>()) }
            }
        }
        let memory = Memory(cell);
        // SAFETY: the cell is alive and the caller's alone.
        unsafe { std::ptr::drop_in_place(memory.0.as_ptr()) };
    }

    /// Polls the future.
    ///
    /// # Safety
    ///
    /// The caller is the running thread, and the stage holds a future.
    pub(super) unsafe fn poll_future(&self, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.stage.with_mut(|stage| {
            // SAFETY: C1, the caller is the running thread.
            let Stage::Future(future) = (unsafe { &mut *stage }) else {
                unreachable!("a task that has ended is not polled")
            };
            // SAFETY: C1, the future lies in a cell that never moves, and is dropped in place.
            unsafe { Pin::new_unchecked(future) }.poll(cx)
        })
    }

    /// Drops what lies in the stage, in place; it is empty afterwards even if the drop panics.
    ///
    /// # Safety
    ///
    /// The caller has the right to the stage by C1.
    pub(super) unsafe fn clear_stage(&self) {
        /// Writes `Empty` however the drop ends.
        struct Emptied<F: Future>(*mut Stage<F>);
        impl<F: Future> Drop for Emptied<F> {
            fn drop(&mut self) {
                // SAFETY: the old content was dropped in place just before, so nothing is lost, and
                // the pointer is the one that the caller of `clear_stage` has the right to.
                unsafe { self.0.write(Stage::Empty) }
            }
        }
        self.stage.with_mut(|stage| {
            let emptied = Emptied(stage);
            // SAFETY: C1; the place is initialized, and `Emptied` replaces what is dropped here.
            unsafe { std::ptr::drop_in_place(stage) };
            drop(emptied);
        });
    }

    /// Puts the output into the empty stage.
    ///
    /// # Safety
    ///
    /// The caller is the running thread, and the stage is empty.
    pub(super) unsafe fn store_output(&self, output: Result<F::Output, JoinError>) {
        self.stage.with_mut(|stage| {
            // SAFETY: C1, the caller is the running thread; an empty stage needs no drop.
            unsafe { stage.write(Stage::Output(output)) }
        });
    }

    /// Looks at the output. Whether there is one, which has not been taken.
    ///
    /// # Safety
    ///
    /// The task is complete, and the caller has the right to the stage by C1.
    #[inline]
    pub(super) unsafe fn with_output(
        &self,
        look: impl FnOnce(&Result<F::Output, JoinError>),
    ) -> bool {
        self.stage.with(|stage| {
            // SAFETY: C1 with I5, nobody else reaches the stage now.
            let Stage::Output(output) = (unsafe { &*stage }) else {
                return false;
            };
            look(output);
            true
        })
    }

    /// Takes the output out.
    ///
    /// # Safety
    ///
    /// The task is complete and the caller is its `JoinHandle`.
    pub(super) unsafe fn take_output(&self) -> Option<Result<F::Output, JoinError>> {
        self.stage.with_mut(|stage| {
            // SAFETY: C1 with I3, after COMPLETE the stage is the handle's.
            match std::mem::replace(unsafe { &mut *stage }, Stage::Empty) {
                Stage::Output(output) => Some(output),
                _ => None,
            }
        })
    }

    /// Puts a join waker, or none, in place; gives the old one back, to be dropped by the caller.
    ///
    /// # Safety
    ///
    /// The place is the caller's by C2.
    pub(super) unsafe fn replace_join_waker(&self, waker: Option<Waker>) -> Option<Waker> {
        // SAFETY: C2, nobody else reads or writes now.
        self.join_waker
            .with_mut(|place| std::mem::replace(unsafe { &mut *place }, waker))
    }

    /// Looks at the join waker.
    ///
    /// # Safety
    ///
    /// The caller may read the place by C2.
    pub(super) unsafe fn with_join_waker<R>(&self, look: impl FnOnce(&Option<Waker>) -> R) -> R {
        // SAFETY: C2, nobody writes now.
        self.join_waker.with(|place| look(unsafe { &*place }))
    }
}
