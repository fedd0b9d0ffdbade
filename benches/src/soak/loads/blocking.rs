//! Calls that block or compute: where they should, and where they should not.

use std::hint::black_box;
use std::sync::mpsc;
use std::thread;

use gristmill::runtime::Handle;
use gristmill::task::block_in_place;

use super::super::stage::{Flavour, Stage};
use super::super::ticket::{Answer, computation, job, panicking_job, task};
use super::super::verdict::{fault, violation};
use super::super::watchdog::PATIENCE;
use crate::scenarios::cpu::crunch;

pub(super) async fn run(mut stage: Stage) {
    while stage.goes_on().await {
        let multi = stage.setting.flavour == Flavour::MultiThread;
        match stage.dice.u8(0..6) {
            0 | 1 => jobs(&mut stage).await,
            2 => computations(&mut stage).await,
            3 if multi => in_place(&mut stage).await,
            4 if multi => each_other(&mut stage).await,
            _ => in_task(&mut stage).await,
        }
    }
}

/// More jobs than threads; some are aborted, some panic.
async fn jobs(stage: &mut Stage) {
    stage.lane.at("awaiting blocking jobs");
    let handle = Handle::current();
    let mut claims = Vec::new();
    for _ in 0..stage.dice.usize(1..200) {
        if stage.once_in(50) {
            claims.push((panicking_job(&handle), Some(Answer::Panicked)));
            continue;
        }
        let time = stage.micros(0..1_000);
        // Most are over at once, as most are in programs.
        let sleeps = stage.once_in(8);
        let mut claim = job(&handle, move || {
            if sleeps {
                thread::sleep(time);
            }
        });
        let aborted = stage.once_in(8);
        if aborted {
            claim.abort();
        }
        claims.push((claim, (!aborted).then_some(Answer::Output)));
    }
    for (claim, expected) in claims {
        let answer = claim.result().await;
        if expected.is_some_and(|expected| expected != answer) {
            fault("a job did not end as its code says");
        }
    }
}

async fn computations(stage: &mut Stage) {
    stage.lane.at("awaiting computations");
    let handle = Handle::current();
    let mut claims = Vec::new();
    for _ in 0..stage.dice.usize(1..40) {
        let steps = stage.dice.u64(0..100_000);
        let mut claim = computation(&handle, move || {
            black_box(crunch(1, steps));
        });
        if stage.once_in(8) {
            claim.abort();
        }
        claims.push(claim);
    }
    for claim in claims {
        claim.result().await;
    }
}

async fn in_place(stage: &mut Stage) {
    stage.lane.at("blocking in place");
    let time = stage.micros(0..5_000);
    let claim = task(|ticket| async move {
        let ticket = block_in_place(move || {
            thread::sleep(time);
            ticket
        });
        gristmill::task::yield_now().await;
        ticket
    });
    claim.result().await;
}

/// A task that blocks its worker, and says nothing.
async fn in_task(stage: &mut Stage) {
    stage.lane.at("blocking in a task");
    let multi = stage.setting.flavour == Flavour::MultiThread;
    let time = stage.micros(0..if multi { 20_000 } else { 1_000 });
    let claim = task(|ticket| async move {
        thread::sleep(time);
        ticket
    });
    claim.result().await;
}

/// A task that blocks its worker until another one runs.
async fn each_other(stage: &mut Stage) {
    stage.lane.at("blocked until another task runs");
    let claim = task(|ticket| async move {
        let (sender, receiver) = mpsc::channel();
        let other = task(|ticket| async move {
            // The receiver is gone only if the wait was given up.
            let _: Result<(), mpsc::SendError<()>> = sender.send(());
            ticket
        });
        // The worker is stuck in here; it ends at the shutdown too, when the other task is dropped.
        if receiver.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            violation("a task waited for one that its blocked worker had, and nobody took it");
        }
        other.result().await;
        ticket
    });
    claim.result().await;
}
