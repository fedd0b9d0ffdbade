//! The door for micro-benches: parts of the engine, each on its own.
//!
//! It is there with `--cfg gristmill_bench` alone, so no program can come to rest on it, and what it shows changes with the
//! engine. Nothing here does anything of its own: a call is one call of the part, so that its cost is what is timed.
//!
//! * [`task`] — a task's cell without a scheduler: what is made runnable waits in one place of the thread
//! * [`queue`] — a worker's local queue and the injector
//! * [`park`] — a thread's bed, and the look at who sleeps

pub mod task;

pub mod queue;

pub mod park;
