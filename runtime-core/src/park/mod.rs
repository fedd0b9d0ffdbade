//! How threads sleep and who wakes whom. Knows no work.
//!
//! * [`parker`] — one thread's bed: on a condition variable, or in the operating system's poller
//! * [`thread_waker`] — a waker that ends a thread's sleep
//! * [`idle`] — which workers are parked or searching, and which to wake
//!
//! # The protocol
//!
//! Work is never lost between a thread that posts it and one that goes to sleep, because each announces
//! before it looks:
//!
//! ```text
//!   post work                              go to sleep
//!   ─────────                              ───────────
//!   1. push the runnable                   1. announce: parked + 1, on the list
//!   2. fence (SeqCst)            edge      2. fence (SeqCst)
//!   3. read the counts        ◀── P1 ──▶   3. look at every queue once more
//!   4. nobody searching, somebody          4. found: retract, and be searching
//!      parked: take one off the list          nothing: sleep
//!      and unpark it
//! ```
//!
//! The two fences are in one total order. If the poster's comes first, the sleeper's look finds the
//! runnable. If the sleeper's comes first, the poster reads a count that includes the sleeper. In neither
//! order do both miss each other; there are no time-outs to mend it if they did.
//!
//! A poster wakes nobody while somebody searches, since a searcher looks at every queue before it sleeps,
//! after having left the count of searchers (step 1, which is also an announcement: edge P2). A searcher that finds
//! work, was the last one, and sees more of it wakes the next, so a burst wakes the workers one by one and a single piece
//! of work wakes one.
//!
//! A poster in no hurry wakes nobody either while somebody sleeps briefly in the poller: a brief sleeper wakes by
//! itself within half a millisecond, and is a searcher from the moment that it leaves the list (edge P2 again).

pub(crate) mod idle;
pub(crate) mod parker;
pub(crate) mod thread_waker;

pub(crate) use idle::{Idle, Retracted};
pub(crate) use parker::{Parker, Unpark};
pub(crate) use thread_waker::ThreadWaker;
