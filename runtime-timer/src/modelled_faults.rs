//! The faults of a runtime that `shuttle` runs: what the operating system refuses, as a test says.
//!
//! The doors to threads and to the poller ask here before each call; unless a test has said otherwise, nothing fails. Here and not
//! at the doors, since those of several crates take part in one schedule, as with the [`modelled_clock`](crate::modelled_clock).
//!
//! # Invariants
//!
//! * F1 — What is drawn is drawn from `shuttle`, so a schedule that failed fails again when it is replayed; and nothing is drawn for
//!   faults that are not due at random, so they leave the schedules as they were.

use std::cell::RefCell;
use std::io;

use shuttle::rand::{Rng, thread_rng};

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A thread is refused, with `EAGAIN` or `ENOMEM`.
    NoThread,
    /// A poller is not opened, with `EMFILE`.
    NoPoller,
    /// A descriptor is not registered, with `ENOSPC`.
    NoRoom,
    /// A wait in the poller ends with `EINTR`.
    Interruption,
    /// A wait in the poller ends with `EBADF`.
    BrokenPoller,
    /// A wait in the poller takes what came and brings nothing. No system does that: it is for canaries.
    LostEvents,
}

/// Which of the calls fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// None.
    Never,
    /// All from now on.
    Always,
    /// Each with one half's probability.
    AtRandom,
    /// Only the one before which there were so many, from now on.
    After(usize),
}

/// A fault's state.
#[derive(Clone, Copy)]
struct State {
    when: When,
    /// Calls since that was said.
    calls: usize,
    /// Calls that failed, in the whole schedule.
    struck: usize,
}

const FAULTS: usize = Fault::LostEvents as usize + 1;

const NOTHING_FAILS: [State; FAULTS] = [State {
    when: When::Never,
    calls: 0,
    struck: 0,
}; FAULTS];

std::thread_local! {
    /// All threads of a schedule are one thread of the system.
    static STATES: RefCell<[State; FAULTS]> = const { RefCell::new(NOTHING_FAILS) };
}

impl Fault {
    /// Linux's numbers of the errors that it can be.
    const fn errors(self) -> &'static [i32] {
        match self {
            Self::NoThread => &[11, 12],
            Self::NoPoller => &[24],
            Self::NoRoom => &[28],
            Self::Interruption => &[4],
            Self::BrokenPoller | Self::LostEvents => &[9],
        }
    }
}

/// Starts a schedule without faults.
pub fn restart() {
    STATES.set(NOTHING_FAILS);
}

/// From now on these calls fail.
pub fn inject(fault: Fault, when: When) {
    STATES.with_borrow_mut(|states| {
        let state = &mut states[fault as usize];
        (state.when, state.calls) = (when, 0);
    });
}

/// How many calls have failed in this schedule.
pub fn struck(fault: Fault) -> usize {
    STATES.with_borrow(|states| states[fault as usize].struck)
}

/// A door's question before a call.
///
/// # Errors
///
/// The one to fail with, if this call is to.
pub fn pass(fault: Fault) -> io::Result<()> {
    let strikes = STATES.with_borrow_mut(|states| {
        let state = &mut states[fault as usize];
        let strikes = match state.when {
            When::Never => false,
            When::Always => true,
            When::AtRandom => thread_rng().gen_range(0..2) == 0,
            When::After(calls) => calls == state.calls,
        };
        state.calls += 1;
        state.struck += usize::from(strikes);
        strikes
    });
    if !strikes {
        return Ok(());
    }
    let error = match fault.errors() {
        [only] => *only,
        several => several[thread_rng().gen_range(0..several.len())],
    };
    Err(io::Error::from_raw_os_error(error))
}
