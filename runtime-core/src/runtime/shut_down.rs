//! The thread that ends a runtime: who drops what, how long it waits for whom, and what it tells in the end.

use crate::report::shutdown_report::LISTED;
use crate::report::{ShutdownReport, UnfinishedJob, UnfinishedJobState, Unreached};
use crate::scheduler::attendance::Duty;
use crate::scheduler::house::Flavor;
use crate::scheduler::staff::Role;
use crate::scheduler::sweep::{Afterwards, Sweeper, Sweeping};
use crate::scheduler::{House, context};
use crate::sync::{Arc, now};
use crate::task::Id;
use std::io::Write;
use std::time::Duration;
use std::time::Instant;

/// How long a drop waits for threads that are busy with user code; the same as `asyncio.run` waits for its executor.
const DROP_WAITS: Duration = Duration::from_secs(300);

/// So long the workers have to drop everything by themselves, before one more thread helps them.
const HEAD_START: Duration = Duration::from_millis(20);

/// So long past the deadline the threads may take that were told to end only then, and have nothing to do but that.
const GRACE: Duration = Duration::from_millis(100);

/// So long at most whoever ends a runtime waits for the jobs to be dropped that no thread had started, whatever its patience: a
/// file's last write is such a job, and is done in its drop.
const JOBS_TAKE: Duration = Duration::from_secs(5);

/// Where the futures of a current-thread runtime are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// On the thread that ends the runtime, as it drops its other values: they may look at its thread-local places.
    InPlace,
    /// Where their destructors hold up nobody.
    Bounded,
}

/// Ends a runtime that is dropped.
pub(super) fn on_drop(house: &Arc<House>) {
    let is_own = context::is_own(house);
    let report = shut_down(house, DROP_WAITS, Manner::InPlace);
    if !is_own && !report.threads().is_empty() {
        // Nobody else would hear of it. Standard error may be closed.
        let text = format!("gristmill: a runtime was dropped and does not end: {report}\n");
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}

/// Ends a runtime without waiting.
pub(super) fn in_background(house: &Arc<House>) {
    shut_down(house, Duration::ZERO, Manner::InPlace);
}

/// Ends a runtime within a time.
pub(super) fn within(house: &Arc<House>, patience: Duration) -> ShutdownReport {
    shut_down(house, patience, Manner::Bounded)
}

fn shut_down(house: &Arc<House>, patience: Duration, manner: Manner) -> ShutdownReport {
    let begun = now();
    // A deadline that the clock cannot hold is as good as none.
    let deadline = begun.checked_add(patience);
    // A thread of this runtime would wait for itself.
    let patient = !context::is_own(house) && !patience.is_zero();
    house.close();
    let mut sweeping = Sweeping::new(house);
    begin_sweep(house, &mut sweeping, manner, patient);
    house.unrun.wait(begun + JOBS_TAKE, &house.engine.leftovers);
    if patient {
        await_sweep(house, &mut sweeping, deadline);
    }
    if patient || sweeping.by() == Some(Sweeper::Caller) {
        let _inside = context::enter(house);
        house.finish();
    }
    let mut last = Some(begun);
    if patient {
        let left = || deadline.map(|deadline| deadline.saturating_duration_since(now()));
        let _ = house.blocking.join(left());
        let _ = house.compute.join(left());
        last = deadline.map(|deadline| deadline.max(now() + GRACE));
        house
            .staff
            .attendance
            .wait(|duty| duty == Duty::Reactor, last);
    }
    house.staff.join();
    let reporting = house.engine.reporter.close(last);
    let mut report = tell(house);
    report.threads.extend(reporting);
    report.duration = begun.elapsed();
    report
}

/// Has what is left dropped at once, where there are no workers to do it.
fn begin_sweep(house: &Arc<House>, sweeping: &mut Sweeping, manner: Manner, patient: bool) {
    let afterwards = if patient {
        Afterwards::Nothing
    } else {
        Afterwards::Finish
    };
    match (house.flavor, manner) {
        (Flavor::CurrentThread, Manner::InPlace) => sweeping.here(),
        (Flavor::CurrentThread, Manner::Bounded) => sweeping.elsewhere(afterwards),
        (Flavor::MultiThread, _) if !patient || !house.unrun.are_dropped() => {
            sweeping.elsewhere(afterwards);
        }
        (Flavor::MultiThread, _) => {}
    }
}

/// Waits until everything is dropped, and all threads but the reactor's have ended: that one still has to hand out what wakes the
/// last polls.
fn await_sweep(house: &Arc<House>, sweeping: &mut Sweeping, deadline: Option<Instant>) {
    let attendance = &house.staff.attendance;
    if sweeping.by().is_none() {
        let head_start = now() + HEAD_START;
        let until = deadline.map_or(head_start, |deadline| deadline.min(head_start));
        attendance.wait(|duty| duty == Duty::Lane, Some(until));
        // Workers that have gone left nothing. Others are stuck, or have much to drop.
        sweeping.elsewhere(Afterwards::Nothing);
    }
    attendance.wait(|duty| duty != Duty::Reactor, deadline);
}

/// What was left, in the order of its weight.
fn tell(house: &Arc<House>) -> ShutdownReport {
    // Those in the sets were not reached, as a destructor before them does not end.
    let unreached = || Unreached {
        tasks: house.unreached_tasks(),
        jobs: house.unrun.left(),
    };
    let leftovers = &house.engine.leftovers;
    let mut noted = leftovers.take(unreached, |task| poller_of(house, task));
    let running = house.running_jobs.unfinished();
    let mut jobs: Vec<_> = running
        .into_iter()
        .map(|job| UnfinishedJob {
            job,
            state: UnfinishedJobState::Running,
        })
        .collect();
    jobs.append(&mut noted.jobs);
    let unlisted = jobs.len().saturating_sub(LISTED);
    jobs.truncate(LISTED);
    let mut threads = house.staff.attendance.names(|_| true);
    threads.append(&mut house.blocking.thread_names());
    threads.append(&mut house.compute.thread_names());
    ShutdownReport {
        tasks: noted.tasks,
        more_tasks: noted.more_tasks,
        jobs,
        more_jobs: noted.more_jobs + unlisted,
        threads,
        open_descriptors: house.engine.reactor.registry.len(),
        duration: Duration::ZERO,
    }
}

/// The thread that polls a task.
fn poller_of(house: &House, task: Id) -> Option<String> {
    let mut lanes = house.engine.lanes.iter();
    let lane = lanes.position(|lane| lane.polled_task() == Some(task))?;
    match house.flavor {
        Flavor::CurrentThread => house
            .staff
            .attendance
            .names(|duty| duty == Duty::Lane)
            .pop(),
        Flavor::MultiThread => {
            let role = if lane < house.engine.workers {
                Role::Worker
            } else {
                Role::Relief
            };
            Some(house.staff.lane_name(lane, role))
        }
    }
}
