//! The face to the tasks: reading, writing, seeking, waiting.

use super::Device;
use super::pool::runtime;
use super::state::{State, Step, Who};
use super::turn::{Turn, WriteTurn, lock, step_back};
use crate::task::consume_budget;
use std::fs;
use std::future::poll_fn;
use std::io::{self, SeekFrom};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

/// A device, and what lies between it and the tasks.
pub(crate) struct Desk<T> {
    device: Arc<T>,
    state: Arc<Mutex<State>>,
    /// As whom those wait who write.
    writer: Who,
}

/// The wait of an operation for its turn; given up, it takes its place back.
struct Wait<'a> {
    state: &'a Mutex<State>,
    who: Who,
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let own = lock(self.state).forget(self.who);
        drop(own);
    }
}

/// What an operation concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Not the content: it says nothing of earlier writes, and leaves the cursor and what was read ahead.
    Beside,
    /// The content, or the cursor: an earlier write that failed comes first, and what was read ahead is given up.
    Content,
}

impl<T: Device> Desk<T> {
    /// For one who reads and one who writes at a time.
    pub(crate) fn new(device: T) -> Self {
        Self {
            device: Arc::new(device),
            state: Arc::new(Mutex::new(State::new())),
            writer: Who::Writer,
        }
    }

    /// For any number of writers.
    pub(crate) fn shared(device: T) -> Self {
        Self {
            writer: Who::Anyone,
            ..Self::new(device)
        }
    }

    pub(crate) fn device(&self) -> &T {
        &self.device
    }

    /// Takes all bytes, or `limit` of them if that is less, once there is room.
    pub(crate) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        limit: usize,
    ) -> Poll<io::Result<usize>> {
        ready!(poll_budget(cx));
        // Before anything is taken.
        let runtime = runtime()?;
        let mut count = 0;
        let look = |state: &mut State| state.write(bytes, limit, &mut count);
        let step = self.poll_look(self.writer, cx, look);
        Poll::Ready(match ready!(step) {
            Step::Done(outcome) => outcome,
            Step::Start => {
                let turn = WriteTurn::new(&self.device, &self.state);
                drop(runtime.spawn_blocking(move || drop(turn)));
                Ok(count)
            }
        })
    }

    /// Waits until all that was taken has been handed to the device, and tells how that went.
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(poll_budget(cx));
        self.poll_look(self.writer, cx, State::flush)
    }

    /// Does an operation when its turn comes.
    ///
    /// Once begun it is carried to its end, whether or not this is awaited that far.
    pub(crate) async fn call<R: Send + 'static>(
        &self,
        scope: Scope,
        work: impl FnOnce(&T) -> io::Result<R> + Send + 'static,
    ) -> io::Result<R> {
        let runtime = runtime()?;
        let turn = self.turn().await;
        if scope == Scope::Content {
            let failed = lock(&self.state).failed.take();
            if let Some(error) = failed {
                return Err(error);
            }
        }
        let job = move || {
            if scope == Scope::Content {
                turn.step_back()?;
            }
            turn.call(work)
        };
        runtime.spawn_blocking(job).await?
    }

    /// Waits until nobody works on the device, and gives it away with its cursor where the caller believes it to be.
    pub(crate) async fn into_device(self) -> T {
        drop(self.turn().await);
        match self.try_into_device() {
            Ok(device) => device,
            Err(_) => unreachable!("its owner alone could start a turn"),
        }
    }

    /// Waits for the turn of an operation.
    async fn turn(&self) -> Turn<T> {
        let wait = Wait {
            who: lock(&self.state).number(),
            state: &self.state,
        };
        poll_fn(|cx| self.poll_look(wait.who, cx, State::claim)).await;
        Turn::new(&self.device, &self.state)
    }

    /// Gives the device away if nobody works on it.
    pub(crate) fn try_into_device(self) -> Result<T, Self> {
        let Self {
            device,
            state,
            writer,
        } = self;
        // D3: a turn has its own share until it ends.
        match Arc::try_unwrap(device) {
            Ok(device) => {
                // A cursor that does not go back stays where it is; there is nobody to tell.
                let _ = step_back(&device, &state);
                Ok(device)
            }
            Err(device) => Err(Self {
                device,
                state,
                writer,
            }),
        }
    }

    /// Looks until there is something to do. The waker is cloned and dropped outside of the lock (D4).
    fn poll_look<R>(
        &self,
        who: Who,
        cx: &mut Context<'_>,
        mut look: impl FnMut(&mut State) -> Option<R>,
    ) -> Poll<R> {
        {
            let mut state = lock(&self.state);
            if let Some(found) = look(&mut state) {
                return Poll::Ready(found);
            }
            if state.knows(who, cx.waker()) {
                return Poll::Pending;
            }
        }
        let waker = cx.waker().clone();
        let mut state = lock(&self.state);
        if let Some(found) = look(&mut state) {
            drop(state);
            return Poll::Ready(found);
        }
        let displaced = state.wait(who, waker);
        drop(state);
        drop(displaced);
        Poll::Pending
    }
}

impl Desk<fs::File> {
    /// Reads what there is, or has up to `limit` bytes read ahead.
    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        into: &mut [u8],
        limit: usize,
    ) -> Poll<io::Result<usize>> {
        ready!(poll_budget(cx));
        let wanted = into.len();
        loop {
            match ready!(self.poll_look(Who::Reader, cx, |state| state.read(into))) {
                Step::Done(outcome) => return Poll::Ready(outcome),
                Step::Start => self.start(Turn::for_read, move |turn| turn.read(wanted, limit))?,
            }
        }
    }

    /// Moves the cursor.
    pub(crate) fn poll_seek(&self, cx: &mut Context<'_>, to: SeekFrom) -> Poll<io::Result<u64>> {
        ready!(poll_budget(cx));
        loop {
            match ready!(self.poll_look(Who::Reader, cx, |state| state.seek(to))) {
                Step::Done(outcome) => return Poll::Ready(outcome),
                Step::Start => self.start(|turn| turn.for_seek(to), move |turn| turn.seek(to))?,
            }
        }
    }

    /// Has a job work on the device, in the turn that this desk has just given away.
    fn start(
        &self,
        mark: impl FnOnce(Turn<fs::File>) -> Turn<fs::File>,
        job: impl FnOnce(Turn<fs::File>) + Send + 'static,
    ) -> io::Result<()> {
        let turn = mark(Turn::new(&self.device, &self.state));
        match runtime() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || job(turn))),
            Err(error) => {
                turn.give_up();
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Spends a unit of the task's budget: what is served from memory is always ready.
pub(crate) fn poll_budget(cx: &mut Context<'_>) -> Poll<()> {
    pin!(consume_budget()).poll(cx)
}
