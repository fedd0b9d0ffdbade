//! Where a worker finds work when its own queue is empty.
//!
//! In order: the injector, timers that are due, a quick look at the poller, other workers' queues. Only the last
//! counts as searching, since it touches what others write to.

use super::engine::Engine;
use super::gather;
use super::lane::Lane;
use super::steering::Origin;
use super::worker::Worker;
use crate::reactor::inbox::Event;
use crate::reactor::lease::Held;
use crate::reactor::thread::wake;
use crate::sync::atomic::{Ordering, fence};
use crate::task::Runnable;
use std::ops::ControlFlow;
use std::task::Waker;
use std::time::Duration;

/// Timers fired at a time; a storm of them must not keep a worker from its queue.
const FIRE_AT_ONCE: usize = 256;

/// While a worker's own branch has events whenever it looks, it looks at the shared poller once in so many times.
const SHARED_EVERY: u32 = 4;

/// The duty of a searching worker: it ends with work found, and then maybe wakes the next, or with the
/// announcement of a sleep.
#[derive(Debug)]
#[must_use = "a search ends with `found` or with going to sleep"]
pub(super) struct Searching(());

impl Searching {
    /// The worker that was chosen to wake counts as searching already.
    pub(super) fn as_chosen() -> Self {
        Self(())
    }

    /// There is work: if nobody else searches and there is more of it, one more worker is woken.
    pub(super) fn found(self, engine: &Engine) {
        if !engine.idle.end_search() {
            return;
        }
        // ORDERING: edge P2. Whoever posted work and relied on this search read the counts before the change just
        // made, so its push comes before this fence and is seen by the look.
        fence(Ordering::SeqCst);
        if engine.has_more() {
            engine.notify();
        }
    }

    /// The announcement of the sleep takes this worker off the searching ones.
    pub(super) fn give_up(self) {}
}

impl Worker {
    /// Looks everywhere.
    pub(super) fn find(
        &self,
        searching: Option<Searching>,
    ) -> ControlFlow<Runnable, Option<Searching>> {
        let engine = self.engine();
        if let Some(runnable) = self.find_for_own() {
            if let Some(searching) = searching {
                searching.found(engine);
            }
            return ControlFlow::Break(runnable);
        }
        let searching = searching.or_else(|| {
            engine
                .idle
                .begin_search(engine.search_limit)
                .then(Searching::as_chosen)
        });
        let Some(searching) = searching else {
            return ControlFlow::Continue(None);
        };
        match self.steal() {
            Some(runnable) => {
                searching.found(engine);
                ControlFlow::Break(runnable)
            }
            None => ControlFlow::Continue(Some(searching)),
        }
    }

    /// What needs no search: the injector, timers, the poller.
    fn find_for_own(&self) -> Option<Runnable> {
        let injector = &self.engine().injector;
        if self.injected.is_due(|left| injector.len() > left) {
            // These first: if there is always something in the injector they would have to wait for a look around.
            let found = self.look_beside_injector();
            if found.is_some() {
                return found;
            }
            gather::pause();
        }
        if let Some(first) = self.take_from_injector() {
            self.injected.note(self.fetched_now(), || injector.len());
            return Some(first);
        }
        self.look_beside_injector()
    }

    fn look_beside_injector(&self) -> Option<Runnable> {
        let lane = self.lane();
        self.fire_due_timers();
        self.queue().pop(&lane.queue).or_else(|| {
            self.look_at_pollers();
            self.queue().pop(&lane.queue)
        })
    }

    /// How many runnables have just come into the empty queue, with the one that was taken out.
    fn fetched_now(&self) -> usize {
        1 + self.lane().queue.len()
    }

    /// Fires this worker's timers, those that no worker minds as its own, and, if this one has nothing else to do, those that sleepers have
    /// lent: behind its queue they would wait, while the sleeper could come.
    pub(super) fn fire_due_timers(&self) {
        let engine = self.engine();
        let timers = &engine.timers;
        let is_idle = self.queue().is_empty(&self.lane().queue);
        let shards = || {
            let left = engine.unminded.lanes().map(|left| left.lane);
            let lent = is_idle.then(|| engine.lent.lanes()).into_iter().flatten();
            let own = [self.index(), timers.outside()].into_iter();
            own.chain(left).chain(lent)
        };
        if shards().all(|shard| timers.next_deadline(shard).is_none()) {
            return;
        }
        let now = timers.now_ns();
        let due = |shard: usize| timers.next_deadline(shard).is_some_and(|next| next <= now);
        if !shards().any(due) {
            return;
        }
        let mut wakers = self.wakers.take();
        self.deferring_timers(now, || {
            for shard in shards() {
                let batch = timers.fire_due(shard, now, FIRE_AT_ONCE, &mut wakers);
                self.fired.set(self.fired.get() + batch.fired);
            }
        });
        self.wakers.replace(wakers);
        engine.forget_empty();
    }

    /// Looks for events without waiting: at the own branch, and then at the shared poller, but not each time if the branch has
    /// enough.
    pub(super) fn look_at_pollers(&self) {
        let left = self.until_shared.get();
        if self.look_at_own_branch() && left > 0 {
            self.until_shared.set(left - 1);
        } else {
            self.until_shared.set(SHARED_EVERY - 1);
            self.look_at_shared_poller();
        }
        self.turn_if_due();
    }

    /// Whether there was something.
    pub(super) fn look_at_own_branch(&self) -> bool {
        self.lane().stats.looks.add(1);
        let Some(branch) = self.engine().reactor.registry.branches.get(self.index()) else {
            return false;
        };
        let Some(poller) = branch.in_use() else {
            return false;
        };
        let mut fetched = self.fetched.borrow_mut();
        // An error will come up again, and be reported, when the worker sleeps there.
        let outcome = poller.wait(&mut fetched, Some(Duration::ZERO));
        let count = fetched.iter().count();
        drop(fetched);
        if count > 0 {
            // What waits in the queue was found before. A worker with too much to do looks while its queue is long, and then finds no more than
            // one with little to do.
            self.lane().count_load(count + self.lane().queue.len());
        }
        outcome.is_ok() && self.handle_fetched(Origin::Poller)
    }

    /// Looks at another worker's branch, which has something.
    #[cold]
    fn look_at_grafted(&self, worker: usize) {
        let branch = &self.engine().reactor.registry.branches[worker];
        let mut fetched = self.fetched.borrow_mut();
        // An error, see above.
        let outcome = branch.look_for_worker(&mut fetched);
        drop(fetched);
        if outcome.is_ok() {
            self.handle_fetched(Origin::Grafted);
        }
    }

    /// Handles what came from a branch. Whether there was anything.
    pub(super) fn handle_fetched(&self, origin: Origin) -> bool {
        let fetched = self.fetched.borrow();
        if fetched.iter().next().is_none() {
            return false;
        }
        let wakers = self.sort(fetched.iter(), origin);
        drop(fetched);
        self.deliver(wakers);
        true
    }

    /// Looks at the shared poller without waiting, if nobody else is there.
    pub(super) fn look_at_shared_poller(&self) {
        let reactor = &self.engine().reactor;
        if reactor.registry.is_empty() {
            return;
        }
        let Some(mut held) = reactor.lease.try_take() else {
            reactor.lease.want();
            return;
        };
        if held.wait(&reactor.registry, Some(Duration::ZERO)).is_err() {
            // The same error will come up, and be reported, when somebody sleeps in the poller.
            return;
        }
        self.dispatch(held);
    }

    /// Handles the events that belong here, and hands the others over.
    pub(super) fn dispatch(&self, held: Held<'_>) {
        // Empty but while some worker does not come to look at its own.
        let grafted: Vec<usize> = held.branches().collect();
        if held.events().next().is_some() {
            let wakers = self.sort(held.events(), Origin::Poller);
            drop(held);
            self.deliver(wakers);
        } else {
            drop(held);
        }
        for worker in grafted {
            self.look_at_grafted(worker);
        }
    }

    /// Hands over the events that were put aside, and wakes tasks.
    fn deliver(&self, wakers: Vec<Waker>) {
        if self.steering.borrow_mut().deliver(self.engine()) {
            self.engine().notify();
        }
        self.wake_all(wakers);
    }

    /// Tells the sources of those events that belong here; gives who is to be woken.
    fn sort(&self, events: impl Iterator<Item = Event>, origin: Origin) -> Vec<Waker> {
        let engine = self.engine();
        let mut wakers = self.wakers.take();
        let mut steering = self.steering.borrow_mut();
        let mut sorter = steering.sort(engine, self.index(), origin);
        let registry = &engine.reactor.registry;
        registry.dispatch(events, &mut sorter, &mut wakers);
        wakers
    }

    /// Handles the events that others found.
    #[cold]
    pub(super) fn open_inbox(&self) {
        self.handle(|events| self.lane().inbox.take_all(events));
    }

    /// This worker will not look again: its branch is left to whoever waits in the shared poller, and what is in its inbox is handled.
    pub(super) fn leave_events(&self) {
        // If the system refuses that, the reactor thread looks there at its ticks.
        let _ = self.engine().reactor.registry.graft(self.index());
        self.open_inbox();
    }

    /// Handles the events that `take` takes out of an inbox.
    fn handle(&self, take: impl FnOnce(&mut Vec<Event>)) {
        let mut events = self.events.take();
        take(&mut events);
        let wakers = self.sort(events.drain(..), Origin::Inbox);
        self.events.replace(events);
        self.wake_all(wakers);
    }

    /// Takes half of the events that wait for another worker.
    fn steal_events<'a>(&self, mut victims: impl Iterator<Item = &'a Lane>) -> Option<Runnable> {
        let victim = victims.find(|victim| !victim.inbox.is_empty())?;
        self.handle(|events| victim.inbox.take_half(events));
        self.queue().pop(&self.lane().queue)
    }

    /// Wakes tasks that the reactor found; gives the emptied room back.
    pub(super) fn wake_all(&self, mut wakers: Vec<Waker>) {
        if !wakers.is_empty() {
            self.deferring(|| wakers.drain(..).for_each(wake));
        }
        self.wakers.replace(wakers);
    }

    /// Takes work from another worker: first from the queues of all, then from the slots of stuck ones.
    fn steal(&self) -> Option<Runnable> {
        let lanes = &self.engine().lanes;
        let start = fastrand::usize(..lanes.len());
        let others = || {
            let own = self.index();
            (start..lanes.len())
                .chain(0..start)
                .filter(move |&i| i != own)
                .map(|i| (i, &lanes[i]))
        };
        let victims = || others().map(|(_, victim)| victim);
        let has_more_than = |left| victims().any(|victim| victim.queue.len() > left);
        if self.stolen.is_due(has_more_than) {
            gather::pause();
        }
        let steal_from = |(i, victim): (usize, &Lane)| {
            let first = self.queue().steal_from(&victim.queue)?;
            self.last_victim.set(Some(i));
            self.stolen.note(self.fetched_now(), || victim.queue.len());
            Some(first)
        };
        let stolen = others()
            .find_map(steal_from)
            .or_else(|| {
                victims()
                    .filter(|victim| victim.is_stuck())
                    .find_map(|v| v.queue.steal_slot())
            })
            .or_else(|| self.steal_events(victims()));
        if stolen.is_some() {
            self.lane().stats.steals.add(1);
            return stolen;
        }
        self.queue().take_from(&self.engine().injector)
    }
}
