//! A thread that waits for one future.

use super::current_thread;
use crate::park::ThreadWaker;
use crate::report::{ReportedTask, Reporter};
use crate::scheduler::fatal::Ended;
use crate::scheduler::house::Flavor;
use crate::scheduler::poll_watch::PollWatch;
use crate::scheduler::{House, context};
use crate::sync::Arc;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

/// What the user called, for the message when it must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blocking {
    Run,
    BlockOn,
}

/// What to tell who blocks the one thread of a simulation, in a task or in a job.
const WAITS_IN_SIMULATION: &str = "a simulated runtime has one thread, for its tasks and its jobs, and waiting on it would be \
                                   for ever: wait with .await, in a task";

/// Runs a future to its end on this thread.
#[track_caller]
pub(super) fn block_on<F: Future>(house: &Arc<House>, future: F, called: Blocking) -> F::Output {
    refuse_in_async(called);
    let _inside = context::enter(house);
    let _polling = context::set_polling(true);
    let site = Location::caller();
    let output = match house.flavor {
        Flavor::MultiThread => match PollWatch::new(&house.engine.reporter) {
            None => wait_or_end(house, future),
            Some(watch) => wait_or_end(
                house,
                Watched {
                    future: Box::pin(future),
                    reporter: &house.engine.reporter,
                    watch,
                    site,
                },
            ),
        },
        Flavor::CurrentThread => current_thread::run(house, future, site),
    };
    match output {
        Ok(output) => output,
        Err(ended) => {
            if let Some(script) = &house.simulation {
                script.tell_failure();
            }
            ended.panic()
        }
    }
}

/// A future whose polls are watched, in debug mode.
struct Watched<'a, F> {
    future: Pin<Box<F>>,
    reporter: &'a Reporter,
    watch: PollWatch,
    site: &'static Location<'static>,
}

impl<F: Future> Future for Watched<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        let task = ReportedTask::root(this.site);
        this.watch
            .watch(this.reporter, task, || this.future.as_mut().poll(cx))
    }
}

/// Refuses to block a thread that polls futures.
#[track_caller]
pub(super) fn refuse_in_async(called: Blocking) {
    if context::is_polling() {
        assert!(!context::is_simulating(), "{WAITS_IN_SIMULATION}");
        match called {
            Blocking::Run => {
                panic!("run() cannot be called from a running runtime; use spawn or .await")
            }
            Blocking::BlockOn => panic!(
                "block_on() cannot be called from async code, which it would block; use .await, or wrap it \
                 in block_in_place"
            ),
        }
    }
}

/// Waits for a future on a thread that is outside of async code; no runtime is needed, and none works meanwhile.
///
/// # Panics
///
/// If this thread polls futures, which it would block. `called` is the name of the blocking call, for the message.
#[track_caller]
pub fn wait_outside<F: Future>(called: &str, future: F) -> F::Output {
    let is_polling = context::is_polling();
    assert!(
        !is_polling || !context::is_simulating(),
        "{called}: {WAITS_IN_SIMULATION}"
    );
    assert!(
        !is_polling,
        "{called} cannot be called from async code, which it would block; use the async call, or wrap it in block_in_place"
    );
    wait(future)
}

fn wait<F: Future>(future: F) -> F::Output {
    let thread = Arc::new(ThreadWaker::new());
    match wait_on(&thread, future, || Ok(())) {
        Ok(output) => output,
        Err(ended) => ended.panic(),
    }
}

/// Waits for a future, or until a panic ends the runtime.
fn wait_or_end<F: Future>(house: &House, future: F) -> Result<F::Output, Ended> {
    let thread = Arc::new(ThreadWaker::new());
    let watch = house.engine.watch_for_end(&thread);
    wait_on(&thread, future, || watch.look())
}

fn wait_on<F: Future>(
    thread: &Arc<ThreadWaker>,
    future: F,
    may_go_on: impl Fn() -> Result<(), Ended>,
) -> Result<F::Output, Ended> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::clone(thread));
    let mut cx = Context::from_waker(&waker);
    loop {
        may_go_on()?;
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Ok(output);
        }
        thread.wait();
    }
}
