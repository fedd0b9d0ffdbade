//! A single-threaded hierarchical timer wheel over `u64` nanoseconds.
//!
//! The wheel reads no clock, holds no lock and wakes nobody: it is told the time and hands out
//! wakers.
//!
//! ```text
//!   level 0   256 slots of 2^14 ns (16.4 µs)       4.2 ms in all
//!   level 1   256 slots of 2^22 ns (4.2 ms)        1.07 s
//!   level 2   256 slots of 2^30 ns (1.07 s)        4.6 min
//!   level 3   256 slots of 2^38 ns (4.6 min)       19.5 h
//!   level 4   256 slots of 2^46 ns (19.5 h)        208 days
//!   level 5   256 slots of 2^54 ns (208 days)      146 years; what lies beyond waits in its last slot
//! ```
//!
//! - `place`: where an entry belongs, as pure arithmetic on ticks.
//! - `slab`: the entries, and the circular lists that run through them.
//! - `levels`: the slots and a bit mask of the occupied ones a level.
//! - `wheel`: the four operations over them: insert, refresh, cancel, fire.
//!
//! Firing looks for the earliest occupied slot; while its earliest deadline is due, the slot's list
//! is taken out as a whole (the *cascade*), the wheel moves to the tick of that deadline, and entry
//! by entry is fired or put back where it belongs now. A cascade may be interrupted at any entry,
//! so that one call does a bounded amount of work.

mod levels;
mod place;
mod slab;
#[expect(
    clippy::module_inception,
    reason = "the file holds the noun that the folder is named after"
)]
mod wheel;

pub use place::TICK_NS;
pub use slab::{Excess, Key};
pub use wheel::{Fired, Refreshed, Wheel};

#[cfg(test)]
mod model_tests;
