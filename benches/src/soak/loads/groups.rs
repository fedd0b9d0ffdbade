//! Groups, sets and lists of tasks that end together.

use std::sync::Arc;

use gristmill::task::{JoinSet, TaskGroup, gather, yield_now};
use gristmill::time::sleep;

use super::super::ledger;
use super::super::stage::Stage;
use super::super::ticket::{Output, Ticket, output};
use super::super::verdict::{fault, violation};

/// A child that failed as planned.
#[derive(Debug)]
struct Failure;

/// Held by every child, so that it can be seen when all of them are gone.
type Probe = Arc<()>;

pub(super) async fn run(mut stage: Stage) {
    while stage.goes_on().await {
        match stage.dice.u8(0..3) {
            0 => group(&mut stage).await,
            1 => set(&mut stage).await,
            _ => list(&mut stage).await,
        }
    }
}

/// What a child does: some sleep, some fail.
async fn child(ticket: Ticket, seed: u64, probe: Probe, may_fail: bool) -> Result<Output, Failure> {
    let mut dice = fastrand::Rng::with_seed(seed);
    for _ in 0..dice.u8(0..4) {
        yield_now().await;
    }
    if dice.u8(..) < 32 {
        sleep(std::time::Duration::from_micros(dice.u64(0..2_000))).await;
    }
    drop(probe);
    if may_fail && dice.u8(..) < 8 {
        // An error is an output too, for the account.
        output(ticket).take();
        return Err(Failure);
    }
    Ok(output(ticket))
}

async fn group(stage: &mut Stage) {
    stage.lane.at("awaiting a group");
    let probe = Probe::new(());
    let mut group = TaskGroup::new();
    let may_fail = stage.once_in(2);
    for _ in 0..stage.dice.usize(1..60) {
        let ticket = Ticket::new(&ledger::TASKS);
        let (seed, probe) = (stage.dice.u64(..), Arc::clone(&probe));
        drop(group.spawn(child(ticket, seed, probe, may_fail)));
    }
    match stage.dice.u8(0..6) {
        0 => group.abort_all(),
        1 => {
            yield_now().await;
            return;
        }
        _ => {}
    }
    let result = group.join().await;
    if result.is_err() && !may_fail {
        violation("a group failed without a child that did");
    }
    if Arc::strong_count(&probe) != 1 {
        violation("a group was joined, and a child of it is left");
    }
}

async fn set(stage: &mut Stage) {
    stage.lane.at("awaiting a set");
    let probe = Probe::new(());
    let mut set = JoinSet::new();
    let size = stage.dice.usize(1..100);
    for _ in 0..size {
        let ticket = Ticket::new(&ledger::TASKS);
        let (seed, probe) = (stage.dice.u64(..), Arc::clone(&probe));
        set.spawn(child(ticket, seed, probe, false));
    }
    match stage.dice.u8(0..6) {
        0 => set.shutdown().await,
        1 => set.abort_all(),
        2 => return,
        3 => set.detach_all(),
        _ => {}
    }
    let (expected, mut results) = (set.len(), 0);
    while let Some(result) = set.join_next().await {
        results += 1;
        if let Ok(Ok(output)) = result {
            output.take();
        }
    }
    if results != expected {
        violation(format!("a set of {expected} gave {results} results"));
    }
}

async fn list(stage: &mut Stage) {
    stage.lane.at("gathering");
    let probe = Probe::new(());
    let futures: Vec<_> = (0..stage.dice.usize(1..60))
        .map(|_| {
            let ticket = Ticket::new(&ledger::TASKS);
            child(ticket, stage.dice.u64(..), Arc::clone(&probe), true)
        })
        .collect();
    let expected = futures.len();
    let gathering = gather(futures);
    if stage.once_in(4) {
        drop(gathering);
        return;
    }
    let results = gathering.await;
    if results.len() != expected {
        violation(format!("{} results of {expected}", results.len()));
    }
    for result in results {
        match result {
            Ok(Ok(output)) => output.take(),
            Ok(Err(Failure)) => {}
            Err(error) => fault(format!("a gathered task: {error}")),
        }
    }
    if Arc::strong_count(&probe) != 1 {
        violation("everything was gathered, and a child is left");
    }
}
