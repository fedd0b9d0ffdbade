//! The right to work on a device, and what a job does with it.
//!
//! A turn may be dropped instead of run: a runtime that shuts down drops the jobs that no thread has taken. Its drop then
//! leaves the desk idle, with an answer that says what happened (D1).

use super::Device;
use super::ahead::ROOM;
use super::state::{Answer, Stage, State};
use std::fs;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Locks the state; nothing that can panic runs under the lock.
pub(super) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an operation says that no thread has begun.
fn never_ran() -> io::Error {
    io::Error::other(
        "this operation never ran: the runtime shut down before a thread was free for it, or the operating system \
         refused it a thread; keep the runtime until files are done with, or raise RLIMIT_NPROC",
    )
}

/// The turn of one operation that is not a write.
pub(super) struct Turn<T> {
    /// `None` once the turn is over.
    device: Option<Arc<T>>,
    state: Arc<Mutex<State>>,
    /// What is left on the desk at the end.
    answer: Option<Answer>,
}

impl<T> Turn<T> {
    /// The turn of who has just made the stage `Busy`.
    pub(super) fn new(device: &Arc<T>, state: &Arc<Mutex<State>>) -> Self {
        Self {
            device: Some(Arc::clone(device)),
            state: Arc::clone(state),
            answer: None,
        }
    }

    /// Does an operation whose outcome goes elsewhere.
    pub(super) fn call<R>(self, work: impl FnOnce(&T) -> R) -> R {
        work(self.device())
    }

    fn device(&self) -> &T {
        self.device.as_ref().expect("held until the turn is over")
    }
}

impl<T: Device> Turn<T> {
    /// Takes the cursor back to where the caller believes it to be.
    pub(super) fn step_back(&self) -> io::Result<()> {
        step_back(self.device(), &self.state)
    }
}

/// Gives up what was read ahead, if the device has a cursor that can go back over it.
pub(super) fn step_back(device: &impl Device, state: &Mutex<State>) -> io::Result<()> {
    let by = lock(state).ahead.len();
    if by == 0 {
        return Ok(());
    }
    match device.step_back(by as u64) {
        Ok(()) => lock(state).ahead.clear(),
        // Without a cursor, as at a terminal, reading and writing have nothing to do with each other.
        Err(error) if error.kind() == ErrorKind::NotSeekable => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

impl Turn<fs::File> {
    /// This turn for a read.
    pub(super) fn for_read(mut self) -> Self {
        self.answer = Some(Answer::Failed(never_ran()));
        self
    }

    /// This turn for a seek.
    pub(super) fn for_seek(mut self, to: SeekFrom) -> Self {
        self.answer = Some(Answer::Sought(to, Err(never_ran())));
        self
    }

    /// Reads once, for an operation that wants `wanted` bytes, and at most `limit`.
    pub(super) fn read(mut self, wanted: usize, limit: usize) {
        let mut ahead = mem::take(&mut lock(&self.state).ahead);
        let outcome = ahead.fill(ahead.room(wanted).min(limit), |buffer| {
            loop {
                match self.device().read(buffer) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    outcome => return outcome,
                }
            }
        });
        self.answer = match outcome {
            Ok(0) => Some(Answer::End),
            Ok(_) => None,
            Err(error) => Some(Answer::Failed(error)),
        };
        if !ahead.is_empty() {
            lock(&self.state).ahead = ahead;
        }
    }

    /// Moves the cursor.
    pub(super) fn seek(mut self, to: SeekFrom) {
        let place = self.step_back().and_then(|()| self.device().seek(to));
        self.answer = Some(Answer::Sought(to, place));
    }

    /// Ends before anything was done, and says nothing.
    pub(super) fn give_up(mut self) {
        self.answer = None;
    }
}

impl<T> Drop for Turn<T> {
    fn drop(&mut self) {
        // D3: before the stage.
        self.device = None;
        let waiters = {
            let mut state = lock(&self.state);
            state.stage = Stage::Idle;
            state.answer = self.answer.take();
            mem::take(&mut state.waiters)
        };
        waiters.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

/// The turn that writes. Its drop is its work: what was taken from a writer is handed over even by a pool that has shut down
/// or has no thread, and drops the job: then on the thread that drops it.
pub(super) struct WriteTurn<T: Device> {
    /// `None` once the turn is over.
    device: Option<Arc<T>>,
    state: Arc<Mutex<State>>,
}

impl<T: Device> WriteTurn<T> {
    /// The turn of who has just made the stage `Writing`.
    pub(super) fn new(device: &Arc<T>, state: &Arc<Mutex<State>>) -> Self {
        Self {
            device: Some(Arc::clone(device)),
            state: Arc::clone(state),
        }
    }

    /// Makes the batch the next one, or ends the turn; and wakes whom either concerns.
    fn next(&mut self, batch: &mut Vec<u8>) {
        batch.clear();
        let waiters = {
            let mut state = lock(&self.state);
            mem::swap(batch, &mut state.behind);
            if batch.is_empty() {
                // D3, and D2: under the lock under which nothing was left.
                self.device = None;
                state.stage = Stage::Idle;
                if state.behind.capacity() > ROOM {
                    state.behind = Vec::new();
                }
            }
            mem::take(&mut state.waiters)
        };
        waiters.into_iter().for_each(|(_, waker)| waker.wake());
    }
}

impl<T: Device> Drop for WriteTurn<T> {
    fn drop(&mut self) {
        let Some(device) = &self.device else {
            return;
        };
        let mut outcome = step_back(&**device, &self.state);
        let mut batch = mem::take(&mut lock(&self.state).behind);
        while let Some(device) = &self.device {
            let written = mem::replace(&mut outcome, Ok(())).and_then(|()| device.put(&batch));
            if let Err(error) = written {
                // What was taken meanwhile belongs behind what is missing.
                let mut state = lock(&self.state);
                state.behind.clear();
                state.failed = Some(error);
            }
            self.next(&mut batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails the first time, while another write comes.
    struct Broken {
        state: Arc<Mutex<State>>,
        seen: Mutex<Vec<Vec<u8>>>,
    }

    impl Device for Broken {
        fn put(&self, bytes: &[u8]) -> io::Result<()> {
            let mut seen = self.seen.lock().expect("no panic");
            seen.push(bytes.to_vec());
            if seen.len() > 1 {
                return Ok(());
            }
            lock(&self.state).behind.extend(b"meanwhile");
            Err(ErrorKind::StorageFull.into())
        }

        fn step_back(&self, _by: u64) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_was_taken_behind_what_failed_is_not_written() {
        let state = Arc::new(Mutex::new(State::new()));
        {
            let mut state = lock(&state);
            state.stage = Stage::Writing;
            state.behind.extend(b"first");
        }
        let device = Arc::new(Broken {
            state: Arc::clone(&state),
            seen: Mutex::default(),
        });
        drop(WriteTurn::new(&device, &state));
        assert_eq!(*device.seen.lock().expect("no panic"), [b"first"]);
        let state = lock(&state);
        assert_eq!(state.stage, Stage::Idle);
        assert!(state.failed.is_some() && state.behind.is_empty());
    }
}
