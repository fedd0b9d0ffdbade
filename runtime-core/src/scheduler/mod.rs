//! Who runs what, when.
//!
//! ```text
//!            spawn, wake                                   ┌── reactor thread: ticks while workers are awake
//!                │                                         │      (impl of reactor::Watch)
//!      on a worker│   elsewhere                             ▼
//!   ┌─────────────▼──┐   │        ┌────────────────── engine ──────────────────┐
//!   │ worker's local │   └───────▶│ injector · idle workers · reactor · timers │
//!   │ queue          │            │ per worker: stealer, slot, bed, counters   │
//!   └───────┬────────┘            └────────────────────────────────────────────┘
//!           ▼
//!   worker loop:  next local ─▶ injector ─▶ due timers ─▶ poller, a quick look ─▶ steal ─▶ sleep
//! ```
//!
//! * [`engine`] — what all threads share; [`lane`] — what they see of one worker; [`unminded`] — lanes that have left timers behind;
//!   [`lending`] — sleepers that have lent theirs; [`stats`] — counters
//! * [`home`] — the link from a task to its engine and its owned set; [`spares`] — such links that a thread keeps for its next tasks
//! * [`context`] — what this thread is: a worker, inside a runtime, or neither
//! * [`worker`] — the loop; [`search`] — where a worker finds work, and [`gather`] — whether it lets a
//!   few gather there; [`sleep`] — how it goes to sleep, [`linger`] —
//!   whether it looks a little longer before, and [`pace`] — how briefly it sleeps
//! * [`steering`] — which worker an event belongs to; [`processor`] — what the system tells about that; [`rechecking`] — when it looks
//!   once more at what it took for drained; [`stranded`] — events of a worker that does not come, and [`neglected`] — its poller
//! * [`attendance`] — who works for the runtime just now
//! * [`staff`] — the threads, with relief workers that stand in for stuck ones; [`need`] — how long one is; [`watch`] — what the
//!   reactor thread asks; [`sight`] — which workers are stuck; [`block_in_place`] — a poll that says it will be long
//! * [`shelf`] — where a current-thread runtime's core lies while nobody works
//! * [`cpu_wait`] — whether a worker sleeps, how long it has run, and waited for a processor, which is not its fault;
//!   `cpu_time` — the clock that tells
//! * [`slice`](mod@slice) — how long a thread asks to run at a time
//! * [`polled`] — which task a worker polls; [`stall`] — a poll that keeps its worker; [`poll_watch`] — how long single polls
//!   take, in debug mode
//! * [`house`] — an engine with its owned sets and executors: all that a handle reaches
//! * [`simulation`] — another loop, for a schedule that is a function of a seed
//! * [`errand`] — a job on its way through an executor
//! * [`shutdown`] — the way out; [`sweep`] — what is dropped on it, and by whom; [`unrun`] — the jobs among it;
//!   [`fatal`] — the panic that leads there

pub(crate) mod stats;

mod polled;
mod stall;

pub(crate) mod lane;
pub(crate) mod lending;
pub(crate) mod unminded;

pub(crate) mod engine;

pub(crate) mod home;
pub(crate) mod spares;

mod errand;

pub(crate) mod house;

pub(crate) mod context;

pub(crate) mod worker;

pub(crate) mod shelf;

mod gather;
mod linger;
mod pace;
mod processor;
mod rechecking;
mod search;
mod sleep;
mod slice;
mod steering;

pub(crate) mod attendance;
mod need;
pub(crate) mod staff;

#[cfg(all(target_os = "linux", not(any(gristmill_loom, gristmill_shuttle, miri))))]
mod cpu_time;
mod cpu_wait;
mod neglected;
pub(crate) mod poll_watch;
mod sight;
mod stranded;

mod watch;

pub(crate) mod block_in_place;

pub(crate) mod simulation;

pub(crate) mod fatal;
pub(crate) mod shutdown;
pub(crate) mod sweep;
pub(crate) mod unrun;

pub(crate) use engine::Engine;
pub(crate) use house::House;
pub(crate) use worker::Worker;
