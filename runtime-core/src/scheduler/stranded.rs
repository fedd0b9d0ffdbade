//! Events in the inbox of a worker that does not come back from a poll, and sources that one which does not look has taken for drained.
//!
//! Its siblings take them when they run dry, and a relief worker would. But the siblings may be busy for ever, and there
//! may be no relief: it can be turned off, used up, or refused by the system. So the reactor thread, whose guarantee readiness is,
//! hands on what has been in an inbox for a whole tick while the worker made no round. Likewise it rechecks what a worker
//! has [taken for drained](crate::reactor::recheck) if that did not look for a whole tick.

use super::lane::Lane;
use crate::reactor::inbox::Event;
use crate::reactor::recheck::Note;

/// What was seen at the last tick.
pub(super) struct Stranded {
    /// For each lane the round in which its inbox was seen with events, if it was.
    inboxes: Vec<Option<u64>>,
    /// For each lane after how many looks it was seen with notes, if it was.
    rechecks: Vec<Option<u64>>,
}

impl Stranded {
    pub(super) fn new(lanes: usize) -> Self {
        Self {
            inboxes: vec![None; lanes],
            rechecks: vec![None; lanes],
        }
    }

    /// Takes the events that have waited since the last call without a round of their worker.
    pub(super) fn take_events(&mut self, lanes: &[Lane]) -> Vec<Event> {
        let mut events = Vec::new();
        for (lane, sight) in lanes.iter().zip(&mut self.inboxes) {
            let seen = (!lane.inbox.is_empty()).then(|| lane.stats.rounds.get());
            if is_same(sight, seen) {
                let mut taken = Vec::new();
                lane.inbox.take_all(&mut taken);
                events.append(&mut taken);
            }
        }
        events
    }

    /// Takes the notes of workers that have not looked since the last call.
    pub(super) fn take_notes(&mut self, lanes: &[Lane]) -> Vec<Note> {
        let mut notes = Vec::new();
        for (lane, sight) in lanes.iter().zip(&mut self.rechecks) {
            let seen = (!lane.rechecks.is_empty()).then(|| lane.stats.looks.get());
            if is_same(sight, seen) {
                lane.rechecks.take_all(&mut notes);
            }
        }
        notes
    }
}

/// Whether there was something at the last tick, and nobody has come since. Remembers what is seen now.
fn is_same(sight: &mut Option<u64>, seen: Option<u64>) -> bool {
    let is_same = seen.is_some() && seen == *sight;
    *sight = if is_same { None } else { seen };
    is_same
}

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests {
    use super::*;
    use crate::queue::LocalQueue;
    use crate::reactor::inbox::Inbox;
    use crate::reactor::ready::Ready;
    use crate::reactor::source::Source;

    fn lane() -> Lane {
        let (_, shared) = LocalQueue::new();
        Lane::new(shared)
    }

    fn lane_with_an_event() -> [Lane; 1] {
        let lane = lane();
        lane.inbox.put(&mut vec![Inbox::event(7)]);
        [lane]
    }

    #[test]
    fn notes_are_taken_from_a_worker_that_does_not_look_between_two_ticks() {
        let lanes = [lane()];
        let note = Note::of(7, Source::new(Ready::READABLE).seen());
        let mut stranded = Stranded::new(1);
        assert!(lanes[0].rechecks.note(note, || true));
        for _ in 0..3 {
            assert_eq!(stranded.take_notes(&lanes), []);
            lanes[0].stats.looks.add(1);
        }
        assert_eq!(stranded.take_notes(&lanes), []);
        assert_eq!(stranded.take_notes(&lanes), [note]);
        assert_eq!(stranded.take_notes(&lanes), []);
    }

    #[test]
    fn an_event_is_taken_from_a_worker_that_makes_no_round_between_two_ticks() {
        let lanes = lane_with_an_event();
        let mut stranded = Stranded::new(1);
        assert_eq!(stranded.take_events(&lanes), []);
        assert_eq!(stranded.take_events(&lanes), [Inbox::event(7)]);
        assert!(lanes[0].inbox.is_empty());
        assert_eq!(stranded.take_events(&lanes), []);
    }

    #[test]
    fn an_event_is_left_to_a_worker_that_moves() {
        let lanes = lane_with_an_event();
        let mut stranded = Stranded::new(1);
        for _ in 0..3 {
            assert_eq!(stranded.take_events(&lanes), []);
            lanes[0].stats.rounds.add(1);
        }
        assert!(!lanes[0].inbox.is_empty());
    }
}
