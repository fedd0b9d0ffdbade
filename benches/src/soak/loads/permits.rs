//! Permits and locks: never more holders than allowed, and all come back, whoever goes away.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gristmill::sync::{Mutex as AsyncMutex, Semaphore};
use gristmill::task::yield_now;
use gristmill::time::{sleep, timeout};

use super::super::ledger;
use super::super::stage::Stage;
use super::super::ticket::{Ticket, task};
use super::super::verdict::violation;

/// What has to be whole again when the era is over.
static LEFTOVERS: Mutex<Vec<Arc<Counter>>> = Mutex::new(Vec::new());

/// A semaphore with a lock beside it, and who is inside.
struct Counter {
    semaphore: Arc<Semaphore>,
    all: usize,
    inside: AtomicUsize,
    locked: AsyncMutex<u64>,
}

/// Counts itself out when the task goes away.
struct Inside<'a> {
    counter: &'a Counter,
    permits: usize,
    /// There until it leaves in order.
    ticket: Option<Ticket>,
}

impl<'a> Inside<'a> {
    fn enter(counter: &'a Counter, permits: usize) -> Self {
        // ORDERING: SeqCst; the permits order it, which is what is checked.
        let inside = counter.inside.fetch_add(permits, SeqCst) + permits;
        if inside > counter.all {
            violation(format!("{inside} permits are held of {}", counter.all));
        }
        Self {
            counter,
            permits,
            ticket: Some(Ticket::new(&ledger::PERMITS)),
        }
    }

    fn leave(mut self) {
        self.ticket.take().into_iter().for_each(Ticket::complete);
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.counter.inside.fetch_sub(self.permits, SeqCst);
    }
}

impl Counter {
    fn check(&self) {
        let available = self.semaphore.available_permits();
        if available != self.all {
            violation(format!("{available} permits came back of {}", self.all));
        }
        if self.locked.try_lock().is_err() {
            violation("a lock that nobody holds is locked");
        }
    }
}

/// Looks at those whose era has ended.
pub(in super::super) fn check_leftovers() {
    let leftovers = std::mem::take(&mut *LEFTOVERS.lock().unwrap_or_else(PoisonError::into_inner));
    leftovers.iter().for_each(|counter| counter.check());
}

pub(super) async fn run(mut stage: Stage) {
    let all = stage.dice.usize(1..8);
    let counter = Arc::new(Counter {
        semaphore: Arc::new(Semaphore::new(all)),
        all,
        inside: AtomicUsize::new(0),
        locked: AsyncMutex::new(0),
    });
    LEFTOVERS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(Arc::clone(&counter));
    while stage.goes_on().await {
        round(&mut stage, &counter).await;
        counter.check();
    }
}

/// Many who want permits; some lose patience, some are aborted.
async fn round(stage: &mut Stage, counter: &Arc<Counter>) {
    stage.lane.at("awaiting holders of permits");
    let mut claims = Vec::new();
    for _ in 0..stage.dice.usize(1..300) {
        let counter = Arc::clone(counter);
        let seed = stage.dice.u64(..);
        let mut claim = task(|ticket| async move {
            hold(&counter, fastrand::Rng::with_seed(seed)).await;
            ticket
        });
        if stage.once_in(10) {
            claim.abort();
        }
        claims.push(claim);
    }
    if stage.once_in(2) {
        sleep(stage.micros(0..500)).await;
        for claim in &mut claims {
            if stage.dice.u8(..) < 32 {
                claim.abort();
            }
        }
    }
    for claim in claims {
        claim.result().await;
    }
}

async fn hold(counter: &Counter, mut dice: fastrand::Rng) {
    let want = dice.usize(1..=counter.all);
    let acquire = counter
        .semaphore
        .acquire_many(u32::try_from(want).expect("few"));
    let permit = if dice.u8(..) < 64 {
        let patience = Duration::from_micros(dice.u64(0..200));
        match timeout(patience, acquire).await {
            Ok(permit) => permit,
            Err(_) => return,
        }
    } else {
        acquire.await
    };
    let permit = permit.expect("nobody closes it");
    let inside = Inside::enter(counter, want);
    if dice.u8(..) < 128 {
        yield_now().await;
    }
    if want == counter.all {
        // Alone: the lock must be free, but for those who hold nothing, and there are none.
        *counter.locked.lock().await += 1;
    }
    inside.leave();
    drop(permit);
}
