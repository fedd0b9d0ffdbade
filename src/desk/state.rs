//! What lies on a desk, and whose turn it is. Each method is one look under the lock, and says what to do after it.

use super::ahead::Ahead;
use std::io::{self, SeekFrom};
use std::task::Waker;

/// Who may touch the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody; whoever comes next.
    Idle,
    /// The turn that writes what lies in `behind`, until nothing is left.
    Writing,
    /// The turn of another operation.
    Busy,
}

/// What a job found, for the operation that it was for, or the next one of its kind if that was dropped.
#[derive(Debug)]
pub(super) enum Answer {
    /// The read found the end.
    End,
    /// The read failed.
    Failed(io::Error),
    /// Where this seek led.
    Sought(SeekFrom, io::Result<u64>),
}

/// What to do after a look.
#[must_use]
pub(super) enum Step<R> {
    /// Give this to the caller.
    Done(R),
    /// The turn is the caller's: start a job.
    Start,
}

/// What lies on a desk.
pub(super) struct State {
    pub(super) stage: Stage,
    /// Read and not asked for.
    pub(super) ahead: Ahead,
    /// Taken from writers and not yet handed to the device.
    pub(super) behind: Vec<u8>,
    /// Why bytes that were taken did not get there, until somebody is told.
    pub(super) failed: Option<io::Error>,
    pub(super) answer: Option<Answer>,
    /// Whom to wake when the turn ends, or has made room.
    pub(super) waiters: Vec<(Who, Waker)>,
    /// The number of the next operation that waits.
    next_operation: u64,
}

/// Who waits; all but the last have one place each, so that what was given up leaves no more than one waker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The one who reads or seeks.
    Reader,
    /// The one who writes or flushes.
    Writer,
    /// An operation, which takes its place back when it is given up.
    Operation(u64),
    /// One of any number of writers.
    Anyone,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Idle,
            ahead: Ahead::default(),
            behind: Vec::new(),
            failed: None,
            answer: None,
            waiters: Vec::new(),
            next_operation: 0,
        }
    }

    /// A place of its own for an operation.
    pub(super) fn number(&mut self) -> Who {
        self.next_operation += 1;
        Who::Operation(self.next_operation)
    }

    /// Whether this one waits already, with the same waker.
    pub(super) fn knows(&self, who: Who, waker: &Waker) -> bool {
        let mut waiters = self.waiters.iter();
        waiters.any(|(other, known)| *other == who && known.will_wake(waker))
    }

    /// Puts a waker into its place; gives back the one that it displaces.
    #[must_use = "dropped without the lock"]
    pub(super) fn wait(&mut self, who: Who, waker: Waker) -> Option<Waker> {
        let mut waiters = self.waiters.iter_mut();
        match waiters.find(|(other, _)| *other == who && who != Who::Anyone) {
            Some((_, place)) => Some(std::mem::replace(place, waker)),
            None => {
                self.waiters.push((who, waker));
                None
            }
        }
    }

    /// Takes a place back.
    #[must_use = "dropped without the lock"]
    pub(super) fn forget(&mut self, who: Who) -> Option<Waker> {
        let at = self.waiters.iter().position(|(other, _)| *other == who)?;
        Some(self.waiters.swap_remove(at).1)
    }

    /// A look for bytes. `None` while it is somebody's turn, as below.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Option<Step<io::Result<usize>>> {
        if self.stage != Stage::Idle {
            return None;
        }
        if !self.ahead.is_empty() || into.is_empty() {
            return Some(Step::Done(Ok(self.ahead.move_to(into))));
        }
        match self.answer.take() {
            Some(Answer::End) => Some(Step::Done(Ok(0))),
            Some(Answer::Failed(error)) => Some(Step::Done(Err(error))),
            Some(Answer::Sought(..)) | None => Some(self.start(Stage::Busy)),
        }
    }

    /// A look for room, of which there is `limit` in all. All bytes are taken, unless they alone are beyond the limit; `Start`
    /// comes with having taken `count` too.
    pub(super) fn write(
        &mut self,
        bytes: &[u8],
        limit: usize,
        count: &mut usize,
    ) -> Option<Step<io::Result<usize>>> {
        if self.stage == Stage::Busy {
            return None;
        }
        if let Some(error) = self.failed.take() {
            return Some(Step::Done(Err(error)));
        }
        if !self.behind.is_empty() && bytes.len() > limit.saturating_sub(self.behind.len()) {
            return None;
        }
        *count = bytes.len().min(limit);
        if *count == 0 {
            return Some(Step::Done(Ok(0)));
        }
        self.behind.extend_from_slice(&bytes[..*count]);
        match self.stage {
            Stage::Idle => Some(self.start(Stage::Writing)),
            Stage::Writing | Stage::Busy => Some(Step::Done(Ok(*count))),
        }
    }

    /// A look for the end of writing, and how it went.
    pub(super) fn flush(&mut self) -> Option<io::Result<()>> {
        (self.stage != Stage::Writing).then(|| self.failed.take().map_or(Ok(()), Err))
    }

    /// A look for where a seek led.
    pub(super) fn seek(&mut self, to: SeekFrom) -> Option<Step<io::Result<u64>>> {
        if self.stage != Stage::Idle {
            return None;
        }
        if let Some(error) = self.failed.take() {
            return Some(Step::Done(Err(error)));
        }
        match self.answer.take() {
            Some(Answer::Sought(was, place)) if was == to => Some(Step::Done(place)),
            _ => Some(self.start(Stage::Busy)),
        }
    }

    /// A look for the turn, for any other operation.
    pub(super) fn claim(&mut self) -> Option<()> {
        (self.stage == Stage::Idle).then(|| {
            let Step::<()>::Start = self.start(Stage::Busy) else {
                unreachable!("starting is all it does")
            };
        })
    }

    /// Gives the turn away. What nobody has asked for by now was for an operation that was dropped.
    fn start<R>(&mut self, stage: Stage) -> Step<R> {
        self.stage = stage;
        self.answer = None;
        Step::Start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(state: &mut State, bytes: &[u8]) -> Option<Result<usize, usize>> {
        let mut count = 0;
        match state.write(bytes, 4, &mut count)? {
            Step::Done(outcome) => Some(Ok(outcome.expect("nothing has failed"))),
            Step::Start => Some(Err(count)),
        }
    }

    #[test]
    fn while_it_is_somebodys_turn_the_others_wait() {
        for stage in [Stage::Busy, Stage::Writing] {
            let mut state = State::new();
            state.stage = stage;
            assert!(state.read(&mut [0]).is_none());
            assert!(state.seek(SeekFrom::Start(0)).is_none());
            assert!(state.claim().is_none());
            assert_eq!(state.flush().is_some(), stage == Stage::Busy);
            assert_eq!(write(&mut state, b"x").is_some(), stage == Stage::Writing);
            assert_eq!(state.stage, stage);
        }
    }

    #[test]
    fn one_turn_is_given_away() {
        let mut state = State::new();
        assert!(matches!(state.read(&mut [0]), Some(Step::Start)));
        assert!(state.claim().is_none());
        state.stage = Stage::Idle;
        assert!(matches!(state.seek(SeekFrom::End(0)), Some(Step::Start)));
        assert!(state.claim().is_none());
        state.stage = Stage::Idle;
        assert!(state.claim().is_some());
        assert!(state.claim().is_none());
        state.stage = Stage::Idle;
        assert_eq!(write(&mut state, b"ab"), Some(Err(2)));
        assert!(state.claim().is_none());
    }

    #[test]
    fn a_write_is_taken_whole_or_waits_unless_it_is_too_long_for_any_room() {
        let mut state = State::new();
        assert_eq!(write(&mut state, b""), Some(Ok(0)));
        assert_eq!(state.stage, Stage::Idle, "nothing to do");
        assert_eq!(write(&mut state, b"ab"), Some(Err(2)));
        assert_eq!(write(&mut state, b"cde"), None);
        assert_eq!(write(&mut state, b"cd"), Some(Ok(2)));
        assert_eq!(write(&mut state, b"e"), None);
        assert_eq!(state.behind, b"abcd");
        // A job has taken the batch.
        state.behind.clear();
        assert_eq!(write(&mut state, b"too long"), Some(Ok(4)));
    }

    #[test]
    fn an_answer_is_for_its_own_kind_of_operation() {
        let to = SeekFrom::Current(1);
        let mut state = State::new();
        state.answer = Some(Answer::Sought(to, Ok(7)));
        assert!(matches!(state.seek(to), Some(Step::Done(Ok(7)))));
        assert!(matches!(state.seek(to), Some(Step::Start)), "given once");
        for other in [SeekFrom::Current(2), SeekFrom::Start(1)] {
            let mut state = State::new();
            state.answer = Some(Answer::Sought(to, Ok(7)));
            assert!(matches!(state.seek(other), Some(Step::Start)));
            assert!(state.answer.is_none());
        }
        let mut state = State::new();
        state.answer = Some(Answer::Sought(to, Ok(7)));
        assert!(matches!(state.read(&mut [0]), Some(Step::Start)));
        let mut state = State::new();
        state.answer = Some(Answer::End);
        assert!(matches!(state.read(&mut [0]), Some(Step::Done(Ok(0)))));
        state.answer = Some(Answer::End);
        assert!(matches!(state.seek(to), Some(Step::Start)));
    }
}
