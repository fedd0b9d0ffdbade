//! A simulation's course and jobs, for all who take part: the worker, those who hand jobs in, those who ask.

use super::course::{Course, ROOT};
use super::jobs::Jobs;
use crate::report::ReportedTask;
use crate::scheduler::Engine;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Arc, Mutex, MutexGuard};
use crate::task::Runnable;
use runtime_blocking::{Executor, Job, RejectReason, Rejected};
use std::fmt;
use std::task::Waker;

/// What a simulated runtime goes by.
pub(crate) struct Script {
    seed: u64,
    engine: Arc<Engine>,
    state: Mutex<State>,
    /// The seed of a failure was printed.
    told: AtomicBool,
}

struct State {
    course: Course,
    jobs: Jobs,
    /// No more jobs are taken.
    closed: bool,
    /// Where the thread's own random numbers go on when the simulation does.
    thread_draws: u64,
}

/// What was drawn to run next.
pub(super) enum Next {
    /// The task at this place of those that were laid out.
    Task(usize),
    Job(Job),
    Root,
}

impl Script {
    pub(crate) fn new(seed: u64, engine: Arc<Engine>) -> Self {
        let mut course = Course::new(seed);
        let thread_draws = course.fork();
        Self {
            seed,
            engine,
            state: Mutex::new(State {
                course,
                jobs: Jobs::default(),
                closed: false,
                thread_draws,
            }),
            told: AtomicBool::new(false),
        }
    }

    /// The state, for a moment in which no user code runs.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Of everything that has run so far, in its order.
    pub(crate) fn digest(&self) -> u64 {
        self.state().course.digest()
    }

    /// A task is runnable.
    pub(super) fn meet(&self, runnable: &Runnable) {
        let meta = runnable.meta();
        let known = || ReportedTask::new(meta, runnable.name().as_ref());
        self.state().course.meet(meta.id, known);
    }

    /// Draws what runs at `now_ns`, of the tasks that were laid out, the jobs that are due, and maybe the root future.
    pub(super) fn draw(&self, tasks: usize, root: bool, now_ns: u64) -> Option<Next> {
        let State { course, jobs, .. } = &mut *self.state();
        let due = jobs.due(now_ns);
        let count = tasks + due + usize::from(root);
        if count == 0 {
            return None;
        }
        let drawn = course.draw(count);
        let (next, number) = if drawn < tasks {
            return Some(Next::Task(drawn));
        } else if drawn < tasks + due {
            let (number, job) = jobs.take(drawn - tasks)?;
            (Next::Job(job), number)
        } else {
            (Next::Root, ROOT)
        };
        course.note(number, now_ns);
        Some(next)
    }

    /// A task runs.
    pub(super) fn note(&self, runnable: &Runnable, now_ns: u64) {
        let course = &mut self.state().course;
        let number = course.number_of(runnable.meta().id);
        course.note(number, now_ns);
    }

    /// A task has ended.
    pub(super) fn forget(&self, id: crate::task::Id) {
        self.state().course.forget(id);
    }

    /// Puts timers that are due together in some order.
    pub(super) fn arrange(&self, wakers: &mut [Waker]) {
        self.state().course.arrange(wakers);
    }

    /// The moment of the earliest job.
    pub(super) fn next_job(&self) -> Option<u64> {
        self.state().jobs.next()
    }

    /// The tasks that have not ended.
    pub(super) fn waiting(&self) -> Vec<(u64, ReportedTask)> {
        self.state().course.waiting()
    }

    /// Takes no more jobs, and gives those that have not begun.
    pub(crate) fn close(&self) -> Vec<Job> {
        let mut state = self.state();
        state.closed = true;
        state.jobs.take_all()
    }

    /// Lets the random numbers that this thread draws, for `select!` and for whoever else asks `fastrand`, be the
    /// simulation's while `f` runs; and if that panics, prints the seed.
    pub(crate) fn perform<R>(&self, f: impl FnOnce() -> R) -> R {
        let thread_draws = self.state().thread_draws;
        let _performance = Performance {
            script: self,
            former: fastrand::get_seed(),
            was_panicking: std::thread::panicking(),
        };
        fastrand::seed(thread_draws);
        f()
    }

    /// Prints the seed, the first time.
    pub(crate) fn tell_failure(&self) {
        // ORDERING: Relaxed; all that matters is who is first.
        if !self.told.swap(true, Ordering::Relaxed) {
            let seed = self.seed;
            eprintln!(
                "gristmill: simulation failed with seed {seed:#x}; replay with Builder::new_simulated({seed:#x}), or \
                 GRISTMILL_SEED={seed:#x} under sim::check"
            );
        }
    }
}

/// The span of [`Script::perform`].
struct Performance<'a> {
    script: &'a Script,
    /// Where the thread's random numbers go on afterwards.
    former: u64,
    was_panicking: bool,
}

impl Drop for Performance<'_> {
    fn drop(&mut self) {
        self.script.state().thread_draws = fastrand::get_seed();
        fastrand::seed(self.former);
        if std::thread::panicking() && !self.was_panicking {
            self.script.tell_failure();
        }
    }
}

/// Every executor, in a simulation.
impl Executor for Script {
    fn execute(&self, job: Job) -> Result<(), Rejected> {
        let now_ns = self.engine.timers.now_ns();
        {
            let mut state = self.state();
            if state.closed {
                drop(state);
                return Err(Rejected::new(job, RejectReason::shut_down()));
            }
            let number = state.course.number();
            let at_ns = now_ns.saturating_add(state.course.latency_ns());
            state.jobs.add(at_ns, number, job);
        }
        // For a job of another thread's, which the worker may wait for.
        self.engine.unpark(0);
        Ok(())
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}
