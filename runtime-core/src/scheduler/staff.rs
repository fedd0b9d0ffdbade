//! The threads that work the lanes: ordinary workers, relief workers, and the reactor thread.
//!
//! A relief worker is an ordinary worker with a lane of its own. It is started when a worker is stuck in a poll
//! while work waits and nobody is free, steals from the stuck one, and stays for a while after there was last
//! anything to do, so that a program which blocks again and again does not stall each time.

use super::context;
use super::house::House;
use super::search::Searching;
use super::watch::Watcher;
use super::worker::{Core, Step, Worker};
use crate::reactor::thread::ReactorThread;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::sync::{Condvar, Mutex};

/// How long a relief worker stays without work.
const LINGER: Duration = Duration::from_secs(1);

/// A closure that runs on each thread.
pub(crate) type Hook = Arc<dyn Fn() + Send + Sync>;

/// How threads are made.
#[derive(Clone)]
pub(crate) struct ThreadConfig {
    pub(crate) name: String,
    pub(crate) stack_size: Option<usize>,
    pub(crate) on_start: Option<Hook>,
    pub(crate) on_stop: Option<Hook>,
}

/// What a thread is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Worker,
    Relief,
}

/// The threads of a runtime.
pub(crate) struct Staff {
    config: ThreadConfig,
    /// A poll longer than this is stuck; `None` never is.
    pub(crate) stall_threshold: Option<Duration>,
    roster: Mutex<Roster>,
    /// Signalled when a thread has ended.
    gone: Condvar,
}

struct Roster {
    /// Cores of lanes that nobody works.
    bench: Vec<Core>,
    threads: Vec<thread::JoinHandle<()>>,
    /// Threads that have not come to their end.
    running: usize,
    /// Relief workers started since the beginning.
    reliefs: u64,
    /// Relief workers that have not ended.
    relieving: usize,
    closed: bool,
}

impl Staff {
    pub(crate) fn new(
        config: ThreadConfig,
        stall_threshold: Option<Duration>,
        bench: Vec<Core>,
    ) -> Self {
        let roster = Roster {
            bench,
            threads: Vec::new(),
            running: 0,
            reliefs: 0,
            relieving: 0,
            closed: false,
        };
        Self {
            config,
            stall_threshold,
            roster: Mutex::new(roster),
            gone: Condvar::new(),
        }
    }

    /// Starts the thread of an ordinary worker.
    ///
    /// # Errors
    ///
    /// If the operating system refuses the thread.
    pub(crate) fn start_worker(&self, house: &Arc<House>, core: Core) -> io::Result<()> {
        let name = format!("{}-w{}", self.config.name, core.index());
        self.start_lane(house, core, name, Role::Worker)
            .map_err(|(error, _)| error)
    }

    /// Starts a relief worker, if there is a lane left.
    pub(crate) fn call_relief(&self, house: &Arc<House>) -> bool {
        let Some(core) = self.take_from_bench() else {
            return false;
        };
        let name = format!("{}-r{}", self.config.name, core.index());
        // It counts as searching from here on, so that one stall does not call two before the first begins.
        house.engine.idle.begin_search(usize::MAX);
        match self.start_lane(house, core, name, Role::Relief) {
            Ok(()) => true,
            Err((_, core)) => {
                // Whoever posted work meanwhile may have relied on it.
                Searching::as_chosen().found(&house.engine);
                // The system has no thread to spare just now. The next tick may find one.
                let mut roster = self.roster.lock();
                roster.reliefs -= 1;
                roster.relieving -= 1;
                roster.bench.push(core);
                false
            }
        }
    }

    fn take_from_bench(&self) -> Option<Core> {
        let mut roster = self.roster.lock();
        let core = if roster.closed {
            None
        } else {
            roster.bench.pop()
        }?;
        // Counted before the thread can do anything that shows, and taken back if there is none.
        roster.reliefs += 1;
        roster.relieving += 1;
        Some(core)
    }

    /// How many relief workers were started.
    pub(crate) fn reliefs(&self) -> u64 {
        self.roster.lock().reliefs
    }

    /// How many relief workers there are.
    pub(crate) fn relieving(&self) -> usize {
        self.roster.lock().relieving
    }

    fn start_lane(
        &self,
        house: &Arc<House>,
        core: Core,
        name: String,
        role: Role,
    ) -> Result<(), (io::Error, Core)> {
        // The core travels in a cell that both sides see, so that a refused thread does not take it along.
        let parcel = Arc::new(Mutex::new(Some(core)));
        let delivery = Arc::clone(&parcel);
        let inside = Arc::clone(house);
        house.engine.staff_lane();
        let started = self.start(house, name, move || {
            if let Some(core) = delivery.lock().take() {
                work_lane(&inside, core, role);
            }
        });
        started.map_err(|error| {
            house.engine.vacate_lane();
            let core = parcel.lock().take();
            match core {
                Some(core) => (error, core),
                None => unreachable!("a thread that never ran took nothing"),
            }
        })
    }

    /// Starts the reactor thread.
    ///
    /// # Errors
    ///
    /// If the operating system refuses the thread.
    pub(crate) fn start_reactor(&self, house: &Arc<House>) -> io::Result<()> {
        let engine = &house.engine;
        let (reactor, guard) = (Arc::clone(&engine.reactor), Arc::clone(&engine.guard));
        let watcher = Watcher::new(Arc::clone(house));
        let name = format!("{}-io", self.config.name);
        self.start(house, name, move || {
            let _inside = context::enter_as_own(&watcher.house());
            sharpen_timers();
            ReactorThread::new(reactor, guard, watcher).run();
        })
    }

    fn start(
        &self,
        house: &Arc<House>,
        name: String,
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let mut builder = thread::Builder::new().name(name);
        if let Some(bytes) = self.config.stack_size {
            builder = builder.stack_size(bytes);
        }
        let present = Present(Arc::clone(house));
        self.roster.lock().running += 1;
        let thread = builder.spawn(move || {
            let present = present;
            let staff = &present.0.staff;
            contain(|| staff.config.on_start.iter().for_each(|hook| hook()));
            contain(body);
            contain(|| staff.config.on_stop.iter().for_each(|hook| hook()));
        })?;
        let finished: Vec<_> = {
            let mut roster = self.roster.lock();
            let finished = roster
                .threads
                .extract_if(.., |thread| thread.is_finished())
                .collect();
            roster.threads.push(thread);
            finished
        };
        finished.into_iter().for_each(join);
        Ok(())
    }

    /// Starts no more relief workers.
    pub(crate) fn close(&self) {
        self.roster.lock().closed = true;
    }

    /// Waits until at most `left` threads run, or the deadline. Whether it came to that.
    pub(crate) fn wait_for_end(&self, left: usize, deadline: Option<Instant>) -> bool {
        let mut roster = self.roster.lock();
        while roster.running > left {
            match deadline {
                None => self.gone.wait(&mut roster),
                Some(deadline) if Instant::now() >= deadline => return false,
                Some(deadline) => {
                    self.gone.wait_until(&mut roster, deadline);
                }
            }
        }
        true
    }

    /// Joins the threads that have come to their end, all of them if `wait_for_end(0, …)` said so.
    pub(crate) fn join(&self, all: bool) {
        let threads = std::mem::take(&mut self.roster.lock().threads);
        let own = thread::current().id();
        threads
            .into_iter()
            .filter(|thread| (all || thread.is_finished()) && thread.thread().id() != own)
            .for_each(join);
    }
}

/// A thread that counts as running until this is dropped, started or not.
struct Present(Arc<House>);

impl Drop for Present {
    fn drop(&mut self) {
        let staff = &self.0.staff;
        staff.roster.lock().running -= 1;
        staff.gone.notify_all();
    }
}

fn work_lane(house: &Arc<House>, core: Core, role: Role) {
    sharpen_timers();
    let lane = core.index();
    let _inside = context::enter_as_worker(house, lane);
    let _polling = context::set_polling(true);
    let mut worker = Worker::new(Arc::clone(house), core);
    match role {
        Role::Worker => worker.run(until_shutdown),
        Role::Relief => {
            worker = worker.with_longest_sleep(LINGER);
            let mut last = (0, Instant::now());
            worker.run_searching(|worker| until_not_needed(worker, &mut last));
        }
    }
    if house.engine.is_shutting_down() {
        worker.retire();
    }
    let core = worker.into_core();
    house.engine.vacate_lane();
    let mut roster = house.staff.roster.lock();
    roster.bench.push(core);
    roster.relieving -= usize::from(role == Role::Relief);
}

fn until_shutdown(worker: &Worker) -> Step {
    if worker.engine().is_shutting_down() {
        Step::Stop
    } else {
        Step::GoOn
    }
}

/// A relief worker ends when it has polled nothing for a while and nothing of its own is left.
fn until_not_needed(worker: &Worker, last: &mut (u64, Instant)) -> Step {
    if until_shutdown(worker) == Step::Stop {
        return Step::Stop;
    }
    let (polls, since) = *last;
    let polls_now = worker.polls();
    if polls_now != polls {
        *last = (polls_now, Instant::now());
        return Step::GoOn;
    }
    if since.elapsed() >= LINGER && worker.owns_nothing() {
        Step::StopUnlessChosen
    } else {
        Step::GoOn
    }
}

/// Asks the system to wake this thread at the nanosecond that it names instead of up to 50 µs later.
fn sharpen_timers() {
    #[cfg(target_os = "linux")]
    {
        // Refused in some sandboxes: then timers are that much later.
        let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
    }
}

/// Runs what must not take the thread down: hooks, and the thread's own body, whose panic is a defect that
/// the panic hook has reported; the thread still has to count itself out.
fn contain(body: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(body)) {
        std::mem::forget(payload);
    }
}

fn join(thread: thread::JoinHandle<()>) {
    // The thread's body contains its panics.
    let _ = thread.join();
}

impl fmt::Debug for ThreadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadConfig")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
