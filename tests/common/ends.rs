//! Ends a future early at every point where it waits, in every way that there is, and looks what is left of it.
//!
//! | how it ends | why that may matter |
//! |---|---|
//! | dropped where it was polled, or on another thread | nothing may depend on the thread |
//! | aborted as a task | its drop runs on a worker |
//! | dropped after a poll for which little budget was left | each of its inner waits is pending once, though it could go on |
//! | while it waits, or when it has been woken and not polled | what it was handed has to go to the next |

use super::{CountingWaker, Flavour, PATIENCE, eventually, within};
use gristmill::runtime::{Runtime, RuntimeMetrics};
use gristmill::task::{JoinHandle, consume_budget};
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

/// Who ends the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The thread that polled it.
    Here,
    Elsewhere,
    /// A worker, since its task is aborted.
    Aborted,
    /// Its task, after one more poll with so many units of budget.
    Starved(usize),
}

const WAYS: [Way; 7] = [
    Way::Here,
    Way::Elsewhere,
    Way::Aborted,
    Way::Starved(0),
    Way::Starved(1),
    Way::Starved(2),
    Way::Starved(3),
];

/// When, after its last poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Waiting,
    /// Once what it waits for has happened.
    Woken,
}

/// What a future leaves in whom it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trace {
    Nothing,
    /// The waker of the last poll may stay, as where it is polled through a trait that has no way to take it back.
    Waker,
}

/// The end of the future of one run of a scenario.
pub(crate) struct End {
    runtime: Arc<Runtime>,
    polls: usize,
    way: Way,
    moment: Moment,
    trace: Trace,
    /// How long a waker that was handed out may stay away.
    patience: Duration,
    came_early: bool,
}

/// Runs the scenario with every number of polls for its future, until the future ends before it is ended; each time with every
/// way and moment to end it. After each run nothing may be left in the runtime: no task, timer, descriptor, or job; and
/// after all of them no more descriptors may be open in the process than before.
///
/// The scenario is called with the runtime entered, which has one worker.
pub(crate) fn at_every_end(scenario: impl FnMut(&mut End) + Send + 'static) {
    let _alone = alone();
    within("a future that is ended early", || every_end(scenario));
}

fn every_end(mut scenario: impl FnMut(&mut End)) {
    let builder = Flavour::OneWorker.builder().stall_threshold(None);
    let runtime = Arc::new(builder.build().expect("a runtime"));
    let _entered = runtime.enter();
    // What is made once a process, such as the thread of the signals, is made in the first pass.
    let open = [(), ()].map(|()| {
        for way in WAYS {
            each_number_of_polls(&runtime, way, &mut scenario);
        }
        open_descriptors()
    });
    assert!(open[1] <= open[0], "descriptors are left open: {open:?}");
}

fn each_number_of_polls(runtime: &Arc<Runtime>, way: Way, scenario: &mut impl FnMut(&mut End)) {
    const MOST: usize = 50;
    for polls in 0..MOST {
        let mut came_early = true;
        for moment in [Moment::Waiting, Moment::Woken] {
            // Before the first poll it waits for nothing; one that is starved is polled where it could go on.
            let is_same = polls == 0 || matches!(way, Way::Starved(_));
            if is_same && moment == Moment::Waiting {
                continue;
            }
            let mut end = End {
                runtime: Arc::clone(runtime),
                polls,
                way,
                moment,
                trace: Trace::Nothing,
                patience: PATIENCE / 3,
                came_early: true,
            };
            scenario(&mut end);
            came_early &= end.came_early;
            let what = format!("{way:?}, {moment:?}, {polls} polls");
            assert_nothing_is_left(&runtime.metrics(), &what);
        }
        if !came_early {
            return;
        }
    }
    panic!("the future did not end within {MOST} polls");
}

/// Waits until the runtime has nothing to do any more.
#[track_caller]
pub(crate) fn assert_nothing_is_left(metrics: &RuntimeMetrics, what: &str) {
    let left = || {
        [
            metrics.num_alive_tasks(),
            metrics.num_timers(),
            metrics.num_descriptors(),
            metrics.num_blocking_threads() - metrics.num_idle_blocking_threads(),
            metrics.blocking_queue_depth(),
        ]
    };
    let start = Instant::now();
    while left() != [0; 5] {
        assert!(
            start.elapsed() < PATIENCE / 3,
            "{what}: left tasks, timers, descriptors, jobs running and queued: {:?}",
            left()
        );
        std::thread::yield_now();
    }
}

/// Keeps the other tests of this program away, for those that count what the whole process has.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many descriptors this process has open; 0 where that cannot be told.
pub(crate) fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

impl End {
    /// Lets the future leave the waker of its last poll where it waited.
    pub(crate) fn may_keep_waker(&mut self) -> &mut Self {
        self.trace = Trace::Waker;
        self
    }

    /// Does not wait for wakers to come back, where nobody else has any.
    pub(crate) fn at_once(&mut self) -> &mut Self {
        self.patience = Duration::ZERO;
        self
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Polls the future as often as it may be, then ends it; the output if it is done before. `between` is called with the number
    /// of polls after each that was pending, and is to bring the future a step further.
    ///
    /// Unless it [may](Self::may_keep_waker), the future must not leave its waker anywhere.
    #[track_caller]
    pub(crate) fn of<F>(&mut self, future: F, mut between: impl FnMut(usize)) -> Option<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.run(future, |poll, _| between(poll))
    }

    /// As [`of`](Self::of), for a future that each call of `between` gets woken, though perhaps not at once.
    #[track_caller]
    pub(crate) fn of_woken<F>(
        &mut self,
        future: F,
        mut between: impl FnMut(usize),
    ) -> Option<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let mut seen = 0;
        self.run(future, |poll, waker| {
            between(poll);
            eventually("the future is woken", || waker.wakes() > seen);
            seen = waker.wakes();
        })
    }

    #[track_caller]
    fn run<F>(
        &mut self,
        future: F,
        mut between: impl FnMut(usize, &CountingWaker),
    ) -> Option<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let waker = CountingWaker::new();
        let mut between = |poll| between(poll, &waker);
        let output = match self.way {
            Way::Here | Way::Elsewhere => self.by_hand(future, &waker, &mut between),
            Way::Aborted | Way::Starved(_) => self.as_task(future, &waker, &mut between),
        };
        self.came_early = output.is_none();
        if self.trace == Trace::Nothing {
            let (way, moment, polls) = (self.way, self.moment, self.polls);
            let start = Instant::now();
            // Whoever was about to wake may still have one.
            while Arc::strong_count(&waker) > 1 {
                assert!(
                    start.elapsed() <= self.patience,
                    "a waker is left: {way:?}, {moment:?}, {polls} polls"
                );
                std::thread::yield_now();
            }
        }
        output
    }

    fn by_hand<F>(
        &self,
        future: F,
        waker: &Arc<CountingWaker>,
        between: &mut impl FnMut(usize),
    ) -> Option<F::Output>
    where
        F: Future + Send + 'static,
    {
        let mut future = Box::pin(future);
        for poll in 1..=self.polls {
            let own = Waker::from(Arc::clone(waker));
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&own)) {
                return Some(output);
            }
            if poll < self.polls || self.moment == Moment::Woken {
                between(poll);
            }
        }
        if self.way == Way::Elsewhere {
            let thread = std::thread::spawn(move || drop(future));
            thread.join().expect("no panic in the drop");
        }
        None
    }

    fn as_task<F>(
        &self,
        future: F,
        waker: &Arc<CountingWaker>,
        between: &mut impl FnMut(usize),
    ) -> Option<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let stepped = Stepped::start(&self.runtime, future, Arc::clone(waker));
        for poll in 1..=self.polls {
            if let Step::Ended = stepped.step(Order::Poll) {
                return stepped.output(&self.runtime);
            }
            if poll < self.polls || self.moment == Moment::Woken {
                between(poll);
            }
        }
        match self.way {
            Way::Starved(units) => {
                let _ = stepped.step(Order::PollAndEnd(units));
            }
            _ => stepped.task.abort(),
        }
        stepped.output(&self.runtime)
    }
}

/// What the task of a future under test is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Poll,
    /// Once more, with so many units of budget; then the future is dropped.
    PollAndEnd(usize),
}

enum Step {
    Pending,
    Ended,
}

/// What the test and the task share.
#[derive(Default)]
struct Orders {
    next: Mutex<Option<Order>>,
    done: AtomicUsize,
    task: Mutex<Option<Waker>>,
}

/// A task whose future is polled on demand only.
struct Stepped<T> {
    orders: Arc<Orders>,
    task: JoinHandle<Option<T>>,
}

impl<T: Send + 'static> Stepped<T> {
    fn start<F>(runtime: &Runtime, future: F, waker: Arc<CountingWaker>) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let orders = Arc::new(Orders::default());
        let task = runtime.spawn(obey(Arc::clone(&orders), future, waker));
        Self { orders, task }
    }

    /// Has the order carried out.
    fn step(&self, order: Order) -> Step {
        let before = self.orders.done.load(Ordering::SeqCst);
        *lock(&self.orders.next) = Some(order);
        let waker = lock(&self.orders.task).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
        eventually("the task obeys", || {
            self.orders.done.load(Ordering::SeqCst) > before || self.task.is_finished()
        });
        match self.orders.done.load(Ordering::SeqCst) {
            done if done == before + 1 => Step::Pending,
            _ => Step::Ended,
        }
    }

    /// What came out of it; `None` if it was ended.
    fn output(self, runtime: &Runtime) -> Option<T> {
        match runtime.block_on(self.task) {
            Ok(output) => output,
            Err(error) => match error.try_into_panic() {
                Ok(payload) => std::panic::resume_unwind(payload),
                Err(error) => {
                    assert!(error.is_cancelled());
                    None
                }
            },
        }
    }
}

fn lock<T>(place: &Mutex<T>) -> MutexGuard<'_, T> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The life of such a task.
async fn obey<F: Future>(
    orders: Arc<Orders>,
    future: F,
    waker: Arc<CountingWaker>,
) -> Option<F::Output> {
    // Polled with a waker of the test's, so that it can see who keeps it.
    let poll = move |future: Pin<&mut F>| {
        let own = Waker::from(Arc::clone(&waker));
        future.poll(&mut Context::from_waker(&own))
    };
    let mut future = pin!(future);
    loop {
        let order = poll_fn(|cx| {
            *lock(&orders.task) = Some(cx.waker().clone());
            lock(&orders.next).take().map_or(Poll::Pending, Poll::Ready)
        })
        .await;
        let outcome = match order {
            Order::Poll => poll(future.as_mut()),
            Order::PollAndEnd(units) => with_budget(units, || poll(future.as_mut())).await,
        };
        match (outcome, order) {
            (Poll::Ready(output), _) => return Some(output),
            (Poll::Pending, Order::PollAndEnd(_)) => return None,
            (Poll::Pending, Order::Poll) => {
                orders.done.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

/// What `f` says when so many units of this task's budget are left.
async fn with_budget<R>(units: usize, mut f: impl FnMut() -> R) -> R {
    // A poll of its own measures how many units there are.
    let mut all = 0;
    let mut is_fresh = false;
    poll_fn(|cx| {
        if is_fresh {
            return Poll::Ready(());
        }
        while spend(cx).is_ready() {
            all += 1;
        }
        is_fresh = true;
        Poll::Pending
    })
    .await;
    poll_fn(|cx| {
        for _ in units..all {
            ready!(spend(cx));
        }
        Poll::Ready(f())
    })
    .await
}

/// Spends one unit.
fn spend(cx: &mut Context<'_>) -> Poll<()> {
    pin!(consume_budget()).poll(cx)
}
