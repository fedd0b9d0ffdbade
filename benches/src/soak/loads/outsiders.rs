//! Threads that are none of the runtime's: they spawn and wait from outside, while it ends and after.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_lite::future;
use gristmill::runtime::Handle;

use super::super::lanes::Lane;
use super::super::stage::Setting;
use super::super::ticket::{Claim, job, task_on};

/// Starts one. It ends when the era is over.
pub(in super::super) fn start(
    handle: Handle,
    setting: Arc<Setting>,
    mut dice: fastrand::Rng,
) -> JoinHandle<()> {
    thread::spawn(move || {
        let lane = Lane::new("outsider");
        while !setting.is_over() {
            round(&handle, &mut dice, &lane);
        }
    })
}

fn round(handle: &Handle, dice: &mut fastrand::Rng, lane: &Lane) {
    match dice.u8(0..4) {
        0 => wait(lane, "awaiting a job from outside", job(handle, || {})),
        1 => woken(handle, lane),
        _ => {
            let claims: Vec<_> = (0..dice.usize(1..200))
                .map(|_| task_on(handle, |ticket| async { ticket }))
                .collect();
            for claim in claims {
                wait(lane, "awaiting a task from outside", claim);
            }
        }
    }
    lane.at("resting outside");
    thread::sleep(Duration::from_micros(dice.u64(0..2_000)));
}

/// A task that a foreign thread wakes.
fn woken(handle: &Handle, lane: &Lane) {
    let (to_us, from_task) = mpsc::channel();
    let claim = task_on(handle, |ticket| async move {
        let (told, waits) = futures_channel::oneshot::channel::<()>();
        // Nobody is there any more only if the era is over.
        let _ = to_us.send(told);
        let _ = waits.await;
        ticket
    });
    // Nobody sends if the runtime ends first.
    if let Ok(told) = from_task.recv() {
        let _ = told.send(());
    }
    wait(lane, "awaiting a task that was woken from outside", claim);
}

fn wait(lane: &Lane, step: &'static str, claim: Claim) {
    lane.at(step);
    future::block_on(claim.result());
}
