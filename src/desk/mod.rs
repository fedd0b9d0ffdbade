//! A device that blocks, behind a desk: one job at a time works on it, and buffers lie between it and the tasks.
//!
//! What files and the standard streams are made of. A desk has no thread: jobs run on the blocking pool of the runtime that
//! the caller is on.
//!
//! | file | idea |
//! |---|---|
//! | `device` | what a device must be able to do |
//! | `ahead` | bytes that were read and nobody has asked for yet |
//! | `state` | what lies on the desk, and whose turn it is (pure: no thread, no device) |
//! | `turn` | the right to work on the device, and what a job does with it |
//! | `desk` | the face to the tasks: reading, writing, seeking, waiting |
//! | `pool` | closures on the blocking pool |
//!
//! ```text
//!                   read, seek, call                     write
//!            Busy ◄────────────────── Idle ────────────────────────► Writing ◄──┐ more bytes,
//!              └──── the job ends ─────▲ ▲───── nothing is left ────────┘ └──────┘ while there is room
//! ```
//!
//! A read asks for more than it was asked for, so the next ones find their bytes here. A write puts its bytes here and starts
//! a job unless one is writing; the job goes on until nothing is left. So a thousand small reads or writes take a few jobs.
//!
//! # Invariants
//!
//! - D1. While the stage is not `Idle`, exactly one turn exists. Only it touches the device, and it makes the stage `Idle`
//!   when it ends, however that comes about: its drop does it.
//! - D2. Bytes lie in `behind` only while the stage is `Writing`. The turn that writes looks for more and becomes `Idle` under
//!   one lock, so that no write falls in between.
//! - D3. A turn lets go of the device before the stage becomes `Idle`: whoever sees `Idle` and owns the desk owns the
//!   device alone.
//! - D4. No waker is called, cloned or dropped, and no job handed over, with the lock held.
//!
//! # Rejected
//!
//! - Keeping small writes until a flush: what a program wrote would not be in the file while the program waits for something
//!   else, and a drop would have to begin work instead of letting it end.
//! - A join handle as the thing that is waited for: it wakes one task, and `sync_all` takes `&self`.

mod ahead;
#[allow(
    clippy::module_inception,
    reason = "the file is named for what it holds, like its neighbours"
)]
mod desk;
mod device;
mod pool;
mod state;
mod turn;

pub(crate) use ahead::ROOM;
pub(crate) use desk::{Desk, Scope, poll_budget};
pub(crate) use device::Device;
pub(crate) use pool::{ask_pool, on_pool};
