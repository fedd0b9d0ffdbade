//! Events in the inbox of a worker that does not come back from a poll.
//!
//! Its siblings take them when they run dry, and a relief worker would. But the siblings may be busy for ever, and there
//! may be no relief: it can be turned off, used up, or refused by the system. So the reactor thread, whose guarantee readiness is,
//! hands on what has been in an inbox for a whole tick while the worker made no round.

use super::lane::Lane;
use crate::reactor::inbox::Event;

/// What was seen of the inboxes at the last tick.
pub(super) struct Stranded {
    /// For each lane the round in which its inbox was seen with events, if it was.
    sights: Vec<Option<u64>>,
}

impl Stranded {
    pub(super) fn new(lanes: usize) -> Self {
        Self {
            sights: vec![None; lanes],
        }
    }

    /// Takes the events that have waited since the last call without a round of their worker.
    pub(super) fn take(&mut self, lanes: &[Lane]) -> Vec<Event> {
        let mut events = Vec::new();
        for (lane, sight) in lanes.iter().zip(&mut self.sights) {
            let seen = (!lane.inbox.is_empty()).then(|| lane.stats.rounds.get());
            if seen.is_some() && seen == *sight {
                let mut taken = Vec::new();
                lane.inbox.take_all(&mut taken);
                events.append(&mut taken);
                *sight = None;
            } else {
                *sight = seen;
            }
        }
        events
    }
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;
    use crate::queue::LocalQueue;
    use crate::reactor::inbox::Inbox;

    fn lane_with_an_event() -> [Lane; 1] {
        let (_, shared) = LocalQueue::new();
        let lane = Lane::new(shared);
        lane.inbox.put(&mut vec![Inbox::event(7)]);
        [lane]
    }

    #[test]
    fn an_event_is_taken_from_a_worker_that_makes_no_round_between_two_ticks() {
        let lanes = lane_with_an_event();
        let mut stranded = Stranded::new(1);
        assert_eq!(stranded.take(&lanes), []);
        assert_eq!(stranded.take(&lanes), [Inbox::event(7)]);
        assert!(lanes[0].inbox.is_empty());
        assert_eq!(stranded.take(&lanes), []);
    }

    #[test]
    fn an_event_is_left_to_a_worker_that_moves() {
        let lanes = lane_with_an_event();
        let mut stranded = Stranded::new(1);
        for _ in 0..3 {
            assert_eq!(stranded.take(&lanes), []);
            lanes[0].stats.rounds.add(1);
        }
        assert!(!lanes[0].inbox.is_empty());
    }
}
