#![expect(
    unsafe_code,
    reason = "keeps a pointer to the worker that runs on this thread"
)]
//! What this thread is: a worker, inside a runtime, or neither.
//!
//! # Invariants
//!
//! * X1 — `WORKER` is null, or points to a `Worker` on this very thread's stack that outlives the scope
//!   which set it; the scope's guard puts the old value back before the worker is gone.

use super::engine::Engine;
use super::home::Home;
use super::house::{Flavor, House};
use super::spares::HomeSpares;
use super::worker::Worker;
use crate::reactor::{self, Reactor, WithRechecks};
#[cfg(gristmill_shuttle)]
use crate::sync::CellKey as _;
use crate::sync::{Arc, thread_local};
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ptr;
use std::rc::Rc;

pub(crate) use crate::task::current::{current_task, enter_task};

thread_local! {
    /// The worker that runs on this thread.
    static WORKER: Cell<*const Worker> = const { Cell::new(ptr::null()) };
    /// Whether what this thread makes runnable is in no hurry.
    static UNHURRIED: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread polls futures of a runtime, so that blocking it would stop others.
    static POLLING: Cell<bool> = const { Cell::new(false) };
    /// The addresses of the engines whose shutdown waits for what runs on this thread; more than one where a runtime's
    /// thread is in another's `block_on`.
    static OWNERS: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
    /// The runtime that this thread is inside of.
    static STAY: RefCell<Option<Stay>> = const { RefCell::new(None) };
}

/// A thread's stay inside a runtime.
enum Stay {
    /// It has not spawned: most jobs of executors never do, and are over soon. With the shard of its timers, which is also the number
    /// of its home.
    Brief(Arc<House>, usize),
    Settled(Rc<Inside>),
}

/// What a thread that spawns has of the runtime that it is inside of. Counted for itself: a spawn that only looks its runtime up does
/// not write to a count that all threads share.
pub(crate) struct Inside {
    // Dropped in this order, see B1.
    pub(crate) spares: HomeSpares,
    pub(crate) house: Arc<House>,
}

impl Inside {
    fn new(house: Arc<House>, shard: usize) -> Rc<Self> {
        Rc::new(Self {
            spares: HomeSpares::new(&house, shard),
            house,
        })
    }
}

/// Makes `house` this thread's runtime until the guard is dropped.
pub(crate) fn enter(house: &Arc<House>) -> Entered {
    let outside = house.engine.timers.outside();
    enter_shard(house, outside, Stay::Brief(Arc::clone(house), outside))
}

/// As [`enter`], for a thread whose end the shutdown of `house` waits for: it must not wait for itself.
pub(crate) fn enter_as_own(house: &Arc<House>) -> (Entered, OwnScope) {
    (enter(house), OwnScope::new(house))
}

/// As [`enter_as_own`], for a thread that owns a shard of the timers.
pub(crate) fn enter_as_worker(house: &Arc<House>, shard: usize) -> (Entered, OwnScope) {
    let house_here = Arc::clone(house);
    let stay = match house.flavor {
        // It runs tasks until it ends.
        Flavor::MultiThread => Stay::Settled(Inside::new(house_here, shard)),
        Flavor::CurrentThread => Stay::Brief(house_here, shard),
    };
    (enter_shard(house, shard, stay), OwnScope::new(house))
}

/// Whether the shutdown of `house` waits for the end of this thread, or of what runs on it.
pub(crate) fn is_own(house: &House) -> bool {
    let address = address(house);
    house.staff.attendance.is_own_thread()
        || OWNERS
            .try_with(|owners| owners.borrow().contains(&address))
            .unwrap_or(false)
}

fn address(house: &House) -> usize {
    Arc::as_ptr(&house.engine).addr()
}

/// Keeps a thread known as a runtime's own.
pub(crate) struct OwnScope(PhantomData<*const ()>);

impl OwnScope {
    fn new(house: &House) -> Self {
        // On a thread that is past its destructors nothing is noted, and nothing taken back.
        let _ = OWNERS.try_with(|owners| owners.borrow_mut().push(address(house)));
        Self(PhantomData)
    }
}

impl Drop for OwnScope {
    fn drop(&mut self) {
        let _ = OWNERS.try_with(|owners| owners.borrow_mut().pop());
    }
}

fn enter_shard(house: &House, shard: usize, stay: Stay) -> Entered {
    let engine = &house.engine;
    Entered {
        timers: Some(runtime_timer::enter(Arc::clone(&engine.timers), shard)),
        reactor: reactor::current::replace(Some(Arc::clone(&engine.reactor))),
        // A thread that is past its destructors, as when it ends with a runtime in a place of its own, stays outside.
        outer: STAY
            .try_with(|current| current.replace(Some(stay)))
            .ok()
            .flatten(),
        _not_send: PhantomData,
    }
}

/// Keeps this thread inside a runtime; what was current before comes back on drop.
pub(crate) struct Entered {
    timers: Option<runtime_timer::EnterGuard>,
    reactor: Option<Arc<Reactor>>,
    outer: Option<Stay>,
    _not_send: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        drop(self.timers.take());
        drop(reactor::current::replace(self.reactor.take()));
        let outer = self.outer.take();
        // A thread that is past its destructors has nothing to restore.
        let entered = STAY.try_with(|current| current.replace(outer));
        drop(entered);
    }
}

/// Whether this thread works for a simulated runtime.
pub(crate) fn is_simulating() -> bool {
    with_worker(|worker| worker.is_some_and(|worker| worker.house.simulation.is_some()))
}

/// This thread's runtime.
pub(crate) fn house() -> Option<Arc<House>> {
    let house = STAY.try_with(|stay| match stay.borrow().as_ref()? {
        Stay::Brief(house, _) => Some(Arc::clone(house)),
        Stay::Settled(inside) => Some(Arc::clone(&inside.house)),
    });
    house.ok().flatten()
}

/// What this thread has of its runtime, to spawn with.
#[inline]
pub(crate) fn inside() -> Option<Rc<Inside>> {
    inside_if(|_| true)
}

/// Calls `f` with what this thread has to spare, if it is inside of `house`.
#[inline]
pub(crate) fn with_spares_of<R>(house: &Arc<House>, f: impl FnOnce(Option<&HomeSpares>) -> R) -> R {
    let inside = inside_if(|current| Arc::ptr_eq(current, house));
    f(inside.as_deref().map(|inside| &inside.spares))
}

#[inline]
fn inside_if(wanted: impl Fn(&Arc<House>) -> bool) -> Option<Rc<Inside>> {
    let inside = STAY.try_with(|stay| match stay.borrow().as_ref()? {
        Stay::Brief(house, shard) if wanted(house) => Some(Err((Arc::clone(house), *shard))),
        Stay::Settled(inside) if wanted(&inside.house) => Some(Ok(Rc::clone(inside))),
        Stay::Brief(..) | Stay::Settled(_) => None,
    });
    let inside = inside.ok().flatten();
    inside.map(|inside| inside.unwrap_or_else(|(house, shard)| settle(house, shard)))
}

#[cold]
fn settle(house: Arc<House>, shard: usize) -> Rc<Inside> {
    let inside = Inside::new(house, shard);
    let brief = STAY.try_with(|stay| stay.replace(Some(Stay::Settled(Rc::clone(&inside)))));
    drop(brief);
    inside
}

/// Takes the reference of a task that is over; kept, if this thread is inside the task's runtime.
#[inline]
pub(super) fn let_go(home: Arc<Home>) {
    let left = STAY.try_with(|stay| match &*stay.borrow() {
        Some(Stay::Settled(inside)) => inside.spares.keep(home).err(),
        Some(Stay::Brief(..)) | None => Some(home),
    });
    // Out here: it may be the last, and end more than itself.
    drop(left);
}

/// Calls `f` with this thread's worker.
#[inline]
pub(crate) fn with_worker<R>(f: impl FnOnce(Option<&Worker>) -> R) -> R {
    let worker = WORKER.get();
    // SAFETY: X1, null or a living worker of this thread, of which only shared references exist.
    f(unsafe { worker.as_ref() })
}

/// Calls `f` with this thread's worker if it is one of `engine`'s.
#[inline]
pub(crate) fn with_worker_of<R>(engine: &Arc<Engine>, f: impl FnOnce(Option<&Worker>) -> R) -> R {
    with_worker(|worker| f(worker.filter(|worker| Arc::ptr_eq(worker.engine(), engine))))
}

/// Whether this thread is a worker with others to poll before a task that is rescheduled now, and not so many that this would take long. Not
/// where a sibling would be woken for such a task.
pub(super) fn few_others_wait() -> bool {
    const FEW: usize = 128;
    with_worker(|worker| {
        let worker = worker.filter(|worker| worker.house.simulation.is_none());
        worker.is_some_and(|worker| {
            let queue = &worker.lane().queue;
            (1..=FEW).contains(&queue.len())
                && (queue.has_stealable() || worker.engine().idle.counts().parked() == 0)
        })
    })
}

/// Calls `f` with the list of this thread's lane, if it is a worker of the runtime that `reactor` is of, and will look at it again. That of a
/// simulation never sleeps.
pub(super) fn with_rechecks(reactor: &Reactor, f: WithRechecks<'_>) {
    with_worker(|worker| {
        let is_own = |worker: &&Worker| ptr::eq(&raw const *worker.engine().reactor, reactor);
        let looks =
            |worker: &&Worker| worker.house.simulation.is_none() && !worker.rechecking.is_over();
        if let Some(worker) = worker.filter(looks).filter(is_own) {
            f(&worker.lane().rechecks);
        }
    });
}

/// Makes `worker` this thread's while `f` runs.
pub(super) fn scope_worker<R>(worker: &Worker, f: impl FnOnce() -> R) -> R {
    scope_pointer(worker, f)
}

fn scope_pointer<R>(worker: *const Worker, f: impl FnOnce() -> R) -> R {
    /// Puts the old value back, also when `f` panics.
    struct Restore(*const Worker);
    impl Drop for Restore {
        fn drop(&mut self) {
            WORKER.set(self.0);
        }
    }
    let _restore = Restore(WORKER.replace(worker));
    f()
}

/// Hides this thread's worker while `f` runs: what becomes runnable meanwhile goes where others find it.
pub(super) fn without_worker<R>(f: impl FnOnce() -> R) -> R {
    scope_pointer(ptr::null(), f)
}

/// Says whether this thread polls futures, until the guard is dropped.
#[must_use]
pub(crate) struct PollingScope(bool);

/// Marks this thread as polling futures, or as free to block.
pub(crate) fn set_polling(polling: bool) -> PollingScope {
    PollingScope(POLLING.replace(polling))
}

/// Whether this thread polls futures, so that it must not block.
pub(crate) fn is_polling() -> bool {
    POLLING.get()
}

impl Drop for PollingScope {
    fn drop(&mut self) {
        POLLING.set(self.0);
    }
}

/// Whether what this thread makes runnable may wait until a worker looks by itself.
#[inline]
pub(crate) fn is_unhurried() -> bool {
    UNHURRIED.try_with(Cell::get).unwrap_or(false)
}

/// Says whether what this thread makes runnable from now on is in no hurry.
pub(crate) fn set_unhurried(unhurried: bool) {
    // A thread that is past its destructors is in a hurry.
    let _ = UNHURRIED.try_with(|cell| cell.set(unhurried));
}
