//! A schedule that is a function of a seed.
//!
//! A simulated runtime is one of the current-thread flavour whose worker goes by another loop: what runs next is drawn
//! from all that could run, time is virtual, and jobs of executors are steps of the same thread.
//!
//! ```text
//!   each round:   timers that are due fire, in an order that is drawn
//!                 everything runnable is laid out: tasks, jobs whose moment has come, the root future
//!                 one of it is drawn, and runs
//!                 nothing runnable? the clock jumps to the next timer or job
//!                 none of these either? descriptors and other threads have the word, for real; then it is a deadlock
//! ```
//!
//! * [`course`] — the seed, what is drawn, and what came of it so far: pure
//! * [`jobs`] — jobs of executors, by the virtual moment at which they run
//! * [`script`] — both behind a lock, for those who hand jobs in, ask, or report
//! * [`rounds`] — the worker's loop; [`outside`] — what it does when nothing is left inside
//!
//! What is drawn depends on the seed and on earlier draws; what it is drawn from depends on the program. No real clock, no
//! address, no id that the process shares, and no other thread has a part in it, but for what comes from outside: that the
//! user is told of in `docs/simulation.md`.

mod course;
mod jobs;

mod script;

mod outside;
mod rounds;

pub(crate) use rounds::Root;
pub(crate) use script::Script;
