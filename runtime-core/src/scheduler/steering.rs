//! Which worker an event belongs to: the one on the processor where the socket's traffic is.
//!
//! A packet is taken in on some processor: on the loopback interface the sender's, on a network card the one that its queue interrupts.
//! Linux remembers which, for every socket. A task that runs there finds the socket in the cache, and two tasks that talk to each
//! other end up on one worker. So once in a while a worker asks the socket whose event it is about to handle, and from that event on
//! they go to the worker that ran on that processor last. It is a hint: a worker that is asleep, stuck or gone gets none, a
//! worker without work takes half of a sibling's, and where the system does not tell every event stays with whoever found it.
//!
//! Figures in `docs/decisions/steering.md`.

use super::engine::Engine;
use super::lane::Lane;
use super::processor;
use crate::reactor::inbox::{Event, NEW, NOBODY, Steer};
use std::os::fd::BorrowedFd;

/// A socket is asked once in so many events. The question is a system call.
const ASK_EVERY: u32 = 32;

/// After how many events a new socket is asked. One that lives for fewer is not worth the question, and had better stay where it
/// was accepted: a connection of one request and one reply has three.
const ASK_AFTER: u32 = 4;

/// After so many polls without a sleep a worker is busy enough for a poller of its own.
const LONG_SHIFT: u64 = 256;

/// A worker that has slept so often, and never made as many polls in between, has little to do.
const QUIET: u32 = 32;

/// Of a worker's sockets that are where their traffic is, so many are asked for each that is moved to a worker with less to do.
const SHED_EVERY: u32 = 8;

/// Of one batch of events so many sources are moved to another poller at most: it takes three system calls each, under the lock of the
/// table of sources.
const MOST_MOVES: u32 = 16;

/// Loads that differ by less are the same.
const SLACK: u32 = 4;

/// The lane of a socket that was asked in vain. Above it a new socket counts its events down, from [`NEW`].
const NO_LANE: u32 = NEW - ASK_AFTER;

/// One worker's part in it.
pub(super) struct Steering {
    /// What was put aside, by lane. Empty in a runtime of one worker.
    aside: Vec<Vec<Event>>,
    /// Events until a socket is asked.
    until_asked: u32,
    /// Answers that a socket is where its traffic is, until one is moved all the same if this worker has too many.
    until_shed: u32,
    /// The polls that the worker had made when it last went to sleep.
    polls_at_sleep: u64,
    /// Sleeps in a row after so few polls that the worker has little to do.
    short_shifts: u32,
}

/// Where the events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// They may belong to anyone.
    Poller,
    /// They are this worker's own, or stolen: handled here in any case.
    Inbox,
    /// The grafted branch of a worker that does not look: handled here in any case.
    Grafted,
}

impl Steering {
    pub(super) fn new(workers: usize) -> Self {
        let others = if workers > 1 { workers } else { 0 };
        Self {
            aside: (0..others).map(|_| Vec::new()).collect(),
            until_asked: ASK_EVERY,
            until_shed: SHED_EVERY,
            polls_at_sleep: 0,
            short_shifts: 0,
        }
    }

    /// The worker goes to sleep, after so many polls since it was made.
    pub(super) fn sleep(&mut self, polls: u64) {
        self.short_shifts = if self.is_long_shift(polls) {
            0
        } else {
            self.short_shifts.saturating_add(1)
        };
        self.polls_at_sleep = polls;
    }

    fn is_long_shift(&self, polls: u64) -> bool {
        polls.wrapping_sub(self.polls_at_sleep) >= LONG_SHIFT
    }

    /// Hands over what was put aside. Whether there was anything.
    pub(super) fn deliver(&mut self, engine: &Engine) -> bool {
        let mut any = false;
        for (events, lane) in self.aside.iter_mut().zip(&engine.lanes) {
            if !events.is_empty() {
                lane.inbox.put(events);
                any = true;
            }
        }
        any
    }

    /// Sorts a batch of events.
    pub(super) fn sort<'a>(
        &'a mut self,
        engine: &'a Engine,
        own: usize,
        origin: Origin,
    ) -> Sorter<'a> {
        let here = if self.aside.is_empty() {
            None
        } else {
            processor::current()
        };
        if let Some(here) = here {
            engine.lanes[own].set_processor(here);
        }
        let is_busy = self.is_long_shift(engine.lanes[own].stats.polls.get());
        Sorter {
            steering: self,
            engine,
            own,
            here,
            is_busy,
            moves_left: MOST_MOVES,
            origin,
        }
    }
}

/// A batch of events being sorted.
pub(super) struct Sorter<'a> {
    steering: &'a mut Steering,
    engine: &'a Engine,
    own: usize,
    /// The processor that this worker runs on.
    here: Option<u32>,
    /// It has not slept for long.
    is_busy: bool,
    /// How many sources may still be moved to another poller.
    moves_left: u32,
    origin: Origin,
}

impl Steer for Sorter<'_> {
    #[inline]
    fn puts_aside(&mut self, lane: u32, event: Event) -> bool {
        let index = lane as usize;
        if self.origin != Origin::Poller || index == self.own {
            return false;
        }
        let Some(aside) = self.steering.aside.get_mut(index) else {
            return false;
        };
        if !self.engine.lanes[index].takes_events() {
            return false;
        }
        aside.push(event);
        true
    }

    #[inline]
    fn locate(&mut self, source: BorrowedFd<'_>, lane: &mut u32) {
        if self.here.is_none() {
            return;
        }
        if *lane > NO_LANE {
            *lane -= 1;
            if *lane > NO_LANE {
                return;
            }
        } else {
            self.steering.until_asked -= 1;
            if self.steering.until_asked > 0 {
                return;
            }
            self.steering.until_asked = ASK_EVERY;
        }
        *lane = self.lane_of(source).unwrap_or(NO_LANE);
    }

    /// To the own poller goes what a sibling found and put into the inbox, if the worker has not slept for long. A program in which
    /// one worker finds everything never gets here. A worker that has had little to do for a while gives back what it handles:
    /// then it is better that whoever is awake looks, since to wake a second worker may take as long as others keep the processor.
    ///
    /// A socket in the branch of a worker that does not look goes to whoever found it there, if its traffic is here by now.
    fn settles(&mut self, lane: u32, home: u32) -> Option<u32> {
        let own = u32::try_from(self.own)
            .ok()
            .filter(|_| self.here.is_some() && self.own < self.steering.aside.len())?;
        let is_idle = !self.is_busy && self.steering.short_shifts >= QUIET;
        let new_home = match self.origin {
            Origin::Inbox => (self.is_busy && lane == own && home != own).then_some(own),
            Origin::Poller => (is_idle && home == own).then_some(NOBODY),
            Origin::Grafted if lane != own || home == own => None,
            Origin::Grafted => Some(if self.is_busy { own } else { NOBODY }),
        }?;
        self.moves_left = self.moves_left.checked_sub(1)?;
        Some(new_home)
    }
}

impl Sorter<'_> {
    /// The lane that works where the socket's traffic is, or one that has less to do.
    #[cold]
    fn lane_of(&mut self, socket: BorrowedFd<'_>) -> Option<u32> {
        let there = processor::of_traffic(socket)?;
        let lanes = &self.engine.lanes[..self.steering.aside.len()];
        let own_load = lanes.get(self.own).map_or(0, Lane::load);
        let lane = if self.here == Some(there) {
            self.shed(own_load).unwrap_or(self.own)
        } else {
            let lane = lanes.iter().position(|lane| lane.was_on(there))?;
            // The other end may be on its way here, for there was too much to do there.
            if lanes[lane].load() > own_load + own_load / 2 + SLACK {
                self.own
            } else {
                lane
            }
        };
        u32::try_from(lane).ok()
    }

    /// The lane that one of this worker's sockets is to move to, if this worker has twice as much to do as another that is
    /// busy too. The socket at the other end follows by itself.
    fn shed(&mut self, own_load: u32) -> Option<usize> {
        let lanes = &self.engine.lanes[..self.steering.aside.len()];
        let has_less = |lane: &Lane| lane.takes_events() && 2 * (lane.load() + SLACK) < own_load;
        let lane = lanes.iter().position(has_less)?;
        self.steering.until_shed -= 1;
        if self.steering.until_shed > 0 {
            return None;
        }
        self.steering.until_shed = SHED_EVERY;
        Some(lane)
    }
}

#[cfg(all(test, target_os = "linux", not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;
    use crate::scheduler::processor::tests::with_traffic;
    use std::os::fd::AsFd;

    const OWN: u32 = 0;
    const OTHER: u32 = 1;

    #[test]
    fn a_new_socket_is_asked_with_its_fourth_event_and_an_old_one_in_its_turn() {
        let (engine, (socket, _peer)) = (Engine::unmanned(2, 0), with_traffic());
        let mut steering = Steering::new(2);
        let mut sorter = steering.sort(&engine, OWN as usize, Origin::Poller);
        let there = processor::of_traffic(socket.as_fd()).expect("traffic");
        sorter.here = Some(there);

        let mut lane = NEW;
        for _ in 1..ASK_AFTER {
            sorter.locate(socket.as_fd(), &mut lane);
            assert!(lane > NO_LANE, "asked too soon");
        }
        sorter.locate(socket.as_fd(), &mut lane);
        assert_eq!(lane, OWN, "the traffic is here");

        // Now it is at the other worker's.
        sorter.here = Some(there + 1);
        engine.lanes[OWN as usize].set_processor(there + 1);
        engine.lanes[OTHER as usize].set_processor(there);
        lane = NO_LANE;
        for _ in 1..ASK_EVERY {
            sorter.locate(socket.as_fd(), &mut lane);
            assert_eq!(lane, NO_LANE, "asked out of turn");
        }
        sorter.locate(socket.as_fd(), &mut lane);
        assert_eq!(lane, OTHER);
    }

    #[test]
    fn what_is_no_socket_belongs_nowhere() {
        let engine = Engine::unmanned(2, 0);
        let file = std::fs::File::open("/dev/null").expect("it is always there");
        let mut steering = Steering::new(2);
        let mut sorter = steering.sort(&engine, OWN as usize, Origin::Poller);
        let mut lane = NEW;
        for _ in 0..ASK_AFTER {
            sorter.locate(file.as_fd(), &mut lane);
        }
        assert_eq!(lane, NO_LANE);
    }

    #[test]
    fn each_eighth_socket_goes_to_a_worker_with_half_as_much_to_do() {
        let engine = Engine::unmanned(2, 0);
        let mut steering = Steering::new(2);
        let mut sorter = steering.sort(&engine, OWN as usize, Origin::Poller);
        // Until a worker starts it counts as asleep.
        engine.lanes[OTHER as usize].set_asleep(false);
        for _ in 0..3 * SHED_EVERY {
            assert_eq!(sorter.shed(2 * SLACK), None, "the other is as busy");
        }
        let moved = (0..3 * SHED_EVERY).filter_map(|_| sorter.shed(2 * SLACK + 1));
        assert_eq!(moved.collect::<Vec<_>>(), [OTHER as usize; 3]);
        engine.lanes[OTHER as usize].set_asleep(true);
        for _ in 0..3 * SHED_EVERY {
            assert_eq!(sorter.shed(1_000), None, "the other sleeps");
        }
    }

    #[test]
    fn a_source_settles_with_a_busy_worker_and_leaves_an_idle_one() {
        let engine = Engine::unmanned(2, 0);
        let mut steering = Steering::new(2);
        let mut sorter = steering.sort(&engine, OWN as usize, Origin::Inbox);
        assert_eq!(sorter.settles(OWN, NOBODY), None, "not busy yet");

        engine.lanes[OWN as usize].stats.polls.add(LONG_SHIFT);
        let mut sorter = steering.sort(&engine, OWN as usize, Origin::Inbox);
        assert_eq!(sorter.settles(OTHER, NOBODY), None, "the other's");
        assert_eq!(sorter.settles(OWN, OWN), None, "there already");
        for _ in 0..MOST_MOVES {
            assert_eq!(sorter.settles(OWN, NOBODY), Some(OWN));
        }
        assert_eq!(sorter.settles(OWN, NOBODY), None, "enough for one batch");

        steering.sleep(LONG_SHIFT);
        for _ in 1..QUIET {
            steering.sleep(LONG_SHIFT);
        }
        let mut sorter = steering.sort(&engine, OWN as usize, Origin::Poller);
        assert_eq!(sorter.settles(OWN, OWN), None, "one short shift too few");
        steering.sleep(LONG_SHIFT);
        let mut sorter = steering.sort(&engine, OWN as usize, Origin::Poller);
        assert_eq!(sorter.settles(OWN, OWN), Some(NOBODY));
    }
}
