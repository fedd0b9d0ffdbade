//! Structured concurrency: tasks that end together.
//!
//! * [`owner`] — the group, and its end; [`handle`] — spawning into it; [`scope`] — a body and its children
//! * [`child`] — the future that runs as a child, and the handle that gives its output
//! * [`state`] — who is in the group, who failed, who may run
//! * [`error`] — all failures of a group together
//!
//! ```text
//!   TaskGroup ──▶ Shared ◀── GroupHandle (any number, in children too)
//!       │            ▲
//!    join()          │ ticket: "failed", "may I run?", "ended"
//!       │            │
//!       └─ handles ─▶ Child (a task) ── slot ──▶ GroupTask (the child's output, for whoever wants it)
//! ```
//!
//! The reaction to a failure does not depend on anybody awaiting the group: the child that fails aborts its siblings itself.

mod child;
mod error;
mod handle;
mod owner;
mod scope;
mod state;

pub use child::{GroupTask, NoOutput};
pub use error::{GroupError, GroupFailure};
pub use handle::GroupHandle;
pub use owner::TaskGroup;
pub use scope::group;
