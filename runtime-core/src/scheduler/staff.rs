//! The threads that work the lanes: ordinary workers, relief workers, and the reactor thread.
//!
//! A relief worker is an ordinary worker with a lane of its own. It is started when a worker is stuck in a poll
//! while work waits and nobody is free, steals from the stuck one, and stays for a while after there was last
//! anything to do, so that a program which blocks again and again does not stall each time. In a program that always has something to
//! do it goes once the stuck one has been back for a while. What it has not done, and its timers, it leaves to the others.

use super::attendance::{Attendance, Duty, Name};
use super::context;
use super::engine::Engine;
use super::house::House;
use super::need::{LINGER, Need};
use super::search::Searching;
use super::slice::{self, Whose};
use super::watch::Watcher;
use super::worker::{Core, Step, Worker};
use crate::reactor::thread::ReactorThread;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::sync::atomic::{Ordering, fence};
use crate::sync::{Mutex, thread};

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

/// Who does what waits behind a stuck worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum StandIn {
    /// A worker looks for work already.
    Searcher,
    /// One sleeps, and is to be woken.
    Sleeper,
    /// A relief worker is to be called: there is a processor for one more, or nobody moves.
    Relief,
    /// Those that move are to look there, however busy they are: one more would only get in their way.
    Movers,
}

impl StandIn {
    /// Who it had better be. There is a processor for one more if fewer workers move, or compute in the poll that they are stuck in,
    /// than there are ordinary ones. Figures in `docs/decisions/relief-by-need.md`.
    pub(crate) fn choose(engine: &Engine) -> Self {
        let counts = engine.idle.counts();
        if counts.searching() > 0 {
            return Self::Searcher;
        }
        if counts.parked() > 0 {
            return Self::Sleeper;
        }
        let moving = engine.moving();
        if moving == 0 {
            return Self::Relief;
        }
        if moving >= engine.workers {
            return Self::Movers;
        }
        let computing = engine.lanes.iter().filter(|lane| lane.is_computing());
        if moving + computing.count() < engine.workers {
            Self::Relief
        } else {
            Self::Movers
        }
    }
}

/// The threads of a runtime.
pub(crate) struct Staff {
    config: ThreadConfig,
    /// A poll longer than this is stuck; `None` never is.
    pub(crate) stall_threshold: Option<Duration>,
    roster: Mutex<Roster>,
    /// Who has not ended.
    pub(crate) attendance: Arc<Attendance>,
}

struct Roster {
    /// Cores of lanes that nobody works.
    bench: Vec<Core>,
    /// Threads to be joined once they are not in the attendance any more, by their numbers there.
    threads: Vec<(u64, thread::JoinHandle<()>)>,
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
            reliefs: 0,
            relieving: 0,
            closed: false,
        };
        Self {
            config,
            stall_threshold,
            roster: Mutex::new(roster),
            attendance: Attendance::new(),
        }
    }

    /// Starts the thread of an ordinary worker.
    ///
    /// # Errors
    ///
    /// If the operating system refuses the thread.
    pub(crate) fn start_worker(&self, house: &Arc<House>, core: Core) -> io::Result<()> {
        let name = self.lane_name(core.index(), Role::Worker);
        self.start_lane(house, core, name, Role::Worker)
            .map_err(|(error, _)| error)
    }

    /// Sees to it that somebody does what waits behind a stuck worker. False if there is a worker that looks for work already.
    pub(crate) fn find_stand_in(&self, house: &Arc<House>) -> bool {
        let engine = &house.engine;
        let mut stand_in = StandIn::choose(engine);
        if stand_in == StandIn::Relief {
            stand_in = self.call_relief(house);
        }
        match stand_in {
            StandIn::Searcher => return false,
            StandIn::Relief => {}
            StandIn::Sleeper => engine.notify(),
            StandIn::Movers => engine.ask_all(),
        }
        true
    }

    /// Starts a relief worker; or says who else it has to be, because there is no lane left, the system refuses the thread, or somebody
    /// has started one meanwhile.
    fn call_relief(&self, house: &Arc<House>) -> StandIn {
        let core = match self.take_from_bench(&house.engine) {
            Ok(core) => core,
            Err(other) => return other,
        };
        let name = self.lane_name(core.index(), Role::Relief);
        match self.start_lane(house, core, name, Role::Relief) {
            Ok(()) => StandIn::Relief,
            Err((_, core)) => {
                // Whoever posted work meanwhile may have relied on it.
                Searching::as_chosen().found(&house.engine);
                // The system has no thread to spare just now. The next tick may find one.
                let mut roster = self.roster.lock();
                roster.reliefs -= 1;
                roster.relieving -= 1;
                roster.bench.push(core);
                StandIn::Movers
            }
        }
    }

    /// What the thread is called that works a lane.
    pub(crate) fn lane_name(&self, lane: usize, role: Role) -> String {
        let letter = match role {
            Role::Worker => 'w',
            Role::Relief => 'r',
        };
        format!("{}-{letter}{lane}", self.config.name)
    }

    /// The core of a lane that nobody works, for a worker that counts as searching from here on, so that one stall does not call two
    /// before the first begins; but not while it runs the user's hook. Or who it has to be instead.
    fn take_from_bench(&self, engine: &Engine) -> Result<Core, StandIn> {
        let mut roster = self.roster.lock();
        // Two may have seen the need at once. Under the lock the second sees what the first has done.
        let stand_in = StandIn::choose(engine);
        if stand_in != StandIn::Relief {
            return Err(stand_in);
        }
        let core = if roster.closed {
            None
        } else {
            roster.bench.pop()
        };
        let core = core.ok_or(StandIn::Movers)?;
        engine.idle.begin_search(usize::MAX);
        // Counted before the thread can do anything that shows, and taken back if there is none.
        roster.reliefs += 1;
        roster.relieving += 1;
        Ok(core)
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
        let first = match role {
            Role::Worker => nothing,
            Role::Relief => arrive,
        };
        let started = self.start(house, Duty::Lane, name, first, move || {
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
        self.start(house, Duty::Reactor, name, nothing, move || {
            let _inside = context::enter_as_own(&watcher.house());
            sharpen_timers();
            slice::ask_for_short(Whose::WithHeirs);
            ReactorThread::new(reactor, guard, watcher).run();
        })
    }

    /// Starts the thread that drops what the shutdown finds left.
    ///
    /// # Errors
    ///
    /// If the operating system refuses the thread.
    pub(super) fn start_sweeper(
        &self,
        house: &Arc<House>,
        sweep: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let name = format!("{}-end", self.config.name);
        self.start(house, Duty::Sweep, name, nothing, sweep)
    }

    /// Starts a thread for `body`, before which come `first` and then the user's hook.
    fn start(
        &self,
        house: &Arc<House>,
        duty: Duty,
        name: String,
        first: fn(&House),
        body: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let mut builder = thread::Builder::new().name(name.clone());
        if let Some(bytes) = self.config.stack_size {
            builder = builder.stack_size(bytes);
        }
        let house = Arc::clone(house);
        let present = self.attendance.enter(duty, Name::New(name));
        let number = present.number();
        let thread = builder.spawn(move || {
            present.until_thread_ends();
            first(&house);
            let config = &house.staff.config;
            // The sweeper is there because user code may not return, so none comes before it.
            let hooked = (duty != Duty::Sweep).then_some(config);
            let run = |hook: &Option<Hook>| contain(|| hook.iter().for_each(|hook| hook()));
            hooked.iter().for_each(|config| run(&config.on_start));
            contain(body);
            hooked.iter().for_each(|config| run(&config.on_stop));
        })?;
        self.roster.lock().threads.push((number, thread));
        self.join();
        Ok(())
    }

    /// Starts no more relief workers.
    pub(crate) fn close(&self) {
        self.roster.lock().closed = true;
    }

    /// Joins the threads that have ended.
    pub(crate) fn join(&self) {
        let ended: Vec<_> = {
            let mut roster = self.roster.lock();
            let threads = &mut roster.threads;
            let ended = threads.extract_if(.., |(number, _)| !self.attendance.is_present(*number));
            ended.collect()
        };
        // Their last act is behind them, and their bodies contain their panics.
        for (_, thread) in ended {
            let _ = thread.join();
        }
    }
}

/// What most threads do before the user's hook.
fn nothing(_: &House) {}

/// What a relief worker does before the user's hook. Until that is over nobody who posts work is to rely on it, so it does not count as
/// searching; and what the hook starts has the usual slices.
fn arrive(house: &House) {
    slice::ask_for_short(Whose::Own);
    if house.staff.config.on_start.is_some() {
        Searching::as_chosen().found(&house.engine);
    }
}

fn work_lane(house: &Arc<House>, core: Core, role: Role) {
    sharpen_timers();
    if role == Role::Relief && house.staff.config.on_start.is_some() {
        house.engine.idle.begin_search(usize::MAX);
    }
    let lane = core.index();
    house.engine.unminded.take_back(lane);
    let _inside = context::enter_as_worker(house, lane);
    let _polling = context::set_polling(true);
    let mut worker = Worker::new(Arc::clone(house), core);
    match role {
        Role::Worker => worker.run(until_shutdown),
        Role::Relief => {
            worker = worker.with_longest_sleep(LINGER);
            let mut need = Need::new(worker.polls());
            worker.run_searching(|worker| until_not_needed(worker, &mut need));
        }
    }
    if house.engine.is_shutting_down() {
        worker.retire();
    } else {
        worker.hand_over();
    }
    let core = worker.into_core();
    {
        // Under the lock: whoever sees this lane vacant, and so calls relief, finds this worker gone from the count, and its core.
        let mut roster = house.staff.roster.lock();
        roster.bench.push(core);
        roster.relieving -= usize::from(role == Role::Relief);
        house.engine.vacate_lane();
    }
    if role == Role::Relief && !house.engine.is_shutting_down() {
        // ORDERING: edge P1, the sleeper's end: a worker that says it will be stuck, and saw this one move, has said so before
        // this look; one that says so later sees that it is gone.
        fence(Ordering::SeqCst);
        if house.engine.has_more() {
            let _ = house.staff.find_stand_in(house);
        }
    }
}

fn until_shutdown(worker: &Worker) -> Step {
    if worker.engine().is_shutting_down() {
        Step::Stop
    } else {
        Step::GoOn
    }
}

/// A relief worker ends when it has polled nothing for a while, nothing that those who sleep could not poll, or keeps ordinary workers from a
/// processor.
fn until_not_needed(worker: &Worker, need: &mut Need) -> Step {
    if until_shutdown(worker) == Step::Stop {
        Step::Stop
    } else if need.is_over(worker) {
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

impl fmt::Debug for ThreadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadConfig")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
