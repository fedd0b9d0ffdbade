//! The timers of gristmill: a hierarchical wheel, a clock that tests can pause, and the futures
//! over them.
//!
//! The crate starts and parks no thread and knows nothing of the scheduler. Whoever embeds it owns
//! a [`Timers`], makes it current on its threads ([`enter`]), asks for the next deadline, and fires
//! what is due:
//!
//! ```text
//!   Sleep ── Timeout ── Interval          futures: register on the first poll that is pending, cancel on drop
//!     │
//!   context: (Timers, shard) of this thread
//!     │
//!   Timers ── shard 0 │ shard 1 │ … │ outside     one lock and one published deadline a shard
//!     │          │
//!     │        Wheel                      entries by deadline; reads no clock, holds no lock
//!     │
//!   Clock      nanoseconds since its origin; can be paused and advanced
//!     │
//!   Host       implemented by the scheduler: "a deadline became sooner", "may this task go on?"
//! ```
//!
//! A timer never fires early: entries keep their deadline to the nanosecond, whatever the tick of
//! the wheel.

#![forbid(unsafe_code)]

mod sync;

#[cfg(gristmill_shuttle)]
pub mod modelled_clock;

#[cfg(gristmill_shuttle)]
pub mod modelled_faults;

#[cfg(test)]
mod testing;

#[cfg(gristmill_loom)]
#[cfg(test)]
mod loom_tests;

pub mod wheel;

mod clock;
mod host;
mod shard;
mod timers;

mod context;
mod instant;
mod spares;

pub mod error;
mod interval;
mod pause;
mod sleep;
mod timeout;

pub use clock::Clock;
pub use context::{EnterGuard, enter, with_current};
pub use host::Host;
pub use instant::Instant;
pub use interval::{Interval, MissedTickBehavior, interval, interval_at};
pub use pause::{advance, pause, resume};
pub use sleep::{Sleep, sleep, sleep_until};
pub use spares::Spares;
pub use timeout::{Timeout, timeout, timeout_at};
pub use timers::{Batch, Timers};
