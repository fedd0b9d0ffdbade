//! Timers: short and long ones, fired, given up, aborted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use gristmill::time::{interval, sleep, timeout};

use super::super::ledger;
use super::super::stage::Stage;
use super::super::ticket::{Ticket, task};
use super::super::verdict::violation;

/// How late the latest was, in ns.
static WORST: AtomicU64 = AtomicU64::new(0);

pub(in super::super) fn worst_lateness() -> Duration {
    // ORDERING: Relaxed here and below; a statistic.
    Duration::from_nanos(WORST.load(Relaxed))
}

pub(super) async fn run(mut stage: Stage) {
    while stage.goes_on().await {
        match stage.dice.u8(0..4) {
            0 => at_once(&mut stage).await,
            1 => given_up(&mut stage).await,
            2 => aborted(&mut stage).await,
            _ => ticks(&mut stage).await,
        }
    }
}

/// Sleeps, and checks that it was not too short.
async fn alarm(time: Duration) {
    let ticket = Ticket::new(&ledger::TIMERS);
    let deadline = Instant::now() + time;
    sleep(time).await;
    let now = Instant::now();
    if now < deadline {
        violation(format!("a timer fired {:?} early", deadline - now));
    }
    WORST.fetch_max((now - deadline).as_nanos() as u64, Relaxed);
    ticket.complete();
}

/// Many at the same time.
async fn at_once(stage: &mut Stage) {
    let timers = stage.dice.usize(1..800);
    stage.lane.at("awaiting many timers");
    let claims: Vec<_> = (0..timers)
        .map(|_| {
            let time = stage.micros(0..20_000);
            task(|ticket| async move {
                alarm(time).await;
                ticket
            })
        })
        .collect();
    for claim in claims {
        claim.result().await;
    }
}

/// Long ones that somebody else ends first.
async fn given_up(stage: &mut Stage) {
    stage.lane.at("giving up timers");
    for _ in 0..stage.dice.u8(1..100) {
        let patience = stage.micros(0..300);
        let time = Duration::from_secs(stage.dice.u64(60..1_000_000));
        let from = Instant::now();
        if timeout(patience, alarm(time)).await.is_ok() {
            violation("a timer of a minute fired at once");
        }
        if from.elapsed() < patience {
            violation("a timeout was early");
        }
    }
}

/// Those whose tasks are aborted, before they are polled or in the middle.
async fn aborted(stage: &mut Stage) {
    stage.lane.at("aborting sleepers");
    let mut claims = Vec::new();
    for _ in 0..stage.dice.usize(1..400) {
        let time = stage.micros(0..50_000_000);
        claims.push(task(|ticket| async move {
            alarm(time).await;
            ticket
        }));
    }
    if stage.once_in(2) {
        sleep(stage.micros(0..5_000)).await;
    }
    claims.iter_mut().for_each(|claim| claim.abort());
    for claim in claims {
        claim.result().await;
    }
}

/// An interval; no tick is early.
async fn ticks(stage: &mut Stage) {
    stage.lane.at("awaiting ticks");
    let period = stage.micros(200..3_000);
    let start = Instant::now();
    let mut interval = interval(period);
    for number in 0..stage.dice.u32(1..12) {
        let ticket = Ticket::new(&ledger::TIMERS);
        interval.tick().await;
        if start.elapsed() < period * number {
            violation(format!("tick {number} of an interval was early"));
        }
        ticket.complete();
    }
}
