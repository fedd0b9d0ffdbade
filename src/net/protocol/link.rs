//! What the handles of a connection and its task share: the buffer, the water marks, and what was asked for.
//!
//! # Invariants
//!
//! * K1 — `waker` is there only while the task sleeps and nothing was asked for since its last look. Whoever asks takes it
//!   along and wakes the task, after the lock is released; callbacks find none.
//! * K2 — Bytes count towards the pressure from `put` until the task says that they are sent.
//! * K3 — Once the life is `Lost`, nothing is put any more.

use super::Address;
use super::pressure::{Pressure, Relief};
use crate::sync::Notify;
use parking_lot::Mutex;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::Waker;

/// What became of bytes that were given to a transport.
///
/// To look at it is one of three ways to keep the memory of a connection bounded; the others are
/// [`pause_writing`](super::Protocol::pause_writing) and [`drain`](super::Transport::drain).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// Taken, and there is room for more.
    Taken,
    /// Taken, but more than the high-water mark is waiting: go on after `resume_writing`, or after `drain`.
    Full,
    /// Not taken: the connection is closing or lost, or its writing way was ended before.
    Closed,
}

/// What is left of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Life {
    Open,
    /// What is written is still sent.
    Closing,
    /// Nothing is sent any more.
    Aborted,
    /// `connection_lost` was called, or is being.
    Lost,
    /// The task is over.
    Gone,
}

/// What the handles and the task share; `Q` is the buffer.
#[derive(Debug)]
pub(super) struct Link<Q> {
    state: Mutex<State<Q>>,
    /// Notified when writers may go on, and when a life ends.
    changed: Notify,
    pub(super) local: Address,
    pub(super) peer: Address,
}

/// What is behind the lock.
#[derive(Debug)]
pub(super) struct State<Q> {
    /// What was written, until the task takes it.
    pub(super) queue: Q,
    pub(super) pressure: Pressure,
    pub(super) life: Life,
    /// Whether the writing way is to end after what was written.
    pub(super) ends_writing: bool,
    /// Whether the task leaves incoming bytes to the operating system.
    pub(super) pauses_reading: bool,
    /// Grows with every request, so that the task notices those that came after its look.
    revision: u64,
    /// K1.
    waker: Option<Waker>,
}

/// What the task saw in one look.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) life: Life,
    pub(super) ends_writing: bool,
    pub(super) pauses_reading: bool,
    /// Paused now, or at some time since the last look.
    pub(super) was_paused: bool,
    pub(super) is_paused: bool,
    revision: u64,
}

/// Whether the task may sleep.
#[must_use]
pub(super) enum Rest {
    Asleep,
    /// Something was asked for meanwhile.
    LookAgain,
}

impl<Q: Default> Link<Q> {
    pub(super) fn new(local: Address, peer: Address) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                queue: Q::default(),
                pressure: Pressure::new(),
                life: Life::Open,
                ends_writing: false,
                pauses_reading: false,
                revision: 0,
                waker: None,
            }),
            changed: Notify::new(),
            local,
            peer,
        })
    }
}

/// For the handles.
impl<Q> Link<Q> {
    /// Asks for something, and wakes the task if it sleeps.
    pub(super) fn ask<R>(&self, request: impl FnOnce(&mut State<Q>) -> R) -> R {
        let mut state = self.state.lock();
        let answer = request(&mut state);
        state.revision += 1;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        answer
    }

    /// Looks without asking for anything.
    pub(super) fn read<R>(&self, look: impl FnOnce(&State<Q>) -> R) -> R {
        look(&self.state.lock())
    }

    /// Adds to the buffer what `fill` puts into it, and counts the bytes that it tells.
    pub(super) fn put(&self, fill: impl FnOnce(&mut Q) -> usize) -> Written {
        self.ask(|state| {
            if !state.takes_writes() {
                return Written::Closed;
            }
            let bytes = fill(&mut state.queue);
            state.pressure.add(bytes);
            match state.pressure.is_paused() {
                true => Written::Full,
                false => Written::Taken,
            }
        })
    }

    /// Lets a life go on to a later stage; earlier ones stay as they are.
    pub(super) fn advance(&self, to: Life) {
        self.ask(|state| state.life = state.life.max(to));
        self.changed.notify_waiters();
    }

    pub(super) fn set_marks(&self, high: usize, low: usize) {
        assert!(
            low <= high,
            "the low-water mark ({low} bytes) is above the high-water mark ({high} bytes): give the high one first"
        );
        if self.ask(|state| state.pressure.set_marks(high, low)) == Relief::Eased {
            self.changed.notify_waiters();
        }
    }

    /// Waits until what is waiting to be sent has fallen to the low-water mark, if it was above the high one.
    pub(super) async fn drain(&self) -> io::Result<()> {
        crate::task::consume_budget().await;
        self.until(|state| match state.life {
            Life::Open | Life::Closing if state.pressure.is_paused() => None,
            Life::Open | Life::Closing => Some(Ok(())),
            Life::Aborted | Life::Lost | Life::Gone => Some(Err(lost())),
        })
        .await
    }

    /// What a transport shows of itself, under its name.
    pub(super) fn describe(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (life, size) = self.read(|state| (state.life, state.pressure.size()));
        f.debug_struct(name)
            .field("life", &life)
            .field("write_buffer_size", &size)
            .field("local_addr", &self.local)
            .field("peer_addr", &self.peer)
            .finish()
    }

    /// Waits until the task is over.
    pub(super) async fn gone(&self) {
        self.until(|state| (state.life == Life::Gone).then_some(()))
            .await;
    }

    async fn until<R>(&self, look: impl Fn(&State<Q>) -> Option<R>) -> R {
        loop {
            if let Some(answer) = self.read(&look) {
                return answer;
            }
            let notified = self.changed.notified();
            // Once more: what happened before this was made does not wake it.
            if let Some(answer) = self.read(&look) {
                return answer;
            }
            notified.await;
        }
    }
}

/// For the task.
impl<Q> Link<Q> {
    /// Notes everything that was asked for, with a glance at the buffer; from here on until `rest`, requests need not wake.
    pub(super) fn look(&self, glance: impl FnOnce(&mut Q)) -> Seen {
        let mut state = self.state.lock();
        glance(&mut state.queue);
        let was_paused = state.pressure.take_paused();
        let stale = state.waker.take();
        let seen = Seen {
            life: state.life,
            ends_writing: state.ends_writing,
            pauses_reading: state.pauses_reading,
            was_paused,
            is_paused: state.pressure.is_paused(),
            revision: state.revision,
        };
        drop(state);
        // A waker's drop may run code of others, so not under the lock.
        drop(stale);
        seen
    }

    /// Counts bytes as sent (K2).
    pub(super) fn sent(&self, bytes: usize) {
        let relief = self.state.lock().pressure.remove(bytes);
        if relief == Relief::Eased {
            self.changed.notify_waiters();
        }
    }

    /// Leaves the waker for the next request (K1), unless one came since the look.
    pub(super) fn rest(&self, seen: &Seen, waker: &Waker) -> Rest {
        let waker = waker.clone();
        let mut state = self.state.lock();
        if state.revision != seen.revision {
            return Rest::LookAgain;
        }
        state.waker = Some(waker);
        Rest::Asleep
    }
}

impl<Q> State<Q> {
    const fn takes_writes(&self) -> bool {
        matches!(self.life, Life::Open) && !self.ends_writing
    }
}

#[cold]
fn lost() -> io::Error {
    io::Error::new(
        io::ErrorKind::BrokenPipe,
        "the connection is lost, and with it what was not sent",
    )
}
