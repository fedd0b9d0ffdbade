//! A crew: the threads that serve one queue. What both pools are made of.
//!
//! | file | idea |
//! |---|---|
//! | `census` | one word that counts who does what, and whether the crew is open |
//! | `parker` | how one thread sleeps, and the order that wakes it |
//! | `idle` | the stack of parked threads: who lies down, who is called in |
//! | `growth` | when jobs that wait deserve one more thread (pure) |
//! | `priority` | the operating system's priority of a thread |
//! | `roster` | threads as the operating system's objects: start, name, hooks, end, join |
//! | `crew` | the face to the pools: take a job, call somebody in, shut down |
//! | `member` | the life of one thread |
//! | `employer` | the users' end: when it goes, the crew is told to end |
//!
//! Each thread is in one of four states, of which the census counts three; the rest are busy.
//!
//! ```text
//!                     job found             the queue is empty, for `spin` or while others search
//!             busy ◄───────────── searching ───────────────────────────► idle ──► ends after keep-alive
//!               └─────────────────► ▲   ▲                                 │ │
//!                 no job left       │   └─────────────────────────────────┘ │ called in
//!                                   └────────────── lookout ◄───────────────┘
//!                                      jobs wait and nobody ends, or none wait
//! ```
//!
//! # Invariants
//!
//! - I1. While the queue holds a job, there is a searching thread or a lookout, or every thread that can be had is busy,
//!   or somebody is on the way to [`Crew::cover`](crew::Crew). A busy thread looks at the queue before it searches, a
//!   searching one before it parks.
//! - I2. An open crew has at least one thread until it is closed: the first one is started before the first job is
//!   queued, and the last one never ends of its own accord. So a thread that is refused later loses no job.
//! - I3. Only who holds the idle stack's lock moves a thread into or out of `idle`, or changes the number of threads
//!   upwards. So a thread whose keep-alive ends and one that calls it in never both win.
//!
//! # Edges
//!
//! - C1, "queue, then look at the census" against "change the census, then look at the queue". Pusher: push, SeqCst
//!   fence, load. Searcher that found a job, lies down, or lookout that steps down: SeqCst change, SeqCst fence, look
//!   at the queue. At least one of the two sees the other.
//! - C2, closing: the same with the `closed` flag. Pusher: push, fence, load. Closer: set, fence, drain. A job pushed
//!   beside a shutdown is dropped by one of them.

mod census;
#[allow(
    clippy::module_inception,
    reason = "the file is named for what it holds, like its neighbours"
)]
mod crew;
mod employer;
mod growth;
mod idle;
mod member;
mod parker;
mod priority;
mod roster;

#[cfg(all(test, gristmill_loom))]
mod loom_idle;

pub(crate) use crew::Crew;
pub(crate) use employer::Employer;
pub(crate) use growth::Growth;
