//! Going from one task to another, and from a thread to a task.

use std::sync::mpsc;
use std::thread;

use futures_channel::oneshot;

use super::countdown::Countdown;
use super::in_task;
use crate::measure::{Effort, Sample};
use crate::peer::Peer;

pub(crate) fn yields<P: Peer>(effort: Effort) -> Sample {
    const TASKS: usize = 200;
    const YIELDS: usize = 1_000;
    let countdown = Countdown::leaked();
    let batch = move || async move {
        let done = countdown.arm(TASKS);
        for _ in 0..TASKS {
            P::spawn_detached(async move {
                for _ in 0..YIELDS {
                    P::yield_now().await;
                }
                countdown.arrive();
            });
        }
        done.await.expect("every task arrives");
    };
    in_task::repeated::<P, _, _>(effort, TASKS * YIELDS, batch)
}

pub(crate) fn ping_pong<P: Peer>(effort: Effort) -> Sample {
    const PAIRS: usize = 2_000;
    let countdown = Countdown::leaked();
    let batch = move || async move {
        let done = countdown.arm(PAIRS);
        for _ in 0..PAIRS {
            P::spawn_detached(async move {
                let (ping, pinged) = oneshot::channel();
                let (pong, ponged) = oneshot::channel();
                P::spawn_detached(async move {
                    pinged.await.expect("the pair sends");
                    pong.send(()).expect("the pair listens");
                });
                ping.send(()).expect("the pair listens");
                ponged.await.expect("the pair sends");
                countdown.arrive();
            });
        }
        done.await.expect("every task arrives");
    };
    in_task::repeated::<P, _, _>(effort, PAIRS, batch)
}

pub(crate) fn chained_spawn<P: Peer>(effort: Effort) -> Sample {
    const DEPTH: usize = 2_000;
    let batch = || async {
        let (told, done) = oneshot::channel();
        link::<P>(DEPTH, told);
        done.await.expect("the last task tells");
    };
    in_task::repeated::<P, _, _>(effort, DEPTH, batch)
}

/// Spawns a task that spawns the next, `left` times; the last one tells.
fn link<P: Peer>(left: usize, told: oneshot::Sender<()>) {
    if left == 0 {
        told.send(()).expect("the scenario listens");
    } else {
        P::spawn_detached(async move { link::<P>(left - 1, told) });
    }
}

pub(crate) fn wake_remote<P: Peer>(effort: Effort) -> Sample {
    let (to_thread, requests) = mpsc::channel::<u64>();
    let (answers, to_task) = async_channel::bounded::<u64>(1);
    let thread = thread::spawn(move || {
        for request in requests {
            answers
                .try_send(request)
                .expect("the task took the last answer");
        }
    });
    let sample = in_task::repeated::<P, _, _>(effort, 1, move || {
        let (to_thread, to_task) = (to_thread.clone(), to_task.clone());
        async move {
            to_thread.send(7).expect("the thread listens");
            to_task.recv().await.expect("the thread answers");
        }
    });
    thread.join().expect("the thread does not fail");
    sample
}
