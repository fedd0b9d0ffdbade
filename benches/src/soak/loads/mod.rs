//! What goes on in an era.
//!
//! - `tasks`: waves of small tasks, aborted, detached, panicking, woken by each other
//! - `timers`: short and long ones, fired, given up, aborted
//! - `blocking`: jobs, computations, and tasks that block their worker
//! - `channels`, `permits`, `groups`: with members that go away in the middle
//! - `sockets`, `wire`, `half_open`: conversations of which every byte is checked, resets, and peers that say nothing
//! - `files`, `children`: a folder of their own, and processes now and then
//! - `outsiders`: threads that are none of the runtime's, up to its end and beyond
//! - `table`: how many lanes of each

mod tasks;
mod timers;

mod blocking;

mod channels;
mod groups;
mod permits;

mod half_open;
mod sockets;
mod wire;

mod children;
mod files;

pub(super) mod outsiders;

mod table;

pub(super) use permits::check_leftovers;
pub(super) use table::ALL;
pub(super) use timers::worst_lateness;
pub(super) use wire::bytes_verified;
