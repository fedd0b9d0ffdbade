//! What a task is. Knows no queue: where a runnable goes is the business of whoever implements
//! [`Schedule`].
//!
//! One allocation holds a future, the word that says what may happen to it, and the place where its
//! output will lie. Handles of different rights point to it:
//!
//! ```text
//!                ┌───────────────── cell ─────────────────┐
//!   Runnable ───▶│ header: state word, vtable, place in   │◀─── Waker      may make it runnable
//!   (may poll    │    the owned set, id, spawn site    │◀─── AbortHandle  may end it
//!    it once)    │ core:   scheduler, future or output    │◀─── JoinHandle   may take the output
//!                │ trailer: waker of the JoinHandle       │◀─── owned set    may shut it down
//!                └────────────────────────────────────────┘
//! ```
//!
//! * [`state`] — the state word's transitions, as pure functions; [`word`] — the atomic that stores it
//! * [`schedule`] — what a task needs of the world around it; [`named`] — with a name beside it; [`aborts`] — who aborted it
//! * [`header`], [`cell`] — the layout; [`recycle`] — the memory; [`raw`] — the operations behind the vtable
//! * [`runnable`], [`waker`], [`join`], [`abort`] — the handles; [`owned`] — the set of all living tasks
//! * [`budget`] — how much a task may do in one poll; [`current`] — which task runs on a thread
//! * [`id`], [`error`], [`meta`] — what users see of a task; [`failure`] — what nobody saw of it; [`panic_place`] — where it
//!   panicked

pub(crate) mod state;
mod word;

mod aborts;
pub(crate) mod named;
pub(crate) mod schedule;

mod cell;
pub(crate) mod header;
mod raw;
mod recycle;

pub(crate) mod budget;
pub(crate) mod current;

pub(crate) mod abort;
pub(crate) mod join;
pub(crate) mod owned;
pub(crate) mod runnable;
mod waker;

pub(crate) mod error;
mod failure;
pub(crate) mod id;
pub(crate) mod meta;
pub(crate) mod panic_place;

#[cfg(all(test, not(any(gristmill_loom, gristmill_shuttle))))]
mod tests;

pub use abort::AbortHandle;
pub use error::JoinError;
pub use id::Id;
pub use join::JoinHandle;
pub use panic_place::PanicLocation;

pub(crate) use aborts::Aborts;
pub(crate) use cell::allocate;
pub(crate) use failure::Unobserved;
pub(crate) use meta::Meta;
pub(crate) use named::Named;
pub(crate) use owned::OwnedSet;
pub(crate) use runnable::Runnable;
pub(crate) use schedule::{Cause, Schedule};
pub(crate) use state::{ClaimOutcome, Standing};
