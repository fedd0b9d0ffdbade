//! The idle stack: threads that lie down, and who is called in.
//!
//! Last in, first out: the thread that ran last has the warmest caches, and those at the bottom reach the end of their
//! keep-alive. Holds the census, as the two change together. Knows nothing of jobs.

use std::sync::Arc;

use super::census::{Census, IDLE, LOOKOUT, SEARCHING, Snapshot, THREAD};
use super::parker::{Order, Parker};
use crate::sync::Mutex;

/// Threads without a job, and the census of all.
#[derive(Debug)]
pub(super) struct Idle {
    census: Census,
    stack: Mutex<Stack>,
    /// The limit on threads.
    max_threads: usize,
}

#[derive(Debug)]
struct Stack {
    /// Parked threads, or threads about to park. The last is called in first.
    parked: Vec<Arc<Parker>>,
    /// Threads that the census counts already, but that have not come: the operating system may yet refuse them.
    starting: usize,
}

/// Whether to call somebody in although the queue is covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// One who looks after the queue, unless there is one.
    Cover,
    /// One more in any case.
    More,
}

/// What became of calling somebody in.
#[must_use]
#[derive(Debug)]
pub(super) enum Called {
    /// Somebody looks after the queue already.
    Covered,
    /// An idle thread has been given the order.
    Unparked,
    /// Nobody is idle: the caller shall start a thread with the order, which reports that it has [`arrived`](Idle::arrived),
    /// or report that it was [`refused`](Idle::refused).
    Start,
    /// Nobody is idle and no thread may be started.
    Nobody,
}

/// What became of a thread whose keep-alive ended.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Retired {
    /// It is no longer counted and shall end.
    Yes,
    /// It is the last one and stays, idle.
    LastStays,
    /// It was called in at that moment; its order is there or on the way.
    CalledIn,
}

/// The census entry of a thread with this order.
const fn post(order: Order) -> u64 {
    match order {
        Order::Search => SEARCHING,
        Order::Watch(_) => LOOKOUT,
    }
}

impl Idle {
    pub(super) fn new(max_threads: usize) -> Self {
        let stack = Stack {
            parked: Vec::new(),
            starting: 0,
        };
        Self {
            census: Census::new(),
            stack: Mutex::new(stack),
            max_threads,
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.census.load()
    }

    pub(super) fn open(&self) {
        self.census.open();
    }

    /// Searching to busy; gives the census before. The caller looks at the queue next (edge C1).
    pub(super) fn found(&self) -> Snapshot {
        self.census.change(0, SEARCHING)
    }

    /// Busy to searching.
    pub(super) fn search(&self) {
        self.census.change(SEARCHING, 0);
    }

    /// Lookout to searching. The caller looks at the queue next (edge C1).
    pub(super) fn step_down(&self) {
        self.census.change(SEARCHING, LOOKOUT);
    }

    /// Searching to idle. The caller looks at the queue once more before it parks (edge C1).
    pub(super) fn lie_down(&self, parker: &Arc<Parker>) {
        let mut stack = self.stack.lock();
        stack.parked.push(Arc::clone(parker));
        self.census.change(IDLE, SEARCHING);
    }

    /// Idle to searching, of the thread's own accord; `false` if it was called in first and has an order to take.
    pub(super) fn get_up(&self, parker: &Arc<Parker>) -> bool {
        let mut stack = self.stack.lock();
        let was_idle = stack.remove(parker);
        if was_idle {
            self.census.change(SEARCHING, IDLE);
        }
        was_idle
    }

    /// Idle to ended, unless it is the last thread or was called in first.
    pub(super) fn retire(&self, parker: &Arc<Parker>) -> Retired {
        let mut stack = self.stack.lock();
        let census = self.census.load();
        // Threads that have not come do not count: they may be refused (I2).
        if census.threads() - stack.starting == 1 && !census.is_closed() {
            return if stack.contains(parker) {
                Retired::LastStays
            } else {
                Retired::CalledIn
            };
        }
        if !stack.remove(parker) {
            return Retired::CalledIn;
        }
        self.census.change(0, IDLE + THREAD);
        Retired::Yes
    }

    /// Searching to ended, after the shutdown.
    pub(super) fn leave(&self) {
        self.census.change(0, SEARCHING + THREAD);
    }

    /// Calls in a thread: the one that became idle last, or a new one that the caller is to start.
    pub(super) fn call_in(&self, need: Need, idle: Order, new: Order) -> Called {
        let mut stack = self.stack.lock();
        let census = self.census.load();
        if census.is_closed() {
            return Called::Nobody;
        }
        if need == Need::Cover && census.is_covered() {
            return Called::Covered;
        }
        if let Some(parker) = stack.parked.pop() {
            self.census.change(post(idle), IDLE);
            drop(stack);
            parker.unpark(idle);
            return Called::Unparked;
        }
        if census.threads() >= self.max_threads {
            return Called::Nobody;
        }
        stack.starting += 1;
        self.census.change(THREAD + post(new), 0);
        Called::Start
    }

    /// The calling thread, which was to be started, is there.
    ///
    /// It says so itself and at once: were it left to the starter, it could work and lie down uncounted, and two threads
    /// could each stay as the last one.
    pub(super) fn arrived(&self) {
        self.stack.lock().starting -= 1;
    }

    /// Reports that the thread to be started with `order` does not come.
    ///
    /// Pushers may have counted on it: the caller looks at the queue next (edge C1).
    pub(super) fn refused(&self, order: Order) {
        let mut stack = self.stack.lock();
        stack.starting -= 1;
        self.census.change(0, THREAD + post(order));
    }

    /// Marks the crew as closed and calls every idle thread in, so that it sees that; `false` if it was closed already.
    pub(super) fn close(&self) -> bool {
        let mut stack = self.stack.lock();
        if self.census.close().is_closed() {
            return false;
        }
        let parked = std::mem::take(&mut stack.parked);
        for _ in &parked {
            self.census.change(SEARCHING, IDLE);
        }
        drop(stack);
        for parker in parked {
            parker.unpark(Order::Search);
        }
        true
    }
}

impl Stack {
    fn contains(&self, parker: &Arc<Parker>) -> bool {
        self.parked.iter().any(|parked| Arc::ptr_eq(parked, parker))
    }

    /// Takes a thread off the stack; `false` if it is not there.
    fn remove(&mut self, parker: &Arc<Parker>) -> bool {
        let place = self
            .parked
            .iter()
            .rposition(|parked| Arc::ptr_eq(parked, parker));
        place.map(|place| self.parked.remove(place)).is_some()
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;

    fn idle_with(threads: usize) -> (Idle, Vec<Arc<Parker>>) {
        let idle = Idle::new(8);
        let parkers: Vec<_> = (0..threads).map(|_| Arc::new(Parker::new())).collect();
        for _ in &parkers {
            assert!(matches!(
                idle.call_in(Need::More, Order::Search, Order::Search),
                Called::Start
            ));
            idle.arrived();
        }
        parkers.iter().for_each(|parker| idle.lie_down(parker));
        (idle, parkers)
    }

    fn has_order(parker: &Parker) -> bool {
        parker.park_for(std::time::Duration::ZERO).is_some()
    }

    #[test]
    fn most_recently_idle_thread_is_called_in_first() {
        let (idle, parkers) = idle_with(3);
        let called = idle.call_in(Need::Cover, Order::Search, Order::Search);
        assert!(matches!(called, Called::Unparked));
        assert!(has_order(&parkers[2]));
        assert!(!has_order(&parkers[0]) && !has_order(&parkers[1]));
    }

    #[test]
    fn covered_queue_calls_nobody_in_unless_more_are_needed() {
        let (idle, _parkers) = idle_with(3);
        let _first = idle.call_in(Need::Cover, Order::Search, Order::Search);
        let again = idle.call_in(Need::Cover, Order::Search, Order::Search);
        assert!(matches!(again, Called::Covered));
        let more = idle.call_in(Need::More, Order::Search, Order::Search);
        assert!(matches!(more, Called::Unparked));
        assert_eq!(idle.snapshot().searching(), 2);
    }

    #[test]
    fn thread_called_in_as_its_keep_alive_ends_does_not_retire() {
        let (idle, parkers) = idle_with(2);
        let _called = idle.call_in(Need::Cover, Order::Search, Order::Search);
        assert_eq!(idle.retire(&parkers[1]), Retired::CalledIn);
        assert!(has_order(&parkers[1]));
    }

    #[test]
    fn last_thread_stays_and_can_still_be_called_in() {
        let (idle, parkers) = idle_with(2);
        assert_eq!(idle.retire(&parkers[1]), Retired::Yes);
        assert_eq!(idle.retire(&parkers[0]), Retired::LastStays);
        let _called = idle.call_in(Need::Cover, Order::Search, Order::Search);
        assert!(has_order(&parkers[0]));
    }

    #[test]
    fn last_thread_stays_while_another_is_only_being_started() {
        let (idle, parkers) = idle_with(1);
        let _first = idle.call_in(Need::More, Order::Search, Order::Search);
        idle.lie_down(&parkers[0]);
        let (_, spare) = (idle.get_up(&parkers[0]), Arc::clone(&parkers[0]));
        assert!(matches!(
            idle.call_in(Need::More, Order::Search, Order::Search),
            Called::Start
        ));
        idle.lie_down(&spare);
        assert_eq!(idle.retire(&spare), Retired::LastStays);
        idle.refused(Order::Search);
        assert_eq!(idle.snapshot().threads(), 1);
    }

    #[test]
    fn limit_on_threads_holds() {
        let idle = Idle::new(1);
        assert!(matches!(
            idle.call_in(Need::More, Order::Search, Order::Search),
            Called::Start
        ));
        assert!(matches!(
            idle.call_in(Need::More, Order::Search, Order::Search),
            Called::Nobody
        ));
    }

    #[test]
    fn closing_calls_every_idle_thread_in() {
        let (idle, parkers) = idle_with(3);
        assert!(idle.close());
        assert!(!idle.close());
        assert!(parkers.iter().all(|parker| has_order(parker)));
        assert_eq!(idle.snapshot().idle(), 0);
    }
}
