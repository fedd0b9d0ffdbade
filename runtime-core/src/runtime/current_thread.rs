//! The current-thread flavour: the thread in `block_on` is the worker.
//!
//! There is one core. The thread that has it runs the tasks and, whenever it was woken, its own future. Other threads in
//! `block_on` only wait for theirs; when the core becomes free one of them takes it, so that tasks never stand still
//! while any thread could run them.

use crate::park::ThreadWaker;
use crate::scheduler::attendance::Present;
use crate::scheduler::fatal::Ended;
use crate::scheduler::simulation::Root;
use crate::scheduler::worker::{Core, Step};
use crate::scheduler::{House, Worker, context};
use crate::sync::Arc;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::task::budget;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Wake, Waker};

/// Runs a future to its end, and tasks meanwhile.
pub(super) fn run<F: Future>(
    house: &Arc<House>,
    future: F,
    site: &'static Location<'static>,
) -> Result<F::Output, Ended> {
    let mut future = pin!(future);
    let worked = house
        .core_shelf
        .take()
        .and_then(|core| work(house, core, future.as_mut(), site));
    // Without an output: another thread has the core, or the runtime is shutting down.
    worked.map_or_else(|| wait_for_core(house, future, site), Ok)
}

/// Polls the future only, until it is done or the core is free.
fn wait_for_core<F: Future>(
    house: &Arc<House>,
    mut future: Pin<&mut F>,
    site: &'static Location<'static>,
) -> Result<F::Output, Ended> {
    let shelf = &house.core_shelf;
    let thread = Arc::new(ThreadWaker::new());
    let end = house.engine.watch_for_end(&thread);
    let waker = Waker::from(Arc::clone(&thread));
    let mut cx = Context::from_waker(&waker);
    loop {
        end.look()?;
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            shelf.stop_waiting(&thread);
            return Ok(output);
        }
        if house.engine.is_shutting_down() {
            thread.wait();
        } else if let Some(core) = shelf.take_or_wait(&thread) {
            if let Some(output) = work(house, core, future.as_mut(), site) {
                return Ok(output);
            }
        } else {
            thread.wait();
        }
    }
}

/// Works with the core until the future is done; `None` if the runtime shuts down first.
fn work<F: Future>(
    house: &Arc<House>,
    core: Core,
    mut future: Pin<&mut F>,
    site: &'static Location<'static>,
) -> Option<F::Output> {
    let _inside = context::enter_as_worker(house, core.index());
    let root = Arc::new(RootWaker {
        woken: AtomicBool::new(true),
        house: Arc::clone(house),
    });
    let waker = Waker::from(Arc::clone(&root));
    let mut cx = Context::from_waker(&waker);
    let at_work = AtWork::new(house, core);
    let worker = at_work.worker();
    let mut output = None;
    let mut poll_root = || {
        let polled = worker.poll_root(site, || {
            budget::with_fresh(|| future.as_mut().poll(&mut cx))
        });
        match polled {
            Poll::Pending => Step::GoOn,
            Poll::Ready(value) => {
                output = Some(value);
                Step::Stop
            }
        }
    };
    match &house.simulation {
        None => worker.run(|worker| {
            if worker.engine().is_shutting_down() {
                return Step::Stop;
            }
            // ORDERING: Acquire, pairs with the Release in `RootWaker::wake_by_ref`.
            if root.woken.swap(false, Ordering::Acquire) {
                poll_root()
            } else {
                Step::GoOn
            }
        }),
        Some(script) => {
            let root = Root {
                woken: &root.woken,
                poll: poll_root,
                site,
            };
            script.perform(|| worker.simulate(script, root));
        }
    }
    drop(at_work);
    output
}

/// A worker on this thread; puts the core back on drop, also when the future panics.
struct AtWork<'a> {
    house: &'a Arc<House>,
    worker: Option<Worker>,
    /// The shutdown waits until this thread has done its part.
    _present: Present,
}

impl<'a> AtWork<'a> {
    fn new(house: &'a Arc<House>, core: Core) -> Self {
        house.engine.staff_lane();
        Self {
            house,
            worker: Some(Worker::new(Arc::clone(house), core)),
            _present: house.staff.attendance.enter_this_thread(),
        }
    }

    fn worker(&self) -> &Worker {
        match &self.worker {
            Some(worker) => worker,
            None => unreachable!("taken only by drop"),
        }
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.house.engine.vacate_lane();
        if let Some(worker) = self.worker.take() {
            self.house.core_shelf.put(worker.into_core());
        }
        if self.house.engine.is_shutting_down() {
            // The shutdown may have looked for the core while it was here.
            self.house.retire_core();
        }
    }
}

/// Wakes the future of the thread that works.
struct RootWaker {
    woken: AtomicBool,
    house: Arc<House>,
}

impl Wake for RootWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // ORDERING: Release, pairs with the Acquire in `work`.
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.house.engine.unpark(0);
        }
    }
}
